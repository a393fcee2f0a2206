/* How many names a client has. */
#include "master/holdings.h"

#include <string.h>

#include "master/routes.h"
#include "master/tunnels.h"

/* One name is one name, in however many tables. */
static bool
counts(const struct routes *routes, const struct route *r, const char *id)
{
	const struct route *http;

	if (strcmp(r->name, id) == 0)
		return false;
	if (r->table == ROUTES_HTTP)
		return true;
	http = routes_get(routes, ROUTES_HTTP, r->kind, r->name);
	return http == NULL || http->session != r->session;
}

uint64_t
holdings_names(const struct master *m, const struct client *client,
    const struct session *except)
{
	const struct session *s;
	const struct route *at;
	uint64_t n = 0;

	LIST_FOREACH(s, &client->sessions, of)
	{
		/* Those of the dead are free to be taken over. */
		if (s == except || !tunnels_serves(s))
			continue;
		LIST_FOREACH(at, &s->routes, of)
		n += counts(m->routes, at, client->id);
	}
	return n;
}
