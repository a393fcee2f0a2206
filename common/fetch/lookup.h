/*
 * Names to addresses, in a child of its own: libc's resolver blocks, reads
 * files and parses what strangers send, none of which its parent shall do.
 * Answers are kept for LOOKUP_FRESH_MS.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stddef.h>

struct event_base;
struct lookup;
struct sandbox;

#define LOOKUP_NAMES 8	      /* that are known at a time */
#define LOOKUP_FRESH_MS 60000 /* before they are asked for again */
#define LOOKUP_TEXT 512	      /* bytes of an answer */

struct lookup_ops {
	/*
	 * A name that was asked for: its addresses, with commas between; or
	 * NULL, and why.
	 */
	void (*found)(
	    void *arg, const char *host, const char *addrs, const char *why);
	/* The child has died. */
	void (*ended)(void *arg);
};

/* helper_fork() of the child; what it returns is for lookup_new(). */
int lookup_fork(const struct sandbox *box, int close_fd);

/* Takes fd. NULL: no memory. */
struct lookup *lookup_new(
    struct event_base *base, int fd, const struct lookup_ops *ops, void *arg);
void lookup_free(struct lookup *l);

/*
 * Addresses of a host, if they are fresh. Else NULL: it is asked for, and
 * ops->found will be called, in a later turn. The text is valid until the
 * next call.
 */
const char *lookup_get(struct lookup *l, const char *host);

#endif
