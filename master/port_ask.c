/* What a service asks for of public ports. */
#include "master/port_ask.h"

bool
port_ask_any(const struct service *sv)
{
	return sv->port != 0 || (sv->flags & SERVICE_RANDOM) != 0;
}

bool
port_ask_random(const struct service *sv)
{
	return (sv->flags & SERVICE_RANDOM) != 0 && sv->port == sv->port_last;
}

enum grant_way
port_ask_way(const struct service *sv)
{
	return sv->kind == SERVICE_UDP ? GRANT_WAY_UDP : GRANT_WAY_TCP;
}
