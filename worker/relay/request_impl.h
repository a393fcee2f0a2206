/* What request.c (passing requests on) and route.c (where to) share. */
#ifndef REQUEST_IMPL_H
#define REQUEST_IMPL_H

#include "common/http/head.h"
#include "worker/relay/user.h"

/* What became of a piece of the request. */
enum outcome {
	PASSED,	 /* all of it was dealt with */
	STOPPED, /* u->wait says why; nothing of it was dealt with */
	DENIED,	 /* answered, and used up: the next request may follow */
	ENDED	 /* the user has been answered, or is dead */
};

/* Go on later. Returns STOPPED. */
enum outcome request_stop(struct user *u, enum user_wait why);

/* Refuse the request; not before those ahead of it have their answers. */
enum outcome request_refuse(struct user *u, int status);

/*
 * route.c: make the upstream that this request is for the one that answers,
 * with a stream, if its service lets the request in. *drop becomes the
 * HEAD_BIT of ids that do not go on to it.
 */
enum outcome request_route(
    struct user *u, const struct head *h, uint32_t *drop);

#endif
