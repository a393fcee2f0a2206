/*
 * The client's configuration: ptp.conf, -o, -s and the services of the
 * command line, checked and complete.
 */
#ifndef CLIENT_CONF_H
#define CLIENT_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/conf/sentry.h"
#include "common/conf/args.h"
#include "common/conf/faults.h"
#include "common/conf/lists.h"
#include "common/conf/server_addr.h"

#define CONF_SERVERS_MAX 16  /* addresses tried in order */
#define CONF_SERVICES_MAX 64 /* SERVICES_MAX */
#define CONF_NAMES_MAX 16    /* names of one service: SERVICE_NAMES_MAX */
#define CONF_HEADERS_MAX 32  /* remove_headers of one service */
#define CONF_BLOCKS_MAX 32   /* allow_from, deny_from: SERVICE_BLOCKS_MAX */
#define CONF_PATH_MAX 1023   /* bytes of a path */
#define CONF_SOCKET_MAX 107  /* bytes of the path of a unix socket */
#define CONF_TUNNELS_MAX 10  /* tunnels of the pool */
#define CONF_TIMEOUT_MAX (UINT64_C(720) * 3600 * 1000) /* ms, fits a u32 */

/* Keys that were given, not left to their default: bits of client_conf.set */
#define CLIENT_SET_USER 0x1u
#define CLIENT_SET_CHROOT 0x2u
#define CLIENT_SET_SOCKET 0x4u
#define CLIENT_SET_KNOWN_SERVERS 0x8u
#define CLIENT_SET_SERVER 0x10u
#define CLIENT_SET_SERVICES 0x20u

#define CLIENT_SERVICE_LOCAL 0x1u   /* client_service.set: has a local */
#define CLIENT_SERVICE_TIMEOUT 0x2u /* ... and a timeout */
#define CLIENT_UDP_TIMEOUT 60000    /* ms: that of udp://, if it has none */

/* What tunnel.cipher says; CLIENT_CIPHER_AUTO: the faster one here. */
enum client_cipher {
	CLIENT_CIPHER_AUTO,
	CLIENT_CIPHER_CHACHA20_POLY1305,
	CLIENT_CIPHER_AES256_GCM,
	CLIENT_CIPHER_NONE
};

enum local_scheme {
	LOCAL_HTTP,
	LOCAL_HTTPS,
	LOCAL_TLS,
	LOCAL_TCP,
	LOCAL_UNIX,
	LOCAL_UDP
};

/* Where a service is. */
struct service_local {
	enum local_scheme scheme;
	char host[TEXT_NAME_MAX + 1]; /* name or address, no brackets */
	uint16_t port;
	char path[CONF_SOCKET_MAX + 1]; /* LOCAL_UNIX: absolute */
};

struct client_service {
	uint64_t set;		    /* CLIENT_SERVICE_LOCAL */
	char *local_text;	    /* to show it: "http://127.0.0.1:80" */
	struct service_local local; /* the same taken apart */
	/* Lower case; none: the id, if its users come by HTTP. */
	struct str_list names;
	char *ports;		  /* as written: "2222", "6000-6010"; or NULL */
	uint16_t port, port_last; /* the same taken apart; 0: none asked for */
	bool random;		  /* any port, if that one is not to be had */
	bool tls; /* users of the port speak TLS to the server */
	/*
	 * NULL: leave Host alone; else what it becomes (host[:port] of local
	 * if the key was true).
	 */
	char *rewrite_host;
	struct str_list remove_headers;
	uint64_t timeout; /* ms without a byte; 0: none */
	uint64_t speed;	  /* bytes/s each way, 0: any; the server keeps it */
	uint64_t streams; /* users at a time, 0: any number; the same */
	char *tls_ca;	  /* absolute path; NULL: the system's */
	char *tls_name;	  /* NULL: the host of local */
	bool tls_insecure;
	uint64_t proxy_protocol; /* enum proxy_version */

	/* Who may use it: gates.h. */
	bool private;
	char *token; /* NULL: none */
	char *basic; /* "user:password"; NULL: none */
	struct block_list allow_from, deny_from;

	/* Only while loading: where it stood, for faults. */
	const char *file;
	unsigned int line;
};

struct client_service_list {
	struct client_service *v;
	size_t n;
};

struct client_conf {
	uint64_t set; /* CLIENT_SET_... */

	struct server_addr *servers; /* nservers of them: id filled in, secret
					too (read from its file) unless `key`
					is how to log in; has_key filled in
					from server_key */
	size_t nservers;
	char *known_servers; /* absolute path */
	char *key; /* absolute path of the identity to log in with, for those
		      servers that have no secret; or NULL */

	uint64_t connections; /* tunnels at most, 1 to 10 */
	uint64_t idle;	      /* kept without streams, 1 to 10 */
	uint64_t cipher;      /* enum client_cipher */
	char *congestion;     /* TCP congestion control, "bbr" */

	uint64_t reconnect; /* ms */
	uint64_t timeout;   /* ms: to connect and log in, and of silence */

	struct client_service_list services; /* at least one */

	char *socket; /* absolute path, fits sun_path */
	char *user;
	char *chroot;
	uint64_t log_level;    /* enum log_level */
	char *log_file;	       /* absolute path; NULL: none */
	uint64_t log_max_size; /* bytes; 0: any number */
	uint64_t log_max_count;
	uint64_t log_format; /* 0 text, 1 json */
	struct sentry_conf sentry;

	/* Only while loading: the keys as they were written. */
	struct str_list server;
	char *server_key, *id, *secret, *secret_file;
};

/*
 * Load the whole configuration into *c. Returns 0, or -1 if there is any
 * error in `f`; warnings may be there in either case. *c is to be freed with
 * client_conf_free() only after 0.
 */
int client_conf_load(
    struct client_conf *c, const struct conf_args *args, struct faults *f);

/* Wipe the secrets and free everything. A zeroed struct is allowed. */
void client_conf_free(struct client_conf *c);

#endif
