/* ptpd-tls: the process of role tls, and its channel. */
#include <sys/mman.h>
#include <sys/resource.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/bundle.h"
#include "common/http/head.h"
#include "common/sys/fds.h"
#include "worker/convert/certs.h"
#include "worker/convert/tls_conn.h"
#include "worker/convert/tls_ctx.h"

#define OWN_FDS 16 /* of this process itself, amply */
#define FOR_EVER (UINT64_MAX / 4)

bool
tls_may_log(struct tls *t)
{
	uint64_t second = clock_us() / 1000000;

	if (t->log_second != second) {
		if (t->log_lines > TLS_LOG_RATE)
			log_info("%u more handshakes failed",
			    t->log_lines - TLS_LOG_RATE);
		t->log_second = second;
		t->log_lines = 0;
	}
	return ++t->log_lines <= TLS_LOG_RATE;
}

/* ---- how many there are ---- */

/* FULL when the reserve is reached; ROOM when twice as much is free. */
static void
tell_room(struct tls *t)
{
	size_t used = 2 * t->held + OWN_FDS;
	bool full = fds_full(used, t->nofile, t->full);

	if (full == t->full)
		return;
	t->full = full;
	serve_send(&t->serve, full ? MSG_FULL : MSG_ROOM, 0, NULL, 0);
}

static void
check_drained(struct tls *t)
{
	if (!t->draining || t->held > 0)
		return;
	serve_send(&t->serve, MSG_DRAINED, 0, NULL, 0);
	event_base_loopbreak(t->serve.base);
}

void
tls_let_go(struct tls *t)
{
	if (--t->held == 0)
		event_del(&t->tick);
	tell_room(t);
	check_drained(t);
}

static void
expire(struct deadlines *queue, uint64_t now)
{
	struct deadline *d;

	while ((d = deadlines_due(queue, now)) != NULL)
		tls_conn_expired((struct tls_conn *)((char *)d -
		    offsetof(struct tls_conn, deadline)));
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct tls *t = arg;
	uint64_t now = clock_us();

	(void)fd;
	(void)what;
	asker_tick(&t->asker, now);
	expire(&t->shaking, now);
	expire(&t->gathering, now);
	expire(&t->lingering, now);
	expire(&t->stalled, now);
}

/* Too many: whoever has had the longest chance to say something goes. */
static void
make_room(struct tls *t)
{
	struct deadlines *const queues[] = { &t->shaking, &t->gathering };

	for (size_t i = 0; i < 2 && t->held >= t->max; i++) {
		struct deadline *d = deadlines_due(queues[i], UINT64_MAX);

		if (d != NULL)
			tls_conn_end((struct tls_conn *)((char *)d -
					 offsetof(struct tls_conn, deadline)),
			    END_LIMIT, true);
	}
}

/* ---- frames ---- */

static int
on_rules(void *arg, const struct msg *m)
{
	uint32_t max, head_max, shake_ms, head_ms;
	struct tls *t = arg;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &max);
	buf_get_u32(&b, &head_max);
	buf_get_u32(&b, &shake_ms);
	if (buf_get_u32(&b, &head_ms) == -1 || max == 0 || head_max == 0 ||
	    head_max > HEAD_MAX)
		return -1;
	t->max = max;
	t->head_max = head_max;
	t->shaking.wait = shake_ms == 0 ? FOR_EVER : shake_ms * UINT64_C(1000);
	t->gathering.wait = head_ms == 0 ? FOR_EVER : head_ms * UINT64_C(1000);
	return 0;
}

static int
on_certs(void *arg, const struct msg *m)
{
	struct tls *t = arg;
	struct certs *certs = NULL;
	uint32_t n = 0;
	struct buf b;
	void *p;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &n);
	if (m->fd == -1 || n > BUNDLE_MAX) {
		log_warnx("the certificates did not arrive");
		return 0;
	}
	p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, m->fd, 0);
	close(m->fd);
	if (p == MAP_FAILED) {
		log_warn("cannot read the certificates");
		return 0;
	}
	certs = certs_new(p, n, &t->asker.signer, tls_ctx_new, t);
	munmap(p, n);
	if (certs == NULL) /* those before are better than none */
		return 0;
	certs_free(t->certs);
	t->certs = certs;
	return 0;
}

