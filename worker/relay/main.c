/* ptpd-relay: see relay.h. */
#include <sodium.h>
#include <unistd.h>

#include "common/crypto/record.h"
#include "common/ipc/boot.h"
#include "worker/relay/relay.h"

/* The master is gone, or has cut us off. */
static void
ended(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	_exit(1);
}

static const struct chan_ops ops = { relay_handlers, ended, NULL };

int
main(void)
{
	static struct relay relay; /* all zero */
	struct msg_boot boot;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_RELAY ||
	    sodium_init() == -1 || record_init() == -1 ||
	    relay_init(&relay) == -1)
		return 1;
	relay.index = boot.index;
	relay.chan = boot_enter(relay.base, &boot, &ops, &relay);
	if (relay.chan == NULL)
		return 1;
	turn_run(relay.turn);
	chan_flush(relay.chan);
	return 0;
}
