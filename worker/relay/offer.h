/*
 * A service's own limits, as its client asks for them: bytes per second each
 * way, users at a time. Services without limits have none of this.
 */
#ifndef OFFER_H
#define OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/relay/quota.h"

struct session;
struct services;

struct offer {
	struct offer *next; /* in its session */
	uint16_t index;
	bool gone;	  /* the list has it no more */
	uint32_t streams; /* users at a time, 0: any number */
	uint32_t users;	  /* upstreams that hold it */
	struct meter meter[QUOTA_WAYS];
};

/* The client's list as of now. */
void offer_update(struct session *s, const struct services *list);

/* That of a service, held once more; NULL: it has no limits. */
struct offer *offer_take(struct session *s, uint16_t service);

/* Let go of it. NULL is allowed. */
void offer_give(struct offer *o);

/* The session ends: none is in its list any more. */
void offer_forget(struct session *s);

/* As many users as it may have. */
bool offer_is_full(const struct session *s, uint16_t service);

#endif
