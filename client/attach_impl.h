/* What attach.c (coming and staying) and attach_login.c share. */
#ifndef ATTACH_IMPL_H
#define ATTACH_IMPL_H

#include "client/attach.h"
#include "client/link.h"

struct event;

struct attach {
	struct parent *parent;
	struct links links;
	struct link *session;	      /* the newest that is up; NULL: none */
	struct link *attempt;	      /* the one that is being made */
	size_t server;		      /* whose turn it is */
	bool plain[CONF_SERVERS_MAX]; /* it wants the secret itself */
	unsigned delay;		      /* ms before the next round */
	uint64_t quick;		      /* when we last came back at once */
	struct event *retry;
	bool ever_in, stopped;
};

/* attach.c: begin with the server whose turn it is. */
void attach_begin(struct attach *a);

/* This server did not work out: the next, or after a pause the first. */
void attach_failed(struct attach *a, struct link *l, const char *why);

/* It is refused for good: the end, if nothing ever went well. */
void attach_refused(struct attach *a, struct link *l, const char *why);

/* Forget a link; both children forget it, too. */
void attach_drop(struct attach *a, struct link *l);

/* attach_login.c: a connection stands: pass it on, and begin the login. */
void attach_log_in(struct attach *a, struct link *l, int fd);

#endif
