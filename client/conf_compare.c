/* Two services compared. */
#include "client/conf_compare.h"

#include <string.h>

#include "client/conf_ports.h"
#include "client/conf_services.h"
#include "client/gates.h"

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_list(const struct str_list *a, const struct str_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	}
	return true;
}

bool
conf_compare_same(
    const struct client_service *a, const struct client_service *b)
{
	return strcmp(a->local_text, b->local_text) == 0 &&
	    same_list(&a->names, &b->names) &&
	    same_text(a->rewrite_host, b->rewrite_host) &&
	    same_list(&a->remove_headers, &b->remove_headers) &&
	    a->timeout == b->timeout && a->speed == b->speed &&
	    a->streams == b->streams && same_text(a->tls_ca, b->tls_ca) &&
	    same_text(a->tls_name, b->tls_name) &&
	    a->tls_insecure == b->tls_insecure && a->port == b->port &&
	    a->port_last == b->port_last && a->random == b->random &&
	    a->tls == b->tls && a->proxy_protocol == b->proxy_protocol &&
	    gates_same(a, b);
}

static bool
has_id(const struct client_service *v)
{
	return v->names.n == 0 && !conf_ports_is_raw(v);
}

bool
conf_compare_collide(
    const struct client_service *a, const struct client_service *b)
{
	if (conf_ports_collide(a, b))
		return true;
	if (conf_services_apart(a, b))
		return false;
	if (has_id(a) && has_id(b))
		return true;
	for (size_t i = 0; i < b->names.n; i++) {
		for (size_t k = 0; k < a->names.n; k++) {
			if (strcmp(b->names.v[i], a->names.v[k]) == 0)
				return true;
		}
	}
	return false;
}
