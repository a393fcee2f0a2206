/*
 * A logged-in client: its links (one per tunnel), and its tickets for more of
 * them. A session lives as long as
 * it has a link.
 */
#ifndef SESSION_H
#define SESSION_H

#include "common/base/text.h"
#include "common/crypto/ticket.h"
#include "common/tunnel/preface.h"
#include "common/tunnel/services.h"
#include "common/tunnel/tunnel.h"
#include "worker/relay/relay.h"

#define SESSION_TICKETS 16
#define SESSION_TICKET_LIFE 60000000 /* us */
#define SESSION_UNANSWERED 128	     /* OPENs without an answer, per tunnel */
#define SESSION_SPREAD 64 /* streams on a tunnel before the next is used */

struct offer;
struct pipe;
struct quota;
struct upstream;

struct link {
	struct conn conn;
	struct session *session;
	struct tunnel *tunnel;
	struct link *next;
	struct addr peer;
	bool leaving; /* GOAWAY was said or heard: no new streams */
	bool stopped; /* the client has stopped: its end is an orderly one */
};

struct session_ticket {
	struct session_ticket *chain; /* directory.c */
	struct session *session;
	uint8_t id[TICKET_ID];
	uint8_t key[TICKET_KEY];
	uint64_t until; /* 0: this place is free */
};

struct session {
	struct session *next;
	struct session *chain; /* directory.c */
	struct relay *relay;
	uint64_t generation;
	uint32_t client; /* its row in the counters */
	char id[TEXT_LABEL_MAX + 1];
	uint32_t streams_max; /* users at a time, 0: any number */
	uint32_t users;
	struct link *links;
	struct upstream *waiting, **waiting_tail; /* for a stream */
	struct services services; /* as it offered them last: their gates */
	struct quota *quota;
	struct offer *offers; /* services with limits of their own */
	struct pipe *pipes;   /* of its UDP ports: datagrams.h */
	uint8_t cipher;
	uint8_t root[TICKET_KEY];
	uint32_t ticket_number;
	struct session_ticket tickets[SESSION_TICKETS];
	uint64_t probed; /* when, 0: not */
	bool up;	 /* its first tunnel has stood */
	bool ended;	 /* before that: it never will */
};

/* A session that waits for its first link. NULL if memory is short. */
struct session *session_new(
    struct relay *r, uint64_t generation, uint32_t client, const char *id);

/* Users at a time, bytes per second each way (0: any number): from now on. */
void session_limits(struct session *s, uint32_t streams_max, uint64_t speed);

struct session *session_find(const struct relay *r, uint64_t generation);

/*
 * What the client offers, as it came in a SERVICES frame: kept, and passed on
 * to the master. 0, or -1 if it is malformed.
 */
int session_offer(struct session *s, const uint8_t *p, size_t n);

/*
 * The service of that number, with its gates; NULL: it is not offered (any
 * more), and nobody may be let through to it.
 */
const struct service *session_service(const struct session *s, uint16_t index);

/*
 * Add a link over fd, which it owns from now on, with record keys to send and
 * to receive. Returns 0; or -1, and fd is still the caller's.
 */
int session_link(struct session *s, uint32_t conn, int fd,
    const struct addr *peer, const uint8_t tx[32], const uint8_t rx[32]);

/*
 * It, or that service, has as many users as it may: says so in the log, for
 * the user from `peer`.
 */
bool session_is_full(
    const struct session *s, uint16_t service, const struct addr *peer);

/* session_tickets.c: issue one, derived at both ends, and tell its number. */
void session_ticket_issue(struct link *l);

/* The session whose ticket has this id, and the ticket: taken by that. */
struct session *session_ticket_take(
    struct relay *r, const uint8_t id[TICKET_ID], uint8_t key[TICKET_KEY]);

/* The tunnel for the next stream, or NULL if none may take one now. */
struct tunnel *session_tunnel(struct session *s);

/* No link can take a stream now or later (it has none, or all leave). */
bool session_is_gone(const struct session *s);

/* Streams on that tunnel of it should end: GOAWAY was said or heard. */
bool session_leaves(const struct session *s, const struct tunnel *t);

/* Free it if it has no link, as when its first one failed. NULL is fine. */
void session_unused(struct session *s);

/* GOAWAY on all but the `most` oldest links: they end with their streams. */
void session_trim(struct session *s, unsigned most);

/* GOAWAY on all links; with `end` they close and the session with them. */
void session_goaway(
    struct session *s, enum goaway reason, const char *text, bool end);

/* All links close at once, and the session with them. */
void session_close(struct session *s);

/* Is anyone there? MSG_ALIVE answers within a second. */
void session_probe(struct session *s);

/* Once a tick: probes; once a second: liveness of the links. */
void session_tick(struct session *s, bool second);

void session_granted(struct session *s, const uint8_t *p, size_t n);

#endif
