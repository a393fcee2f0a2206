/* Names to addresses. */
#include "client/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/child.h"
#include "client/parent.h"
#include "common/base/buf.h"
#include "common/base/text.h"

struct lookup {
	struct parent *parent;
	uint32_t id;
	char host[TEXT_NAME_MAX + 1];
	uint16_t port;
	lookup_fn fn;
	void *arg;
};

static void
ask(const struct lookup *l)
{
	uint8_t payload[3 + TEXT_NAME_MAX];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_cstr8(&b, l->host);
	buf_put_u16(&b, l->port);
	child_send(
	    l->parent->resolve, MSG_LOOKUP, l->id, payload, buf_used(&b));
}

static void
boot(struct child *c)
{
	(void)c;
}

static void
ready(struct child *c)
{
	struct parent *p = child_parent(c);
	struct lookup *l;
	size_t at = 0;

	while ((l = idmap_next(&p->lookups, &at)) != NULL)
		ask(l);
}

/* Questions are asked again of the next one. */
static void
gone(struct child *c)
{
	(void)c;
}

static int
on_found(void *child, const struct msg *m)
{
	struct parent *p = child_parent(child);
	struct addr list[LOOKUP_MAX];
	char why[256] = "";
	struct lookup *l;
	uint8_t n = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u8(&b, &n);
	if (n > LOOKUP_MAX)
		return -1;
	for (uint8_t i = 0; i < n; i++)
		addr_get(&b, &list[i]);
	if (n == 0)
		buf_get_cstr8(&b, why, sizeof(why));
	if (!buf_done(&b))
		return -1;
	if ((l = idmap_take(&p->lookups, m->id)) == NULL)
		return 0; /* cancelled */
	l->fn(l->arg, list, n, why);
	free(l);
	return 0;
}

static const chan_handler handlers[MSG_TYPES] = {
	CHILD_HANDLERS,
	[MSG_FOUND] = on_found,
};

static const struct child_ops ops = { handlers, boot, ready, gone };

struct lookup *
lookup_start(
    struct parent *p, const char *host, uint16_t port, lookup_fn fn, void *arg)
{
	struct lookup *l;

	if (p->resolve == NULL)
		p->resolve = child_new(p, ROLE_RESOLVE, "ptp-worker", &ops);
	if (p->resolve == NULL) {
		errno = ENOENT;
		return NULL;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->parent = p;
	do
		l->id = ++p->lookup;
	while (l->id == 0 || idmap_get(&p->lookups, l->id) != NULL);
	strncpy(l->host, host, sizeof(l->host) - 1);
	l->port = port;
	l->fn = fn;
	l->arg = arg;
	if (idmap_put(&p->lookups, l->id, l) == -1) {
		free(l);
		return NULL;
	}
	if (child_is_ready(p->resolve))
		ask(l);
	return l;
}

void
lookup_cancel(struct lookup *l)
{
	if (l == NULL)
		return;
	idmap_take(&l->parent->lookups, l->id);
	free(l);
}

void
lookup_free_all(struct parent *p)
{
	struct lookup *l;
	size_t at = 0;

	while ((l = idmap_next(&p->lookups, &at)) != NULL)
		free(l);
	idmap_free(&p->lookups);
}
