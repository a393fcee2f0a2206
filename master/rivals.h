/*
 * Another session of the same client holds a name that is asked for: it is
 * probed first. If it does not answer it is dead, and its names go over; an
 * answer, and it keeps them (PROTOCOL.md section 4).
 */
#ifndef RIVALS_H
#define RIVALS_H

#include "common/ipc/chan.h"
#include "master/master.h"
#include "master/sessions.h"

#define RIVALS_PROBE_MS 1500 /* a relay answers after 1 s */
#define RIVALS_ALIVE_MS 2000 /* for how long an answer holds */

/* For struct master: sessions that wait for PROBEs. */
struct waits *rivals_new(struct master *m);

/* The session has no say any more: it waits for nothing, nobody for it. */
void rivals_forget(struct master *m, struct session *s);

/* Judge its list again (the configuration has changed) and tell it. */
void rivals_renew(struct master *m, struct session *s);

/* Find out which sessions of this client are dead, and end those. */
void rivals_probe(struct master *m, struct client *client);

/* Frames of a relay. */
int rivals_on_services(void *arg, const struct msg *msg);
int rivals_on_alive(void *arg, const struct msg *msg);

#endif
