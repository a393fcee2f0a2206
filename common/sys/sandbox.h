/*
 * The way into a sandbox: what a process gives up, in one order, for good.
 *
 * The caller first makes everything that the filter forbids to make later:
 * its event base (epoll, libevent's signal pair), sodium_init(), one random
 * byte of each library, the log's sink. Then sandbox_enter(), then READY.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

enum sandbox_role {
	SANDBOX_EDGE,	 /* peeks at strangers' first bytes, answers errors */
	SANDBOX_RELAY,	 /* tunnels and users' connections; pipes, splice */
	SANDBOX_KEYS,	 /* private keys: its channel, memory, nothing else */
	SANDBOX_AUTH,	 /* verifiers: the same */
	SANDBOX_ENGINE,	 /* the client's end of the tunnels; as relay */
	SANDBOX_RESOLVE, /* DNS: opens sockets, reads files */
	SANDBOX_CONF,	 /* parses a configuration that was read before */
	SANDBOX_FETCH,	 /* outgoing HTTP: opens TCP sockets, nothing else */
	SANDBOX_LOG,	 /* writes to files that others have opened */
	SANDBOX_TLS,	 /* ends TLS of strangers */
	SANDBOX_UDP	 /* UDP ports: datagrams in and out */
};
#define SANDBOX_ROLES 11

struct sandbox {
	enum sandbox_role role;
	/*
	 * Started as root: chroot, groups, uids and bounding set as below.
	 * Without it these four are left alone and reported as missing.
	 */
	bool privileged;
	const char *chroot; /* absolute; owned by root, not writable by others;
			       NULL: none, reported as missing */
	uid_t uid;	    /* neither may be 0 */
	gid_t gid;
	rlim_t nofile; /* RLIMIT_NOFILE, soft and hard; 0: as it is */
};

/* Protection that could not be had; bits of *missing. */
#define SANDBOX_NO_CHROOT 1u   /* not privileged, or no directory given */
#define SANDBOX_NO_UID 2u      /* not privileged: same uid as the parent */
#define SANDBOX_NO_LANDLOCK 4u /* the kernel has none */
#define SANDBOX_NO_SCOPE                               \
	8u /* Landlock before ABI 6: signals, abstract \
	      sockets; seccomp still refuses both */

/*
 * Give up, in this order: bounding set, chroot, groups, uids (and try to get
 * them back), all capabilities, being dumpable, life after the parent's
 * (PR_SET_PDEATHSIG), rlimits, new privileges, the file system and TCP
 * (Landlock), every system call outside the role's table (seccomp: forbidden
 * calls kill the process with SIGSYS).
 *
 * Returns 0 and in *missing what this machine or user could not give. Returns
 * -1 with errno after one log_warn() that names the step; the process is then
 * half way in and must end. EPERM: would have gone on as uid 0.
 */
int sandbox_enter(const struct sandbox *s, unsigned *missing);

/*
 * The bits of `missing` in words for a log line, comma-separated, into
 * dst[size]; "nothing" for 0. Returns dst.
 */
char *sandbox_missing_text(char *dst, size_t size, unsigned missing);

#endif
