/* The users of a server's configuration. */
#include "master/conf_users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf/checks.h"
#include "common/conf/secret.h"
#include "common/conf/source.h"
#include "common/crypto/keytext.h"
#include "master/conf_schema.h"

#define USER_SET_PROOF (USER_SET_SECRET | USER_SET_KEY | USER_SET_HASH)

/* Sources of users, the stronger the higher. */
enum rank { RANK_USERS, RANK_FILE, RANK_ARGUMENT };

/* What proves the user; 0 after a fault. */
static uint64_t
method_of(const struct conf_user *u, const struct schema_place *at)
{
	switch (u->set & USER_SET_PROOF) {
	case USER_SET_SECRET:
		return VERIFIER_SECRET;
	case USER_SET_KEY:
		return VERIFIER_PUBKEY;
	case USER_SET_HASH:
		return VERIFIER_HASH;
	case 0:
		schema_fault(at, NULL, "expected a secret, key or secret_hash");
		return 0;
	default:
		schema_fault(
		    at, NULL, "expected only one of secret, key, secret_hash");
		return 0;
	}
}

void
conf_users_finish(void *user, const struct schema_place *at)
{
	struct conf_user *u = user;
	char why[SECRET_WHY];

	u->file = at->file;
	u->line = at->line;
	u->index = at->index;
	if ((u->set & USER_SET_ID) == 0)
		schema_fault(at, "id", "expected an id");
	u->method = method_of(u, at);
	if (u->secret != NULL && secret_resolve(&u->secret, why) == -1)
		schema_fault(at, "secret", "%s", why);
}

/* Move a user to the end of the list. Faults if there is no room. */
static void
move_user(struct server_conf *c, struct conf_user *u, enum rank rank,
    struct faults *f)
{
	struct conf_user *slot = NULL;

	if (c->users.n < VERIFIER_MAX)
		slot = lists_add(&c->users, sizeof(*slot));
	if (slot == NULL) {
		faults_add(f, u->file, u->line, "users",
		    "expected at most %d users", VERIFIER_MAX);
		schema_free(&conf_schema_user, u);
		return;
	}
	*slot = *u;
	slot->rank = (int)rank;
	memset(u, 0, sizeof(*u));
}

/* Move all users of a list, which is then empty. */
static void
move_users(struct server_conf *c, struct conf_user_list *from, enum rank rank,
    struct faults *f)
{
	for (size_t i = 0; i < from->n; i++)
		move_user(c, &from->v[i], rank, f);
	lists_clear(from);
}

/* The users_file; that it is missing is told where its key stands. */
static void
load_file(struct server_conf *c, const struct conf_args *args,
    const struct schema_place *at, struct faults *f)
{
	struct conf_users_file file;
	struct schema_input in = { .file = c->users_file };
	config_t cfg;
	int rc = source_file(&cfg, c->users_file, false, f);

	if (rc == 0 && !args->reload)
		schema_fault(at, NULL, "%s: no such file", c->users_file);
	else if (rc == 0)
		faults_warn(f, c->users_file, 0, NULL,
		    "no such file: nobody of it can log in");
	if (rc == 1) {
		in.group = config_root_setting(&cfg);
		schema_load(&conf_schema_users, &file, &in, f);
		if (file.users.n == 0)
			faults_warn(f, c->users_file, 0, NULL,
			    "no users: nobody of it can log in");
		move_users(c, &file.users, RANK_FILE, f);
	}
	source_free(&cfg);
}

/* One -u id:secret. The secret is never shown. */
static void
load_argument(
    struct server_conf *c, const char *arg, size_t index, struct faults *f)
{
	struct conf_user u = { .set = USER_SET_ID | USER_SET_SECRET };
	struct schema_place at = { .faults = f, .file = "-u", .index = index };
	char id[TEXT_LABEL_MAX + 1];
	const char *colon = strchr(arg, ':');
	size_t n = colon == NULL ? 0 : strlen(colon + 1);

	if (colon == NULL || n == 0 || n > SECRET_MAX) {
		schema_fault(&at, NULL, "expected id:secret, or id:@file");
		return;
	}
	if (text_label(id, arg, (size_t)(colon - arg)) == -1) {
		schema_fault(&at, NULL,
		    "expected an id of letters, digits and inner hyphens, "
		    "at most 63");
		return;
	}
	u.id = strdup(id);
	u.secret = strdup(colon + 1);
	if (u.id == NULL || u.secret == NULL) {
		schema_fault(&at, NULL, "expected more memory");
		schema_free(&conf_schema_user, &u);
		return;
	}
	at.key = u.id;
	conf_users_finish(&u, &at);
	move_user(c, &u, RANK_ARGUMENT, f);
}

/* By id; of one id the strongest first; of one source as they came. */
static int
by_id(const void *left, const void *right)
{
	const struct conf_user *a = left, *b = right;
	int order = strcmp(a->id, b->id);

	if (order != 0)
		return order;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void
twice(const struct conf_user *u, struct faults *f)
{
	char key[64];

	snprintf(key, sizeof(key), "users[%zu].id", u->index);
	faults_add(f, u->file, u->line, u->rank == RANK_ARGUMENT ? u->id : key,
	    "expected each id once: \"%s\" is there twice", u->id);
}

/* Keep the first of each id. */
static void
unify(struct conf_user_list *l, struct faults *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct conf_user *u = &l->v[i];
		struct conf_user *last = kept == 0 ? NULL : &l->v[kept - 1];

		if (last == NULL || strcmp(last->id, u->id) != 0) {
			l->v[kept++] = *u;
			continue;
		}
		if (last->rank == u->rank)
			twice(u, f);
		schema_free(&conf_schema_user, u);
	}
	l->n = kept;
}

void
conf_users_merge(struct server_conf *c, const struct conf_args *args,
    const struct schema_input *in, struct faults *f)
{
	struct schema_place at = schema_locate(in, "users_file", f);

	if (c->users_file != NULL)
		load_file(c, args, &at, f);
	for (size_t i = 0; i < args->nusers; i++)
		load_argument(c, args->users[i], i, f);
	if (args->nusers > 0)
		c->set |= CONF_SET_USERS;
	/* A user without id would have no place in the order. */
	if (f->errors > 0)
		return;
	if (c->users.n > 0)
		qsort(c->users.v, c->users.n, sizeof(c->users.v[0]), by_id);
	unify(&c->users, f);
}

void
conf_users_verifier(const struct conf_user *u, struct verifier *v)
{
	memset(v, 0, sizeof(*v));
	v->method = (uint8_t)u->method;
	memcpy(v->id, u->id, strlen(u->id) + 1);
	switch (u->method) {
	case VERIFIER_SECRET:
		memcpy(v->u.secret, u->secret, strlen(u->secret) + 1);
		break;
	case VERIFIER_PUBKEY:
		keytext_decode(v->u.key, u->key, strlen(u->key));
		break;
	case VERIFIER_HASH:
		memcpy(v->u.hash, u->secret_hash, strlen(u->secret_hash) + 1);
		break;
	}
}
