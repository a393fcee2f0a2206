/* The beginning of a TLS connection. */
#include "common/tls/hello.h"

#include <stdbool.h>
#include <string.h>

#define RECORD_HEAD 5	 /* type u8, version u16, length u16 */
#define RECORD_MAX 16384 /* bytes of a plaintext record */
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22
#define VERSION_MAJOR 3
#define VERSION_MINOR 3 /* of every record of TLS 1.2 and 1.3 */
#define ALERT_FATAL 2

#define MESSAGE_HEAD 4 /* type u8, length u24 */
#define CLIENT_HELLO 1
#define RANDOM 32
#define SESSION_ID_MAX 32

#define EXTENSION_SERVER_NAME 0
#define NAME_HOST 0

/*
 * Walks over a message that is cut into records. All of its bytes have come
 * and the heads of its records are sound: see find_end().
 */
struct cursor {
	const uint8_t *p;
	size_t record; /* bytes left of the record at p */
};

static size_t
get_u16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static int
refuse(struct hello *h, enum hello_alert alert)
{
	h->alert = (uint8_t)alert;
	return -1;
}

/*
 * Judge the head of the record at p, of which n bytes have come. *len becomes
 * how many bytes the record has. As hello_parse().
 */
static int
take_record(struct hello *h, const uint8_t *p, size_t n, size_t *len)
{
	if (n >= 1 && p[0] != RECORD_HANDSHAKE)
		return refuse(h, ALERT_UNEXPECTED_MESSAGE);
	if (n >= 2 && p[1] != VERSION_MAJOR)
		return refuse(h, ALERT_PROTOCOL_VERSION);
	if (n < RECORD_HEAD)
		return 0;
	*len = get_u16(p + 3);
	if (*len == 0) /* RFC 8446, 5.1 */
		return refuse(h, ALERT_DECODE_ERROR);
	if (*len > RECORD_MAX)
		return refuse(h, ALERT_RECORD_OVERFLOW);
	return 1;
}

/*
 * Judge the first n bytes of the message's head, and how long the message is
 * with it. As hello_parse().
 */
static int
take_head(struct hello *h, const uint8_t *head, size_t n, size_t *len)
{
	if (n >= 1 && head[0] != CLIENT_HELLO)
		return refuse(h, ALERT_UNEXPECTED_MESSAGE);
	if (n < MESSAGE_HEAD)
		return 0;
	*len = MESSAGE_HEAD + ((size_t)head[1] << 16 | get_u16(head + 2));
	if (*len > HELLO_MESSAGE_MAX)
		return refuse(h, ALERT_DECODE_ERROR);
	return 1;
}

/*
 * Walk over the records until the message is whole. *len becomes its bytes,
 * without the heads of records. As hello_parse().
 */
static int
find_end(struct hello *h, const uint8_t *p, size_t n, size_t *len)
{
	size_t at = 0, got = 0, want = MESSAGE_HEAD, record = 0, run, part;
	uint8_t head[MESSAGE_HEAD];
	int rc;

	for (; got < want; got += part, at += part) {
		if (at + RECORD_HEAD >= HELLO_MAX)
			return refuse(h, ALERT_DECODE_ERROR);
		h->need = n + 1;
		if ((rc = take_record(h, p + at, n - at, &record)) <= 0)
			return rc;
		at += RECORD_HEAD;
		run = n - at < record ? n - at : record;
		for (size_t i = 0; i < run && got + i < MESSAGE_HEAD; i++)
			head[got + i] = p[at + i];
		if (got < MESSAGE_HEAD &&
		    take_head(h, head, got + run, &want) < 0)
			return -1;
		part = want - got < record ? want - got : record;
		/* The same for every n, so that more bytes change nothing. */
		if (at + part > HELLO_MAX)
			return refuse(h, ALERT_DECODE_ERROR);
		h->need = at + part;
		if (run < part)
			return 0;
	}
	*len = want;
	return 1;
}

/*
 * Take n of the *left bytes of a field, and copy them unless dst is NULL. -1:
 * there are not so many.
 */
static int
take(struct cursor *c, size_t *left, uint8_t *dst, size_t n)
{
	size_t run;

	if (n > *left)
		return -1;
	*left -= n;
	for (; n > 0; n -= run) {
		if (c->record == 0) {
			c->record = get_u16(c->p + 3);
			c->p += RECORD_HEAD;
		}
		run = n < c->record ? n : c->record;
		if (dst != NULL) {
			memcpy(dst, c->p, run);
			dst += run;
		}
		c->p += run;
		c->record -= run;
	}
	return 0;
}

/*
 * Enter a vector with a length of `bytes` bytes in front: *inner becomes what
 * is in it, which *left then is without.
 */
static int
enter(struct cursor *c, size_t *left, size_t bytes, size_t *inner)
{
	uint8_t len[2] = { 0 };

	if (take(c, left, len + sizeof(len) - bytes, bytes) == -1 ||
	    get_u16(len) > *left)
		return -1;
	*inner = get_u16(len);
	*left -= *inner;
	return 0;
}

