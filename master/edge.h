/*
 * Connections before their verdict, and those that an edge answers: given to
 * the least loaded worker of their role (http or sni), taken back if it dies
 * (nobody has consumed a byte), dropped if no verdict comes in time.
 */
#ifndef EDGE_H
#define EDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/chan.h"
#include "master/conns.h"
#include "master/master.h"

#define EDGE_GRACE_MS 2000   /* beyond timeouts.head, for a verdict */
#define EDGE_TRIES 2	     /* edges that may die with one connection */
#define EDGE_CONNS_MAX 65536 /* at a time, in one edge */

struct worker;

/* Whether workers of this role are edges. */
bool edge_has(enum role role);

/* For struct master. */
struct edges *edges_new(struct master *m);
void edges_free(struct edges *e);

/* Have an edge look at a new connection, now or as soon as there is one. */
void edge_place(struct master *m, struct conn *c);

/* One that an edge looked at before a restart: its time begins anew. */
void edge_restore(struct master *m, struct conn *c);

/* An edge takes connections (again): place those that wait. */
void edge_place_waiting(struct master *m);

/* Have an edge answer it with this status; it is the edge's then. */
void edge_answer(struct master *m, struct conn *c, uint16_t status);

/* The edge that held it has died. */
void edge_lost(struct master *m, struct conn *c);

/* Frames of an edge. */
int edge_on_origin(void *arg, const struct msg *msg);
int edge_on_verdict(void *arg, const struct msg *msg);
int edge_on_closed(void *arg, const struct msg *msg);

#endif
