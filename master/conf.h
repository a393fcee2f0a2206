/*
 * The server's configuration: ptpd.conf, -o and -u, checked and complete.
 *
 * A short-lived child loads it (server_conf_load), then sends the public part
 * to the master (server_conf_encode, server_conf_decode) and the verifiers to
 * `auth` (server_conf_encode_verifiers), so that neither a parser bug nor a
 * secret is ever in the master.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/conf/args.h"
#include "common/conf/faults.h"
#include "common/conf/lists.h"
#include "common/conf/pack.h"
#include "common/conf/sentry.h"
#include "common/conf/verifier.h"
#include "master/port_rules.h"

#define CONF_TLS_HOSTS_MAX 256 /* of tls.hosts */
#define CONF_LISTEN_MAX 64     /* addresses of one listener key */
#define CONF_TRUSTED_MAX 64    /* blocks: MSG_TRUSTED_MAX */
#define CONF_ACCESS_MAX 256    /* blocks of one list of access */
#define CONF_REGEX_MAX 32      /* rules on names, of one user */
#define CONF_HEADER_MAX 63     /* bytes of http.mux_header */
#define CONF_PATH_MAX 1023     /* bytes of a path */
#define CONF_WORKERS_MAX 256   /* relays */
#define CONF_TIMEOUT_MAX (UINT64_C(720) * 3600 * 1000) /* ms, fits a u32 */
#define CONF_AUTH_TIMEOUT_MAX (60 * 1000)	       /* ms of auth.timeout */
#define CONF_HEAD_LEAST 1024 /* bytes of http.head_max */
#define CONF_HEAD_MOST 65535 /* HEAD_MAX of common/http/head.h */
#define CONF_TUNNELS_MAX 255 /* tunnels of one client: one byte at login */

/* Keys that were given, not left to their default: bits of server_conf.set */
#define CONF_SET_USER 0x1u
#define CONF_SET_CHROOT 0x2u
#define CONF_SET_USERS 0x4u	 /* users, users_file, or a -u */
#define CONF_SET_ANY_CLIENT 0x8u /* allow_any_client */
#define CONF_SET_HOST_KEY 0x10u
#define CONF_SET_SOCKET 0x20u
#define CONF_SET_LISTEN 0x40u	/* any listener */
#define CONF_SET_AUTH_URL 0x80u /* auth.url */

/* Limits that a user has of its own: bits of user.set */
#define USER_SET_TUNNELS 0x1u
#define USER_SET_STREAMS 0x2u
#define USER_SET_HOSTS_NUMBER 0x4u
#define USER_SET_HOSTS_REGEX 0x8u
#define USER_SET_HOSTS_WITH_ID 0x10u
#define USER_SET_ID 0x20u /* no limits, but what must be there */
#define USER_SET_SECRET 0x40u
#define USER_SET_KEY 0x80u
#define USER_SET_HASH 0x100u
#define USER_SET_TCP 0x200u /* of `limits` again */
#define USER_SET_UDP 0x400u
#define USER_SET_SPEED 0x10000u

struct regexes;

struct limits {
	uint64_t tunnels;	     /* per client, at least 1 */
	uint64_t streams;	     /* user connections at a time; 0: any */
	uint64_t speed;		     /* bytes/s, up and down apart; 0: any */
	uint64_t hosts_number;	     /* names beside the id; 0: any */
	struct str_list hosts_regex; /* POSIX extended, valid; none: any */
	/* They compiled, as server_conf_limits() fills it in. */
	const struct regexes *regexes;
	bool hosts_with_id;	   /* prefix becomes id-prefix */
	struct port_rule_list tcp; /* ports to be had; none: no port */
	struct port_rule_list udp;
};

/* One user without what proves it. */
struct conf_user {
	char *id;	 /* lower-case label */
	uint64_t method; /* enum verifier_method */
	uint64_t set;	 /* which of `limits` are its own */
	struct limits limits;

	/* Only while loading, and never encoded. */
	char *secret, *key, *secret_hash; /* the one that `method` says */
	const char *file;		  /* where it stood, for faults */
	unsigned int line;
	size_t index;
	int rank; /* the higher one beats */
};

/* A certificate for a server name. */
struct conf_tls_host {
	uint64_t set;
	char *name; /* lower case; "*." in front: all labels in that place */
	char *cert, *key; /* absolute paths */

	/* Only while loading, and never encoded. */
	const char *file; /* where it stood, for faults */
	unsigned int line;
	size_t index;
};

struct conf_tls_host_list {
	struct conf_tls_host *v;
	size_t n;
};

enum conf_tls_min { CONF_TLS_12, CONF_TLS_13 };

struct conf_user_list {
	struct conf_user *v; /* sorted by id */
	size_t n;
};

/* Who may connect to listeners of one kind. */
struct conf_access {
	struct block_list proxy; /* must begin with the PROXY protocol */
	struct block_list allow; /* none: all */
	struct block_list deny;	 /* beats allow */
};

/* A certificate and its key: absolute paths; NULL: none. */
struct conf_pair {
	char *cert, *key;
	struct { /* of cert, of key; only while loading */
		const char *file;
		unsigned int line;
	} at[2];
};

