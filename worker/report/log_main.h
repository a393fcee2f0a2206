/*
 * The process of role `log`: lines of the master by its channel, and of the
 * relays' users by a socket from each, into files that the master opens.
 */
#ifndef LOG_MAIN_H
#define LOG_MAIN_H

struct msg_boot;

/* Returns the exit status of the process. */
int log_main(const struct msg_boot *boot);

#endif
