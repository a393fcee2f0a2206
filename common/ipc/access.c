/* The access log on its way. */
#include "common/ipc/access.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/jsontext.h"
#include "common/base/logline.h"
#include "common/ipc/msg.h"

int
access_put(struct buf *b, const struct access *a)
{
	buf_put_u64(b, a->ms);
	buf_put_u8(b, a->scheme);
	buf_put_u16(b, a->status);
	buf_put_u32(b, a->took);
	buf_put_u64(b, a->up);
	buf_put_u64(b, a->down);
	addr_put(b, &a->peer);
	buf_put_cstr8(b, a->client);
	return buf_put_cstr8(b, a->name);
}

/* It comes from a process that reads the network, and goes to a file. */
static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

int
access_get(struct buf *b, struct access *a)
{
	buf_get_u64(b, &a->ms);
	buf_get_u8(b, &a->scheme);
	buf_get_u16(b, &a->status);
	buf_get_u32(b, &a->took);
	buf_get_u64(b, &a->up);
	buf_get_u64(b, &a->down);
	addr_get(b, &a->peer);
	buf_get_cstr8(b, a->client, sizeof(a->client));
	if (buf_get_cstr8(b, a->name, sizeof(a->name)) == 0 &&
	    a->scheme < SCHEME_COUNT && a->status < 1000 &&
	    is_plain(a->client) && is_plain(a->name))
		return 0;
	b->failed = true;
	return -1;
}

static const char *
scheme_name(uint8_t scheme)
{
	static const char *const names[SCHEME_COUNT] = { "http", "https", "tcp",
		"tls", "sni", "connect", "udp" };

	return names[scheme];
}

/* What stands where nothing is known. */
static const char *
or_dash(const char *s)
{
	return s[0] != '\0' ? s : "-";
}

static size_t
as_text(char *dst, const struct access *a, const char *name)
{
	char when[LOGLINE_WHEN], peer[ADDR_TEXT];
	int n;

	n = snprintf(dst, ACCESS_LINE_MAX,
	    "%s %s: info: access: peer %s scheme %s name %s client %s status "
	    "%u up %llu down %llu ms %u\n",
	    logline_when(when, a->ms), name, addr_format(peer, &a->peer),
	    scheme_name(a->scheme), or_dash(a->name), or_dash(a->client),
	    a->status, (unsigned long long)a->up, (unsigned long long)a->down,
	    a->took);
	return n < 0 || n >= ACCESS_LINE_MAX ? 0 : (size_t)n;
}

static void
put_string(struct jsontext *j, const char *key, const char *value)
{
	jsontext_raw(j, key);
	jsontext_string(j, value, strlen(value));
}

static void
put_number(struct jsontext *j, const char *key, uint64_t value)
{
	jsontext_raw(j, key);
	jsontext_number(j, value);
}

static size_t
as_json(char *dst, const struct access *a, const char *name)
{
	char when[LOGLINE_WHEN], peer[ADDR_TEXT];
	struct jsontext j;

	jsontext_init(&j, dst, ACCESS_LINE_MAX);
	put_string(&j, "{\"time\":", logline_when(when, a->ms));
	put_string(&j, ",\"level\":", "info");
	put_string(&j, ",\"msg\":", "access");
	put_string(&j, ",\"program\":", name);
	put_string(&j, ",\"peer\":", addr_format(peer, &a->peer));
	put_string(&j, ",\"scheme\":", scheme_name(a->scheme));
	put_string(&j, ",\"name\":", a->name);
	put_string(&j, ",\"client\":", a->client);
	put_number(&j, ",\"status\":", a->status);
	put_number(&j, ",\"up\":", a->up);
	put_number(&j, ",\"down\":", a->down);
	put_number(&j, ",\"ms\":", a->took);
	jsontext_raw(&j, "}\n");
	return j.full ? 0 : j.n;
}

size_t
access_format(char *dst, const struct access *a, const char *name, bool json)
{
	return json ? as_json(dst, a, name) : as_text(dst, a, name);
}
