/*
 * Unit test of the sandbox's filter: every forbidden call kills or fails, and
 * what a worker needs works, in each role, with and without root.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/sys/sandbox_calls.h"
#include "common/sys/sandbox_seccomp.h"
#include "t/unit/inside.h"

#define SYSCALL_MAX 460

/* uretprobe and uprobe: the kernel (6.14) does not ask filters about them. */
#ifdef __x86_64__
#define UNFILTERED(nr) ((nr) == 335 || (nr) == 336)
#else
#define UNFILTERED(nr) false
#endif

/* Every deed returns 0 if it worked as a free process would see it. */

static int
do_exec(void)
{
	char *argv[] = { (char[]){ "/bin/true" }, NULL };

	return execv(argv[0], argv);
}

static int
do_fork(void)
{
	return fork() == -1;
}

static int
do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, 0, 0) == -1;
}

static int
do_kill_parent(void)
{
	return kill(getppid(), 0);
}

static int
do_tgkill_parent(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int
do_setuid(void)
{
	return setuid(0);
}

static int
do_setresuid(void)
{
	return (int)syscall(SYS_setresuid, 0, 0, 0);
}

static int
do_mmap_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int
do_mprotect_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int
do_setfl(void)
{
	return fcntl(pair[0], F_SETFL, 0);
}

static int
do_setown(void)
{
	return fcntl(pair[0], F_SETOWN, getpid());
}

static int
do_setsig(void)
{
	return fcntl(pair[0], F_SETSIG, SIGTERM);
}

static int
do_getfl(void)
{
	return fcntl(pair[0], F_GETFL) == -1 ||
	    fcntl(pair[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(pair[0], F_GETFD) != FD_CLOEXEC ||
	    fcntl(pair[0], F_DUPFD_CLOEXEC, 10) == -1;
}

static int
do_ioctl(void)
{
	int on = 0;

	return (int)syscall(SYS_ioctl, pair[0], 0x5421 /* FIONBIO */, &on) == -1
	    ? errno
	    : 0;
}

static int
do_sendmsg(void)
{
	struct iovec iov = { (char[]){ "x" }, 1 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	return sendmsg(pair[0], &h, 0) == 1 ? 0 : errno;
}

static int
do_sendmmsg(void)
{
	struct mmsghdr h = { 0 };

	return sendmmsg(pair[0], &h, 1, 0) == 1 ? 0 : errno;
}

static int
set_option(int level, int option)
{
	struct linger l = { 1, 0 };

	/* A socketpair has no TCP options: past the filter is enough. */
	return setsockopt(pair[0], level, option, &l, sizeof(l)) == 0 ||
		errno != EPERM
	    ? 0
	    : 1;
}

static int
do_linger(void)
{
	return set_option(SOL_SOCKET, SO_LINGER);
}

static int
do_nodelay(void)
{
	return set_option(IPPROTO_TCP, TCP_NODELAY);
}

static int
do_lowat(void)
{
	return set_option(IPPROTO_TCP, TCP_NOTSENT_LOWAT);
}

static int
do_sndbuf(void)
{
	return set_option(SOL_SOCKET, SO_SNDBUF);
}

static int
do_passcred(void)
{
	return set_option(SOL_SOCKET, SO_PASSCRED);
}

static int
do_so_error(void)
{
	int err;
	socklen_t n = sizeof(err);

	return getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &err, &n);
}

static int
do_meminfo(void)
{
	uint32_t info[16];
	socklen_t n = sizeof(info);

	return getsockopt(pair[0], SOL_SOCKET, SO_MEMINFO, info, &n);
}

static int
do_peercred(void)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	return getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &n);
}

static int
do_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
do_setname(void)
{
	return prctl(PR_SET_NAME, "inside", 0, 0, 0);
}

static int
do_socket_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) == -1 ? errno : 0;
}

static int
do_socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) == -1 ? errno : 0;
}

static int
do_mlock(void)
{
	char p[64] = "";

	/* Not mlock(3): sanitizers make nothing of it. */
	return syscall(SYS_mlock, p, sizeof(p)) == -1 ? errno : 0;
}

static int
do_pipe(void)
{
	int fd[2];

	return pipe2(fd, O_NONBLOCK | O_CLOEXEC) == 0 &&
		fcntl(fd[1], F_SETPIPE_SZ, 1 << 16) != -1
	    ? 0
	    : errno;
}

static int
do_accept(void)
{
	return accept4(pair[0], NULL, NULL, 0);
}

static int
do_memfd(void)
{
	return memfd_create("x", 0) == -1;
}

static int
do_io_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 8, NULL);
}

static int
do_vm_read(void)
{
	return (int)syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0);
}

