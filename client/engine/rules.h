/* What the parent said about a service. */
#ifndef RULES_H
#define RULES_H

#include "client/engine/engine.h"

struct rules {
	struct rules *next;
	struct engine *engine;
	struct engine_service_in conf;
	struct deadlines idle; /* locals, or flows, if it has a timeout */
	size_t users;	       /* locals and flows that point here */
	uint64_t complained;   /* when a line on its datagrams was logged */
	bool gone;	       /* replaced or removed: free at the last user */
};

/* Take a SERVICE payload behind its kind. 0, or -1 if malformed. */
int rules_set(struct engine *e, struct buf *b);

/* Take a GONE payload behind its kind. */
int rules_drop(struct engine *e, struct buf *b);

/* The rules of a service, now used once more; NULL if there are none. */
struct rules *rules_take(struct engine *e, uint16_t index);
void rules_give(struct rules *r);

/* Requests are to be rewritten. */
bool rules_edit(const struct rules *r);

/* Free all. */
void rules_free_all(struct engine *e);

#endif
