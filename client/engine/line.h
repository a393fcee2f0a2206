/*
 * A line: one connection to the server, which the parent dialled. First a
 * handshake passes over it that `proof` makes (or a ticket is shown), then it
 * is a tunnel.
 */
#ifndef LINE_H
#define LINE_H

#include "client/engine/engine.h"
#include "common/tunnel/frame.h"
#include "common/tunnel/preface.h"

struct tunnel;

enum line_state {
	LINE_WAIT,   /* `proof` has the word */
	LINE_LENGTH, /* reading a blob's length */
	LINE_BLOB,   /* reading it */
	LINE_TICKET, /* reading the answer to a ticket */
	LINE_UP,     /* it is a tunnel */
	LINE_ENDED   /* and will be freed */
};

struct line {
	struct engine *engine;
	struct pool *pool;
	struct line *next; /* of the pool */
	uint32_t conn;
	enum line_state state;
	bool leaving;	       /* GOAWAY was said or heard */
	bool shut;	       /* we have ended our direction */
	uint64_t idle_since;   /* turn_now() when it had no stream; 0: has */
	struct tunnel *tunnel; /* LINE_UP */
	struct flight *flight; /* before that */
	struct grave grave;
};

/* A first connection: its handshake makes a session. Takes fd. */
void line_new(struct engine *e, uint32_t conn, int fd);

/*
 * A further one, by a ticket of the newest session. Without one to use it is
 * closed again, and the parent told. Takes fd.
 */
void line_new_ticket(struct engine *e, uint32_t conn, int fd);

/* A blob of `proof`, for the server. */
void line_blob(struct line *l, const uint8_t *p, size_t n);

/* The keys of the session: cipher, to send, to receive, root of tickets. */
void line_keys(struct line *l, uint8_t cipher, const uint8_t tx[32],
    const uint8_t rx[32], const uint8_t root[32]);

/* Close it; the parent knows why. */
void line_drop(struct line *l);

/* Close it, and tell the parent. */
void line_end(struct line *l, enum msg_end code, const char *why);

/* Say GOAWAY; it takes no new streams. */
void line_goaway(struct line *l, enum goaway reason);

/* Nothing is left on it: end it in order. Its end comes from the peer. */
void line_shut(struct line *l);

/* The tunnel has ended: of struct tunnel_ops. */
void line_ended(void *line, const char *why);

/* It carries no stream and owes the peer nothing. */
bool line_is_idle(const struct line *l);

#endif