static int
do_x32(void)
{
	return (int)syscall(0x40000000 | 39 /* getpid */);
}

static int
do_abort(void)
{
	abort();
}

static int
do_exit(void)
{
	exit(0);
}

/* Everything that the libraries of a worker do once they were primed. */
static int
do_ordinary_work(void)
{
	struct timespec ts = { 0, 1000 };
	unsigned char *secret;
	void *p[64];
	char text[64];

	for (size_t i = 0; i < 64; i++) {
		p[i] = malloc((i * i * 997) % 400000 + 1);
		if (p[i] == NULL)
			return 1;
		memset(p[i], 1, (i * i * 997) % 400000 + 1);
	}
	for (size_t i = 0; i < 64; i += 2)
		if ((p[i] = realloc(p[i], i * 10007 + 1)) == NULL)
			return 2;
	for (size_t i = 0; i < 64; i++)
		free(p[i]);
	secret = sodium_malloc(32);
	if (secret == NULL)
		return 3;
	randombytes_buf(secret, 32);
	sodium_mprotect_readonly(secret);
	sodium_mprotect_readwrite(secret);
	sodium_free(secret);
	snprintf(text, sizeof(text), "%.3f %s", 1.5, strerror(EINTR));
	if (send(pair[0], text, 5, MSG_DONTWAIT | MSG_NOSIGNAL) != 5 ||
	    write(pair[0], text, 3) != 3 ||
	    recv(pair[1], text, 8, MSG_PEEK | MSG_DONTWAIT) != 8 ||
	    read(pair[1], text, sizeof(text)) != 8)
		return 4;
	nanosleep(&ts, NULL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	close(pair[1]);
	return 0;
}

#define RESOLVE BIT(SANDBOX_RESOLVE)
#define OPENERS (RESOLVE | BIT(SANDBOX_FETCH))
#define UDP BIT(SANDBOX_UDP)
#define MOVERS (BIT(SANDBOX_RELAY) | BIT(SANDBOX_ENGINE))
#define EDGE BIT(SANDBOX_EDGE)
#define HOLDERS (BIT(SANDBOX_KEYS) | BIT(SANDBOX_AUTH) | MOVERS)

/* For roles: end. For all others: other. */
static const struct {
	const char *what;
	deed fn;
	unsigned roles;
	int end, other;
} deeds[] = {
	{ "execve", do_exec, ALL_ROLES, SYS_KILLED, 0 },
	{ "fork", do_fork, ALL_ROLES, SYS_KILLED, 0 },
	{ "ptrace", do_ptrace, ALL_ROLES, SYS_KILLED, 0 },
	{ "kill parent", do_kill_parent, ALL_ROLES, SYS_KILLED, 0 },
	{ "tgkill parent", do_tgkill_parent, ALL_ROLES, SYS_KILLED, 0 },
	{ "setuid(0)", do_setuid, ALL_ROLES, SYS_KILLED, 0 },
	{ "setresuid(0)", do_setresuid, ALL_ROLES, SYS_KILLED, 0 },
	{ "mmap exec", do_mmap_exec, RESOLVE, 1, SYS_KILLED },
	{ "mprotect exec", do_mprotect_exec, RESOLVE, 255, SYS_KILLED },
	{ "F_SETFL", do_setfl, OPENERS, 0, SYS_KILLED },
	{ "F_SETOWN", do_setown, ALL_ROLES, SYS_KILLED, 0 },
	{ "F_SETSIG", do_setsig, ALL_ROLES, SYS_KILLED, 0 },
	{ "other fcntl", do_getfl, ALL_ROLES, 0, 0 },
	{ "ioctl", do_ioctl, RESOLVE, 0, ENOTTY },
	{ "sendmsg", do_sendmsg, RESOLVE | UDP, EPERM, SYS_KILLED },
	{ "sendmmsg", do_sendmmsg, RESOLVE | UDP, 0, SYS_KILLED },
	{ "SO_LINGER", do_linger, MOVERS | BIT(SANDBOX_TLS), 0, SYS_KILLED },
	{ "TCP_NODELAY", do_nodelay, MOVERS | EDGE | OPENERS, 0, SYS_KILLED },
	{ "TCP_NOTSENT_LOWAT", do_lowat, MOVERS, 0, SYS_KILLED },
	{ "SO_SNDBUF", do_sndbuf, ALL_ROLES, SYS_KILLED, 0 },
	{ "SO_PASSCRED", do_passcred, ALL_ROLES, SYS_KILLED, 0 },
	{ "SO_ERROR", do_so_error,
	    MOVERS | EDGE | OPENERS | BIT(SANDBOX_TLS) | UDP, 0, SYS_KILLED },
	{ "SO_MEMINFO", do_meminfo, BIT(SANDBOX_ENGINE) | UDP, 0, SYS_KILLED },
	{ "SO_PEERCRED", do_peercred, ALL_ROLES, SYS_KILLED, 0 },
	{ "PR_SET_DUMPABLE", do_dumpable, ALL_ROLES, SYS_KILLED, 0 },
	{ "PR_SET_NAME", do_setname, ALL_ROLES, 0, 0 },
	{ "socket inet", do_socket_inet, OPENERS, 0, EACCES },
	{ "socket unix", do_socket_unix, ALL_ROLES, EACCES, 0 },
	{ "mlock", do_mlock, HOLDERS, 0, EPERM },
	{ "pipe2", do_pipe, MOVERS, 0, SYS_KILLED },
	{ "accept4", do_accept, ALL_ROLES, SYS_KILLED, 0 },
	{ "memfd_create", do_memfd, ALL_ROLES, SYS_KILLED, 0 },
	{ "io_uring_setup", do_io_uring, ALL_ROLES, SYS_KILLED, 0 },
	{ "process_vm_readv", do_vm_read, ALL_ROLES, SYS_KILLED, 0 },
#ifdef __x86_64__
	{ "x32", do_x32, ALL_ROLES, SYS_KILLED, 0 },
#endif
	{ "abort", do_abort, ALL_ROLES, KILLED(SIGABRT), 0 },
	{ "exit", do_exit, ALL_ROLES, 0, 0 },
	{ "ordinary work", do_ordinary_work, ALL_ROLES, 0, 0 },
};

#define DEEDS (sizeof(deeds) / sizeof(deeds[0]))

/* Loop: deeds. */
START_TEST(deed_ends_as_its_row_says)
{
	int want, got;

	for (unsigned role = 0; role < SANDBOX_ROLES; role++) {
		for (int privileged = 0; privileged <= is_root();
		    privileged++) {
			want = (deeds[_i].roles & BIT(role)) != 0
			    ? deeds[_i].end
			    : deeds[_i].other;
			got = outcome(inside(
			    (enum sandbox_role)role, privileged, deeds[_i].fn));
			ck_assert_msg(got == want,
			    "%s by %s (%s root): %#x, not %#x", deeds[_i].what,
			    role_names[role], privileged ? "with" : "without",
			    (unsigned)got, (unsigned)want);
		}
	}
}
END_TEST

/* How the table disposes of a call whatever its arguments are. */
enum disposal { KILL, ERRNO, DEPENDS };

static enum disposal
disposal_of(enum sandbox_role role, int nr, int *error)
{
	const struct sandbox_call *call;
	enum disposal d = KILL;
	size_t n;

	call = sandbox_calls(&n);
	for (size_t i = 0; i < n; i++) {
		if ((call[i].roles & BIT(role)) == 0 ||
		    seccomp_syscall_resolve_name(call[i].name) != nr)
			continue;
		if (call[i].args > 0 || call[i].error == 0)
			return DEPENDS;
		*error = call[i].error;
		d = ERRNO;
	}
	return d;
}

/* Loop: roles. Every number up to SYSCALL_MAX that its table does not allow. */
START_TEST(unlisted_calls_kill)
{
	enum disposal d;
	int error = 0, got, killed = 0;
	pid_t pid;

	for (int nr = 0; nr <= SYSCALL_MAX; nr++) {
		d = disposal_of((enum sandbox_role)_i, nr, &error);
		if (d == DEPENDS || UNFILTERED(nr))
			continue;
		pid = fork();
		if (pid == 0) {
			/* No core of hundreds, wherever they go here. */
			prctl(PR_SET_DUMPABLE, 0);
			if (sandbox_seccomp((enum sandbox_role)_i) == -1)
				_exit(EXIT_NOT_IN);
			_exit(syscall(nr, -1, -1, -1, -1, -1, -1) == -1 ? errno
									: 0);
		}
		got = outcome(wait_for(pid));
		ck_assert_msg(got == (d == KILL ? SYS_KILLED : error),
		    "call %d by %s: %#x", nr, role_names[_i], (unsigned)got);
		killed += d == KILL;
	}
	/* Whatever the table says, most of the kernel is out of reach. */
	ck_assert_int_gt(killed, 300);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sandbox_calls");
	TCase *t = tcase_create("inside");
	SRunner *r = srunner_create(s);
	int failed;

	if (mkdtemp(jail) == NULL || chmod(jail, 0555) == -1)
		return EXIT_FAILURE;
	if (!is_root())
		printf("# not root: only what a user can do is tested\n");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, deed_ends_as_its_row_says, 0, DEEDS);
	tcase_add_loop_test(t, unlisted_calls_kill, 0, SANDBOX_ROLES);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	rmdir(jail);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
