/* What a service asks for of public ports. */
#ifndef PORT_ASK_H
#define PORT_ASK_H

#include <stdbool.h>

#include "common/tunnel/services.h"

/* Whether users are to come by ports to this service. */
bool port_ask_any(const struct service *sv);

/* One port that may be any; ranges are had as they are or not at all. */
bool port_ask_random(const struct service *sv);

enum grant_way port_ask_way(const struct service *sv);

#endif
