/* The first steps of every worker. */
#include "common/ipc/boot.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/ipc/chan_io.h"
#include "common/sys/sandbox.h"

#define BOOT_TIMEOUT 10000 /* ms */

static const enum sandbox_role profiles[ROLE_COUNT] = {
	[ROLE_HTTP] = SANDBOX_EDGE,
	[ROLE_RELAY] = SANDBOX_RELAY,
	[ROLE_KEYS] = SANDBOX_KEYS,
	[ROLE_AUTH] = SANDBOX_AUTH,
	[ROLE_FETCH] = SANDBOX_FETCH,
	[ROLE_SNI] = SANDBOX_EDGE,
	[ROLE_API] = SANDBOX_EDGE,
	[ROLE_REPORT] = SANDBOX_LOG,
	[ROLE_UDP] = SANDBOX_UDP,
	[ROLE_ENGINE] = SANDBOX_ENGINE,
	[ROLE_PROOF] = SANDBOX_KEYS,
	[ROLE_RESOLVE] = SANDBOX_RESOLVE,
	[ROLE_LOCAL_TLS] = SANDBOX_ENGINE,
	[ROLE_TLS] = SANDBOX_TLS,
	[ROLE_SIGN] = SANDBOX_KEYS,
};

int
boot_receive(struct msg_boot *m)
{
	struct pollfd pfd = { .fd = MSG_CHANNEL_FD, .events = POLLIN };
	uint8_t space[MSG_HEAD + 512];
	struct chan_in in = { .p = space };
	uint32_t id;
	struct buf b;
	uint8_t role;

	signal(SIGPIPE, SIG_IGN);
	if (poll(&pfd, 1, BOOT_TIMEOUT) != 1 ||
	    chan_io_recv(MSG_CHANNEL_FD, &in, sizeof(space), false) != 1 ||
	    in.stray || in.fd != -1 || in.n <= MSG_HEAD)
		return -1;
	role = space[MSG_HEAD];
	if (role >= ROLE_COUNT ||
	    msg_check(in.p, in.n, (enum role)role, false, false, &id) !=
		MSG_BOOT)
		return -1;
	buf_read(&b, in.p + MSG_HEAD, in.n - MSG_HEAD);
	return msg_get_boot(&b, m);
}

struct chan *
boot_enter(struct event_base *base, const struct msg_boot *m,
    const struct chan_ops *ops, void *arg)
{
	struct sandbox box = {
		.role = profiles[m->role],
		.privileged = m->privileged,
		/* Empty: a role that needs the file system (resolve). */
		.chroot =
		    m->privileged && m->chroot[0] != '\0' ? m->chroot : NULL,
		.uid = m->uid,
		.gid = m->gid,
		.nofile = m->nofile,
	};
	uint8_t payload[4];
	unsigned missing;
	struct chan *c;
	struct buf b;

	c = chan_new(base, MSG_CHANNEL_FD, m->role, false, ops, arg);
	if (c == NULL)
		return NULL;
	log_init(role_name(m->role), true, (enum log_level)m->log_level);
	chan_log(c);
	if (sandbox_enter(&box, &missing) == -1) {
		log_to(NULL, NULL);
		chan_free(c);
		return NULL;
	}
	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, missing);
	chan_send(c, MSG_READY, 0, payload, sizeof(payload), -1);
	chan_set_ready(c);
	return c;
}
