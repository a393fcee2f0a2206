/*
 * ptpd-worker: the roles of the server that hold no tunnel. The first frame
 * on the channel says which one this process is.
 */
#include "common/ipc/boot.h"
#include "worker/edge/edge.h"
#include "worker/guard/auth_main.h"
#include "worker/guard/keys_main.h"
#include "worker/report/api.h"
#include "worker/report/log_main.h"
#include "worker/udp/udp.h"

int
main(void)
{
	static int (*const mains[ROLE_COUNT])(const struct msg_boot *boot) = {
		[ROLE_HTTP] = edge_main,
		[ROLE_SNI] = edge_main,
		[ROLE_KEYS] = keys_main,
		[ROLE_AUTH] = auth_main,
		[ROLE_API] = api_main,
		[ROLE_REPORT] = log_main,
		[ROLE_UDP] = udp_main,
	};
	struct msg_boot boot;

	if (boot_receive(&boot) == -1 || mains[boot.role] == NULL)
		return 2;
	return mains[boot.role](&boot);
}
