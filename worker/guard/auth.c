/* Who is it? */
#include "worker/guard/auth_impl.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/tunnel/login.h"
#include "worker/guard/held.h"
#include "worker/guard/users.h"

struct auth *
auth_new(const struct auth_ops *ops, void *arg)
{
	struct auth *a;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	if ((a->held = held_new()) == NULL) {
		free(a);
		return NULL;
	}
	a->ops = ops;
	a->arg = arg;
	TAILQ_INIT(&a->all);
	return a;
}

static void
forget(struct auth *a, struct attempt *t)
{
	idmap_take(&a->map, t->id);
	a->asks -= t->stage == STAGE_ASK;
	TAILQ_REMOVE(&a->all, t, link);
	sodium_free(t); /* wipes it */
}

void
auth_free(struct auth *a)
{
	struct attempt *t;

	if (a == NULL)
		return;
	while ((t = TAILQ_FIRST(&a->all)) != NULL)
		forget(a, t);
	idmap_free(&a->map);
	users_free(a->users);
	held_free(a->held);
	sodium_memzero(&a->status, sizeof(a->status));
	free(a);
}

size_t
auth_count(const struct auth *a)
{
	return a->map.count;
}

void
auth_use(struct auth *a, struct users *users)
{
	users_free(a->users);
	a->users = users;
}

static void
send_reply(struct auth *a, uint32_t id, const struct login_msg *m)
{
	uint8_t p[LOGIN_MAX];
	size_t n = login_msg_put(p, m);

	a->ops->send(a->arg, MSG_HS_REPLY, id, p, n);
}

/*
 * REFUSED for the client; the master is told whom we refuse (may be ""). One
 * frame: the client may have gone at the first word, and is refused all the
 * same.
 */
static void
send_refusal(
    struct auth *a, uint32_t id, enum login_code code, const char *whom)
{
	struct login_msg refused = { .type = LOGIN_REFUSED };
	uint8_t p[2 + TEXT_LABEL_MAX + LOGIN_MAX], reply[LOGIN_MAX];
	struct buf b;

	refused.code = (uint8_t)code;
	if (code == LOGIN_BUSY)
		refused.retry = AUTH_RETRY_BUSY;
	else if (code == LOGIN_LIMIT)
		refused.retry = AUTH_RETRY_LIMIT;
	buf_write(&b, p, sizeof(p));
	buf_put_u8(&b, (uint8_t)code);
	buf_put_cstr8(&b, whom);
	buf_put(&b, reply, login_msg_put(reply, &refused));
	a->ops->send(a->arg, MSG_HS_FAIL, id, p, buf_used(&b));
}

static void
send_grant(struct auth *a, const struct attempt *t)
{
	uint8_t p[6 + TEXT_LABEL_MAX + LOGIN_INSTANCE + NAMES_BYTES];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u8(&b, t->login.method);
	buf_put_cstr8(&b, t->login.id);
	buf_put(&b, t->login.instance, sizeof(t->login.instance));
	buf_put_u8(&b, t->login.cipher);
	buf_put_u8(&b, t->vouched);
	names_put(&b, &t->allowed);
	a->ops->send(a->arg, MSG_HS_GRANT, t->id, p, buf_used(&b));
}

/* The one place where a login ends: only LOGIN_OK lets anyone in. */
void
auth_decide(struct auth *a, struct attempt *t, enum login_code code)
{
	if (code == PENDING)
		return;
	if (code == LOGIN_OK)
		send_grant(a, t);
	else
		send_refusal(a, t->id, code, t->login.id);
	forget(a, t);
}

static struct attempt *
add(struct auth *a, uint32_t id)
{
	struct attempt *t;

	if (a->map.count >= AUTH_LOGINS_MAX)
		auth_decide(a, TAILQ_FIRST(&a->all), LOGIN_BUSY);
	if ((t = sodium_malloc(sizeof(*t))) == NULL)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->id = id;
	t->number = ++a->numbers;
	if (idmap_put(&a->map, id, t) == -1) {
		sodium_free(t);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&a->all, t, link);
	return t;
}

/* By CPace: answer with CHALLENGE; the client has to confirm. */
static enum login_code
by_secret(struct auth *a, struct attempt *t, const struct verifier *v)
{
	struct login_msg challenge = { .type = LOGIN_CHALLENGE };
	uint8_t ci[CPACE_CI_MAX];
	struct cpace_input in = {
		.secret = v->u.secret,
		.secret_len = strlen(v->u.secret),
		.ci = ci,
		.sid = t->c.h,
		.sid_len = sizeof(t->c.h),
	};

	in.ci_len =
	    cpace_ci(ci, t->login.id, t->c.client_static, t->c.server_static);
	if (in.ci_len == 0 ||
	    cpace_respond(&t->cpace, &in, NULL, t->login.ya, challenge.yb,
		challenge.tag) == -1)
		return LOGIN_BAD;
	t->stage = STAGE_CONFIRM;
	send_reply(a, t->id, &challenge);
	return PENDING;
}

/* By key: Noise has proved that the client has the secret half. */
static enum login_code
by_key(const struct attempt *t, const struct verifier *v)
{
	return sodium_memcmp(t->c.client_static, v->u.key, VERIFIER_KEY) == 0
	    ? LOGIN_OK
	    : LOGIN_WRONG_KEY;
}

/* By a secret of which we have the argon2id hash. */
static enum login_code
by_hash(struct auth *a, struct attempt *t, const struct verifier *v)
{
	if (a->ops->hash(a->arg, t->id, t->number, &t->c.source, v->u.hash,
		t->login.secret) == -1)
		return LOGIN_BUSY;
	t->stage = STAGE_HASH;
	return PENDING;
}

