/* Datagrams that wait. */
#include "common/tunnel/late.h"

#include <string.h>

/* Before each. */
struct head {
	uint32_t id, n;
};

int
late_put(struct late *l, struct tunnel_budget *b, uint32_t id, const void *p,
    size_t n, size_t max)
{
	struct head head = { id, (uint32_t)n };
	size_t size = sizeof(head) + n;
	uint8_t *to;

	if (l->ring.used + size > max || !budget_take(b, size))
		return -1;
	if ((to = ring_put(&l->ring, size, max)) == NULL) {
		budget_give(b, size);
		return -1;
	}
	memcpy(to, &head, sizeof(head));
	if (n > 0)
		memcpy(to + sizeof(head), p, n);
	return 0;
}

bool
late_first(const struct late *l, struct late_item *i)
{
	const uint8_t *p = ring_first(&l->ring);
	struct head head;

	if (p == NULL)
		return false;
	memcpy(&head, p, sizeof(head));
	*i = (struct late_item){ head.id, head.n, p + sizeof(head) };
	return true;
}

void
late_take(struct late *l, struct tunnel_budget *b, const struct late_item *i)
{
	size_t size = sizeof(struct head) + i->n;

	ring_take(&l->ring, size);
	budget_give(b, size);
}

void
late_free(struct late *l, struct tunnel_budget *b)
{
	budget_give(b, l->ring.used);
	ring_free(&l->ring);
}
