/* The role `proof`: identities, and which handshake a frame is for. */
#include "client/proof.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <string.h>

#include "client/initiator.h"
#include "client/identity.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/ipc/serve.h"

/* All of it in guarded memory. */
struct proof {
	struct serve serve;	/* first: the common handlers' arg */
	struct noise_key fresh; /* our static key where an identity has none */
	bool known[IDENTITY_MAX];
	struct identity identities[IDENTITY_MAX];
	struct initiator *handshakes[PROOF_HANDSHAKES]; /* oldest first */
	size_t n;
};

static void
send_up(void *arg, uint8_t type, uint32_t conn, const void *p, size_t n)
{
	struct proof *pr = arg;

	chan_send(pr->serve.chan, type, conn, p, n, -1);
}

static void
drop(struct proof *pr, size_t i)
{
	initiator_free(pr->handshakes[i]);
	memmove(&pr->handshakes[i], &pr->handshakes[i + 1],
	    (pr->n - i - 1) * sizeof(pr->handshakes[0]));
	pr->n--;
}

/* Where the handshake of conn is; pr->n if there is none. */
static size_t
find(const struct proof *pr, uint32_t conn)
{
	size_t i;

	for (i = 0; i < pr->n; i++)
		if (initiator_conn(pr->handshakes[i]) == conn)
			break;
	return i;
}

/* Forget it when it has come to its end. */
static void
settle(struct proof *pr, size_t i)
{
	if (initiator_ended(pr->handshakes[i]))
		drop(pr, i);
}

static int
on_identity(void *arg, const struct msg *m)
{
	struct proof *pr = arg;
	struct identity *i;
	struct buf b;
	int ret = -1;

	if ((i = sodium_malloc(sizeof(*i))) == NULL)
		return -1;
	buf_read(&b, m->p, m->n);
	if (identity_get(&b, i) == 0) {
		memcpy(&pr->identities[i->number], i, sizeof(*i));
		pr->known[i->number] = true;
		ret = 0;
	}
	sodium_free(i);
	return ret;
}

static int
on_start(void *arg, const struct msg *m)
{
	struct proof *pr = arg;
	struct identity_start s;
	struct initiator *h;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (identity_start_get(&b, &s) == -1 || s.identity >= IDENTITY_MAX ||
	    !pr->known[s.identity] || find(pr, m->id) != pr->n)
		return -1;
	if (pr->n == PROOF_HANDSHAKES)
		drop(pr, 0);
	h = initiator_new(
	    m->id, &pr->identities[s.identity], &pr->fresh, &s, send_up, pr);
	if (h == NULL)
		return -1;
	pr->handshakes[pr->n++] = h;
	settle(pr, pr->n - 1);
	return 0;
}

static int
on_blob(void *arg, const struct msg *m)
{
	struct proof *pr = arg;
	size_t i = find(pr, m->id);

	if (i == pr->n) /* it has failed meanwhile */
		return 0;
	initiator_blob(pr->handshakes[i], m->p, m->n);
	settle(pr, i);
	return 0;
}

static int
on_trust(void *arg, const struct msg *m)
{
	struct proof *pr = arg;
	size_t i = find(pr, m->id);

	if (m->p[0] < TRUST_PINNED || m->p[0] > TRUST_CHANGED)
		return -1;
	if (i == pr->n)
		return 0;
	initiator_trust(pr->handshakes[i], (enum trust)m->p[0]);
	settle(pr, i);
	return 0;
}

/* The connection has gone. */
static int
on_fail(void *arg, const struct msg *m)
{
	struct proof *pr = arg;
	size_t i = find(pr, m->id);

	if (i < pr->n)
		drop(pr, i);
	return 0;
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_IDENTITY] = on_identity,
	[MSG_HS_START] = on_start,
	[MSG_HS_IN] = on_blob,
	[MSG_TRUST] = on_trust,
	[MSG_HS_FAIL] = on_fail,
	[MSG_LEVEL] = serve_level,
	[MSG_PING] = serve_ping,
	[MSG_EXIT] = serve_exit,
	[MSG_DRAIN] = serve_exit,
};

/* The channel is still there, for what a handshake has to say at its end. */
static void
on_end(struct serve *s)
{
	struct proof *pr = (struct proof *)s;

	while (pr->n > 0)
		drop(pr, 0);
}

int
proof_main(const struct msg_boot *boot)
{
	struct proof *pr;
	int status;

	if (sodium_init() == -1 || (pr = sodium_malloc(sizeof(*pr))) == NULL)
		return 2;
	memset(pr, 0, sizeof(*pr));
	noise_key_make(&pr->fresh);
	if (serve_init(&pr->serve) == -1)
		return 2;
	pr->serve.leave = on_end;
	status = serve_run(&pr->serve, boot, handlers);
	sodium_free(pr);
	return status;
}
