/* A head written anew: what stays is copied in the longest possible runs. */
#include "common/http/rewrite.h"

#include <errno.h>
#include <string.h>

#include "common/http/name.h"

/* Nobody may drop these: they say where the message ends and for whom. */
#define KEPT_BITS                                                    \
	(HEAD_BIT(HEAD_ID_HOST) | HEAD_BIT(HEAD_ID_CONTENT_LENGTH) | \
	    HEAD_BIT(HEAD_ID_TRANSFER_ENCODING))

static const char name_xff[] = "X-Forwarded-For";
static const char name_xfp[] = "X-Forwarded-Proto";
static const char name_xfh[] = "X-Forwarded-Host";

struct out {
	const struct head *h;
	char *p;
	size_t left;
	size_t from; /* offset in h->p of what is not yet copied */
	bool full;
};

static void
put(struct out *o, const char *s, size_t n)
{
	if (n > o->left) {
		o->full = true;
		return;
	}
	memcpy(o->p, s, n);
	o->p += n;
	o->left -= n;
}

static void
put_string(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static void
put_field(struct out *o, const char *name, const char *value)
{
	put_string(o, name);
	put(o, ": ", 2);
	put_string(o, value);
	put(o, "\r\n", 2);
}

/* Copy what is left before offset `to` and go on reading at `next`. */
static void
copy_to(struct out *o, size_t to, size_t next)
{
	put(o, o->h->p + o->from, to - o->from);
	o->from = next;
}

/* Twins with "_" are listed with their originals: CGI joins the two. */
static bool
listed(const struct rewrite *rw, const char *name, size_t n)
{
	for (size_t i = 0; i < rw->nremove; i++) {
		const char *r = rw->remove[i];
		size_t k = 0;

		while (k < n && r[k] != '\0' &&
		    name_folded[(unsigned char)r[k]] ==
			name_folded[(unsigned char)name[k]])
			k++;
		if (k == n && r[k] == '\0')
			return true;
	}
	return false;
}

/* The ids that the rules drop wherever they occur. */
static uint32_t
dropped_bits(const struct head *h, const struct rewrite *rw)
{
	uint32_t bits = rw->drop & ~KEPT_BITS & ~HEAD_BIT(HEAD_ID_OTHER);

	if (rw->strip_forwarded)
		bits |= HEAD_FORWARDED_BITS;
	if (rw->xff != NULL || rw->xfp != NULL || rw->xfh != NULL)
		bits |= HEAD_BIT(HEAD_ID_FORWARDED_TWIN);
	if (rw->xff != NULL)
		bits |= HEAD_BIT(HEAD_ID_X_FORWARDED_FOR); /* written anew */
	if (!h->upgrade)
		bits |= HEAD_BIT(HEAD_ID_UPGRADE);
	return bits;
}

static bool
is_dropped(
    const struct head *h, size_t i, const struct rewrite *rw, uint32_t bits)
{
	const struct head_field *f = &h->field[i];

	if (bits & HEAD_BIT(f->id))
		return true;
	return rw->nremove > 0 && !(KEPT_BITS & HEAD_BIT(f->id)) &&
	    listed(rw, h->p + f->name, f->name_len);
}

/* The request line; from an absolute-form only the path is kept. */
static void
request_line(struct out *o)
{
	const struct head *h = o->h;
	size_t target = (size_t)(h->target.p - h->p);
	size_t path = (size_t)(h->path.p - h->p);

	o->from = h->start;
	if (!h->absolute)
		return;
	copy_to(o, target, path);
	if (h->path.n > 0 && h->path.p[0] == '/')
		return;
	if (h->path.n == 0 && h->kind == HEAD_METHOD_OPTIONS)
		put(o, "*", 1); /* RFC 9112, 3.2.4 */
	else
		put(o, "/", 1);
}

static void
fields(struct out *o, const struct rewrite *rw)
{
	const struct head *h = o->h;
	uint32_t bits = dropped_bits(h, rw);
	bool host = rw->host != NULL && h->kind != HEAD_METHOD_CONNECT;

	if ((h->seen & bits) == 0 && rw->nremove == 0 && !host)
		return;
	for (size_t i = 0; i < h->nfield; i++) {
		const struct head_field *f = &h->field[i];

		if (is_dropped(h, i, rw, bits)) {
			copy_to(o, f->name, head_line_end(h, i));
		} else if (host && f->id == HEAD_ID_HOST) {
			copy_to(o, f->value, f->value + (size_t)f->value_len);
			put_string(o, rw->host);
		}
	}
}

/* HTTP/1.0 may come without Host, and no name behind us would know it. */
static void
missing_host(struct out *o, const struct rewrite *rw)
{
	const struct head *h = o->h;

	if ((h->seen & HEAD_BIT(HEAD_ID_HOST)) ||
	    h->kind == HEAD_METHOD_CONNECT)
		return;
	if (rw->host != NULL) {
		put_field(o, "Host", rw->host);
	} else if (h->host.n > 0) {
		put_string(o, "Host: ");
		put(o, h->host.p, h->host.n);
		put(o, "\r\n", 2);
	}
}

/* The peer sent such a field and is trusted to. */
static bool
has_kept(const struct head *h, const struct rewrite *rw, enum head_id id)
{
	return !rw->strip_forwarded && (h->seen & HEAD_BIT(id)) &&
	    !(rw->drop & HEAD_BIT(id));
}

/* One line of all addresses so far: not every reader joins two. */
static void
forwarded_for(struct out *o, const struct rewrite *rw)
{
	const struct head *h = o->h;

	if (rw->xff == NULL || listed(rw, name_xff, sizeof(name_xff) - 1))
		return;
	put_string(o, name_xff);
	put(o, ": ", 2);
	if (has_kept(h, rw, HEAD_ID_X_FORWARDED_FOR))
		for (size_t i = 0; i < h->nfield; i++) {
			struct head_view v = head_value(h, i);

			if (h->field[i].id != HEAD_ID_X_FORWARDED_FOR ||
			    v.n == 0)
				continue;
			put(o, v.p, v.n);
			put(o, ", ", 2);
		}
	put_string(o, rw->xff);
	put(o, "\r\n", 2);
}

/* A field of one value: what a trusted peer has said goes before ours. */
static void
forwarded_once(struct out *o, const struct rewrite *rw, enum head_id id,
    const char *name, const char *value)
{
	if (value == NULL || has_kept(o->h, rw, id) ||
	    listed(rw, name, strlen(name)))
		return;
	put_field(o, name, value);
}

ssize_t
rewrite_request(
    const struct head *h, const struct rewrite *rw, char *out, size_t cap)
{
	struct out o = { h, out, cap, 0, false };

	request_line(&o);
	fields(&o, rw);
	copy_to(&o, h->end, h->end);
	missing_host(&o, rw);
	forwarded_for(&o, rw);
	forwarded_once(&o, rw, HEAD_ID_X_FORWARDED_PROTO, name_xfp, rw->xfp);
	forwarded_once(&o, rw, HEAD_ID_X_FORWARDED_HOST, name_xfh, rw->xfh);
	copy_to(&o, h->size, h->size);
	if (o.full) {
		errno = ENOBUFS;
		return -1;
	}
	return o.p - out;
}

#define LINE_ROOM 4 /* ": " and CRLF */

static size_t
room_for(size_t name_size, const char *value)
{
	return value != NULL ? name_size + strlen(value) + LINE_ROOM : 0;
}

/*
 * Values that are kept come out shorter than the lines that they stood in,
 * but for an absolute-form in HTTP/1.0: "Host: ", CRLF and "/" for "http://".
 */
size_t
rewrite_room(const struct rewrite *rw)
{
	return room_for(sizeof("Host"), rw->host) +
	    room_for(sizeof(name_xff), rw->xff) +
	    room_for(sizeof(name_xfp), rw->xfp) +
	    room_for(sizeof(name_xfh), rw->xfh) + 2;
}

ssize_t
rewrite_response_close(const struct head *h, char *out, size_t cap)
{
	struct out o = { h, out, cap, h->start, false };

	for (size_t i = 0; i < h->nfield; i++)
		if (h->field[i].id == HEAD_ID_CONNECTION ||
		    h->field[i].id == HEAD_ID_KEEP_ALIVE)
			copy_to(&o, h->field[i].name, head_line_end(h, i));
	copy_to(&o, h->end, h->end);
	put_field(&o, "Connection", "close");
	copy_to(&o, h->size, h->size);
	if (o.full) {
		errno = ENOBUFS;
		return -1;
	}
	return o.p - out;
}
