/*
 * The message table: every frame that two of our processes exchange.
 *
 * A frame is an 8-byte header {id u32, type u8, length u24}, big endian, and
 * its payload. `id` names a connection (the parent numbers them; 0 is none)
 * unless a row says otherwise. "Down" is from the parent (ptpd, or ptp's
 * parent) to a worker, "up" the other way; a descriptor only ever flows down,
 * and only with a type whose row says so. A frame that breaks its row means a
 * broken or hijacked sender: the receiver drops the channel, the parent kills
 * the worker.
 *
 * Payloads are written with struct buf. "addr" is addr_put() of
 * common/base/addr.h (19 bytes), "str8" and "str16" are buf_put_str8() and
 * buf_put_str16(), "conn" is struct msg_conn below.
 */
#ifndef MSG_H
#define MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/tunnel/scheme.h"

struct buf;

#define MSG_HEAD 8    /* bytes of the header */
#define MSG_MAX 16384 /* bytes of a frame with its header */
#define MSG_PAYLOAD_MAX (MSG_MAX - MSG_HEAD)
#define MSG_CHANNEL_FD 3  /* where a worker finds its channel */
#define MSG_TICKET_KEY 80 /* bytes: name 16, AES-256 32, HMAC 32 */
#define MSG_TICKET_KEYS_MAX 3
#define MSG_EXPORTER 32 /* bytes of a channel binding (RFC 9266) */
#define MSG_USERS_BROKEN UINT32_MAX

enum role {
	/* server */
	ROLE_HTTP,
	ROLE_RELAY,
	ROLE_KEYS,
	ROLE_AUTH,
	ROLE_SNI,    /* edge of users by server name */
	ROLE_TLS,    /* converter: TLS to plain */
	ROLE_UDP,    /* raw UDP ports */
	ROLE_FETCH,  /* outgoing HTTP */
	ROLE_REPORT, /* log files */
	ROLE_API,    /* status, metrics, page */
	ROLE_SIGN,   /* private keys of certificates */
	/* client */
	ROLE_ENGINE,
	ROLE_PROOF, /* identity and proofs: the client's `keys` */
	ROLE_RESOLVE,
	ROLE_LOCAL_TLS, /* TLS to a local https:// service */
	ROLE_COUNT
};

enum msg_type {
	/*
	 * Every role. BOOT is the first frame and comes once; READY answers it
	 * when the process is in its sandbox. Before READY no other frame but
	 * the configuration rows may come, and none but LOG may go.
	 */
	MSG_BOOT = 1, /* down: struct msg_boot */
	MSG_READY,    /* up: u32 bitmask of protection that is missing */
	MSG_LOG,      /* up: level u8, text (the rest) */
	MSG_LEVEL,    /* down: log level u8 */
	MSG_PING,     /* down: nothing; PONG must come within 10 s */
	MSG_PONG,     /* up */
	MSG_DRAIN,    /* down: take nothing new, end what is there politely */
	MSG_DRAINED,  /* up: nothing is left; the worker exits by itself */
	MSG_EXIT,     /* down: end at once, connections are reset */
	MSG_FULL,     /* up: no descriptors left for another connection */
	MSG_ROOM,     /* up: there are again */

	/* Edge: a connection, its verdict, its end. */
	MSG_EDGE_CONF, /* down: head_max u32, head timeout u32 ms, mux header
			  str8, max connections u32 */
	MSG_CONN,      /* down, descriptor: conn, flags u8 (enum
			  msg_edge_flag) */
	MSG_ORIGIN,    /* up, before the verdict on a PROXIED one: skip u16
			  (bytes of the header), and peer addr, local addr if
			  the header says who they are */
	MSG_VERDICT,   /* up: kind u8 (enum msg_verdict), see there */
	MSG_NOROUTE,   /* down, descriptor: status u16, skip u16 (bytes of a
			  header that ORIGIN told of), https u16 (308: the
			  port), peer addr; the edge now owns it */
	MSG_CLOSED,    /* up: reason u8 (enum msg_end), up u64, down u64 */

