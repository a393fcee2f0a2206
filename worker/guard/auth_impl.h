/* What auth.c and auth_ask.c share, and nobody else. */
#ifndef AUTH_IMPL_H
#define AUTH_IMPL_H

#include <sys/queue.h>

#include "common/base/idmap.h"
#include "common/crypto/cpace.h"
#include "common/tunnel/login.h"
#include "common/conf/verifier.h"
#include "worker/guard/auth.h"

struct held;

/* Not decided yet; every other outcome is an enum login_code. */
#define PENDING LOGIN_CODES

enum stage {
	STAGE_NEW,
	STAGE_CONFIRM, /* CHALLENGE is out */
	STAGE_HASH,    /* argon2 is at it */
	STAGE_ASK      /* the external check is */
};

/* One login, in guarded memory. */
struct attempt {
	TAILQ_ENTRY(attempt) link;
	uint32_t id;
	uint32_t number; /* tells it from an earlier one of the same id */
	enum stage stage;
	struct login_case c; /* its view is not to be used later */
	struct login login;
	struct cpace cpace;
	bool vouched;	      /* by the external check, which ... */
	struct names allowed; /* ... allowed these names */
};

struct auth {
	const struct auth_ops *ops;
	void *arg;
	struct users *users;	/* NULL: not known yet */
	struct verifier status; /* of who tests the data path; or none */
	struct held *held;
	uint8_t unknown; /* what to do about ids without verifier: AUTH_CONF_ */
	size_t asks;	 /* attempts in STAGE_ASK */
	uint32_t
	    locked; /* the next login of this id is from a locked address */
	uint32_t numbers;
	struct idmap map;
	TAILQ_HEAD(attempts, attempt) all; /* oldest first */
};

/* The one place where a login ends: only LOGIN_OK lets anyone in. */
void auth_decide(struct auth *a, struct attempt *t, enum login_code code);

/*
 * auth_ask.c: have the operator's own service asked. PENDING, or LOGIN_BUSY:
 * too many are, or its source is.
 */
enum login_code auth_ask(struct auth *a, struct attempt *t);

/* MSG_VOUCHED, MSG_VOUCH_LOST. -1: malformed. */
int auth_take_vouched(struct auth *a, const struct msg *m);
int auth_take_vouch_lost(struct auth *a, const struct msg *m);

#endif
