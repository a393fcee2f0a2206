/* What streams may make this process hold. */
#include "common/tunnel/budget.h"

#include <stddef.h>

#define US_PER_MS 1000

void
budget_init(
    struct tunnel_budget *b, uint64_t limit, struct tunnel_budget *parent)
{
	*b = (struct tunnel_budget){ .limit = limit, .parent = parent };
	if (parent == NULL)
		return;
	b->next = parent->children;
	b->prev = &parent->children;
	if (b->next != NULL)
		b->next->prev = &b->next;
	parent->children = b;
}

void
budget_end(struct tunnel_budget *b)
{
	if (b->prev == NULL)
		return;
	*b->prev = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
	b->prev = NULL;
}

static bool
has_room(const struct tunnel_budget *b, uint64_t n)
{
	return b == NULL || (b->used <= b->limit && n <= b->limit - b->used);
}

bool
budget_take(struct tunnel_budget *b, uint64_t n)
{
	if (!has_room(b, n) || !has_room(b->parent, n))
		return false;
	b->used += n;
	if (b->parent != NULL)
		b->parent->used += n;
	return true;
}

void
budget_give(struct tunnel_budget *b, uint64_t n)
{
	b->used -= n;
	if (b->parent != NULL)
		b->parent->used -= n;
}

bool
budget_is_short(const struct tunnel_budget *b)
{
	return b->used >= b->limit / 2 ||
	    (b->parent != NULL && b->parent->used >= b->parent->limit / 2);
}

uint32_t
budget_window(const struct tunnel_budget *b, uint32_t usual)
{
	if (!budget_is_short(b))
		return usual;
	/* The last quarter is for very many who are idle. */
	return b->used < b->limit / 4 * 3 &&
		(b->parent == NULL ||
		    b->parent->used < b->parent->limit / 4 * 3)
	    ? usual / 4
	    : usual / 32;
}

void
budget_moved(struct tunnel_budget *b, struct budget_stall *s)
{
	if (!s->in)
		return;
	s->in = false;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		b->first = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	else
		b->last = s->prev;
}

void
budget_stalled(struct tunnel_budget *b, struct budget_stall *s, uint64_t now_us)
{
	budget_moved(b, s);
	s->in = true;
	s->since_ms = (uint32_t)(now_us / US_PER_MS);
	s->next = NULL;
	s->prev = b->last;
	if (b->last != NULL)
		b->last->next = s;
	else
		b->first = s;
	b->last = s;
}

/* The longest stalled of one client, if that is long enough. */
static struct budget_stall *
longest(const struct tunnel_budget *b, uint64_t now_us)
{
	struct budget_stall *s = b->first;

	if (s == NULL ||
	    (uint32_t)(now_us / US_PER_MS) - s->since_ms < BUDGET_STALL_MS)
		return NULL;
	return s;
}

struct budget_stall *
budget_victim(const struct tunnel_budget *b, uint64_t n, uint64_t now_us)
{
	const struct tunnel_budget *most = NULL;

	if (!has_room(b, n))
		return longest(b, now_us);
	if (has_room(b->parent, n))
		return NULL;
	for (const struct tunnel_budget *c = b->parent->children; c != NULL;
	    c = c->next) {
		if (longest(c, now_us) != NULL &&
		    (most == NULL || c->used > most->used))
			most = c;
	}
	return most == NULL ? NULL : longest(most, now_us);
}
