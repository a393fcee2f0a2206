/* The way into a sandbox: one step after the other, none of them back. */
#include "common/sys/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/sys/jail.h"
#include "common/sys/sandbox_landlock.h"
#include "common/sys/sandbox_seccomp.h"

#define CAPABILITY_MAX 63 /* two words hold no more */

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#ifdef WITH_ASAN
/* The leak check at exit clones and ptraces, which no filter here allows. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#define FILES_WRITABLE true /* reports go to a file */
#else
#define FILES_WRITABLE false
#endif

/* The bounding set goes while CAP_SETPCAP is still there: before the uid. */
static int
drop_bounding_set(const struct sandbox *s, unsigned *missing)
{
	(void)missing; /* moot without root: no_new_privs holds */
	if (!s->privileged)
		return 0;
	for (int cap = 0; cap <= CAPABILITY_MAX; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == -1)
			break; /* the kernel's last one was before */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return -1;
	}
	return 0;
}

static int
change_root(const struct sandbox *s, unsigned *missing)
{
	if (s->privileged && s->chroot != NULL)
		return jail_enter(s->chroot);
	if (s->role != SANDBOX_RESOLVE) /* it reads /etc, by Landlock's leave */
		*missing |= SANDBOX_NO_CHROOT;
	return 0;
}

/* No id of this process is root's, and root cannot be had back. */
static int
check_ids(void)
{
	uid_t r, e, saved;
	gid_t rg, eg, savedg;

	if (getresuid(&r, &e, &saved) == -1 ||
	    getresgid(&rg, &eg, &savedg) == -1)
		return -1;
	if (r == 0 || r != e || r != saved || rg != eg || rg != savedg ||
	    setuid(0) != -1 || seteuid(0) != -1) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int
change_ids(const struct sandbox *s, unsigned *missing)
{
	if (!s->privileged) {
		*missing |= SANDBOX_NO_UID;
		return check_ids();
	}
	if (s->uid == 0 || s->gid == 0) {
		errno = EPERM;
		return -1;
	}
	if (setgroups(0, NULL) == -1 ||
	    setresgid(s->gid, s->gid, s->gid) == -1 ||
	    setresuid(s->uid, s->uid, s->uid) == -1)
		return -1;
	if (setgid(0) != -1 || setegid(0) != -1) {
		errno = EPERM;
		return -1;
	}
	return check_ids();
}

/* Permitted, effective, inheritable, ambient: systemd may have given some. */
static int
drop_capabilities(const struct sandbox *s, unsigned *missing)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	(void)s;
	(void)missing;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 &&
	    errno != EINVAL)
		return -1;
	return (int)syscall(SYS_capset, &head, none);
}

/* Siblings of the same uid cannot read its memory; no core is written. */
static int
hide_memory(const struct sandbox *s, unsigned *missing)
{
	(void)s;
	(void)missing;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* After the uids, since changing them clears it. */
static int
die_with_parent(const struct sandbox *s, unsigned *missing)
{
	pid_t parent = getppid();

	(void)s;
	(void)missing;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return -1;
	/* Died in between: a parent dead earlier shows as EOF on a channel. */
	if (getppid() != parent) {
		errno = ESRCH;
		return -1;
	}
	return 0;
}

static int
limit(int resource, rlim_t n)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)resource, &l) == -1)
		return -1;
	if (n > l.rlim_max)
		n = l.rlim_max;
	l.rlim_cur = l.rlim_max = n;
	return setrlimit((__rlimit_resource_t)resource, &l);
}

static int
limit_resources(const struct sandbox *s, unsigned *missing)
{
	(void)missing;
	if (s->nofile != 0 && limit(RLIMIT_NOFILE, s->nofile) == -1)
		return -1;
	/* A write to a file is to fail, not to kill who logs to one. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -1;
	if (!FILES_WRITABLE && s->role != SANDBOX_LOG &&
	    limit(RLIMIT_FSIZE, 0) == -1)
		return -1;
	if (limit(RLIMIT_CORE, 0) == -1)
		return -1;
	return limit(RLIMIT_NPROC, 0);
}

static int
no_new_privileges(const struct sandbox *s, unsigned *missing)
{
	(void)s;
	(void)missing;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int
landlock(const struct sandbox *s, unsigned *missing)
{
	return sandbox_landlock(s->role, missing);
}

static int
seccomp(const struct sandbox *s, unsigned *missing)
{
	(void)missing;
	return sandbox_seccomp(s->role);
}

static const struct {
	const char *what;
	int (*step)(const struct sandbox *s, unsigned *missing);
} steps[] = {
	{ "bounding set", drop_bounding_set },
	{ "chroot", change_root },
	{ "uid and gid", change_ids },
	{ "capabilities", drop_capabilities },
	{ "dumpable", hide_memory },
	{ "parent", die_with_parent },
	{ "resource limits", limit_resources },
	{ "no_new_privs", no_new_privileges },
	{ "Landlock", landlock },
	{ "seccomp", seccomp },
};

int
sandbox_enter(const struct sandbox *s, unsigned *missing)
{
	unsigned m = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].step(s, &m) == -1) {
			log_warn("sandbox: %s", steps[i].what);
			return -1;
		}
	}
	*missing = m;
	return 0;
}
