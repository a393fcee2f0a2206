/*
 * Which role may make which system call.
 *
 * Calls that C libraries have moved between (nanosleep to clock_nanosleep,
 * fstat to newfstatat ...) stand here by both names. What a library probes
 * and can do without is refused with an errno; all else kills. The calls of
 * the inner loops have no conditions, so that the kernel's cache of constant
 * answers serves them. 64-bit machines only.
 */
#include "common/sys/sandbox_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/sys/sandbox.h"

#define EDGE (1u << SANDBOX_EDGE)
#define RELAY (1u << SANDBOX_RELAY)
#define KEYS (1u << SANDBOX_KEYS)
#define AUTH (1u << SANDBOX_AUTH)
#define ENGINE (1u << SANDBOX_ENGINE)
#define RESOLVE (1u << SANDBOX_RESOLVE)
#define CONF (1u << SANDBOX_CONF)
#define FETCH (1u << SANDBOX_FETCH)
#define TLS (1u << SANDBOX_TLS)
#define UDP (1u << SANDBOX_UDP)
#define ALL ((1u << SANDBOX_ROLES) - 1)
#define MOVERS (RELAY | ENGINE)	       /* they move users' bytes */
#define HOLDERS (KEYS | AUTH | MOVERS) /* of secrets, in locked memory */
#define SOCKETS (EDGE | MOVERS | RESOLVE | FETCH | TLS | UDP)
#define OPENERS (RESOLVE | FETCH) /* of sockets */

/* clang-format off */
#define ROW(name, roles, error, args, ...) \
	{ name, roles, error, args, { __VA_ARGS__ } }
#define ALLOW(name, roles) ROW(name, roles, 0, 0, { 0, 0, 0, 0 })
#define REFUSE(name, roles, error) ROW(name, roles, error, 0, { 0, 0, 0, 0 })

/* If argument n is v. */
#define ALLOW_IF(name, roles, n, v) \
	ROW(name, roles, 0, 1, { n, SCMP_CMP_EQ, v, 0 })
#define REFUSE_IF(name, roles, error, n, v) \
	ROW(name, roles, error, 1, { n, SCMP_CMP_EQ, v, 0 })

/* If argument n, masked, is v. */
#define ALLOW_BITS(name, roles, n, mask, v) \
	ROW(name, roles, 0, 1, { n, SCMP_CMP_MASKED_EQ, mask, v })
#define REFUSE_BITS(name, roles, error, n, mask, v) \
	ROW(name, roles, error, 1, { n, SCMP_CMP_MASKED_EQ, mask, v })

/* getsockopt and setsockopt by level and option. */
#define OPTION(name, roles, level, option) \
	ROW(name, roles, 0, 2, \
	    { 1, SCMP_CMP_EQ, level, 0 }, { 2, SCMP_CMP_EQ, option, 0 })
/* clang-format on */

