/* What listeners.c and listeners_accept.c share, and nobody else. */
#ifndef LISTENERS_IMPL_H
#define LISTENERS_IMPL_H

#include <event2/event.h>
#include <sys/queue.h>

#include "master/listeners.h"

/* How the listeners of a kind are made, and who takes their connections. */
struct listeners_kind {
	const char *name;
	bool defer; /* TCP_DEFER_ACCEPT: whoever comes speaks first */
	enum role role;
	uint8_t scheme; /* enum msg_scheme */
	bool https;	/* users come by https:// */
};

extern const struct listeners_kind listeners_kinds[LISTENER_KINDS];

struct bound {
	struct listener l;
	struct listeners *listeners;
	struct event *readable;
	bool fresh;  /* prepared, not committed */
	bool wanted; /* in the list that was prepared */
	TAILQ_ENTRY(bound) link;
};

struct listeners {
	struct master *master;
	TAILQ_HEAD(, bound) all;
	struct event *resume; /* after a pause for want of descriptors */
	uint16_t number;
	bool open;	       /* we serve */
	bool paused;	       /* for want of descriptors */
	bool idle[ROLE_COUNT]; /* nobody of that role takes a connection */
	uint64_t accepted, refused;
	uint64_t complained;
};

/* There is somebody to accept; arg is the struct bound. */
void listeners_accept(evutil_socket_t fd, short what, void *arg);

#endif
