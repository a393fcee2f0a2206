/*
 * The daemon's side of the control socket: accepts who may control it, takes
 * one request of each, and sends the answer without ever waiting for it to be
 * read. The same for ptpd and ptp.
 */
#ifndef CTL_SERVER_H
#define CTL_SERVER_H

#include <stddef.h>

#include "common/ipc/ctl.h"

struct ctl_server;
struct ctl_call;
struct event_base;

#define CTL_CALLS_MAX 32   /* controllers at a time */
#define CTL_ADOPTED_MAX 16 /* calls at a time, up to which one is adopted */
#define CTL_QUEUE_BYTES (64u << 20) /* of an answer that is not read */

/*
 * Handle a request. The handler answers at once or later, with ctl_ok() or
 * ctl_fail() as the last; req lives until it returns.
 */
typedef void (*ctl_handler)(
    void *arg, struct ctl_call *call, const struct ctl_request *req);

/*
 * Serve the listening socket fd, which is owned from now on. Only uid 0 and
 * the effective uid of this process are served. NULL with errno.
 */
struct ctl_server *ctl_server_new(
    struct event_base *base, int fd, ctl_handler fn, void *arg);

/* Drop all calls, close the socket. The path stays. NULL is allowed. */
void ctl_server_free(struct ctl_server *s);

/* The listening socket. */
int ctl_server_fd(const struct ctl_server *s);

/*
 * A call that stays open across this turn must be watched: `gone` (may be
 * NULL) is called when the controller hangs up before the answer is complete;
 * the call is freed afterwards. It is not called after ctl_ok() or ctl_fail().
 */
void ctl_on_gone(struct ctl_call *call, void (*gone)(void *arg), void *arg);

/* How the rows are to be shown. */
void ctl_shape(struct ctl_call *call, enum ctl_shape shape);

/* Send a row. One that did not fit is left out. */
void ctl_row(struct ctl_call *call, struct ctl_row *r);

/* Send a row as it came in MSG_ROW, if it is well formed. */
void ctl_row_raw(struct ctl_call *call, const void *p, size_t n);

/* End the call. It must not be used afterwards. */
void ctl_ok(struct ctl_call *call);
void ctl_fail(struct ctl_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Take the call's socket out, for a successor; the call is freed. */
int ctl_take(struct ctl_call *call);

/*
 * Go on with such a socket: a call without request that may be answered.
 * NULL: fd is closed; so many calls go on (CTL_ADOPTED_MAX) that there would
 * be no room left for controllers, or no memory.
 */
struct ctl_call *ctl_adopt(struct ctl_server *s, int fd);

#endif
