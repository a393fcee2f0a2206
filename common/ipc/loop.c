/* The event loop of a process. */
#include "common/ipc/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>

struct event_base *
loop_new(void)
{
	struct event_config *c;
	struct event_base *base = NULL;

	if ((c = event_config_new()) != NULL) {
		if (event_config_set_flag(c, EVENT_BASE_FLAG_NO_CACHE_TIME) ==
		    0)
			base = event_base_new_with_config(c);
		event_config_free(c);
	}
	if (base == NULL)
		errno = ENOMEM;
	return base;
}
