/* The kernel's Landlock. Internal to the sandbox. */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include "common/sys/sandbox.h"

/*
 * Deny this process for good the whole file system (SANDBOX_RESOLVE: all but
 * reading what libc's resolver reads), binding and connecting TCP sockets
 * (but SANDBOX_RESOLVE; from ABI 4), signals to and abstract sockets of
 * processes outside (from ABI 6): as much as the running kernel has. Needs
 * no_new_privs.
 *
 * Returns 0 and adds SANDBOX_NO_LANDLOCK or SANDBOX_NO_SCOPE to *missing where
 * the kernel falls short, or -1 with errno.
 */
int sandbox_landlock(enum sandbox_role role, unsigned *missing);

#endif
