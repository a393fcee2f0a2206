/*
 * The role `resolve`: asks libc for the addresses of names, one after the
 * other, and holds nothing.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

struct msg_boot;

#define RESOLVE_MAX 16 /* addresses of one answer */

/* Run the role until its channel closes. The exit status. */
int resolve_main(const struct msg_boot *boot);

#endif
