/* A line of the log as an event. */
#include "common/fetch/event.h"

#include <stdio.h>
#include <string.h>

#include "common/base/jsontext.h"

#define PAYLOAD_MAX (EVENT_MAX - 512)

static void
put_string(struct jsontext *j, const char *key, const char *value)
{
	jsontext_raw(j, key);
	jsontext_string(j, value, strlen(value));
}

static void
put_known(struct jsontext *j, const char *key, const char *value)
{
	if (value[0] != '\0')
		put_string(j, key, value);
}

/* Levels by the names that the service has for them. */
static const char *
level_name(enum log_level level)
{
	if (level == LOG_LEVEL_TRACE)
		return "debug";
	return level == LOG_LEVEL_WARN ? "warning" : log_level_name(level);
}

static void
put_tags(struct jsontext *j, const struct logline *l)
{
	char pid[24];

	snprintf(
	    pid, sizeof(pid), "%ld", l->role != NULL ? l->role_pid : l->pid);
	put_string(j, ",\"tags\":{\"program\":", l->name);
	if (l->role != NULL)
		put_string(j, ",\"role\":", l->role);
	put_string(j, ",\"pid\":", pid);
	jsontext_raw(j, "}");
}

static size_t
payload(char *dst, const struct logline *l, const struct event_origin *o,
    const char *id)
{
	char when[LOGLINE_WHEN];
	struct jsontext j;

	jsontext_init(&j, dst, PAYLOAD_MAX);
	put_string(&j, "{\"event_id\":", id);
	put_string(&j, ",\"timestamp\":", logline_when(when, l->ms));
	put_string(&j, ",\"platform\":", "other");
	put_string(&j, ",\"level\":", level_name(l->level));
	put_string(&j, ",\"logger\":", l->name);
	put_known(&j, ",\"release\":", o->release);
	put_known(&j, ",\"environment\":", o->environment);
	put_known(&j, ",\"server_name\":", o->server_name);
	put_string(&j, ",\"message\":{\"formatted\":", l->text);
	jsontext_raw(&j, "}");
	put_tags(&j, l);
	jsontext_raw(&j, "}");
	return j.full ? 0 : j.n;
}

size_t
event_envelope(char *dst, const struct logline *l, const struct event_origin *o,
    const char id[EVENT_ID + 1], uint64_t sent)
{
	char body[PAYLOAD_MAX], when[LOGLINE_WHEN];
	size_t n = payload(body, l, o, id);
	int len;

	if (n == 0)
		return 0;
	len = snprintf(dst, EVENT_MAX,
	    "{\"event_id\":\"%s\",\"sent_at\":\"%s\"}\n"
	    "{\"type\":\"event\",\"content_type\":\"application/json\","
	    "\"length\":%zu}\n%s\n",
	    id, logline_when(when, sent), n, body);
	return len > 0 && len < EVENT_MAX ? (size_t)len : 0;
}
