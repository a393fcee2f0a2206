/*
 * Landlock, by raw system calls: libc wraps none, and Debian 12's header
 * stops at ABI 2, so that numbers and structs are our own.
 */
#include "common/sys/sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on every architecture. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1u /* ask for the ABI */
#define RULE_PATH_BENEATH 1

#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define NET_BIND 1ull /* TCP, from ABI_NET */
#define NET_TCP 3ull  /* and connect */
#define SCOPES 3ull   /* abstract sockets and signals, from ABI_SCOPE */

#define ABI_NET 4
#define ABI_SCOPE 6

/* struct landlock_ruleset_attr; older kernels take a shorter one. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

/* What libc's resolver and TLS read, /etc whole: files there are replaced. */
static const char *const readable[] = { "/etc", "/run/systemd/resolve",
	"/run/resolvconf", "/run/NetworkManager", "/usr/share/ca-certificates",
	"/usr/lib/ssl" };

/* Every file system right that the ABI knows: they were added in order. */
static uint64_t
fs_rights(int abi)
{
	static const unsigned bits[] = { 0, 13, 14, 15, 15 };

	if (abi >= 5)
		return (1ull << 16) - 1;
	return (1ull << bits[abi]) - 1;
}

static size_t
ruleset_size(int abi)
{
	if (abi >= ABI_SCOPE)
		return sizeof(struct ruleset);
	if (abi >= ABI_NET)
		return offsetof(struct ruleset, scoped);
	return offsetof(struct ruleset, net);
}

/* Let the ruleset read beneath path; a path that is not there is no loss. */
static int
allow_read(int rules, const char *path)
{
	struct beneath b = { .access = FS_READ_FILE | FS_READ_DIR };
	int rc;

	b.fd = open(path, O_PATH | O_CLOEXEC);
	if (b.fd == -1)
		return 0;
	rc = (int)syscall(
	    SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &b, 0);
	close(b.fd);
	return rc;
}

static int
restrict_self(const struct ruleset *attr, int abi, bool reads)
{
	int rules, rc = 0;

	rules = (int)syscall(
	    SYS_landlock_create_ruleset, attr, ruleset_size(abi), 0);
	if (rules == -1)
		return -1;
	if (reads)
		for (size_t i = 0;
		    rc == 0 && i < sizeof(readable) / sizeof(readable[0]); i++)
			rc = allow_read(rules, readable[i]);
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
	return rc;
}

int
sandbox_landlock(enum sandbox_role role, unsigned *missing)
{
	struct ruleset attr = { 0, 0, 0 };
	int abi;

	abi = (int)syscall(
	    SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (abi == -1 && (errno == ENOSYS || errno == EOPNOTSUPP)) {
		*missing |= SANDBOX_NO_LANDLOCK;
		return 0;
	}
	if (abi < 1)
		return -1;
	attr.fs = fs_rights(abi);
	if (abi >= ABI_NET && role != SANDBOX_RESOLVE)
		attr.net = role == SANDBOX_FETCH ? NET_BIND : NET_TCP;
	if (abi >= ABI_SCOPE)
		attr.scoped = SCOPES;
	else
		*missing |= SANDBOX_NO_SCOPE;
	return restrict_self(&attr, abi, role == SANDBOX_RESOLVE);
}