	/* Relay: tunnels. */
	MSG_RELAY_CONF, /* down: struct msg_relay_conf */
	MSG_COUNTERS,	/* down, descriptor: the relay's counter memory */
	MSG_PEER,	/* down, descriptor, id = index: another relay's counter
			   memory, for reading; replaces what it had before */
	MSG_TUNNEL,	/* down, descriptor: conn, kind u8 (preface kind),
			   transport u8, skip u16, ticket id 16 bytes if kind
			   TICKET */
	MSG_CLIENT,	/* down: client u32, generation u64, id str8,
			   streams limit u32, speed u64 (bytes/s each way, 0:
			   any): conn (a session tunnel) is let in and waits
			   for MSG_HS_KEYS */
	MSG_LIMITS,	/* down, id 0: generation u64, streams limit u32, speed
			   u64, tunnels u8: they hold from now on */
	MSG_ATTACHED,	/* up: generation u64: conn's ticket was good */
	MSG_TICKET,	/* up, id 0: generation u64, ticket id 16 bytes */
	MSG_SERVICES,	/* up: generation u64, services (tunnel/services.h) */
	MSG_GRANTED,	/* down, id 0: generation u64, grants (same place) */
	MSG_PROBE,	/* down, id 0: generation u64: is the peer alive? */
	MSG_ALIVE,	/* up, id 0: generation u64, answered u8 */
	MSG_KICK,	/* down, id 0: generation u64, reason u8 (enum
			   goaway), text str8: GOAWAY, then close all */

	/* Relay: users. */
	MSG_USER,     /* down, descriptor: conn, generation u64, service u16,
			 rerouted u8 (1: it is another relay's end; only one
			 host may be asked for on it), skip u16 (bytes that
			 come first and are not the user's), name str8 (the
			 host it was routed by; empty for a port) */
	MSG_ASK,      /* up: name str8: where does this host belong? */
	MSG_ASK_SAME, /* down: generation u64, service u16: of a client that
			 sits on this very relay */
	MSG_ASK_FD,   /* down, descriptor: another relay's end */
	MSG_ASK_NO,   /* down: status u16 to refuse with */
	MSG_BAR,      /* down: barred u8: its address may (not) be there any
			 more: refuse its next request */

	/* api: what it asks of the master; id = its connection. */
	MSG_API_CONN, /* down, descriptor: nothing: a connection of its own */
	MSG_QUERY,    /* up: what u8 (enum query) */
	MSG_QUERY_FD, /* down, descriptor: nothing: a SOCK_SEQPACKET on which
			 the answer comes as ipc/ctl.h has it; without one:
			 no answer, too many questions go on */
	MSG_STATUS_USER, /* down (auth): id str8, secret str8 of the client
			    that tests the data path; beside all others */
	MSG_UDP_CONF, /* down (udp): flows that a source block may have u32 (0:
			 any number), number of peers that are not counted u8,
			 a block each */
	/* UDP ports. id = the master's number of a service with some. */
	MSG_UDP_SERVICE, /* down (udp), descriptor: idle u32 ms: a new flowpipe
			    to the relay of that service, and with it new flows;
			    ports that it had stay */
	MSG_UDP_PORT,  /* down (udp), descriptor: addr: a bound socket of it */
	MSG_UDP_GONE,  /* down (udp): port u16: not served any more; 0: all of
			  the service */
	MSG_UDP_LOST,  /* up (udp): its flowpipe has ended */
	MSG_UDP_DROPS, /* up (udp): u64: datagrams dropped so far */
	MSG_UDP_FLOWS, /* down (relay), descriptor: generation u64, service
			  u16: the relay's end of that flowpipe */

	/* What ptpctl asks of a worker. id = the request. */
	MSG_SHOW, /* down: what u8 */
	MSG_ROW,  /* up: a row of ipc/ctl.h; ends with an empty one */

