/* The filter of system calls, made by libseccomp from one table. */
#include "common/sys/sandbox_seccomp.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <seccomp.h>

#include "common/sys/sandbox_calls.h"

/* Add one row. Returns 0 or a negative errno, as libseccomp does. */
static int
add(scmp_filter_ctx filter, const struct sandbox_call *call)
{
	struct scmp_arg_cmp arg[SANDBOX_CALL_ARGS];
	uint32_t action = call->error == 0
	    ? SCMP_ACT_ALLOW
	    : SCMP_ACT_ERRNO((uint16_t)call->error);
	int nr = seccomp_syscall_resolve_name(call->name);

	/* This machine, or this libseccomp, does not have the call. */
	if (nr < 0)
		return 0;
	memcpy(arg, call->arg, sizeof(arg));
	for (unsigned i = 0; i < call->args; i++)
		if (arg[i].datum_a == SANDBOX_OWN_PID)
			arg[i].datum_a = (scmp_datum_t)getpid();
	return seccomp_rule_add_array(filter, action, nr, call->args, arg);
}

/*
 * Not SCMP_FLTATR_CTL_LOG: kills are logged without it, and with it each
 * errno would be a line in the kernel's log too.
 */
static int
fill(scmp_filter_ctx filter, enum sandbox_role role)
{
	const struct sandbox_call *call;
	size_t n;
	int rc;

	rc = seccomp_attr_set(
	    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc != 0)
		return rc;
	/* A binary tree; a libseccomp that cannot has a list instead. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	call = sandbox_calls(&n);
	for (size_t i = 0; i < n; i++) {
		if ((call[i].roles & (1u << role)) == 0)
			continue;
		if ((rc = add(filter, &call[i])) != 0)
			return rc;
	}
	return 0;
}

int
sandbox_seccomp(enum sandbox_role role)
{
	scmp_filter_ctx filter;
	int rc;

	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL) {
		errno = ENOMEM;
		return -1;
	}
	rc = fill(filter, role);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc != 0) {
		errno = -rc;
		return -1;
	}
	return 0;
}
