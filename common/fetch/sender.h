/*
 * Events to an error service (Sentry), a few at a time: while it is slow, away
 * or has asked for a pause they are dropped and counted.
 */
#ifndef SENDER_H
#define SENDER_H

#include "common/ipc/msg.h"

struct http;
struct logline;
struct sender;

#define SENDER_PENDING 16     /* events that are on their way */
#define SENDER_TIME_MS 10000  /* for one */
#define SENDER_PAUSE_MS 60000 /* after it has said that they are too many */

/* NULL: no memory. */
struct sender *sender_new(struct http *http);
void sender_free(struct sender *s);

/* Where to, and what all events have; *c is copied from. */
void sender_configure(struct sender *s, const struct msg_fetch_conf *c);

/* Send an event of that line. */
void sender_send(struct sender *s, const struct logline *l);

#endif
