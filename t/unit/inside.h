/*
 * For tests of the sandbox: children that enter it and do one thing there.
 * Included by exactly one file of each test.
 */
#ifndef INSIDE_H
#define INSIDE_H

#include <check.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/sandbox.h"

#define TEST_UID 61999
#define EXIT_NOT_IN 99 /* sandbox_enter failed */
#define ALL_ROLES ((1u << SANDBOX_ROLES) - 1)
#define BIT(role) (1u << (role))

static const char *const role_names[SANDBOX_ROLES] = { "edge", "relay", "keys",
	"auth", "engine", "resolve", "conf", "fetch", "log", "tls", "udp" };

static char jail[] = "/tmp/check_sandbox.XXXXXX";
static int pair[2]; /* a connected socketpair that children inherit */

static inline bool
is_root(void)
{
	return geteuid() == 0;
}

/*
 * Become an ordinary user with one capability of systemd's gift, and
 * dumpable: all that the way in has to take away without root.
 */
static inline int
become_user(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	uint32_t bit = 1u << CAP_NET_BIND_SERVICE;
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {
		{ bit, bit, bit },
	};

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 ||
	    setresgid(TEST_UID, TEST_UID, TEST_UID) == -1 ||
	    setresuid(TEST_UID, TEST_UID, TEST_UID) == -1 ||
	    syscall(SYS_capset, &head, caps) == -1 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0,
		0) == -1)
		return -1;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* Enter as a main would. Nothing but the way in is under test here. */
static inline void
enter(enum sandbox_role role, bool privileged, unsigned *missing)
{
	struct sandbox s = { .role = role,
		.privileged = privileged,
		.chroot = role == SANDBOX_RESOLVE ? NULL : jail,
		.uid = TEST_UID,
		.gid = TEST_UID,
		.nofile = 256 };

	if (!privileged && is_root() && become_user() == -1)
		_exit(EXIT_NOT_IN);
	if (sandbox_enter(&s, missing) == -1)
		_exit(EXIT_NOT_IN);
}

static inline int
wait_for(pid_t pid)
{
	int status;

	ck_assert_int_ne(pid, -1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* What a child inside does; its result is the child's exit status. */
typedef int (*deed)(void);

static inline int
inside(enum sandbox_role role, bool privileged, deed fn)
{
	unsigned missing;
	pid_t pid = fork();

	if (pid == 0) {
		enter(role, privileged, &missing);
		_exit(fn());
	}
	return wait_for(pid);
}

/* An exit status, or KILLED(signal), which is no exit status. */
#define KILLED(signal) (0x100 + (signal))
#define SYS_KILLED KILLED(SIGSYS)

static inline int
outcome(int status)
{
	return WIFSIGNALED(status) ? KILLED(WTERMSIG(status))
				   : WEXITSTATUS(status);
}

static inline void
setup(void)
{
	struct rlimit big = { 65536, 65536 };

	(void)setrlimit(RLIMIT_MEMLOCK, &big);
	ck_assert_int_ne(sodium_init(), -1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static inline void
teardown(void)
{
	close(pair[0]);
	close(pair[1]);
}

#endif