	/*
	 * Handshakes. relay/engine <-> parent <-> keys/proof, and on the
	 * server keys <-> parent <-> auth. id = the connection.
	 */
	MSG_HS_START,  /* down (keys, proof): transport u8, exporter str8,
			  preface str8; proof: server name str8 as well;
			  keys: peer addr, if known */
	MSG_HS_IN,     /* up (relay, engine), down (keys, proof): a blob */
	MSG_HS_OUT,    /* up (keys, proof), down (relay, engine): a blob */
	MSG_HS_LOGIN,  /* up (keys), down (auth): struct login_case of
			  tunnel/login.h */
	MSG_HS_LOCKED, /* down (auth): the address of the HS_LOGIN that follows
			  is locked out: nothing but a key may let it in */
	MSG_HS_MORE,   /* up (keys), down (auth): login message (the rest) */
	MSG_HS_REPLY,  /* up (auth), down (keys): login message (the rest) */
	MSG_HS_GRANT,  /* up (auth): method u8, id str8, instance 16 bytes,
			  cipher u8, vouched u8: 1: by the external check, and
			  then these names (tunnel/names.h) and no others */
	MSG_HS_FINISH, /* down (keys): cipher u8, login message (the rest) */
	MSG_HS_KEYS,   /* up (keys, proof), down (relay, engine): cipher u8,
			  key to send 32, key to receive 32, ticket root 32 */
	MSG_HS_FAIL,   /* up (any), down (any): code u8 (enum login_code),
			  from auth also: id str8, of whom it refused, and
			  REFUSED for the client (the rest).
			  Sent down to keys it comes back up behind the last
			  HS_OUT, if the handshake was still there */

	/* keys, auth: their secrets. */
	MSG_HOST_KEY,  /* down (keys): 32 bytes */
	MSG_USERS,     /* down (auth), descriptor: the parser's end of a
			  SOCK_SEQPACKET of verifier frames; id = generation */
	MSG_USERS_OK,  /* up (auth): number u32, or MSG_USERS_BROKEN: they did
			  not come whole; id = generation */
	MSG_USERS_USE, /* down (auth): id = generation: use these now */
	MSG_AUTH_CONF, /* down (auth): what to do about an id without verifier:
			  bits AUTH_CONF_... u8 */
	MSG_RELEASE,   /* down (auth): id str8: nobody holds it any more */

	/*
	 * The external check of a login: auth <-> parent <-> fetch, passed on
	 * unread. id = the connection.
	 */
	MSG_VOUCH,	/* up (auth), down (fetch): number u32, id str8, secret
			   str8, names asked for (tunnel/names.h) */
	MSG_VOUCHED,	/* up (fetch), down (auth): number u32, enum vouch u8,
			   names allowed */
	MSG_VOUCH_LOST, /* down (auth): nobody can be asked now; id 0: this is
			   the answer to all questions */

	/* fetch. */
	MSG_FETCH_CONF, /* down: struct msg_fetch_conf */
	MSG_FETCH_CA,	/* down, descriptor: certificates to verify by, PEM; id
			   = enum fetch_ca */
	MSG_EVENT,	/* down: a line (ipc/line.h) to tell of */

	/* log. */
	MSG_LOG_FILE, /* down, descriptor: bytes in it u64, at most u64 (0: any
			 number), JSON u8: write to this one now */
	MSG_LOG_FULL, /* up: that many are in it: it wants another */
	MSG_LINE,     /* down: see ipc/line.h */
	MSG_ACCESS,   /* down (log, relay), descriptor: a socket from a relay
			 to log (ipc/access.h); relay, none: no records */

	/* Client: what the engine and proof need from the parent. */
	MSG_ENGINE_CONF, /* down: see client/engine */
	MSG_DIAL,	 /* up, id = the engine's number: service u16, attempt
			    u8 (how many of its addresses have failed), port
			    u16 (the public one that its user came to; 0:
			    none), raw u8 (1: no TLS of ours), header str8
			    (what the parent is to send before a converter
			    sends anything) */
	MSG_DIALED,	 /* down, descriptor, id = that number */
	MSG_DIAL_NO,	 /* down, id = that number: errno u32 */
	MSG_WANT,	 /* up: tunnels wanted u8 (beyond those it has) */
	MSG_LINK,	 /* down, descriptor: a connected tunnel socket; id =
			    conn; kind u8: session or ticket */
	MSG_LINK_END,	 /* up: conn has ended; code u8 (enum msg_end),
			    text str8 */
	MSG_IDENTITY,	 /* down (proof): see client/proof */
	MSG_SERVER_KEY,	 /* up (proof): the server's static key, 32 bytes */
	MSG_TRUST,	 /* down (proof): enum trust u8 */
	MSG_AWAY,	 /* up (engine): GOAWAY came on conn: reason u8, text
			    str8 */
	MSG_OFFER,	 /* down (engine): services as the server is told */
	MSG_ANSWER,	 /* up (engine): grants as the server sent them */
	MSG_LOOKUP,	 /* down (resolve), id = request: host str8, port u16 */
	MSG_FOUND,	 /* up (resolve): count u8, addrs; 0: str8 why */
	MSG_TLS_CONF,	 /* down (tls), descriptor or none: client/tls_conf.h */
	MSG_TLS_CONN,	 /* down (tls), descriptor: service u16: the network
			    side; MSG_TLS_PLAIN with the same id follows */
	MSG_TLS_PLAIN,	 /* down (tls), descriptor: its plain side; server:
			    answers HANDSHAKED */

