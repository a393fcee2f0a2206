/* Role api. */
#include "master/api.h"

#include <sys/socket.h>

#include <unistd.h>

#include "common/ipc/ctl_server.h"
#include "master/check.h"
#include "master/show.h"
#include "master/workers.h"

bool
api_is_secure(const struct master *m)
{
	return m->conf.api_pair.cert != NULL;
}

void
api_take(struct master *m, int fd)
{
	struct worker *w = workers_only(m->workers, ROLE_API);
	struct linger off = { 0, 0 };

	if (w == NULL || chan_congested(w->chan)) {
		close(fd);
		return;
	}
	/* It is not passed on: its end is the worker's to make, in order. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	worker_send_fd(w, MSG_API_CONN, ++m->api_conns, NULL, 0, fd);
}

/* Tables that show() knows. */
static const char *const tables[QUERY_COUNT] = {
	[QUERY_CLIENTS] = "clients",
	[QUERY_TUNNELS] = "tunnels",
	[QUERY_STREAMS] = "streams",
	[QUERY_ROUTES] = "routes",
	[QUERY_USERS] = "users",
	[QUERY_WORKERS] = "workers",
	[QUERY_LISTENERS] = "listeners",
	[QUERY_LIMITS] = "limits",
};

int
api_on_query(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct master *m = w->master;
	struct ctl_call *call = NULL;
	uint8_t what = msg->p[0];
	int pair[2] = { -1, -1 };

	if (what == 0 || what >= QUERY_COUNT)
		return -1;
	/* Bounded there: role api is not believed to ask with measure. */
	if (chan_pair(pair) == 0 &&
	    (call = ctl_adopt(m->ctl, pair[0])) == NULL) {
		close(pair[1]);
		pair[1] = -1;
	}
	worker_send_fd(w, MSG_QUERY_FD, msg->id, NULL, 0, pair[1]);
	if (call == NULL)
		return 0;
	if (what == QUERY_STATUS)
		show_status(m, call);
	else if (what == QUERY_CHECK)
		check_begin(m, call);
	else
		show(m, call, tables[what]);
	return 0;
}
