/* A new binary takes over. */
#include "master/restart.h"

void
restart_begin(struct master *m, struct ctl_call *call)
{
	(void)m;
	ctl_fail(call, "not yet");
}
