/*
 * Clients' connections: from the verdict "this is a tunnel" to the relay, and
 * what becomes of a session when its tunnels come and go.
 */
#ifndef TUNNELS_H
#define TUNNELS_H

#include "common/ipc/chan.h"
#include "common/tunnel/frame.h"
#include "common/tunnel/preface.h"
#include "master/conns.h"
#include "master/master.h"
#include "master/sessions.h"

#define TUNNEL_TRIES 2 /* relays that may die with one connection */

/* For struct master: what waits for sessions to be forgotten. */
struct waits *tunnels_lost_new(struct master *m);

/* An edge's verdict: a client wants to log in; or has a ticket. */
void tunnel_begin(struct master *m, struct conn *c);
void tunnel_attach(
    struct master *m, struct conn *c, const uint8_t ticket[TICKET_ID]);

/*
 * The relay that had c has died. Whether another one has it now: nobody had
 * read a byte from it.
 */
bool tunnel_again(struct master *m, struct conn *c);

/* Count c as a tunnel of s, or not any more (c keeps pointing to s). */
void tunnel_count(struct conn *c, struct session *s);

/* Tunnels of a client, without those that a draining relay still has. */
unsigned tunnels_of(const struct client *client);

/* c, of a session, stands from now on. */
void tunnel_up(struct master *m, struct conn *c);

/* Its relay says CLOSED, or died; c is dropped. */
void tunnel_end(struct master *m, struct conn *c, enum msg_end why);

/* It takes users: it stands, on a relay that does not drain. */
bool tunnels_serves(const struct session *s);

/*
 * The session has no tunnel any more, or is as good as dead: its names are
 * kept for timeouts.park, its visitors parked.
 */
void tunnels_lost(struct master *m, struct session *s);

/* The session is over; its client is forgotten if nothing is left of it. */
void tunnels_over(struct master *m, struct session *s);

/*
 * Forget a client of which nothing is left, if nobody configured it; its id
 * is free again. It must not be used afterwards.
 */
void tunnels_forget(struct master *m, struct client *client);

/*
 * auth let a client have an id that nobody is configured for, but nothing came
 * of it: the id is free for anyone again.
 */
void tunnels_release(struct master *m, const char *id);

/* Tell the relay to close all tunnels of a session, with a GOAWAY. */
void tunnels_goaway(struct session *s, enum goaway reason, const char *text);

/*
 * The session of this generation, as far as the relay w may speak of it. NULL
 * and *broken: it was never there; NULL without: it has ended, or was lost,
 * while the frame was under way.
 */
struct session *tunnels_session(
    struct worker *w, uint64_t generation, bool *broken);

/* A relay has died: no session is on it any more. */
void tunnels_relay_gone(struct master *m, struct worker *w);

/* Frames of a relay. */
int tunnel_on_attached(void *arg, const struct msg *msg);
int tunnel_on_ticket(void *arg, const struct msg *msg);
int tunnel_on_closed(void *arg, const struct msg *msg);

#endif
