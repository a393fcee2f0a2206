/*
 * What a head means once its lines are known: whom it is for, what body
 * follows, what becomes of the connection. The second half of head.c's work,
 * and nobody else's.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "common/http/head.h"

/*
 * Fill in host, path, body, length, keepalive, upgrade and expect_continue of
 * a head whose lines are all parsed. Returns 0, or the status to refuse it
 * with, negated.
 */
int judge_request(struct head *h);

/* The same for the response to a request of method `asked`: 0 or -502. */
int judge_response(struct head *h, enum head_method asked);

#endif