/* An id that no verifier is known of. */
static enum login_code
by_nothing(struct auth *a, struct attempt *t)
{
	if (a->unknown == 0)
		return LOGIN_UNKNOWN_ID;
	if (t->login.method != LOGIN_PLAIN)
		return LOGIN_NEED_PLAIN;
	if ((a->unknown & AUTH_CONF_API) != 0)
		return auth_ask(a, t);
	return held_check(a->held, t->login.id, t->login.secret);
}

/* From an address with too many failures: nothing that could be guessed. */
static bool
is_locked(struct auth *a, const struct attempt *t)
{
	bool locked = a->locked == t->id && t->login.method != LOGIN_KEY;

	a->locked = 0;
	return locked;
}

/* An id has one method; who uses another is told which. */
static enum login_code
judge(struct auth *a, struct attempt *t)
{
	const struct verifier *v;
	uint8_t method = t->login.method;

	if (is_locked(a, t))
		return LOGIN_LOCKED;
	if (a->users == NULL)
		return LOGIN_BUSY;
	v = strcmp(a->status.id, t->login.id) == 0
	    ? &a->status
	    : users_find(a->users, t->login.id);
	if (v == NULL)
		return by_nothing(a, t);
	switch (v->method) {
	case VERIFIER_SECRET:
		return method != LOGIN_SECRET ? LOGIN_NEED_SECRET
					      : by_secret(a, t, v);
	case VERIFIER_PUBKEY:
		return method != LOGIN_KEY ? LOGIN_NEED_KEY : by_key(t, v);
	case VERIFIER_HASH:
		return method != LOGIN_PLAIN ? LOGIN_NEED_PLAIN
					     : by_hash(a, t, v);
	}
	return LOGIN_BAD;
}

static int
take_login(struct auth *a, const struct msg *m)
{
	struct attempt *t = idmap_get(&a->map, m->id);
	enum login_code code;

	if (m->id == 0)
		return -1;
	if (t != NULL)
		forget(a, t);
	if ((t = add(a, m->id)) == NULL) {
		send_refusal(a, m->id, LOGIN_BUSY, "");
		return 0;
	}
	if (login_case_get(&t->c, m->p, m->n) == -1 ||
	    login_get(&t->login, t->c.login, t->c.n) == -1)
		code = LOGIN_BAD;
	else
		code = judge(a, t);
	explicit_bzero(t->login.secret, sizeof(t->login.secret));
	auth_decide(a, t, code);
	return 0;
}

/* The client's confirmation, or that ours was wrong. */
static enum login_code
confirm(struct attempt *t, const struct msg *m)
{
	struct login_msg in;

	if (t->stage != STAGE_CONFIRM || login_msg_get(&in, m->p, m->n) == -1)
		return LOGIN_BAD;
	if (in.type == LOGIN_ABORT)
		return LOGIN_WRONG_SECRET;
	if (in.type != LOGIN_CONFIRM)
		return LOGIN_BAD;
	return cpace_confirm(&t->cpace, in.tag, NULL) == 0 ? LOGIN_OK
							   : LOGIN_WRONG_SECRET;
}

static int
take_more(struct auth *a, const struct msg *m)
{
	struct attempt *t = idmap_get(&a->map, m->id);

	if (t != NULL)
		auth_decide(a, t, confirm(t, m));
	return 0;
}

void
auth_hashed(struct auth *a, uint32_t id, uint32_t number, enum login_code code)
{
	struct attempt *t = idmap_get(&a->map, id);

	/* It may have gone while argon2 was at it. */
	if (t != NULL && t->number == number && t->stage == STAGE_HASH)
		auth_decide(a, t, code);
}

static int
take_fail(struct auth *a, const struct msg *m)
{
	struct attempt *t = idmap_get(&a->map, m->id);

	if (t != NULL)
		forget(a, t);
	return 0;
}

static int
take_locked(struct auth *a, const struct msg *m)
{
	a->locked = m->id;
	return 0;
}

static int
take_conf(struct auth *a, const struct msg *m)
{
	if (m->p[0] > (AUTH_CONF_ANY | AUTH_CONF_API))
		return -1;
	a->unknown = m->p[0];
	return 0;
}

static int
take_status_user(struct auth *a, const struct msg *m)
{
	struct buf b;

	buf_read(&b, m->p, m->n);
	a->status.method = VERIFIER_SECRET;
	buf_get_cstr8(&b, a->status.id, sizeof(a->status.id));
	buf_get_cstr8(&b, a->status.u.secret, sizeof(a->status.u.secret));
	return buf_done(&b) && a->status.id[0] != '\0' ? 0 : -1;
}

static int
take_release(struct auth *a, const struct msg *m)
{
	const char *id;
	struct buf b;
	size_t n;

	buf_read(&b, m->p, m->n);
	if (buf_get_str8(&b, &id, &n) == -1 || !buf_done(&b))
		return -1;
	held_release(a->held, id, n);
	return 0;
}

int
auth_take(struct auth *a, const struct msg *m)
{
	static const struct {
		uint8_t type;
		int (*take)(struct auth *a, const struct msg *m);
	} table[] = {
		{ MSG_HS_LOGIN, take_login },
		{ MSG_HS_MORE, take_more },
		{ MSG_HS_FAIL, take_fail },
		{ MSG_HS_LOCKED, take_locked },
		{ MSG_AUTH_CONF, take_conf },
		{ MSG_RELEASE, take_release },
		{ MSG_VOUCHED, auth_take_vouched },
		{ MSG_VOUCH_LOST, auth_take_vouch_lost },
		{ MSG_STATUS_USER, take_status_user },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].type == m->type)
			return table[i].take(a, m);
	return -1;
}
