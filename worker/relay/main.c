/* ptpd-relay: see relay.h. */
#include <sys/resource.h>

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
	struct rlimit limit;
	struct msg_boot boot;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_RELAY ||
	    sodium_init() == -1 || record_init() == -1 ||
	    relay_init(&relay) == -1)
		return 1;
	relay.index = boot.index;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		relay.nofile = limit.rlim_cur;
	if (boot.nofile != 0 && boot.nofile < relay.nofile)
		relay.nofile = boot.nofile;
	relay.chan = boot_enter(relay.base, &boot, &ops, &relay);
	if (relay.chan == NULL)
		return 1;
	turn_run(relay.turn);
	chan_flush(relay.chan);
	return 0;
}
