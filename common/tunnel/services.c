/* What a client offers, and what the server grants. */
#include "common/tunnel/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/service_name.h"

static void
put_blocks(struct buf *b, const struct addr_block *v, uint8_t n)
{
	buf_put_u8(b, n);
	for (size_t i = 0; i < n; i++)
		addr_block_put(b, &v[i]);
}

static void
put_service(struct buf *b, const struct service *v)
{
	buf_put_u16(b, v->index);
	buf_put_u8(b, v->kind);
	buf_put_u8(b, v->flags);
	buf_put_u8(b, v->nnames);
	for (size_t i = 0; i < v->nnames; i++)
		buf_put_cstr8(b, v->names[i]);
	buf_put_u16(b, v->port);
	buf_put_u16(b, v->port_last);
	buf_put_u32(b, v->streams);
	buf_put_u64(b, v->speed);
	buf_put_u32(b, v->idle_ms);
	buf_put_str8(b, v->basic, v->has_basic ? GATE_HASH : 0);
	buf_put_str8(b, v->token, v->has_token ? GATE_HASH : 0);
	put_blocks(b, v->allow, v->nallow);
	put_blocks(b, v->deny, v->ndeny);
}

int
services_put(struct buf *b, const struct services *s)
{
	buf_put_u32(b, s->serial);
	buf_put_u16(b, s->count);
	for (size_t i = 0; i < s->count; i++)
		put_service(b, &s->list[i]);
	return buf_ok(b) ? 0 : -1;
}

/* A name that is already in the one form of its kind. */
static int
get_name(struct buf *b, char dst[TEXT_NAME_MAX + 1])
{
	char raw[TEXT_NAME_MAX + 1];

	if (buf_get_cstr8(b, raw, sizeof(raw)) == -1 ||
	    service_name_parse(dst, raw, strlen(raw)) == -1)
		return -1;
	return strcmp(raw, dst) == 0 ? 0 : -1;
}

static int
get_names(struct buf *b, struct service *v)
{
	if (buf_get_u8(b, &v->nnames) == -1 || v->nnames > SERVICE_NAMES_MAX)
		return -1;
	if (v->nnames == 0)
		return 0;
	if ((v->names = calloc(v->nnames, sizeof(*v->names))) == NULL)
		return -1;
	for (size_t i = 0; i < v->nnames; i++) {
		if (get_name(b, v->names[i]) == -1)
			return -1;
	}
	return 0;
}

/* A hash, or none. */
static int
get_hash(struct buf *b, uint8_t hash[GATE_HASH], bool *has)
{
	const char *p;
	size_t n;

	if (buf_get_str8(b, &p, &n) == -1 || (n != 0 && n != GATE_HASH))
		return -1;
	*has = n != 0;
	if (*has)
		memcpy(hash, p, GATE_HASH);
	return 0;
}

static int
get_blocks(struct buf *b, struct addr_block **v, uint8_t *n)
{
	if (buf_get_u8(b, n) == -1 || *n > SERVICE_BLOCKS_MAX)
		return -1;
	if (*n == 0)
		return 0;
	if ((*v = calloc(*n, sizeof(**v))) == NULL)
		return -1;
	for (size_t i = 0; i < *n; i++) {
		if (addr_block_get(b, &(*v)[i]) == -1)
			return -1;
	}
	return 0;
}

/* None, or some in order and not too many. */
static bool
ports_are_good(const struct service *v)
{
	if (v->port == 0)
		return v->port_last == 0;
	return v->port <= v->port_last &&
	    v->port_last - v->port < SERVICE_PORTS_MAX;
}

static int
get_service(struct buf *b, struct service *v)
{
	buf_get_u16(b, &v->index);
	buf_get_u8(b, &v->kind);
	if (buf_get_u8(b, &v->flags) == -1 || v->kind < SERVICE_HTTP ||
	    v->kind >= SERVICE_KINDS || (v->flags & ~SERVICE_FLAGS) != 0 ||
	    get_names(b, v) == -1)
		return -1;
	buf_get_u16(b, &v->port);
	buf_get_u16(b, &v->port_last);
	buf_get_u32(b, &v->streams);
	buf_get_u64(b, &v->speed);
	if (buf_get_u32(b, &v->idle_ms) == -1 || !ports_are_good(v) ||
	    get_hash(b, v->basic, &v->has_basic) == -1 ||
	    get_hash(b, v->token, &v->has_token) == -1 ||
	    get_blocks(b, &v->allow, &v->nallow) == -1)
		return -1;
	return get_blocks(b, &v->deny, &v->ndeny);
}

