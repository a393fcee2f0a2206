/* Child processes: found, started clean, and their ends put in words. */
#ifndef PROC_H
#define PROC_H

#include <stddef.h>
#include <sys/types.h>

#define PROC_CHANNEL 3 /* descriptor of a worker's channel */

/* Environment variable: workers keep stderr (and sanitizers' options). */
#define PROC_KEEP_STDERR "PTP_KEEP_STDERR"

/*
 * Find the executable `name` in a directory that is named from that of the
 * running one on, as "../../bin", and write its absolute path to dst[size].
 * Returns 0, or -1 with errno (ENOENT, ENAMETOOLONG).
 */
int proc_near(const char *relative, const char *name, char *dst, size_t size);

/*
 * The same beside the running one, else in the libexec/ptp of the tree that
 * it is installed in, else in PTP_LIBEXECDIR. Call it once at start: the
 * answer must not change under a running daemon.
 */
int proc_libexec(const char *name, char *dst, size_t size);

/*
 * Fork and execute `path` (absolute) with argv { title }. The child has
 * `channel` as PROC_CHANNEL, /dev/null as 0, 1 and 2, no other descriptor, an
 * environment of PATH alone, default signal actions, no blocked signal, umask
 * 077, "/" as directory and a process group of its own. The caller keeps
 * `channel` and closes it.
 *
 * Returns the pid when the new program runs, or -1 with the errno of what
 * failed, in the child too (ENOENT ...); nothing is then left to reap.
 */
pid_t proc_spawn(const char *path, const char *title, int channel);

/*
 * A wait status in words, "exited with 3" or "killed by SIGSYS (forbidden
 * system call)", into dst[size]. Returns dst.
 */
char *proc_status_text(char *dst, size_t size, int status);

#endif
