/*
 * Getting a session at one of the servers, and keeping it: in order, each as
 * often as it takes, with pauses; and which refusals end it all.
 */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc/chan.h"

struct attach;
struct child_ops;
struct ctl_row;
struct parent;

#define ATTACH_BACKOFF_MAX 60000 /* ms between attempts */

/* The state, and nothing started. NULL: no memory. */
struct attach *attach_new(struct parent *p);
void attach_free(struct attach *a);

/* Begin, when the children are there that it needs; calling again is fine. */
void attach_start(struct attach *a);

/* What it held is gone with a child. */
void attach_engine_gone(struct attach *a);
void attach_proof_gone(struct attach *a);

/* Server or identity have changed: a new session, then leave the old one. */
void attach_renew(struct attach *a);

/* Start nothing any more. */
void attach_stop(struct attach *a);

/* There is a session. */
bool attach_is_up(const struct attach *a);

/*
 * The server has answered what we offer; `let_in`: not all of it was refused
 * for good.
 */
void attach_answered(struct attach *a, bool let_in);

/* Frames of children; the handlers' arg is the struct child. */
int attach_on_hs_in(void *child, const struct msg *m);	    /* engine */
int attach_on_link_end(void *child, const struct msg *m);   /* engine */
int attach_on_away(void *child, const struct msg *m);	    /* engine */
int attach_on_want(void *child, const struct msg *m);	    /* engine */
int attach_on_answer(void *child, const struct msg *m);	    /* engine */
int attach_on_hs_out(void *child, const struct msg *m);	    /* proof */
int attach_on_server_key(void *child, const struct msg *m); /* proof */
int attach_on_hs_keys(void *child, const struct msg *m);    /* proof */
int attach_on_hs_fail(void *child, const struct msg *m);    /* proof */

/* Describe it: fields for `ptpctl status`. */
void attach_status(const struct attach *a, struct ctl_row *row);

/* The server of a connection, "host:port", or NULL. */
const char *attach_server(const struct attach *a, uint32_t conn);

#endif
