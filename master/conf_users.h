/*
 * The users of a server's configuration: from `users`, users_file and -u to
 * one sorted list, and out of it the verifiers.
 */
#ifndef CONF_FEED_H
#define CONF_FEED_H

#include "common/conf/schema.h"
#include "master/conf.h"

/* Check and complete one user as it was loaded (schema.finish). */
void conf_users_finish(void *user, const struct schema_place *at);

/*
 * Add the users of c->users_file and of the -u arguments to those of `users`
 * that are in c already, sort them by id, and let the stronger source of an id
 * win: -u beats users_file beats users, each user as a whole. The same id
 * twice in one source is a fault. `in` is what c was loaded from.
 */
void conf_users_merge(struct server_conf *c, const struct conf_args *args,
    const struct schema_input *in, struct faults *f);

/* The verifier of a user that was loaded (not decoded), into *v. */
void conf_users_verifier(const struct conf_user *u, struct verifier *v);

#endif
