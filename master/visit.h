/*
 * Users' connections: where each belongs, the wait for a client that is away,
 * and a relay's question where another host belongs.
 */
#ifndef VISIT_H
#define VISIT_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc/chan.h"
#include "master/clients.h"
#include "master/conns.h"
#include "master/master.h"
#include "master/ports.h"

#define VISIT_PARKED_CLIENT 256 /* visitors that wait for one client, */
#define VISIT_PARKED_SOURCE 16	/* of them from one source block, */
#define VISIT_PARKED_SHARE 8	/* and of all descriptors, one in so many */
#define VISIT_LOG_RATE 10	/* unknown names that are logged in a second */
#define VISIT_REROUTES 16	/* other relays behind one connection */

/* For struct master. */
struct visits *visits_new(struct master *m);
void visits_free(struct visits *v);
size_t visits_parked(const struct visits *v);

/*
 * An edge's verdict on c: a request for the host of n bytes at name. It goes
 * to its relay, is parked, or answered.
 */
void visit_begin(struct master *m, struct conn *c, const char *name, size_t n);

/*
 * A user of a port whose bytes are its service's: no TLS is around them, or not
 * any more.
 */
void visit_plain(struct master *m, struct conn *c);

/* A user has come by a client's port; fd is taken over. */
void visit_port(
    struct master *m, const struct port *p, int fd, const struct addr *peer);

/* Something has changed: look again at those that wait for this client. */
void visit_review(struct master *m, struct client *client);

/*
 * The listeners' lists may have changed: whoever may not be there any more gets
 * 403 for his next request.
 */
void visits_judge(struct master *m);

/* One that was parked before a restart. */
void visit_restore(struct master *m, struct conn *c, struct client *client);

/* A parked one is taken away (its own list knows it no more). */
void visit_unpark(struct master *m, struct conn *c);

/* Its relay says CLOSED, or died; c is dropped. */
void visit_end(struct master *m, struct conn *c, uint64_t up, uint64_t down);

/* MSG_ASK of a relay. */
int visit_on_ask(void *arg, const struct msg *msg);

/* Strangers must not fill the log: there may be one line more. */
bool visit_may_log(struct visits *v);

#endif
