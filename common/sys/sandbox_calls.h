/*
 * Which role may make which system call: the table that the filter is made
 * of. Internal to the sandbox and its test.
 */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include <seccomp.h>

#define SANDBOX_CALL_ARGS 2 /* arguments compared by one row */

/* In place of a number to compare with: this process's pid. */
#define SANDBOX_OWN_PID UINT64_MAX

/*
 * One row: if every comparison holds, these roles may make the call (error 0)
 * or are refused it with an errno. A call may have several rows; one that
 * meets none of its role's rows kills the process.
 */
struct sandbox_call {
	const char *name;
	unsigned roles; /* bit 1u << enum sandbox_role */
	int error;
	unsigned args; /* comparisons used */
	struct scmp_arg_cmp arg[SANDBOX_CALL_ARGS];
};

/* The table; *n is its number of rows. */
const struct sandbox_call *sandbox_calls(size_t *n);

#endif
