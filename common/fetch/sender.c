/* Events to an error service. */
#include "common/fetch/sender.h"

#include <sys/random.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/logline.h"
#include "common/base/text.h"
#include "common/conf/dsn.h"
#include "common/fetch/event.h"
#include "common/fetch/http.h"

#define TOO_MANY 429

struct sender {
	struct http *http;
	struct msg_fetch_conf conf;
	struct dsn dsn;
	bool configured;
	unsigned pending;
	uint64_t paused; /* until then; ms since 1970 */
	uint64_t dropped;
};

struct sender *
sender_new(struct http *http)
{
	struct sender *s;

	if ((s = calloc(1, sizeof(*s))) != NULL)
		s->http = http;
	return s;
}

void
sender_free(struct sender *s)
{
	free(s);
}

void
sender_configure(struct sender *s, const struct msg_fetch_conf *c)
{
	s->conf = *c;
	s->configured = c->dsn[0] != '\0' && dsn_parse(&s->dsn, c->dsn) == 0;
	s->paused = 0;
}

/* What is lost of the log's echo must not make more of it: level debug. */
static void
on_answer(void *arg, const struct http_answer *a)
{
	struct sender *s = arg;
	char text[TEXT_ESCAPED];

	s->pending--;
	if (a->status == TOO_MANY)
		s->paused = logline_now() + SENDER_PAUSE_MS;
	if (a->status < 200 || a->status > 299)
		s->dropped++;
	if (a->status == 0)
		log_debug(
		    "sentry: %s", text_escape(text, a->why, strlen(a->why)));
	else
		log_debug("sentry: answer %ld", a->status);
	if (s->conf.debug)
		log_info("sentry: event %s, status %ld",
		    a->status / 100 == 2 ? "taken" : "not taken", a->status);
}

static int
make_id(char id[EVENT_ID + 1])
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	snprintf(id, EVENT_ID + 1, "%016llx%016llx",
	    (unsigned long long)random[0], (unsigned long long)random[1]);
	return 0;
}

static int
post(struct sender *s, const struct logline *l)
{
	char body[EVENT_MAX], id[EVENT_ID + 1], auth[DSN_KEY_MAX + 128];
	struct event_origin origin = { .release = s->conf.release,
		.environment = s->conf.environment,
		.server_name = s->conf.server_name };
	struct http_request r = { .url = s->dsn.url,
		.headers = { "Content-Type: application/x-sentry-envelope",
		    auth },
		.body = body,
		.ms = SENDER_TIME_MS,
		.ca = FETCH_CA_SYSTEM,
		.done = on_answer,
		.arg = s };

	if (make_id(id) == -1)
		return -1;
	snprintf(auth, sizeof(auth),
	    "X-Sentry-Auth: Sentry sentry_version=7, "
	    "sentry_client=ptp/" PTP_VERSION ", sentry_key=%s",
	    s->dsn.key);
	r.n = event_envelope(body, l, &origin, id, logline_now());
	return r.n > 0 ? http_post(s->http, &r) : -1;
}

void
sender_send(struct sender *s, const struct logline *l)
{
	if (!s->configured)
		return;
	if (s->pending >= SENDER_PENDING || logline_now() < s->paused ||
	    post(s, l) == -1) {
		s->dropped++;
		return;
	}
	s->pending++;
	if (s->dropped > 0)
		log_info("sentry: %llu events were not sent",
		    (unsigned long long)s->dropped);
	s->dropped = 0;
}
