/* The process of role `keys`: keys.h on a channel, in its sandbox. */
#ifndef KEYS_MAIN_H
#define KEYS_MAIN_H

struct msg_boot;

/* Returns the exit status of the process. */
int keys_main(const struct msg_boot *boot);

#endif