static const struct sandbox_call table[] = {
	/* Every turn of a loop. */
	ALLOW("read", ALL),
	ALLOW("write", ALL),
	ALLOW("recvfrom", ALL),
	ALLOW("sendto", ALL),
	ALLOW("readv", ALL),
	ALLOW("writev", ALL),
	ALLOW("recvmsg", ALL),
	ALLOW("epoll_wait", ALL),
	ALLOW("epoll_pwait", ALL),
	ALLOW("epoll_pwait2", ALL),
	ALLOW("epoll_ctl", ALL),
	ALLOW("close", ALL),
	ALLOW("shutdown", SOCKETS),
	ALLOW("recvmmsg", EDGE | MOVERS | UDP),
	ALLOW("splice", MOVERS),
	ALLOW("pipe2", MOVERS),
	ALLOW("poll", ALL),
	ALLOW("ppoll", ALL),

	/*
	 * sendmsg and sendmmsg could pass descriptors upward (PROTOCOL.md
	 * section 3). The resolver in libc asks for A and AAAA with sendmmsg,
	 * and a UDP port that has many addresses names with them the one to
	 * answer from; whoever starts these roles takes no descriptor.
	 */
	ALLOW("sendmmsg", RESOLVE | UDP),
	REFUSE("sendmsg", RESOLVE | UDP, EPERM),

	/* Memory, never executable. */
	ALLOW("brk", ALL),
	ALLOW("munmap", ALL),
	ALLOW("mremap", ALL),
	ALLOW("madvise", ALL),
	ALLOW_BITS("mmap", ALL, 2, PROT_EXEC, 0),
	ALLOW_BITS("mprotect", ALL, 2, PROT_EXEC, 0),
	/* libc tries to load name service modules; it has DNS built in. */
	REFUSE_BITS("mmap", RESOLVE, EACCES, 2, PROT_EXEC, PROT_EXEC),
	REFUSE_BITS("mprotect", RESOLVE, EACCES, 2, PROT_EXEC, PROT_EXEC),
	ALLOW("mlock", HOLDERS),
	ALLOW("munlock", HOLDERS),
	REFUSE("mlock", ALL & ~HOLDERS, EPERM),
	REFUSE("munlock", ALL & ~HOLDERS, EPERM),
	REFUSE("mlock2", ALL, EPERM),
	ALLOW("futex", ALL),
	ALLOW("getrandom", ALL),

	/* Time. */
	ALLOW("clock_gettime", ALL),
	ALLOW("clock_getres", ALL),
	ALLOW("gettimeofday", ALL),
	ALLOW("time", ALL),
	ALLOW("nanosleep", ALL),
	ALLOW("clock_nanosleep", ALL),

	/* The process about itself, and its end. */
	ALLOW("getpid", ALL),
	ALLOW("gettid", ALL),
	ALLOW("getppid", ALL),
	ALLOW("getuid", ALL),
	ALLOW("geteuid", ALL),
	ALLOW("getgid", ALL),
	ALLOW("getegid", ALL),
	ALLOW("getrusage", ALL),
	ALLOW("sysinfo", ALL), /* qsort(3) asks for the machine's memory */
	ALLOW("sched_yield", ALL),
	ALLOW("rt_sigprocmask", ALL),
	ALLOW("rt_sigaction", ALL),
	ALLOW("rt_sigreturn", ALL),
	ALLOW("sigaltstack", ALL),
	ALLOW("restart_syscall", ALL),
	ALLOW("exit", ALL),
	ALLOW("exit_group", ALL),
	ALLOW_IF("tgkill", ALL, 0, SANDBOX_OWN_PID), /* abort(3) */
	ALLOW_IF("prctl", ALL, 0, PR_SET_NAME),
	REFUSE("prlimit64", ALL, EPERM),
	REFUSE("getrlimit", ALL, EPERM),
	REFUSE("sched_getaffinity", ALL, EPERM),
	REFUSE("membarrier", ALL, ENOSYS),
	REFUSE("rseq", ALL, ENOSYS),

	/*
	 * Not F_SETFL, F_SETOWN, F_SETSIG: a passed socket stays shared with
	 * whoever else holds it (PROTOCOL.md section 3).
	 */
	ALLOW_IF("fcntl", ALL, 1, F_GETFL),
	ALLOW_IF("fcntl", ALL, 1, F_GETFD),
	ALLOW_IF("fcntl", ALL, 1, F_SETFD),
	ALLOW_IF("fcntl", ALL, 1, F_DUPFD_CLOEXEC),
	ALLOW_IF("fcntl", MOVERS, 1, F_SETPIPE_SZ),
	ALLOW_IF("fcntl", MOVERS, 1, F_GETPIPE_SZ),
	/* Who opens sockets makes them non-blocking. */
	ALLOW_IF("fcntl", OPENERS, 1, F_SETFL),
	REFUSE("ioctl", ALL & ~RESOLVE, ENOTTY),
	ALLOW("ioctl", RESOLVE), /* FIONREAD after a datagram */

	/* Sockets that were passed in. No SO_LINGER in edges. */
	ALLOW("getsockname", SOCKETS),
	ALLOW("getpeername", SOCKETS),
	OPTION("getsockopt", SOCKETS, SOL_SOCKET, SO_ERROR),
	OPTION("getsockopt", ENGINE | UDP, SOL_SOCKET, SO_MEMINFO),
	OPTION("getsockopt", MOVERS, IPPROTO_TCP, TCP_INFO),
	OPTION("setsockopt", EDGE | MOVERS | FETCH, IPPROTO_TCP, TCP_NODELAY),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_QUICKACK),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_CORK),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_NOTSENT_LOWAT),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_CONGESTION),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_USER_TIMEOUT),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_KEEPIDLE),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_KEEPINTVL),
	OPTION("setsockopt", MOVERS, IPPROTO_TCP, TCP_KEEPCNT),
	OPTION("setsockopt", MOVERS, SOL_SOCKET, SO_KEEPALIVE),
	OPTION("setsockopt", MOVERS | TLS, SOL_SOCKET, SO_LINGER),
	OPTION("setsockopt", ENGINE, IPPROTO_UDP, UDP_SEGMENT),

	/*
	 * Only the resolver and fetch open any, for IP alone: a pathname socket
	 * could lead out of the sandbox (no Landlock rule covers connecting to
	 * one).
	 */
	ALLOW_IF("socket", OPENERS, 0, AF_INET),
	ALLOW_IF("socket", OPENERS, 0, AF_INET6),
	REFUSE("socket", ALL & ~OPENERS, EACCES),
	REFUSE_IF("socket", OPENERS, EACCES, 0, AF_UNIX),
	REFUSE_IF("socket", OPENERS, EACCES, 0, AF_NETLINK),
	ALLOW("connect", OPENERS),
	REFUSE("connect", ALL & ~OPENERS, EACCES),
	ALLOW("bind", RESOLVE),
	OPTION("setsockopt", RESOLVE, IPPROTO_IP, IP_RECVERR),
	OPTION("setsockopt", RESOLVE, IPPROTO_IPV6, IPV6_RECVERR),
	OPTION("setsockopt", RESOLVE, IPPROTO_TCP, TCP_NODELAY),
	ALLOW("uname", RESOLVE),

	/* Files: the resolver reads what Landlock lets it; nobody else. */
	ALLOW_BITS("open", RESOLVE, 1, O_ACCMODE, O_RDONLY),
	ALLOW_BITS("openat", RESOLVE, 2, O_ACCMODE, O_RDONLY),
	REFUSE("open", ALL & ~RESOLVE, EACCES),
	REFUSE("openat", ALL & ~RESOLVE, EACCES),
	ALLOW("stat", RESOLVE),
	ALLOW("lstat", RESOLVE),
	ALLOW("fstat", RESOLVE),
	ALLOW("newfstatat", RESOLVE),
	ALLOW("statx", RESOLVE),
	ALLOW("lseek", RESOLVE),
	ALLOW("pread64", RESOLVE),
	ALLOW("access", RESOLVE),
	ALLOW("faccessat", RESOLVE),
	ALLOW("readlink", RESOLVE),
	ALLOW("readlinkat", RESOLVE),
	REFUSE("stat", ALL & ~RESOLVE, EACCES),
	REFUSE("lstat", ALL & ~RESOLVE, EACCES),
	REFUSE("fstat", ALL & ~RESOLVE, EACCES),
	REFUSE("newfstatat", ALL & ~RESOLVE, EACCES),
	REFUSE("statx", ALL & ~RESOLVE, EACCES),
	REFUSE("lseek", ALL & ~RESOLVE, ESPIPE),
	REFUSE("access", ALL & ~RESOLVE, EACCES),
	REFUSE("faccessat", ALL & ~RESOLVE, EACCES),
	REFUSE("readlink", ALL & ~RESOLVE, EACCES),
	REFUSE("readlinkat", ALL & ~RESOLVE, EACCES),
	REFUSE("openat2", ALL, EACCES),
	REFUSE("faccessat2", ALL, EACCES),
	/* OpenSSL's other ways to random bytes. */
	REFUSE("shmget", ALL, EACCES),
	REFUSE("shmat", ALL, EACCES),
	REFUSE("shmdt", ALL, EACCES),
};

const struct sandbox_call *
sandbox_calls(size_t *n)
{
	*n = sizeof(table) / sizeof(table[0]);
	return table;
}
