/* Questions to `sign`. */
#include "worker/convert/asker.h"

#include <openssl/async.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ipc/chan.h"

#define QUESTION_MAX (SIGNING_KEY_ID + 2 + SIGNING_CONTENT_MAX)

/* If it cannot be sent now, the next channel will take it. */
static void
send_question(struct asker *k, const struct ask *a)
{
	if (k->open)
		(void)chan_send(
		    k->chan, MSG_SIGN, a->id, a->question, a->len, -1);
}

static void
finish(struct asker *k, struct ask *a, enum ask_state state)
{
	idmap_take(&k->waiting, a->id);
	deadline_drop(&a->deadline);
	a->state = (uint8_t)state;
}

/* In the job of the handshake that runs now. */
static bool
on_sign(void *arg, const struct signing *s, uint8_t *sig, size_t *n)
{
	uint8_t question[QUESTION_MAX];
	struct asker *k = arg;
	struct ask *a = k->running;
	struct buf b;

	buf_write(&b, question, sizeof(question));
	if (a == NULL || ASYNC_get_current_job() == NULL ||
	    signing_put(&b, s) == -1 || idmap_put(&k->waiting, a->id, a) == -1)
		return false;
	a->question = question;
	a->len = buf_used(&b);
	a->sig = sig;
	a->n = *n;
	a->state = ASK_WAITING;
	deadline_set(&k->deadlines, &a->deadline, clock_us());
	send_question(k, a);
	while (a->state == ASK_WAITING)
		ASYNC_pause_job();
	a->question = NULL;
	*n = a->n;
	return a->state == ASK_ANSWERED;
}

void
asker_init(struct asker *k, struct event_base *base)
{
	memset(k, 0, sizeof(*k));
	k->base = base;
	k->signer.sign = on_sign;
	k->signer.arg = k;
	deadlines_init(&k->deadlines, ASKER_WAIT_MS * UINT64_C(1000));
}

static int
on_signed(void *arg, const struct msg *m)
{
	struct asker *k = arg;
	struct ask *a = idmap_get(&k->waiting, m->id);

	if (a == NULL) /* it has waited too long, or is gone */
		return 0;
	if (m->n == 0 || m->n > a->n) {
		log_warnx("sign refused to sign a handshake");
		finish(k, a, ASK_FAILED);
	} else {
		memcpy(a->sig, m->p, m->n);
		a->n = m->n;
		finish(k, a, ASK_ANSWERED);
	}
	a->resume(a);
	return 0;
}

static void
on_ended(void *arg, const char *why)
{
	struct asker *k = arg;

	(void)why;
	k->open = false; /* the parent sends another */
}

void
asker_open(struct asker *k, int fd)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_SIGNED] = on_signed,
	};
	static const struct chan_ops ops = { .handlers = handlers,
		.ended = on_ended };
	struct ask *a;
	size_t at = 0;

	chan_free(k->chan);
	k->chan = chan_new(k->base, fd, ROLE_TLS, false, &ops, k);
	k->open = k->chan != NULL;
	if (!k->open) {
		close(fd);
		return;
	}
	chan_set_ready(k->chan);
	while ((a = idmap_next(&k->waiting, &at)) != NULL)
		send_question(k, a);
}

void
asker_tick(struct asker *k, uint64_t now)
{
	struct deadline *d;
	unsigned late = 0;

	while ((d = deadlines_due(&k->deadlines, now)) != NULL) {
		struct ask *a = (struct ask *)d;

		late++;
		finish(k, a, ASK_FAILED);
		a->resume(a);
	}
	if (late > 0)
		log_warnx("sign did not answer %u handshakes in time", late);
}

void
asker_forget(struct asker *k, struct ask *a)
{
	if (a->state == ASK_WAITING)
		finish(k, a, ASK_FAILED);
}
