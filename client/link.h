/* Connections to servers, as the parent knows them: dialled, then passed on. */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/conf.h"
#include "common/base/idmap.h"
#include "common/ipc/msg.h"
#include "common/tunnel/preface.h"

struct event;
struct link;
struct parent;
struct reach;
struct source;

#define LINKS_MAX 64 /* at a time */

enum link_state {
	LINK_DIALING,
	LINK_LOGIN, /* the engine has it; not a tunnel yet, or not ours to know
		     */
	LINK_UP	    /* a session */
};

struct link_ops {
	/* fd is connected and the owner's; or -1, and why. */
	void (*reached)(void *arg, struct link *l, int fd, const char *why);
	/* It took longer than `timeout` to log in. */
	void (*deadline)(void *arg, struct link *l);
};

/* All of them, by number. All zero is the empty one. */
struct links {
	struct idmap map;
	uint32_t last;
};

struct link {
	struct parent *parent;
	uint32_t conn;
	enum link_state state;
	bool ticket;	       /* a further one of a session */
	struct source *source; /* the configuration of its time */
	size_t server;	       /* which in there */
	char name[HOSTPORT_TEXT];
	struct addr to; /* where it leads */
	struct reach *reach;
	struct event *timer;
	const struct link_ops *ops;
	void *arg;
	bool plain;	  /* sends the secret itself */
	enum trust trust; /* decided by then */
	uint8_t key[SERVER_ADDR_KEY];
	uint8_t away;	/* enum goaway, if that was heard */
	uint64_t up_at; /* clock_ms() */
};

/*
 * Dial server i of the configuration that is in force; with `to`, a further
 * connection at that very address. NULL: no memory, or too many.
 */
struct link *link_new(struct links *ls, struct parent *p, size_t server,
    const struct addr *to, const struct link_ops *ops, void *arg);

void link_free(struct links *ls, struct link *l);
void link_free_all(struct links *ls);

struct link *link_find(const struct links *ls, uint32_t conn);

/* Give the socket to the engine. It is closed in any case. */
void link_pass(struct link *l, enum preface_kind kind, int fd);

/* It has logged in: no deadline any more. */
void link_up(struct link *l);

#endif
