/*
 * Who gets which name: the answer to a session's list of services, by the
 * rules (claims.h) and by who holds the name already (PROTOCOL.md section 4).
 * Another live session of the same client is probed first: if it does not
 * answer it is dead, and its names go over.
 */
#ifndef GRANTS_H
#define GRANTS_H

#include "common/ipc/chan.h"
#include "master/master.h"
#include "master/sessions.h"

#define GRANTS_PROBE_MS 1500 /* a relay answers after 1 s */
#define GRANTS_ALIVE_MS 2000 /* for how long an answer holds */

/* For struct master: what waits for probes. */
struct waits *grants_new(struct master *m);

/* The session has no say any more: it waits for nothing, nobody for it. */
void grants_forget(struct master *m, struct session *s);

/* Judge its list again (the configuration has changed) and tell it. */
void grants_renew(struct master *m, struct session *s);

/* Find out which sessions of this client are dead, and end those. */
void grants_probe(struct master *m, struct client *client);

/* Whether a label is a configured or held id. */
bool grants_is_id(void *master, const char *label);

/* Frames of a relay. */
int grants_on_services(void *arg, const struct msg *msg);
int grants_on_alive(void *arg, const struct msg *msg);

#endif
