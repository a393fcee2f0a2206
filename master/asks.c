/* The rows of a list of services that are about names. */
#include "master/asks.h"

#include <stddef.h>
#include <string.h>

struct walk {
	const struct services *list;
	bool http, sni;
	ask_fn fn;
	void *arg;
};

/* Whether users of this table may be a service's. */
static bool
is_wanted(const struct service *sv, enum route_table table)
{
	if (table == ROUTES_SNI)
		return sv->kind == SERVICE_TLS ||
		    (sv->kind == SERVICE_HTTP &&
			(sv->flags & SERVICE_SNI) != 0);
	return sv->kind != SERVICE_UDP;
}

/* Whether its users come by the id: by Host or server name, and no other. */
static bool
has_id(const struct service *sv)
{
	return sv->nnames == 0 && sv->port == 0 &&
	    (sv->kind == SERVICE_HTTP || sv->kind == SERVICE_TLS);
}

/* Whether a service has a name; the empty one is the id. */
static bool
has_name(const struct service *sv, const char *name)
{
	if (sv->nnames == 0)
		return name[0] == '\0' && has_id(sv);
	for (size_t i = 0; i < sv->nnames; i++) {
		if (strcmp(sv->names[i], name) == 0)
			return true;
	}
	return false;
}

/*
 * A site may be two services, for http and for https. So a name in the list
 * of a tls:// service and of another is by server name the first one's, and
 * the other's by Host: whether it is left to that other.
 */
static bool
is_left(const struct walk *w, const struct ask *a, enum route_table table)
{
	bool tls = a->sv->kind == SERVICE_TLS;

	if (tls == (table == ROUTES_SNI))
		return false;
	for (size_t i = 0; i < w->list->count; i++) {
		const struct service *sv = &w->list->list[i];

		if ((sv->kind == SERVICE_TLS) != tls && is_wanted(sv, table) &&
		    has_name(sv, a->name))
			return true;
	}
	return false;
}

/*
 * Every table that a name is to be in; once if there is none. A tls:// service
 * is not served by CONNECT alone.
 */
static void
each_table(const struct walk *w, struct ask *a)
{
	bool http = w->http && is_wanted(a->sv, ROUTES_HTTP) &&
	    !is_left(w, a, ROUTES_HTTP);
	bool sni = w->sni && is_wanted(a->sv, ROUTES_SNI) &&
	    !is_left(w, a, ROUTES_SNI);

	http &= a->sv->kind != SERVICE_TLS || sni;
	a->first = true;
	a->served = http || sni;
	a->table = http || !a->served ? ROUTES_HTTP : ROUTES_SNI;
	w->fn(w->arg, a);
	if (!http || !sni)
		return;
	a->first = false;
	a->table = ROUTES_SNI;
	w->fn(w->arg, a);
}

void
asks_each(
    const struct services *list, bool http, bool sni, ask_fn fn, void *arg)
{
	const struct walk w = { list, http, sni, fn, arg };

	for (size_t i = 0; i < list->count; i++) {
		struct ask a = { .sv = &list->list[i], .name = "" };

		if (a.sv->kind == SERVICE_UDP)
			continue;
		if (has_id(a.sv))
			each_table(&w, &a);
		for (size_t j = 0; j < a.sv->nnames; j++) {
			a.name = a.sv->names[j];
			each_table(&w, &a);
		}
	}
}
