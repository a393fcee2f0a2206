/*
 * A user's connection. Requests are walked on the way in (request.c), answers
 * on the way out (answer.c); every request is routed on its own. What is not
 * HTTP passes as it is (opaque.c).
 */
#ifndef USER_H
#define USER_H

#include <event2/event_struct.h>

#include "common/http/walk.h"
#include "common/net/outq.h"
#include "common/tunnel/frame.h"
#include "common/tunnel/turn.h"
#include "worker/relay/relay.h"

struct session;
struct upstream;
struct user_log;

#define USER_PIPELINE 8		/* requests sent on without an answer */
#define USER_READ 65536		/* bytes read from a user at a time */
#define USER_DISCARD (64 << 20) /* bytes dropped after our last word */
#define USER_LINGER_MS 2000	/* and how long that may take */
#define USER_ENDING_MS 60000	/* of a user that takes nothing any more */
#define USER_LOOK_MS 1000	/* after a short read: see user_look() */
#define USER_HEAD_GROW 1024	/* bytes that our fields may add to a head */

/* Why request bytes are kept back. */
enum user_wait {
	WAIT_NOTHING,
	WAIT_ROOM,    /* the upstream takes no more just now */
	WAIT_ANSWERS, /* of requests before it: another host's turn, or ours */
	WAIT_ASK,     /* the master is being asked */
	WAIT_QUEUE,   /* it will be asked: too many questions are out */
	WAIT_HOLD     /* CONNECT or Upgrade: until its answer */
};

enum user_state {
	USER_OPEN,
	USER_ENDING, /* what is queued goes out, then FIN, then discard */
	USER_LINGER, /* FIN is out, waiting for the user's */
	USER_DEAD    /* buried; touch nothing */
};

/* Where bytes have moved: a set. */
enum user_way {
	USER_UP = 1, /* from the user */
	USER_DOWN = 2,
	USER_BOTH = USER_UP | USER_DOWN
};

/* A request that was sent on: what its answer depends on. */
struct user_asked {
	uint8_t method : 4; /* enum head_method */
	bool upgrade : 1;
	bool json : 1;
	bool last : 1; /* "Connection: close": no request may follow */
};

/* Where does this host belong? */
struct user_question {
	struct user *next; /* in relay->ask_queue */
	char name[];
};

/* Bytes from `at` on are still to be written. */
struct user_rest {
	uint32_t at, len;
	uint8_t bytes[];
};

struct user {
	struct conn conn;
	struct relay *relay;
	struct upstream *ups;	      /* list */
	struct upstream *current;     /* who answers */
	struct event ev;	      /* embedded: very many users are idle */
	struct user_question *asking; /* the master, or to be asked */
	struct user_log *log;	      /* journal.c; NULL: not recorded */
	union {
		struct turn_item resume;
		struct grave grave; /* USER_DEAD */
	};
	struct deadline timer; /* in heads, idles, endings or lingers */
	struct deadline look;  /* in looks */
	struct walk req, resp;
	struct outq out;	/* to the user */
	uint8_t *in, *part;	/* request and answer bytes kept back */
	struct user_rest *rest; /* of a head as its service gets it */
	uint32_t in_len, part_len;
	int fd;
	/* Oldest first; without any, [0] is of the request in hand. */
	struct user_asked asked[USER_PIPELINE];
	uint8_t nasked;
	uint8_t wait;  /* enum user_wait */
	uint8_t state; /* enum user_state */
	uint8_t scheme;
	bool opaque : 1;   /* not HTTP: see opaque.h */
	bool large : 1;	   /* the last read into the tunnel brought much */
	bool rerouted : 1; /* another relay's end: one host only */
	bool paired : 1;   /* a socketpair, of another relay or a converter */
	bool readable : 1; /* there may be more to read */
	bool closed : 1;   /* the end of input was announced */
	bool eof : 1;	   /* and seen */
	bool sending : 1;  /* a request's body is under way */
	bool begun : 1;	   /* bytes of the current answer have left */
	bool close_after : 1; /* this answer is the last */
	bool silent : 1;      /* the user has said that it sends no more */
	bool shut : 1;	      /* opaque: our FIN is due, or sent */
	bool heading : 1;     /* the timer is that of an unfinished head */
	uint8_t moved : 2;    /* enum user_way, since its idle time began */
	uint16_t bad;	      /* status to refuse the next request with */
	uint32_t discarded;
	uint64_t up, down; /* bytes */
	struct addr peer, local;
};

