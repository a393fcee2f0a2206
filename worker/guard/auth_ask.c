/* Who is it? The operator's own service is asked, by way of fetch. */
#include <string.h>

#include "common/base/buf.h"
#include "worker/guard/auth_impl.h"

/* Whether its source is asked for already. */
static bool
source_asks(const struct auth *a, const struct addr *source)
{
	const struct attempt *t;

	if (source->family == ADDR_ANY)
		return false;
	TAILQ_FOREACH(t, &a->all, link)
	{
		if (t->stage == STAGE_ASK && addr_equal(source, &t->c.source))
			return true;
	}
	return false;
}

enum login_code
auth_ask(struct auth *a, struct attempt *t)
{
	uint8_t p[8 + TEXT_LABEL_MAX + LOGIN_SECRET_MAX + NAMES_BYTES];
	struct buf b;

	if (a->asks >= AUTH_ASKS_MAX || source_asks(a, &t->c.source))
		return LOGIN_BUSY;
	buf_write(&b, p, sizeof(p));
	buf_put_u32(&b, t->number);
	buf_put_cstr8(&b, t->login.id);
	buf_put_cstr8(&b, t->login.secret);
	names_put(&b, &t->login.asked);
	t->stage = STAGE_ASK;
	a->asks++;
	a->ops->send(a->arg, MSG_VOUCH, t->id, p, buf_used(&b));
	explicit_bzero(p, sizeof(p));
	return PENDING;
}

/* Keep of the asked names those that the answer has. -1: malformed. */
static int
intersect(struct attempt *t, struct buf *b)
{
	char name[TEXT_NAME_MAX + 1];
	struct names answer;

	if (names_get(b, &answer) == -1 || !buf_done(b))
		return -1;
	for (size_t i = 0; names_at(&t->login.asked, i, name) == 0; i++)
		if (names_have(&answer, name))
			names_add(&t->allowed, name);
	return 0;
}

int
auth_take_vouched(struct auth *a, const struct msg *m)
{
	struct attempt *t = idmap_get(&a->map, m->id);
	uint8_t answer = VOUCHES;
	uint32_t number = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u32(&b, &number);
	if (buf_get_u8(&b, &answer) == -1 || answer >= VOUCHES)
		return -1;
	/* It may have gone meanwhile, and another be in its place. */
	if (t == NULL || t->number != number || t->stage != STAGE_ASK)
		return 0;
	if (intersect(t, &b) == -1)
		return -1;
	t->vouched = true;
	auth_decide(a, t,
	    answer == VOUCH_YES	     ? LOGIN_OK
		: answer == VOUCH_NO ? LOGIN_WRONG_SECRET
				     : LOGIN_BUSY);
	return 0;
}

int
auth_take_vouch_lost(struct auth *a, const struct msg *m)
{
	struct attempt *t, *next;

	for (t = TAILQ_FIRST(&a->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (t->stage == STAGE_ASK && (m->id == 0 || m->id == t->id))
			auth_decide(a, t, LOGIN_BUSY);
	}
	return 0;
}
