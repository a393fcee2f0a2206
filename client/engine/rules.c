/* What the parent said about a service. */
#include "client/engine/rules.h"

#include <stdlib.h>

#include "common/base/buf.h"

#define US_PER_MS 1000

static void
rules_free(struct rules *r)
{
	struct rules **at = &r->engine->all_rules;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	engine_conf_free_service(&r->conf);
	free(r);
}

static void
retire(struct engine *e, uint16_t index)
{
	struct rules *r = idmap_take(&e->rules, (uint32_t)index + 1);

	if (r == NULL)
		return;
	r->gone = true;
	if (r->users == 0)
		rules_free(r);
}

int
rules_set(struct engine *e, struct buf *b)
{
	struct rules *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return -1;
	if (engine_conf_get_service(b, &r->conf) == -1) {
		free(r);
		return -1;
	}
	r->engine = e;
	deadlines_init(&r->idle, (uint64_t)r->conf.timeout * US_PER_MS);
	r->next = e->all_rules;
	e->all_rules = r;
	retire(e, r->conf.index);
	if (idmap_put(&e->rules, (uint32_t)r->conf.index + 1, r) == 0)
		return 0;
	rules_free(r);
	return -1;
}

int
rules_drop(struct engine *e, struct buf *b)
{
	uint16_t index = 0;

	buf_get_u16(b, &index);
	if (!buf_done(b))
		return -1;
	retire(e, index);
	return 0;
}

struct rules *
rules_take(struct engine *e, uint16_t index)
{
	struct rules *r = idmap_get(&e->rules, (uint32_t)index + 1);

	if (r != NULL)
		r->users++;
	return r;
}

void
rules_give(struct rules *r)
{
	r->users--;
	if (r->gone && r->users == 0)
		rules_free(r);
}

bool
rules_edit(const struct rules *r)
{
	return r->conf.host[0] != '\0' || r->conf.nremove > 0;
}

void
rules_free_all(struct engine *e)
{
	while (e->all_rules != NULL)
		rules_free(e->all_rules);
	idmap_free(&e->rules);
}
