/* The process of role `auth`. */
#include "worker/guard/auth_main.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/conf/pack.h"
#include "common/sys/sandbox.h"
#include "worker/guard/auth.h"
#include "worker/guard/hasher.h"
#include "worker/guard/users.h"
#include "common/ipc/serve.h"

/* Verifiers that are coming in, or wait to be used: one set at a time. */
struct staged {
	struct users *users; /* NULL: none */
	uint32_t generation;
	struct event *readable; /* NULL once complete */
};

struct process {
	struct serve serve; /* first: the common handlers' arg */
	struct auth *auth;
	struct hasher *hasher;
	struct staged staged;
};

static void
on_send(void *arg, uint8_t type, uint32_t id, const void *p, size_t n)
{
	struct process *x = arg;

	serve_send(&x->serve, type, id, p, n);
}

static int
on_frame(void *arg, const struct msg *m)
{
	struct process *x = arg;

	return auth_take(x->auth, m);
}

static int
on_hash(void *arg, uint32_t id, uint32_t number, const struct addr *source,
    const char *hash, const char *secret)
{
	struct process *x = arg;

	return hasher_submit(x->hasher, id, number, source, hash, secret);
}

static void
on_hashed(void *arg, uint32_t id, uint32_t number, enum login_code code)
{
	struct process *x = arg;

	auth_hashed(x->auth, id, number, code);
}

/* Our child is dead: the master starts us anew, with another. */
static void
on_hasher_ended(void *arg)
{
	struct process *x = arg;

	log_error("the process that hashes has died");
	event_base_loopbreak(x->serve.base);
}

/* Stop reading; the set stays if it is complete. */
static void
close_source(struct staged *s)
{
	if (s->readable == NULL)
		return;
	close(event_get_fd(s->readable));
	event_free(s->readable);
	s->readable = NULL;
}

static void
drop_staged(struct staged *s)
{
	close_source(s);
	users_free(s->users);
	s->users = NULL;
}

static void
tell_users(struct process *x, uint32_t generation, uint32_t number)
{
	uint8_t p[4];
	struct buf b;

	buf_write(&b, p, sizeof(p));
	buf_put_u32(&b, number);
	serve_send(&x->serve, MSG_USERS_OK, generation, p, sizeof(p));
}

static void
broken_users(struct process *x, const char *why)
{
	log_error("verifiers of generation %u: %s", x->staged.generation, why);
	drop_staged(&x->staged);
	tell_users(x, x->staged.generation, MSG_USERS_BROKEN);
}

/* Take what is there. 1: more may come, else it is over, well or not. */
static int
read_users(struct process *x, int fd)
{
	uint8_t frame[PACK_FRAME_MAX];
	struct staged *s = &x->staged;
	ssize_t n;
	int rc;

	n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0 || (size_t)n > sizeof(frame)) {
		broken_users(x, n == 0 ? "incomplete" : "unreadable");
		return 0;
	}
	rc = users_add(s->users, frame, (size_t)n);
	explicit_bzero(frame, (size_t)n);
	if (rc == -1)
		broken_users(x, strerror(errno));
	if (rc != 1)
		return rc == 0;
	close_source(s);
	tell_users(x, s->generation, (uint32_t)users_count(s->users));
	return 0;
}

static void
on_users_readable(evutil_socket_t fd, short what, void *arg)
{
	struct process *x = arg;

	(void)what;
	while (read_users(x, fd) == 1)
		continue;
}

/* A new set comes; one that was not used yet never will be. */
static int
on_users(void *arg, const struct msg *m)
{
	struct process *x = arg;
	struct staged *s = &x->staged;

	drop_staged(s);
	s->generation = m->id;
	if (m->fd == -1) {
		broken_users(x, "no descriptor left");
		return 0;
	}
	s->users = users_new();
	s->readable = event_new(
	    x->serve.base, m->fd, EV_READ | EV_PERSIST, on_users_readable, x);
	if (s->readable == NULL)
		close(m->fd);
	if (s->users == NULL || s->readable == NULL ||
	    event_add(s->readable, NULL) == -1)
		broken_users(x, "out of memory");
	return 0;
}

static int
on_users_use(void *arg, const struct msg *m)
{
	struct process *x = arg;
	struct staged *s = &x->staged;

	if (s->users == NULL || s->readable != NULL || s->generation != m->id)
		return -1;
	auth_use(x->auth, s->users);
	s->users = NULL;
	return 0;
}

static int
on_drain(void *arg, const struct msg *m)
{
	struct process *x = arg;

	serve_send(&x->serve, MSG_DRAINED, 0, NULL, 0);
	return serve_exit(arg, m);
}

/* The child's sandbox is ours. */
static int
start_hasher(const struct msg_boot *boot)
{
	struct sandbox box = {
		.role = SANDBOX_AUTH,
		.privileged = boot->privileged,
		.chroot = boot->privileged ? boot->chroot : NULL,
		.uid = boot->uid,
		.gid = boot->gid,
	};

	return hasher_fork(&box, MSG_CHANNEL_FD);
}

int
auth_main(const struct msg_boot *boot)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_PING] = serve_ping,
		[MSG_LEVEL] = serve_level,
		[MSG_EXIT] = serve_exit,
		[MSG_DRAIN] = on_drain,
		[MSG_USERS] = on_users,
		[MSG_USERS_USE] = on_users_use,
		[MSG_AUTH_CONF] = on_frame,
		[MSG_STATUS_USER] = on_frame,
		[MSG_RELEASE] = on_frame,
		[MSG_HS_LOGIN] = on_frame,
		[MSG_HS_MORE] = on_frame,
		[MSG_HS_FAIL] = on_frame,
		[MSG_HS_LOCKED] = on_frame,
		[MSG_VOUCHED] = on_frame,
		[MSG_VOUCH_LOST] = on_frame,
	};
	static const struct auth_ops auth_ops = { on_send, on_hash };
	static const struct hasher_ops hasher_ops = { on_hashed,
		on_hasher_ended };
	struct process x = { 0 };
	int fd, status;

	if (sodium_init() == -1 || (fd = start_hasher(boot)) == -1 ||
	    serve_init(&x.serve) == -1 ||
	    (x.hasher = hasher_new(
		 x.serve.base, fd, HASHER_WAIT_MS, &hasher_ops, &x)) == NULL ||
	    (x.auth = auth_new(&auth_ops, &x)) == NULL)
		return 2;
	status = serve_run(&x.serve, boot, handlers);
	auth_free(x.auth);
	return status;
}
