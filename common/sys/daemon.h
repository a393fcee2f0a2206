/* Going to the background, and telling who waits that we serve. */
#ifndef DAEMON_H
#define DAEMON_H

/*
 * Fork into the background. Only the child returns, in a session of its own,
 * with "/" as directory, stdin from /dev/null, and stdout and stderr still the
 * starter's, so that answers and faults are seen. The parent lives until
 * daemon_ready(), then exits 0; if the child ends before, it exits with the
 * child's status (2 if that was a signal).
 *
 * Returns the descriptor for daemon_ready(), or -1 with errno in the one
 * process that then exists.
 */
int daemon_start(void);

/* We serve: let the parent go, both to /dev/null, close `fd`. 0 or -1. */
int daemon_ready(int fd);

/*
 * Send `state` ("READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=..") to
 * systemd as one datagram (sd_notify(3)). Returns 1 if it was sent, 0 if no
 * NOTIFY_SOCKET is set, -1 with errno. It never blocks.
 */
int daemon_notify(const char *state);

#endif
