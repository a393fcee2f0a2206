/*
 * What a master leaves to its successor over exec: a sealed memory file of
 * records, each {type u8, length u16, payload}, big endian, the first a HEAD
 * with the version, the last an END. Descriptors are in it by number.
 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/crypto/keytext.h"
#include "common/ipc/msg.h"
#include "common/tunnel/login.h"
#include "common/tunnel/preface.h"
#include "master/uids.h"

/*
 * Of these records and of the frames between master and workers: who has
 * another one does not take over. Change it when either changes.
 */
#define STATE_VERSION 12
#define STATE_RECORD_MAX 17600 /* bytes of a payload */
#define STATE_TICKETS 16
#define STATE_PATH 4096

enum state_type {
	STATE_HEAD = 1,
	STATE_CONF, /* a frame of server_conf_encode() */
	STATE_LISTENER,
	STATE_WORKER, /* numbered from 0 in order */
	STATE_CLIENT,
	STATE_SESSION, /* its client came before */
	STATE_ROUTE,   /* its client and session came before */
	STATE_PORT,    /* its session came before */
	STATE_CONN,    /* whatever it points to came before */
	STATE_SOURCE,  /* logins have failed from there */
	STATE_END
};

struct state_head {
	int args_fd, cwd_fd;
	int exe_fd;	       /* of the old executable, to go back to */
	int ctl_fd;	       /* the control socket */
	int certs_fd, keys_fd; /* of TLS; -1: none */
	int call_fd; /* of the controller who asked for this; -1: none */
	uint64_t started;
	uint32_t exe_uid, exe_dir_uid; /* who owned path at the first start */
	char exe_path[STATE_PATH];
	bool any_client, privileged, feed_usable;
	uint32_t feed_generation;
	struct uids uids;
	char jail[256];
	uint8_t host_public[KEYTEXT_KEY];
	char socket[128]; /* path of the control socket */
};

struct state_listener {
	uint8_t kind; /* enum listener_kind */
	struct addr asked;
	uint16_t number;
	int fd;
};

struct state_worker {
	uint8_t role, state;
	uint16_t index;
	uint32_t pid;
	int fd;
	bool full, posted; /* it has a post */
	uint64_t started;
};

struct state_client {
	char id[TEXT_LABEL_MAX + 1];
	uint32_t number;
	bool held, vouched;
	struct addr held_from;
	uint64_t total, up, down;
};

struct state_ticket {
	uint8_t id[TICKET_ID];
	uint64_t issued;
};

struct state_session {
	uint64_t generation;
	char id[TEXT_LABEL_MAX + 1];
	uint8_t state;
	uint8_t instance[LOGIN_INSTANCE];
	uint32_t relay; /* number of the worker + 1; 0: none */
	uint64_t since;
	uint16_t port;
	bool told;
	struct state_ticket tickets[STATE_TICKETS];
	bool restricted; /* to these names beside the id */
	struct names allowed;
	const uint8_t *offer; /* services_put(); a view */
	size_t offer_len;
};

struct state_route {
	uint8_t table, kind;
	char name[TEXT_NAME_MAX + 1];
	char id[TEXT_LABEL_MAX + 1];
	uint64_t generation; /* 0: nobody holds it */
	uint16_t service;
	uint64_t since;
	bool kept;
};

struct state_port {
	uint8_t way; /* enum grant_way */
	uint16_t number, asked, service;
	uint64_t generation;
	uint64_t since;
	int fd;
};

struct state_conn {
	uint32_t id, parent, reroutes;
	uint8_t state, tries, handshake;
	uint8_t kind; /* enum listener_kind; 0: none */
	bool rerouted, proxied;
	int fd;
	struct msg_conn who;
	uint32_t worker; /* number + 1; 0: none */
	uint64_t generation;
	char client[TEXT_LABEL_MAX + 1]; /* empty: none */
	uint64_t since;
	uint16_t service, skip;
	char name[TEXT_NAME_MAX + 1]; /* empty: none */
};

struct state_source {
	struct addr block;
	uint64_t failures;
	uint64_t failed; /* clock_ms() of the last */
};

/* ---- writing ---- */

struct state_writer;

struct state_writer *state_writer_new(void);

/* Each appends one record. A failure is remembered for state_seal(). */
void state_put_head(struct state_writer *w, const struct state_head *r);
void state_put_conf(struct state_writer *w, const void *frame, size_t n);
void state_put_listener(struct state_writer *w, const struct state_listener *r);
void state_put_worker(struct state_writer *w, const struct state_worker *r);
void state_put_client(struct state_writer *w, const struct state_client *r);
void state_put_session(struct state_writer *w, const struct state_session *r);
void state_put_route(struct state_writer *w, const struct state_route *r);
void state_put_port(struct state_writer *w, const struct state_port *r);
void state_put_conn(struct state_writer *w, const struct state_conn *r);
void state_put_source(struct state_writer *w, const struct state_source *r);

/*
 * Append END, and make a sealed memory file of all of it. Returns its
 * descriptor, close-on-exec, or -1 with errno. Frees w.
 */
int state_seal(struct state_writer *w);

/* ---- reading ---- */

struct state_reader;

/* Map the file of a descriptor, which stays the caller's. NULL with errno. */
struct state_reader *state_reader_new(int fd);
void state_reader_free(struct state_reader *r);

/*
 * The next record: its type, and its payload in *b. 0: there is none (END was
 * the last); -1: malformed.
 */
int state_next(struct state_reader *r, struct buf *b);

/* Begin again with the first. */
void state_rewind(struct state_reader *r);

/* Take one payload apart. -1: malformed. */
int state_get_head(struct state_head *r, struct buf *b);
int state_get_listener(struct state_listener *r, struct buf *b);
int state_get_worker(struct state_worker *r, struct buf *b);
int state_get_client(struct state_client *r, struct buf *b);
int state_get_session(struct state_session *r, struct buf *b);
int state_get_route(struct state_route *r, struct buf *b);
int state_get_port(struct state_port *r, struct buf *b);
int state_get_conn(struct state_conn *r, struct buf *b);
int state_get_source(struct state_source *r, struct buf *b);

/*
 * Whether the whole file can be read, and begins and ends as it should. 0, or
 * -1.
 */
int state_check(struct state_reader *r);

/*
 * Let every descriptor that is named in it survive exec (`keep`), or not.
 */
void state_keep_fds(struct state_reader *r, bool keep);

#endif