	/*
	 * Server: TLS of users. An accepted connection comes to the role tls
	 * as MSG_CONN and ends with MSG_CLOSED. A certificate comes after the
	 * channel to the one who signs for it, which comes after the key.
	 */
	MSG_TLS_RULES,	 /* down (tls): max connections u32, head_max u32,
			    handshake u32 ms, head u32 ms (0: any time) */
	MSG_TLS_CERTS,	 /* down (tls), descriptor: certificates
			    (crypto/bundle.h): their size u32 */
	MSG_TLS_TICKETS, /* down (tls): keys of session tickets, the one to
			    issue with first: MSG_TICKET_KEY bytes each */
	MSG_TLS_KEYS,	 /* down (sign), descriptor: private keys
			    (crypto/bundle.h): their size u32 */
	MSG_TLS_SIGNER,	 /* down (tls, sign), descriptor: one end each of a
			    channel between the two, for MSG_SIGN, MSG_SIGNED */
	MSG_HANDSHAKED,	 /* up (tls): late u8 (1: no whole request has come in
			    time), version u16, server name str8, ALPN str8,
			    exporter str8 (TLS 1.3: 32 bytes, RFC 9266) */
	MSG_TLS_NO,	 /* down (tls): conn is not wanted */
	MSG_SIGN,	 /* tls to sign, id = conn: crypto/signing.h */
	MSG_SIGNED,	 /* sign to tls: the signature; empty: refused */
	MSG_TYPES
};

/* What auth does about an id that it has no verifier of: asks, or holds. */
#define AUTH_CONF_ANY 1u /* the first secret (sent plain) of it holds it */
#define AUTH_CONF_API 2u /* an external check decides; before the other */

/* What an external check says (MSG_VOUCHED). */
enum vouch {
	VOUCH_NO,
	VOUCH_YES,
	VOUCH_DOWN, /* no answer, or none that counts */
	VOUCHES
};

/* What an edge says about a connection. */
enum msg_verdict {
	VERDICT_TUNNEL = 1, /* kind u8, ticket id 16 bytes: a preface */
	VERDICT_ROUTE,	    /* name str8: an HTTP request for this host, or a
			       CONNECT to it, or a ClientHello for this server
			       */
	VERDICT_REFUSE,	    /* status u16: the edge answers it itself */
	VERDICT_DROP	    /* reason u8 (enum msg_end): closed */
};

/* What an edge is told of a connection that it gets. */
enum msg_edge_flag {
	EDGE_PROXIED = 1, /* a header of the PROXY protocol comes first */
	EDGE_API = 2	  /* tls: it is one of listen.api */
};

/* Why a connection ended, or was dropped. */
enum msg_end {
	END_CLEAN = 0,
	END_RESET,   /* by the user */
	END_TIMEOUT, /* a deadline of ours */
	END_REFUSED, /* answered with an error of ours */
	END_GARBAGE, /* spoke nothing that we know */
	END_NOFILE,  /* its descriptor did not arrive: table full */
	END_LOST,    /* the other side of it went away */
	END_LIMIT,
	END_COUNT
};

/* Whether the server's key is to be believed (MSG_TRUST). */
enum trust {
	TRUST_PINNED = 1, /* equal to the one configured */
	TRUST_KNOWN,	  /* equal to the one remembered */
	TRUST_FIRST,	  /* never seen: no plain secret may go there */
	TRUST_LOCAL,	  /* never seen, but on a loopback address */
	TRUST_CHANGED	  /* not the one we knew: end */
};