static bool
index_seen(const struct services *s, size_t upto)
{
	for (size_t i = 0; i < upto; i++) {
		if (s->list[i].index == s->list[upto].index)
			return true;
	}
	return false;
}

int
services_get(struct services *s, struct buf *b)
{
	uint16_t count;

	memset(s, 0, sizeof(*s));
	errno = EBADMSG;
	if (buf_get_u32(b, &s->serial) == -1 || buf_get_u16(b, &count) == -1 ||
	    count > SERVICES_MAX)
		return -1;
	if (count > 0 && (s->list = calloc(count, sizeof(*s->list))) == NULL)
		return -1;
	/* Set first, so that services_free() finds every list of names. */
	s->count = count;
	for (size_t i = 0; i < count; i++) {
		if (get_service(b, &s->list[i]) == -1 || index_seen(s, i))
			goto err0;
	}
	if (!buf_done(b))
		goto err0;
	return 0;

err0:
	services_free(s);
	errno = EBADMSG;
	return -1;
}

void
services_free(struct services *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->list[i].names);
		free(s->list[i].allow);
		free(s->list[i].deny);
	}
	free(s->list);
	memset(s, 0, sizeof(*s));
}

int
granted_put_head(struct buf *b, uint32_t serial, uint16_t count)
{
	buf_put_u32(b, serial);
	return buf_put_u16(b, count);
}

int
granted_get_head(struct buf *b, uint32_t *serial, uint16_t *count)
{
	buf_get_u32(b, serial);
	return buf_get_u16(b, count);
}

int
granted_put(struct buf *b, const struct granted *g)
{
	buf_put_u16(b, g->index);
	buf_put_u8(b, g->code);
	buf_put_u8(b, g->way);
	buf_put_cstr8(b, g->name);
	buf_put_u16(b, g->port);
	buf_put_cstr8(b, g->host);
	buf_put_u16(b, g->opened);
	buf_put_u32(b, g->since);
	return buf_put_cstr16(b, g->url);
}

int
granted_get(struct buf *b, struct granted *g)
{
	buf_get_u16(b, &g->index);
	buf_get_u8(b, &g->code);
	buf_get_u8(b, &g->way);
	buf_get_cstr8(b, g->name, sizeof(g->name));
	buf_get_u16(b, &g->port);
	buf_get_cstr8(b, g->host, sizeof(g->host));
	buf_get_u16(b, &g->opened);
	buf_get_u32(b, &g->since);
	if (buf_get_cstr16(b, g->url, sizeof(g->url)) == -1)
		return -1;
	if (g->way < GRANT_WAY_HTTP || g->way >= GRANT_WAYS)
		return -1;
	return g->code < GRANT_CODES ? 0 : -1;
}

const struct service *
services_find(const struct services *s, uint16_t index)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i].index == index)
			return &s->list[i];
	}
	return NULL;
}

const char *
service_gates_text(char dst[SERVICE_GATES_TEXT], const struct service *v)
{
	const struct {
		bool has;
		const char *name;
	} gates[] = {
		{ (v->flags & SERVICE_PRIVATE) != 0, " private" },
		{ v->has_basic, " basic" },
		{ v->nallow > 0, " allow_from" },
		{ v->ndeny > 0, " deny_from" },
	};
	char text[SERVICE_GATES_TEXT] = "";

	for (size_t i = 0; i < sizeof(gates) / sizeof(gates[0]); i++) {
		if (gates[i].has)
			strcat(text, gates[i].name);
	}
	if (text[0] == '\0')
		return NULL;
	return strcpy(dst, text + 1);
}

const char *
granted_text(const struct granted *g)
{
	if (g->code == GRANT_TAKEN && g->since == GRANT_SINCE_AWAY)
		return "kept for another client, which is away";
	return grant_text((enum grant)g->code);
}

const char *
grant_text(enum grant code)
{
	static const char *const texts[GRANT_CODES] = {
		[GRANT_OK] = "granted",
		[GRANT_TAKEN] = "held by a live session",
		[GRANT_RULE] = "against the rules on names of this user",
		[GRANT_RESERVED] = "belongs to another user",
		[GRANT_LIMIT] = "more names than this user may have",
		[GRANT_UNSUPPORTED] = "the server has no listener for it",
		[GRANT_ROLLED_BACK] = "another name or port was refused",
		[GRANT_PORT_RULE] =
		    "this user may not open that port at the server",
		[GRANT_PORT_NUMBER] =
		    "more ports than this user may open at the server",
		[GRANT_PORT_TAKEN] = "the port is in use at the server",
		[GRANT_PORT_SYSTEM] = "the server may not open that port",
	};

	return code < GRANT_CODES ? texts[code] : "unknown refusal";
}
