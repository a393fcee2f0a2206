/* Sessions by their generation, and their tickets by id. */
#include "worker/relay/directory.h"

#include <string.h>

#include "worker/relay/session.h"

/* Generations are counted up. */
static size_t
bucket_of(uint64_t generation)
{
	return (size_t)generation & (DIRECTORY_BUCKETS - 1);
}

/* Ids of tickets are our own random bytes. */
static size_t
ticket_bucket(const uint8_t id[TICKET_ID])
{
	return ((size_t)id[0] << 8 | id[1]) & (DIRECTORY_BUCKETS - 1);
}

void
directory_add(struct directory *d, struct session *s)
{
	struct session **at = &d->sessions[bucket_of(s->generation)];

	s->chain = *at;
	*at = s;
}

void
directory_remove(struct directory *d, struct session *s)
{
	struct session **at = &d->sessions[bucket_of(s->generation)];

	while (*at != NULL && *at != s)
		at = &(*at)->chain;
	if (*at != NULL)
		*at = s->chain;
}

struct session *
directory_find(const struct directory *d, uint64_t generation)
{
	struct session *s = d->sessions[bucket_of(generation)];

	while (s != NULL && s->generation != generation)
		s = s->chain;
	return s;
}

void
directory_add_ticket(struct directory *d, struct session_ticket *t)
{
	struct session_ticket **at = &d->tickets[ticket_bucket(t->id)];

	t->chain = *at;
	*at = t;
}

void
directory_remove_ticket(struct directory *d, struct session_ticket *t)
{
	struct session_ticket **at = &d->tickets[ticket_bucket(t->id)];

	while (*at != NULL && *at != t)
		at = &(*at)->chain;
	if (*at != NULL)
		*at = t->chain;
}

struct session_ticket *
directory_find_ticket(const struct directory *d, const uint8_t id[TICKET_ID])
{
	struct session_ticket *t = d->tickets[ticket_bucket(id)];

	/* It goes over the network in clear: no need to hide how we compare. */
	while (t != NULL && memcmp(t->id, id, TICKET_ID) != 0)
		t = t->chain;
	return t;
}