/* The rest of a vector is of no interest. */
static void
skip(struct cursor *c, size_t left)
{
	(void)take(c, &left, NULL, left);
}

/* One entry of a server_name extension. -1: refused. */
static int
take_name(struct hello *h, struct cursor *c, size_t *list)
{
	uint8_t type, text[TEXT_NAME_MAX + 1];
	size_t n, len;

	if (take(c, list, &type, 1) == -1 || enter(c, list, 2, &n) == -1)
		return refuse(h, ALERT_DECODE_ERROR);
	if (type != NAME_HOST) { /* of a future kind (RFC 6066, 3) */
		skip(c, n);
		return 0;
	}
	if (n == 0)
		return refuse(h, ALERT_DECODE_ERROR);
	if (h->name[0] != '\0') /* one of each kind */
		return refuse(h, ALERT_ILLEGAL_PARAMETER);
	if ((len = n) > sizeof(text))
		return refuse(h, ALERT_UNRECOGNIZED_NAME);
	(void)take(c, &n, text, len);
	if (text_name(h->name, (const char *)text, len) == -1)
		return refuse(h, ALERT_UNRECOGNIZED_NAME);
	return 0;
}

static int
take_server_name(struct hello *h, struct cursor *c, size_t left)
{
	size_t list;

	if (enter(c, &left, 2, &list) == -1 || left != 0 || list == 0)
		return refuse(h, ALERT_DECODE_ERROR);
	while (list > 0) {
		if (take_name(h, c, &list) == -1)
			return -1;
	}
	return 0;
}

static int
take_extensions(struct hello *h, struct cursor *c, size_t left)
{
	uint8_t type[2];
	bool seen = false;
	size_t n;

	while (left > 0) {
		if (take(c, &left, type, sizeof(type)) == -1 ||
		    enter(c, &left, 2, &n) == -1)
			return refuse(h, ALERT_DECODE_ERROR);
		if (get_u16(type) != EXTENSION_SERVER_NAME) {
			skip(c, n);
			continue;
		}
		/* Two readers could take either of them. */
		if (seen)
			return refuse(h, ALERT_ILLEGAL_PARAMETER);
		seen = true;
		if (take_server_name(h, c, n) == -1)
			return -1;
	}
	return 0;
}

/* The fields before the extensions. -1: malformed. */
static int
skip_fixed(struct cursor *c, size_t *left)
{
	size_t n;

	/* legacy_version, random */
	if (take(c, left, NULL, 2 + RANDOM) == -1)
		return -1;
	if (enter(c, left, 1, &n) == -1 || n > SESSION_ID_MAX)
		return -1;
	skip(c, n);
	if (enter(c, left, 2, &n) == -1 || n < 2 || n % 2 != 0)
		return -1; /* cipher_suites */
	skip(c, n);
	if (enter(c, left, 1, &n) == -1 || n == 0)
		return -1; /* compression methods */
	skip(c, n);
	return 0;
}

int
hello_parse(struct hello *h, const void *p, size_t n)
{
	struct cursor c = { .p = p };
	size_t left, extensions;
	int rc;

	memset(h, 0, sizeof(*h));
	if ((rc = find_end(h, p, n, &left)) <= 0)
		return rc;
	(void)take(&c, &left, NULL, MESSAGE_HEAD);
	if (skip_fixed(&c, &left) == -1)
		return refuse(h, ALERT_DECODE_ERROR);
	if (left == 0) /* TLS 1.2 and earlier without any */
		return 1;
	if (enter(&c, &left, 2, &extensions) == -1 || left != 0)
		return refuse(h, ALERT_DECODE_ERROR);
	return take_extensions(h, &c, extensions) == -1 ? -1 : 1;
}

void
hello_alert(uint8_t *dst, enum hello_alert alert)
{
	dst[0] = RECORD_ALERT;
	dst[1] = VERSION_MAJOR;
	dst[2] = VERSION_MINOR;
	dst[3] = 0;
	dst[4] = 2;
	dst[5] = ALERT_FATAL;
	dst[6] = (uint8_t)alert;
}

const char *
hello_alert_text(enum hello_alert alert)
{
	switch (alert) {
	case ALERT_UNEXPECTED_MESSAGE:
		return "no ClientHello";
	case ALERT_RECORD_OVERFLOW:
		return "record too long";
	case ALERT_ILLEGAL_PARAMETER:
		return "ambiguous ClientHello";
	case ALERT_ACCESS_DENIED:
		return "access denied";
	case ALERT_DECODE_ERROR:
		return "malformed ClientHello";
	case ALERT_PROTOCOL_VERSION:
		return "unknown version of TLS";
	case ALERT_INTERNAL_ERROR:
		return "the service is away";
	case ALERT_MISSING_EXTENSION:
		return "no server name";
	case ALERT_UNRECOGNIZED_NAME:
		return "unknown server name";
	}
	return "refused";
}