/* Take over the descriptor of a user. Closes it if memory is short. */
void user_new(struct relay *r, uint32_t conn, int fd, const struct msg_conn *c,
    uint64_t generation, uint16_t service, bool rerouted, const char *name);

/*
 * ask.c: ask the master where `name` belongs (u->asking keeps it); u->wait
 * says so. If that cannot be, u->bad is set.
 */
void user_ask(struct user *u, const char *name);

/* It waits for no answer of the master any more. */
void user_ask_stop(struct user *u);

/* The master's answers; of no effect if the user has stopped asking. */
void user_ask_same(struct user *u, uint64_t generation, uint16_t service);
void user_ask_fd(struct user *u, int fd);
void user_ask_no(struct user *u, uint16_t status);

/*
 * Refuse its next request with 403, or do not any more. What has been let in
 * goes on, opaque bytes too.
 */
void user_bar(struct user *u, bool barred);

/* Go on with what was kept back, later in this turn. */
void user_resume(struct user *u);

/* Pass the service's FIN on when all that came before it has left. */
void user_shut(struct user *u);

/*
 * An answer or a request has ended: if nothing is under way now, let go of an
 * upstream whose client leaves. The next request is routed anew.
 */
void user_rested(struct user *u);

/*
 * End in order: queued bytes, FIN, then close. A request that is not whole is
 * reset towards its service.
 */
void user_finish(struct user *u);

/*
 * Something has moved: its time to be idle begins anew; if each direction has
 * it for itself, once both have moved.
 */
void user_touch(struct user *u, enum user_way moved);

/* End without a reset, now, all being done. */
void user_close(struct user *u);

/* End with a reset, now: *u is USER_DEAD, and freed after this turn. */
void user_abort(struct user *u, enum msg_end why);

/* Answer with an error page of our own and end; no answer may have begun. */
void user_refuse(struct user *u, int status, const char *text);

/*
 * The same to a request that asks for what it may not have, with more field
 * lines (NULL: none). With `stay` the connection goes on: whatever comes next
 * is surely its next request.
 */
void user_deny(struct user *u, int status, const char *text, const char *fields,
    bool stay);

/* A deadline of the user has passed. */
void user_expired(struct user *u);

/*
 * A short read has drained the socket, but says nothing of a reset that came
 * along with the data, and no other event tells of that. Rather than reading
 * again each time, look once more when it has been quiet for a while.
 */
void user_look(struct user *u);

/* The relay drains: end it if it is idle. */
void user_drain(struct user *u);

/* Write pieces towards the user; if that fails it is dead. */
void user_send(struct user *u, const struct iovec *iov, int n);

/*
 * `sent` of the current upstream's bytes have left, or, if nothing waits to
 * be sent, all of them that have come.
 */
void user_credit(struct user *u, size_t sent);

/* input.c: something may be read and passed on. */
bool input_may_pull(const struct user *u);

/* Read and pass on while there is something to read and somewhere to go. */
void input_pull(struct user *u);

/* Drop what the user still says after our last word. */
void input_discard(struct user *u);

/* Its other end is gone, and not in order. */
bool input_is_cut(struct user *u);

/*
 * request.c: pass on what the n bytes at p begin with; sets u->wait if it has
 * to stop. Returns how many bytes were dealt with. The user may be dead then.
 */
size_t request_feed(struct user *u, const uint8_t *p, size_t n);

/* The host asked for belongs to that service, or behind that descriptor. */
void request_routed(
    struct user *u, struct session *s, uint16_t service, int fd);

/* answer.c: the stream of a CONNECT stands. */
void answer_connected(struct user *u);

/* Bytes of the current upstream, its end, its death. */
void answer_feed(struct user *u, const struct iovec *iov, int n);
void answer_fin(struct user *u);
void answer_lost(struct user *u, enum reset reason);

#endif
