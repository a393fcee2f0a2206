/*
 * Connections to local services: the engine names a service, this opens a
 * socket to it and passes it on at once, connected or not.
 */
#ifndef LOCALS_H
#define LOCALS_H

#include <stdint.h>

struct client_service;
struct msg;
struct parent;
struct target;

#define LOCALS_ADDRESSES 8  /* of one service */
#define LOCALS_WAITING 4096 /* dials that wait for a name to be looked up */

/*
 * Where a service is, to be freed with locals_forget(). A host name is looked
 * up at once, and again when connecting fails. NULL: no memory.
 */
struct target *locals_target(struct parent *p, const struct client_service *v);
void locals_forget(struct target *t);

/* The number that the service was given. */
void locals_number(struct target *t, uint16_t service);

/* MSG_DIAL of the engine; the handler's arg is the struct child. */
int locals_on_dial(void *child, const struct msg *m);

#endif