/* What api may ask for: tables of ptpctl(8), and the data path's test. */
enum query {
	QUERY_STATUS = 1,
	QUERY_CLIENTS,
	QUERY_TUNNELS,
	QUERY_STREAMS,
	QUERY_ROUTES,
	QUERY_USERS,
	QUERY_WORKERS,
	QUERY_LISTENERS,
	QUERY_LIMITS,
	QUERY_CHECK,
	QUERY_COUNT
};

/* Which counter file, or table, MSG_SHOW wants. */
enum msg_show { SHOW_STREAMS = 1, SHOW_TUNNELS };

/* A connection as the parent introduces it. 41 bytes on the wire. */
struct msg_conn {
	uint16_t listener; /* its number in the master's table */
	uint8_t scheme;	   /* enum msg_scheme: how the user came */
	struct addr peer;
	struct addr local;
};

/* Where and as whom a worker is to live, and how loud. */
struct msg_boot {
	enum role role;
	uint16_t index; /* which of its role */
	uint8_t log_level;
	bool privileged; /* started by root: chroot and change uid */
	uint32_t uid, gid;
	uint32_t nofile; /* RLIMIT_NOFILE, 0: as it is */
	char chroot[256];
};

/* How relays treat users (server_conf's share of it). */
#define MSG_TRUSTED_MAX 64
struct msg_relay_conf {
	uint32_t head_max;
	uint32_t idle_ms, tunnel_ms, head_ms, handshake_ms, drain_ms;
	bool forwarded;
	bool one_way; /* each direction has the idle time for itself */
	uint8_t ntrusted;
	struct addr_block trusted[MSG_TRUSTED_MAX];
	char mux_header[64];
};

/* What fetch does. */
#define MSG_URL_MAX 1023
#define MSG_WORD_MAX 200
struct msg_fetch_conf {
	char auth_url[MSG_URL_MAX + 1]; /* "": none */
	uint32_t auth_ms;		/* for the whole of a question */
	char dsn[MSG_URL_MAX + 1];	/* where events go; "": nowhere */
	char release[MSG_WORD_MAX + 1], environment[MSG_WORD_MAX + 1];
	char server_name[MSG_WORD_MAX + 1];
	bool debug; /* say what becomes of each */
};

/* Certificates that fetch verifies by. */
enum fetch_ca {
	FETCH_CA_SYSTEM,
	FETCH_CA_AUTH, /* auth.ca */
	FETCH_CAS
};

/* One row of the table. */
struct msg_row {
	const char *name;
	uint32_t min, max; /* bytes of payload */
	uint32_t down, up; /* bit per role: who may be sent it, may send it */
	bool fd;	   /* comes with a descriptor */
	bool booting;	   /* may come before READY */
};

/* The row of a type, or NULL if there is none. */
const struct msg_row *msg_row(uint8_t type);

/*
 * Check a frame's header and length as received: n bytes at p. Returns the
 * type, and *id; or -1 if the frame breaks its row: unknown type, length that
 * is not n, payload out of bounds, role not allowed in this direction, not
 * allowed before READY.
 */
int msg_check(const uint8_t *p, size_t n, enum role role, bool up, bool ready,
    uint32_t *id);

/*
 * The length of the first frame of the n bytes at p, with its header; 0 if it
 * is not there whole.
 */
size_t msg_length(const uint8_t *p, size_t n);

/* Write a header for n bytes of payload to p[MSG_HEAD]. */
void msg_head(uint8_t *p, uint8_t type, uint32_t id, size_t n);

const char *role_name(enum role role);
const char *msg_end_text(enum msg_end end);

/* Codecs; the getters return -1 on anything malformed. */
int msg_put_conn(struct buf *b, const struct msg_conn *c);
int msg_get_conn(struct buf *b, struct msg_conn *c);
int msg_put_boot(struct buf *b, const struct msg_boot *m);
int msg_get_boot(struct buf *b, struct msg_boot *m);
int msg_put_relay_conf(struct buf *b, const struct msg_relay_conf *m);
int msg_get_relay_conf(struct buf *b, struct msg_relay_conf *m);
int msg_put_fetch_conf(struct buf *b, const struct msg_fetch_conf *m);
int msg_get_fetch_conf(struct buf *b, struct msg_fetch_conf *m);

#endif
