/* One line of the log as text or as JSON. */
#include "common/base/logline.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/jsontext.h"

uint64_t
logline_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

char *
logline_when(char *dst, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char day[LOGLINE_WHEN - 6];
	struct tm tm;

	dst[0] = '\0';
	if (gmtime_r(&seconds, &tm) != NULL &&
	    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm) > 0)
		snprintf(
		    dst, LOGLINE_WHEN, "%s.%03uZ", day, (unsigned)(ms % 1000));
	return dst;
}

static size_t
as_text(char *dst, const struct logline *l)
{
	char when[LOGLINE_WHEN], who[64] = "";
	int n;

	if (l->role != NULL && l->index >= 0)
		snprintf(who, sizeof(who), "%s %d (pid %ld): ", l->role,
		    l->index, l->role_pid);
	else if (l->role != NULL)
		snprintf(
		    who, sizeof(who), "%s (pid %ld): ", l->role, l->role_pid);
	n = snprintf(dst, LOGLINE_MAX - 1, "%s %s[%ld]: %s: %s%s",
	    logline_when(when, l->ms), l->name, l->pid,
	    log_level_name(l->level), who, l->text);
	if (n < 0)
		return 0;
	return n < LOGLINE_MAX - 1 ? (size_t)n : LOGLINE_MAX - 2;
}

static void
put_string(struct jsontext *j, const char *key, const char *value)
{
	jsontext_raw(j, key);
	jsontext_string(j, value, strlen(value));
}

static size_t
as_json(char *dst, const struct logline *l)
{
	char when[LOGLINE_WHEN];
	struct jsontext j;

	jsontext_init(&j, dst, LOGLINE_MAX - 1);
	put_string(&j, "{\"time\":", logline_when(when, l->ms));
	put_string(&j, ",\"level\":", log_level_name(l->level));
	put_string(&j, ",\"msg\":", l->text);
	put_string(&j, ",\"program\":", l->name);
	jsontext_raw(&j, ",\"pid\":");
	jsontext_number(&j, (uint64_t)(l->role != NULL ? l->role_pid : l->pid));
	if (l->role != NULL)
		put_string(&j, ",\"role\":", l->role);
	if (l->role != NULL && l->index >= 0) {
		jsontext_raw(&j, ",\"index\":");
		jsontext_number(&j, (uint64_t)l->index);
	}
	jsontext_raw(&j, "}");
	return j.n;
}

size_t
logline_format(char *dst, const struct logline *l, bool json)
{
	size_t n = json ? as_json(dst, l) : as_text(dst, l);

	dst[n++] = '\n';
	dst[n] = '\0';
	return n;
}
