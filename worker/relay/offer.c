/* Services' own limits. */
#include "worker/relay/offer.h"

#include <stdlib.h>

#include "common/tunnel/services.h"
#include "worker/relay/session.h"

static struct offer *
find(const struct session *s, uint16_t service)
{
	struct offer *o = s->offers;

	while (o != NULL && o->index != service)
		o = o->next;
	return o;
}

static struct offer *
add(struct session *s, uint16_t service)
{
	struct offer *o;

	if ((o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	o->index = service;
	for (int i = 0; i < QUOTA_WAYS; i++)
		meter_init(&o->meter[i], s->relay->turn);
	o->next = s->offers;
	s->offers = o;
	return o;
}

static void
drop(struct offer *o)
{
	for (int i = 0; i < QUOTA_WAYS; i++)
		meter_free(&o->meter[i]);
	free(o);
}

/* Take it off the list; who holds it goes on as it is. */
static void
retire(struct offer **at)
{
	struct offer *o = *at;

	*at = o->next;
	o->gone = true;
	if (o->users == 0)
		drop(o);
}

static void
set(struct session *s, const struct service *sv)
{
	struct offer *o = find(s, sv->index);

	if (o == NULL && (sv->speed != 0 || sv->streams != 0))
		o = add(s, sv->index);
	if (o == NULL)
		return;
	o->streams = sv->streams;
	for (int i = 0; i < QUOTA_WAYS; i++) {
		if (o->meter[i].bucket.rate != sv->speed)
			meter_set(&o->meter[i], sv->speed);
	}
}

void
offer_update(struct session *s, const struct services *list)
{
	struct offer **at = &s->offers;

	while (*at != NULL) {
		if (services_find(list, (*at)->index) != NULL)
			at = &(*at)->next;
		else
			retire(at);
	}
	for (size_t i = 0; i < list->count; i++)
		set(s, &list->list[i]);
}

struct offer *
offer_take(struct session *s, uint16_t service)
{
	struct offer *o = find(s, service);

	if (o != NULL)
		o->users++;
	return o;
}

void
offer_give(struct offer *o)
{
	if (o != NULL && --o->users == 0 && o->gone)
		drop(o);
}

void
offer_forget(struct session *s)
{
	while (s->offers != NULL)
		retire(&s->offers);
}

bool
offer_is_full(const struct session *s, uint16_t service)
{
	const struct offer *o = find(s, service);

	return o != NULL && o->streams > 0 && o->users >= o->streams;
}
