/* ptp-worker: a process without privilege that ptp starts, by its role. */
#include "client/proof.h"
#include "client/resolve.h"
#include "common/ipc/boot.h"

int
main(void)
{
	struct msg_boot boot;

	if (boot_receive(&boot) == -1)
		return 2;
	switch (boot.role) {
	case ROLE_PROOF:
		return proof_main(&boot);
	case ROLE_RESOLVE:
		return resolve_main(&boot);
	default:
		return 2;
	}
}
