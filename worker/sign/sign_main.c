/*
 * ptpd-sign: the process of role sign. It holds the private keys of
 * certificates and lends them, by channels that the parent made, to tls
 * workers that have a handshake to sign.
 */
#include <sys/mman.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/bundle.h"
#include "common/ipc/serve.h"
#include "worker/sign/signer.h"

/* Guarded memory for private numbers: a page for the largest key of each. */
#define SECURE_HEAP (1u << 19)
#define SECURE_LEAST 32
#define ASKERS_MAX 8 /* tls workers: one, and those that drain */

struct asker {
	struct process *process;
	struct chan *chan;
	bool ended;
	TAILQ_ENTRY(asker) link;
};

struct process {
	struct serve serve; /* first: the common handlers' arg */
	struct keyring *keys;
	TAILQ_HEAD(, asker) askers;
	size_t n;
	bool draining;
	struct event *sweep;
};

static int
on_sign(void *arg, const struct msg *m)
{
	struct asker *a = arg;
	uint8_t sig[SIGNING_SIGNATURE_MAX];
	size_t n = 0;

	if (signer_sign(a->process->keys, m->p, m->n, sig, &n) == -1) {
		log_warnx("refused to sign what is no part of a handshake, or "
			  "for no key of ours");
		n = 0;
	}
	return chan_send(a->chan, MSG_SIGNED, m->id, sig, n, -1);
}

static void
on_ended(void *arg, const char *why)
{
	struct asker *a = arg;

	(void)why;
	a->ended = true;
	event_active(a->process->sweep, EV_TIMEOUT, 0);
}

/* Free those whose channel has ended; the last of them may end us. */
static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct process *x = arg;
	struct asker *a, *next;

	(void)fd;
	(void)what;
	for (a = TAILQ_FIRST(&x->askers); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		if (!a->ended)
			continue;
		TAILQ_REMOVE(&x->askers, a, link);
		chan_free(a->chan);
		free(a);
		x->n--;
	}
	if (!x->draining || x->n > 0)
		return;
	serve_send(&x->serve, MSG_DRAINED, 0, NULL, 0);
	event_base_loopbreak(x->serve.base);
}

static int
on_signer(void *arg, const struct msg *m)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_SIGN] = on_sign,
	};
	static const struct chan_ops ops = { .handlers = handlers,
		.ended = on_ended };
	struct process *x = arg;
	struct asker *a;

	if (m->fd == -1 || x->n == ASKERS_MAX ||
	    (a = calloc(1, sizeof(*a))) == NULL) {
		log_warnx("the channel to tls did not arrive");
		if (m->fd != -1)
			close(m->fd);
		return 0;
	}
	a->process = x;
	a->chan = chan_new(x->serve.base, m->fd, ROLE_SIGN, false, &ops, a);
	if (a->chan == NULL) {
		close(m->fd);
		free(a);
		return 0;
	}
	chan_set_ready(a->chan);
	TAILQ_INSERT_TAIL(&x->askers, a, link);
	x->n++;
	return 0;
}

static int
on_keys(void *arg, const struct msg *m)
{
	struct process *x = arg;
	uint32_t n = 0;
	struct buf b;
	void *p;
	int ret;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &n);
	if (m->fd == -1 || n == 0 || n > BUNDLE_MAX)
		return -1;
	p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, m->fd, 0);
	close(m->fd);
	if (p == MAP_FAILED)
		return -1;
	ret = keyring_load(x->keys, p, n);
	munmap(p, n);
	return ret;
}

/* Whoever still has a channel to us may have handshakes under way. */
static int
on_drain(void *arg, const struct msg *m)
{
	struct process *x = arg;

	(void)m;
	x->draining = true;
	event_active(x->sweep, EV_TIMEOUT, 0);
	return 0;
}

/* What OpenSSL loads at its first use cannot be loaded in the sandbox. */
static int
prime(void)
{
	unsigned char byte;

	if (!OPENSSL_init_crypto(
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		NULL) ||
	    CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_LEAST) == 0)
		return -1;
	return RAND_bytes(&byte, 1) == 1 ? 0 : -1;
}

int
main(void)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_PING] = serve_ping,
		[MSG_LEVEL] = serve_level,
		[MSG_EXIT] = serve_exit,
		[MSG_DRAIN] = on_drain,
		[MSG_TLS_KEYS] = on_keys,
		[MSG_TLS_SIGNER] = on_signer,
	};
	struct process x = { .n = 0 };
	struct msg_boot boot;

	TAILQ_INIT(&x.askers);
	if (boot_receive(&boot) == -1 || boot.role != ROLE_SIGN ||
	    prime() == -1 || serve_init(&x.serve) == -1 ||
	    (x.keys = keyring_new()) == NULL ||
	    (x.sweep = event_new(x.serve.base, -1, 0, on_sweep, &x)) == NULL)
		return 2;
	return serve_run(&x.serve, &boot, handlers);
}