struct server_conf {
	uint64_t set; /* CONF_SET_... */
	char *user;
	char *chroot;
	char *host_key;	  /* absolute path */
	char *socket;	  /* absolute path, fits sun_path */
	uint64_t workers; /* relays; 0: one per CPU */

	struct addr_list listen_http; /* of all listeners at least one */
	struct addr_list listen_http_redirect;
	struct addr_list listen_sni;
	struct conf_access access_http, access_http_redirect, access_sni;
	struct conf_access access_api; /* no proxy */
	struct addr_list listen_api;
	struct conf_access access_tls;

	struct addr_list listen_tls;
	struct conf_pair tls_pair; /* tls.cert, tls.key */
	struct conf_pair api_pair; /* api.cert, api.key */
	uint64_t tls_min;	   /* enum conf_tls_min */
	struct conf_tls_host_list tls_hosts;

	char *domain; /* NULL: none */
	struct conf_user_list users;
	char *users_file;      /* absolute path or NULL; already in users */
	char *auth_url;	       /* NULL: no external check */
	char *auth_ca;	       /* absolute path; NULL: the system's */
	uint64_t auth_timeout; /* ms */
	bool allow_any_client; /* counts if CONF_SET_ANY_CLIENT, see below */
	struct limits limits;
	uint64_t sources; /* user connections of a source block; 0: any */

	char *mux_header;
	bool forwarded;
	struct block_list trusted;
	uint64_t head_max; /* bytes */

	struct {
		uint64_t tries; /* failed logins that are forgiven */
		uint64_t time;	/* ms; 0: until reload */
	} lockout;

	struct { /* milliseconds; 0: never ends (park: do not park) */
		uint64_t handshake, head, idle, tunnel, drain, park;
	} timeouts;
	bool timeout_unidirectional;

	uint64_t log_level;    /* enum log_level */
	char *log_file;	       /* absolute path; NULL: none */
	uint64_t log_max_size; /* bytes; 0: any number */
	uint64_t log_max_count;
	uint64_t log_format; /* 0 text, 1 json */
	bool log_access;     /* into log_file */

	struct sentry_conf sentry;
	struct regexes *regexes; /* of all limits, compiled; not encoded */
};

/*
 * Load the whole configuration into *c. Returns 0, or -1 if there is any
 * error in `f`; warnings may be there in either case. *c is to be freed with
 * server_conf_free() only after 0. Holds secrets.
 */
int server_conf_load(
    struct server_conf *c, const struct conf_args *args, struct faults *f);

/* Wipe the secrets and free everything. A zeroed struct is allowed. */
void server_conf_free(struct server_conf *c);

/*
 * Emit the public part, everything but the secrets, in frames of at most
 * PACK_FRAME_MAX bytes. Stops and returns -1 as soon as emit does.
 */
int server_conf_encode(const struct server_conf *c, pack_emit emit, void *arg);

/* Emit the verifiers, as verifier.h says. */
int server_conf_encode_verifiers(
    const struct server_conf *c, pack_emit emit, void *arg);

struct server_conf_decoder;

/* Begin to decode; *c becomes a zeroed struct that fills up. NULL: ENOMEM. */
struct server_conf_decoder *server_conf_decoder_new(struct server_conf *c);

/*
 * Take one frame, hostile input allowed. Returns 1 when the configuration is
 * complete (and checked again by every bound of its schema), 0 if more frames
 * are to come, -1 if it is malformed or memory is short: give up and free *c.
 */
int server_conf_decode(
    struct server_conf_decoder *d, const void *frame, size_t n);

/* Frees the decoder, not the configuration. NULL is allowed. */
void server_conf_decoder_free(struct server_conf_decoder *d);

/* The user of an id (lower case, terminated), or NULL. */
const struct conf_user *server_conf_user(
    const struct server_conf *c, const char *id);

/*
 * The limits that hold for a user, its own before the global ones; for NULL
 * (a held id) the global ones. Strings in it belong to c.
 */
struct limits server_conf_limits(
    const struct server_conf *c, const struct conf_user *u);

/*
 * Whether any client may log in (the first secret of an id holds it), as it
 * is decided once, at start: allow_any_client, or, if that key is absent, the
 * absence of users, users_file, -u and auth.url.
 */
bool server_conf_any_client(const struct server_conf *c);

/*
 * Whether the label of a name that `id` asks for (a prefix, an id-prefix, or
 * the first label of a full name) belongs to another id: it is one, or, if
 * derived from with_id, `a` + `b-c` while there is an id `a-b` (PROTOCOL.md
 * section 4). `is_id` says whether a label is a configured or held id.
 */
bool server_conf_name_taken(const char *id, const char *label, bool with_id,
    bool (*is_id)(void *arg, const char *label), void *arg);

/*
 * Whether a prefix (not the id itself) matches one of the rules of
 * hosts_regex, as found anywhere in it unless the rule is anchored. No rules:
 * true.
 */
bool limits_allow_prefix(const struct limits *l, const char *prefix);

#endif
