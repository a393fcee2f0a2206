/* The filter of system calls. Internal to the sandbox. */
#ifndef SANDBOX_SECCOMP_H
#define SANDBOX_SECCOMP_H

#include "common/sys/sandbox.h"

/*
 * Filter this process's system calls by `role`'s rows of sandbox_calls(), for
 * good; whatever is in none kills the process with SIGSYS, and the kernel logs
 * its number. Sets no_new_privs. Returns 0, or -1 with errno.
 */
int sandbox_seccomp(enum sandbox_role role);

#endif
