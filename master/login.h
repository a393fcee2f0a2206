/*
 * What a proven login leads to: a session of its own, in the place of an
 * earlier one of the same process (PROTOCOL.md section 4).
 */
#ifndef MASTER_LOGIN_H
#define MASTER_LOGIN_H

#include "common/ipc/chan.h"
#include "master/conns.h"
#include "master/master.h"

/* auth says yes to c. -1: it says so in a broken way. */
int login_grant(struct master *m, struct conn *c, const struct msg *msg);

/* The same, but the client has gone meanwhile. */
int login_missed(struct master *m, const struct msg *msg);

/* The relay has the keys: the session stands. */
void login_done(struct master *m, struct conn *c);

#endif
