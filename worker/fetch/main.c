/* ptpd-fetch: outgoing HTTP, to the external check and the error service. */
#include <sys/random.h>

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/fetch/http.h"
#include "common/fetch/lookup.h"
#include "common/fetch/sender.h"
#include "common/fetch/start.h"
#include "common/ipc/line.h"
#include "worker/fetch/question.h"
#include "common/ipc/serve.h"

struct process {
	struct serve serve; /* first: the common handlers' arg */
	struct http *http;
	struct lookup *lookup;
	struct sender *sender;
	struct msg_fetch_conf conf;
	bool auth_ca; /* auth.url has certificates of its own */
};

/* A question that is out. */
struct pending {
	struct process *process;
	uint32_t conn;
	struct question question; /* without its secret */
};

static void
answer(struct process *x, uint32_t conn, uint32_t number, enum vouch verdict,
    const struct names *allowed)
{
	uint8_t p[6 + NAMES_BYTES];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u32(&b, number);
	buf_put_u8(&b, (uint8_t)verdict);
	names_put(&b, allowed);
	serve_send(&x->serve, MSG_VOUCHED, conn, p, buf_used(&b));
}

static void
on_answer(void *arg, const struct http_answer *a)
{
	struct pending *p = arg;
	char text[TEXT_ESCAPED];
	enum vouch verdict = VOUCH_DOWN;
	struct names allowed = { 0 };
	const char *why = a->why;

	if (a->status != 0)
		verdict = question_verdict(
		    &p->question, a->status, a->body, a->n, &allowed, &why);
	if (verdict == VOUCH_DOWN && a->status != 0)
		log_warnx("auth.url: answer %ld: %s", a->status, why);
	else if (verdict == VOUCH_DOWN)
		log_warnx("auth.url: %s", text_escape(text, why, strlen(why)));
	answer(p->process, p->conn, p->question.number, verdict, &allowed);
	free(p);
}

/* Ask. -1: it cannot be asked. */
static int
post(struct process *x, struct pending *p, struct question *q)
{
	char body[QUESTION_BODY_MAX], id[64];
	uint64_t random[2];
	struct http_request r = { .url = x->conf.auth_url,
		.headers = { "Content-Type: application/json",
		    "Accept: application/json", id },
		.body = body,
		.ms = x->conf.auth_ms,
		.ca = x->auth_ca ? FETCH_CA_AUTH : FETCH_CA_SYSTEM,
		.done = on_answer,
		.arg = p };
	int ret = -1;

	if (getrandom(random, sizeof(random), 0) == sizeof(random) &&
	    x->conf.auth_url[0] != '\0' && (r.n = question_body(body, q)) > 0) {
		snprintf(id, sizeof(id), "Request-Id: %016llx%016llx",
		    (unsigned long long)random[0],
		    (unsigned long long)random[1]);
		ret = http_post(x->http, &r);
	}
	explicit_bzero(body, sizeof(body));
	return ret;
}

static int
on_vouch(void *arg, const struct msg *m)
{
	static const struct names none;
	struct process *x = arg;
	struct pending *p;
	struct question q;

	if (question_get(&q, m->p, m->n) == -1)
		return -1;
	if ((p = malloc(sizeof(*p))) != NULL) {
		p->process = x;
		p->conn = m->id;
		p->question = q;
		explicit_bzero(p->question.secret, sizeof(p->question.secret));
	}
	if (p == NULL || post(x, p, &q) == -1) {
		free(p);
		answer(x, m->id, q.number, VOUCH_DOWN, &none);
	}
	explicit_bzero(&q, sizeof(q));
	return 0;
}

static int
on_conf(void *arg, const struct msg *m)
{
	struct process *x = arg;
	struct buf b;

	x->auth_ca = false; /* it follows, if there is one */
	buf_read(&b, m->p, m->n);
	if (msg_get_fetch_conf(&b, &x->conf) == -1)
		return -1;
	sender_configure(x->sender, &x->conf);
	return 0;
}

static int
on_event(void *arg, const struct msg *m)
{
	struct process *x = arg;
	struct line line;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (line_get(&b, &line) == -1)
		return -1;
	sender_send(x->sender, &line.l);
	return 0;
}

static int
on_ca(void *arg, const struct msg *m)
{
	struct process *x = arg;

	x->auth_ca |= m->id == FETCH_CA_AUTH;
	return start_take_ca(x->http, m->id, m->fd);
}

static int
on_drain(void *arg, const struct msg *m)
{
	struct process *x = arg;

	serve_send(&x->serve, MSG_DRAINED, 0, NULL, 0);
	return serve_exit(arg, m);
}

static void
on_found(void *arg, const char *host, const char *addrs, const char *why)
{
	struct process *x = arg;

	http_found(x->http, host, addrs, why);
}

/* The master starts us anew, with another. */
static void
on_lookup_ended(void *arg)
{
	struct process *x = arg;

	log_error("the process that looks names up has died");
	event_base_loopbreak(x->serve.base);
}

int
main(void)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_PING] = serve_ping,
		[MSG_LEVEL] = serve_level,
		[MSG_EXIT] = serve_exit,
		[MSG_DRAIN] = on_drain,
		[MSG_VOUCH] = on_vouch,
		[MSG_FETCH_CONF] = on_conf,
		[MSG_FETCH_CA] = on_ca,
		[MSG_EVENT] = on_event,
	};
	static const struct lookup_ops lookup_ops = { on_found,
		on_lookup_ended };
	struct process x = { 0 };
	struct msg_boot boot;
	int fd, status;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_FETCH ||
	    (fd = start_lookup(&boot)) == -1 || serve_init(&x.serve) == -1 ||
	    (x.http = http_new(x.serve.base)) == NULL ||
	    (x.sender = sender_new(x.http)) == NULL ||
	    (x.lookup = lookup_new(x.serve.base, fd, &lookup_ops, &x)) == NULL)
		return 2;
	http_use(x.http, x.lookup);
	status = serve_run(&x.serve, &boot, handlers);
	return status;
}
