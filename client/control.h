/* The control socket: what ptpctl may ask of a running ptp. */
#ifndef CONTROL_H
#define CONTROL_H

#include "common/ipc/chan.h"

struct control;
struct parent;

/*
 * Serve the socket of the configuration. NULL with *status 2: it was named
 * and cannot be had; NULL with 0: the default one cannot, and we go without.
 */
struct control *control_new(struct parent *p, int *status);
void control_free(struct control *c);

/* MSG_ROW of the engine; the handler's arg is the struct child. */
int control_on_row(void *child, const struct msg *m);

/* The engine is gone: it answers nothing any more. */
void control_engine_gone(struct control *c);

#endif
