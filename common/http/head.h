/*
 * The head of one HTTP/1 message, taken apart in place (RFC 9112).
 *
 * Strict where two parsers could differ: whatever this one accepts has one
 * meaning, and what has two (two lengths, two Hosts, bare LF, folded lines,
 * blanks in names ...) is refused. Nothing is copied and nothing allocated: a
 * struct head points into the bytes that were parsed and lives no longer than
 * they stay where they are.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_MAX 65535	   /* bytes: offsets below are 16 bits wide */
#define HEAD_FIELDS 100	   /* field lines of one head */
#define HEAD_METHOD_MAX 32 /* bytes of a method's name */
#define HEAD_BLANKS 2	   /* empty lines tolerated before a request */

enum head_method {
	HEAD_METHOD_OTHER,
	HEAD_METHOD_GET,
	HEAD_METHOD_HEAD,
	HEAD_METHOD_CONNECT,
	HEAD_METHOD_OPTIONS
};

enum head_body {
	HEAD_BODY_NONE,
	HEAD_BODY_LENGTH, /* head.length bytes */
	HEAD_BODY_CHUNKED,
	HEAD_BODY_UNTIL_CLOSE, /* responses only */
	HEAD_BODY_OPAQUE       /* no message follows: 101, or 2xx to CONNECT */
};

/* Names known to us. Everything else is HEAD_ID_OTHER. */
enum head_id {
	HEAD_ID_OTHER,
	HEAD_ID_HOST,
	HEAD_ID_CONTENT_LENGTH,
	HEAD_ID_TRANSFER_ENCODING,
	HEAD_ID_CONNECTION,
	HEAD_ID_UPGRADE,
	HEAD_ID_EXPECT,
	HEAD_ID_FORWARDED,
	HEAD_ID_X_REAL_IP,
	HEAD_ID_X_FORWARDED_FOR,
	HEAD_ID_X_FORWARDED_PROTO,
	HEAD_ID_X_FORWARDED_HOST,
	HEAD_ID_X_FORWARDED_OTHER, /* X-Forwarded-Port, -Prefix, -User ... */
	HEAD_ID_FORWARDED_TWIN,	   /* any of these six with "_" for "-" */
	HEAD_ID_AUTHORIZATION,
	HEAD_ID_PROXY_AUTHORIZATION,
	HEAD_ID_X_PTP_TOKEN,
	HEAD_ID_ACCEPT,
	HEAD_ID_KEEP_ALIVE,
	HEAD_ID_TE,
	HEAD_ID_TRAILER,
	HEAD_IDS /* how many there are */
};

#define HEAD_BIT(id) (UINT32_C(1) << (id))

/* What says where a request came from: only a trusted peer may send these. */
#define HEAD_FORWARDED_BITS                                          \
	(HEAD_BIT(HEAD_ID_FORWARDED) | HEAD_BIT(HEAD_ID_X_REAL_IP) | \
	    HEAD_BIT(HEAD_ID_X_FORWARDED_FOR) |                      \
	    HEAD_BIT(HEAD_ID_X_FORWARDED_PROTO) |                    \
	    HEAD_BIT(HEAD_ID_X_FORWARDED_HOST) |                     \
	    HEAD_BIT(HEAD_ID_X_FORWARDED_OTHER) |                    \
	    HEAD_BIT(HEAD_ID_FORWARDED_TWIN))

struct head_view {
	const char *p; /* not terminated */
	size_t n;
};

/* One field line; it ends where the next begins (head_line_end). */
struct head_field {
	uint16_t name; /* offset in the head */
	uint16_t name_len;
	uint16_t value; /* without blanks around it */
	uint16_t value_len;
	uint8_t id; /* enum head_id */
};

struct head {
	const char *p;	 /* the bytes parsed; offsets count from here */
	uint32_t size;	 /* of all of it, with the final empty line */
	uint32_t start;	 /* offset of the first line (after HEAD_BLANKS) */
	uint32_t fields; /* offset of the first field line */
	uint32_t end;	 /* offset of the final empty line */
	uint32_t seen;	 /* HEAD_BIT of every id that occurs */
	uint32_t many;	 /* HEAD_BIT of every id that occurs twice */

	struct head_view method; /* requests */
	struct head_view target; /* requests, as it was sent */
	struct head_view path;	 /* requests, in origin-form: an absolute-form
				    without its scheme and authority (may be
				    empty or begin with '?'); CONNECT: empty */
	struct head_view host;	 /* requests, with port: Host's value, for
				    CONNECT the target; n 0 if there is none */
	enum head_method kind;
	int status;    /* responses: 100 to 999; requests: 0 */
	uint8_t minor; /* HTTP/1.minor, 0 or 1 */

	enum head_body body;
	uint64_t length; /* of a HEAD_BODY_LENGTH; else 0 */
	bool keepalive;	 /* the connection may carry another message */
	bool absolute;	 /* requests: target was in absolute-form */
	bool upgrade;	 /* Connection and Upgrade ask for (or, in a 101, grant)
			    another protocol; never for h2c, which would carry
			    requests past every gate */
	bool expect_continue; /* requests: Expect: 100-continue */

	uint16_t nfield;
	uint8_t at[HEAD_IDS]; /* first field line of each id seen */
	struct head_field field[HEAD_FIELDS];
};

/*
 * Parse the request whose first n bytes are at p. `max` is the longest head
 * that is taken, at most HEAD_MAX.
 * Returns the bytes of the whole head (> 0, *h is filled), 0 if it is not yet
 * complete, or the HTTP status to refuse it with, negated: -400 malformed or
 * ambiguous, -431 longer than max or more than HEAD_FIELDS fields, -501 a
 * transfer coding that we do not know, -505 another version. More bytes never
 * change a refusal. *h is undefined unless the result is > 0.
 */
int head_parse_request(struct head *h, const char *p, size_t n, size_t max);

/*
 * The same for the response to a request of method `asked`, which decides
 * about its body. Returns > 0, 0, or -502 for every refusal. An interim
 * response (1xx) is a head of its own, without body; 101 gives
 * HEAD_BODY_OPAQUE, and whether one was asked for is the caller's to check.
 */
int head_parse_response(struct head *h, const char *p, size_t n, size_t max,
    enum head_method asked);

/*
 * The value of the only field of that id, in *v. Returns 1, 0 if there is
 * none, -1 if there are several (a credential or a name that comes twice is
 * to be refused, not chosen from).
 */
int head_known(const struct head *h, enum head_id id, struct head_view *v);

/*
 * The same by name, case-blind; a twin that differs by "_" for "-" counts as
 * another field of the name, and is never taken for it itself: -1.
 */
int head_find(const struct head *h, const char *name, struct head_view *v);

/* The value of field line i. */
struct head_view head_value(const struct head *h, size_t i);

/* Offset just behind field line i, including its CRLF. */
size_t head_line_end(const struct head *h, size_t i);

/* Case-blind comparison of a view with a terminated string. */
bool head_view_is(struct head_view v, const char *s);

#endif