static int
on_tickets(void *arg, const struct msg *m)
{
	struct tls *t = arg;

	return tickets_set(&t->tickets, m->p, m->n);
}

static int
on_signer(void *arg, const struct msg *m)
{
	struct tls *t = arg;

	if (m->fd == -1)
		log_warnx("the channel to sign did not arrive");
	else
		asker_open(&t->asker, m->fd);
	return 0;
}

static int
on_conn(void *arg, const struct msg *m)
{
	static const struct timeval tick = { 0, TLS_TICK_MS * 1000 };
	const uint8_t lost[17] = { END_NOFILE };
	struct tls *t = arg;
	struct msg_conn who;
	uint8_t flags = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	msg_get_conn(&b, &who);
	if (buf_get_u8(&b, &flags) == -1 || !buf_done(&b))
		return -1;
	if (m->fd == -1) {
		serve_send(&t->serve, MSG_CLOSED, m->id, lost, sizeof(lost));
		return 0;
	}
	make_room(t);
	tls_conn_new(t, m->id, m->fd, &who, flags);
	if (t->held > 0 && !event_pending(&t->tick, EV_TIMEOUT, NULL))
		event_add(&t->tick, &tick);
	tell_room(t);
	return 0;
}

static int
on_plain(void *arg, const struct msg *m)
{
	struct tls *t = arg;
	struct tls_conn *c = idmap_get(&t->conns, m->id);

	if (c != NULL)
		tls_conn_plain(c, m->fd);
	else if (m->fd != -1)
		close(m->fd);
	return 0;
}

static int
on_no(void *arg, const struct msg *m)
{
	struct tls *t = arg;
	struct tls_conn *c = idmap_get(&t->conns, m->id);

	if (c != NULL)
		tls_conn_refuse(c);
	return 0;
}

static int
on_drain(void *arg, const struct msg *m)
{
	struct tls *t = arg;

	(void)m;
	t->draining = true;
	check_drained(t);
	return 0;
}

/* ---- the process ---- */

/* What OpenSSL loads at its first use cannot be loaded in the sandbox. */
static int
prime(struct tls *t)
{
	OSSL_PROVIDER *own; /* ours as long as this process lives */
	unsigned char byte;
	SSL_CTX *ctx;
	SSL *ssl;

	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) ||
	    provider_load(&own) == -1 || RAND_bytes(&byte, 1) != 1 ||
	    tickets_init(&t->tickets) == -1 || (ctx = tls_ctx_new(t)) == NULL)
		return -1;
	ssl = SSL_new(ctx);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return ssl != NULL ? 0 : -1;
}

static int
init(struct tls *t, const struct msg_boot *boot)
{
	struct rlimit limit;

	if (prime(t) == -1 || getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    serve_init(&t->serve) == -1)
		return -1;
	t->nofile = limit.rlim_cur;
	if (boot->nofile != 0 && boot->nofile < t->nofile)
		t->nofile = boot->nofile;
	t->max = t->nofile;
	t->head_max = HEAD_MAX;
	asker_init(&t->asker, t->serve.base);
	deadlines_init(&t->shaking, FOR_EVER);
	deadlines_init(&t->gathering, FOR_EVER);
	deadlines_init(&t->lingering, TLS_LINGER_MS * UINT64_C(1000));
	deadlines_init(&t->stalled, TLS_STALL_MS * UINT64_C(1000));
	return event_assign(
	    &t->tick, t->serve.base, -1, EV_TIMEOUT | EV_PERSIST, on_tick, t);
}

int
main(void)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_PING] = serve_ping,
		[MSG_LEVEL] = serve_level,
		[MSG_EXIT] = serve_exit,
		[MSG_DRAIN] = on_drain,
		[MSG_TLS_RULES] = on_rules,
		[MSG_TLS_CERTS] = on_certs,
		[MSG_TLS_TICKETS] = on_tickets,
		[MSG_TLS_SIGNER] = on_signer,
		[MSG_CONN] = on_conn,
		[MSG_TLS_PLAIN] = on_plain,
		[MSG_TLS_NO] = on_no,
	};
	struct msg_boot boot;
	struct tls *t;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_TLS ||
	    (t = calloc(1, sizeof(*t))) == NULL || init(t, &boot) == -1)
		return 2;
	return serve_run(&t->serve, &boot, handlers);
}
