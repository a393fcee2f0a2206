/*
 * A connection that belongs nowhere: it gets a page that says so, or a TLS
 * alert, and a chance to read it.
 *
 * An accepted socket has inherited SO_LINGER {1, 0}, and an edge may not
 * change that: close() before both directions have ended would send a reset,
 * which takes the page from whoever has not read it yet. So after the page we
 * end our direction, discard what the peer still sends (a head left unread
 * would be a reset too), and close when the connection is over: when
 * getpeername(2) says that there is no peer any more, which is after its FIN
 * and the last acknowledgement of ours. After ANSWER_DISCARD_MAX nothing more
 * is read: whoever sends a large body has to wait, and sees the page then. Who
 * does not end its direction within ANSWER_LINGER_MS is reset.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "worker/edge/edge.h"

#define ANSWER_LINGER_MS 2000
#define ANSWER_DISCARD_MAX 65536 /* bytes beyond the head */

struct answer {
	uint16_t status;
	const char *text; /* NULL: the usual one */
	uint8_t alert;	  /* enum hello_alert, to who speaks TLS; 0: a page */
	bool range;	  /* to a client of another version: preface_range() */
	uint16_t skip;	  /* bytes in front that are not the request's */
	uint16_t https;	  /* 308: port that it leads to */
	struct addr peer; /* for the log */
};

/* The alert (enum hello_alert) that says what an HTTP status says. */
uint8_t answer_alert(uint16_t status);

/*
 * Answer and close fd, which is ours alone from now on. MSG_CLOSED tells the
 * parent when it is done, here or later.
 */
void answer_begin(struct edge *e, uint32_t id, int fd, const struct answer *a);

/* It has lingered for too long. */
void answer_expired(struct edge_conn *c);

#endif
