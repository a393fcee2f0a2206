/* ptp-engine: the client's end of the tunnels, without any privilege. */
#include "client/engine/engine.h"
#include "common/ipc/boot.h"

int
main(void)
{
	struct engine e = { 0 };
	struct msg_boot boot;

	if (boot_receive(&boot) == -1 || boot.role != ROLE_ENGINE ||
	    engine_prepare(&e) == -1)
		return 2;
	e.chan = boot_enter(e.base, &boot, &engine_ops, &e);
	if (e.chan == NULL)
		return 2;
	/* What is still open at the end is reset: sockets came with linger. */
	return turn_run(e.turn) == 0 ? 0 : 2;
}
