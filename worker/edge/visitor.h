/* A connection from its arrival to its verdict. */
#ifndef VISITOR_H
#define VISITOR_H

#include <stdint.h>

#include "common/ipc/msg.h"
#include "worker/edge/edge.h"

/* A new connection: judge it at once or, if it says too little, wait. */
void visitor_new(struct edge *e, const struct edge_arrival *a);

/* It has said too little for too long. */
void visitor_expired(struct edge_conn *c);

/* End it for this reason. */
void visitor_drop(struct edge_conn *c, enum msg_end end);

#endif
