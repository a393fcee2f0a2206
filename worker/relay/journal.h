/*
 * The access log: a record of each request that was answered and of each
 * stream that has ended, sent in batches to the process that writes them. It
 * takes nothing from the users: what that process does not take at once is
 * dropped and counted.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

struct access;
struct relay;
struct user;

/* Send records by fd (taken); -1: make none. */
void journal_use(struct relay *r, int fd);

/* Send those that wait. */
void journal_flush(struct relay *r);

/* A request of u was sent on to u->current, its newest. */
void journal_asked(struct user *u);

/* A stream of bytes of u begins. */
void journal_stream(struct user *u);

/* The status of an answer that begins. */
void journal_status(struct user *u, int status);

/* The oldest request has its answer, of which `left` bytes are to be counted.
 */
void journal_answered(struct user *u, size_t left);

/* It is answered by us; `stay`: the connection goes on. */
void journal_refused(struct user *u, int status, bool stay);

/* A flow of datagrams has ended: *a but for its time. */
void journal_flow(struct relay *r, const struct access *a);

/* u is gone, and its u->log with it. */
void journal_ended(struct user *u);

#endif
