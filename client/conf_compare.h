/* Two services compared. */
#ifndef CONF_COMPARE_H
#define CONF_COMPARE_H

#include <stdbool.h>

#include "client/conf.h"

/* Whether they are the same in all that a configuration says of them. */
bool conf_compare_same(
    const struct client_service *a, const struct client_service *b);

/* Whether both want one name (none: the id), or one port. */
bool conf_compare_collide(
    const struct client_service *a, const struct client_service *b);

#endif
