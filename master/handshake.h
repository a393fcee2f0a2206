/*
 * Logins under way: the master carries blobs, unread, between the relay that
 * has the connection, `keys` and `auth`, and knows only whose turn may be
 * next. See the table of MSG_HS_* in common/ipc/msg.h.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "common/ipc/chan.h"
#include "common/tunnel/login.h"
#include "master/conns.h"
#include "master/master.h"

#define HANDSHAKES_MAX 1024	/* at a time (PROTOCOL.md section 1) */
#define HANDSHAKE_GRACE_MS 1000 /* the relay ends them before us */
#define HANDSHAKE_RETRY 3	/* seconds, for whom we refuse for now */

/* For struct master. */
struct handshakes *handshakes_new(struct master *m);
void handshakes_free(struct handshakes *t);
size_t handshakes_count(const struct handshakes *t);

/*
 * A client begins on c. If too many are under way, the oldest of the busiest
 * source is given up. -1: no memory.
 */
int handshake_begin(struct master *m, struct conn *c);

/*
 * Let it in (its session is c->session): keys gets the last message, n bytes
 * at p, and will send the keys.
 */
void handshake_finish(
    struct master *m, struct conn *c, uint8_t cipher, const void *p, size_t n);

/* Refuse what auth has let in: keys tells the client. */
void handshake_refuse(
    struct master *m, struct conn *c, enum login_code code, const char *id);

/* The connection is gone. */
void handshake_abort(struct master *m, struct conn *c, enum msg_end why);

/* For a restart: how far it is, and one that goes on from there. */
uint8_t handshake_progress(const struct conn *c);
int handshake_restore(struct master *m, struct conn *c, uint8_t progress);

/*
 * How long one may take, in ms, before the relay ends it: its own time, and
 * that of the external check. 0: no limit.
 */
uint64_t handshake_time(const struct master *m);

/* keys or auth has died: nothing that is under way can go on. */
void handshakes_fail_all(struct master *m);

/* Frames: of a relay, of keys, of auth. */
int handshake_on_in(void *arg, const struct msg *msg);
int handshake_on_relay_fail(void *arg, const struct msg *msg);
int handshake_on_out(void *arg, const struct msg *msg);
int handshake_on_login(void *arg, const struct msg *msg);
int handshake_on_more(void *arg, const struct msg *msg);
int handshake_on_keys(void *arg, const struct msg *msg);
int handshake_on_keys_fail(void *arg, const struct msg *msg);
int handshake_on_reply(void *arg, const struct msg *msg);
int handshake_on_grant(void *arg, const struct msg *msg);
int handshake_on_auth_fail(void *arg, const struct msg *msg);

#endif
