/* A struct that a schema describes, as frames for a channel. */
#include "common/conf/pack.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/conf/field.h"
#include "common/conf/schema.h"

struct pack {
	uint8_t frame[PACK_FRAME_MAX];
	struct buf b;
	pack_emit emit;
	void *arg;
};

static int
flush(struct pack *p)
{
	size_t n = buf_used(&p->b);

	buf_write(&p->b, p->frame, sizeof(p->frame));
	return n == 0 ? 0 : p->emit(p->arg, p->frame, n);
}

/* Begin a record of at most n bytes after its number. */
static int
begin(struct pack *p, uint16_t number, size_t n)
{
	if (buf_left(&p->b) < sizeof(number) + n && flush(p) == -1)
		return -1;
	return buf_put_u16(&p->b, number);
}

static int
pack_string(struct pack *p, uint16_t number, const char *s)
{
	if (begin(p, number, 2 + strlen(s)) == -1)
		return -1;
	return buf_put_cstr16(&p->b, s);
}

static int
pack_number(struct pack *p, uint16_t number, uint64_t v)
{
	if (begin(p, number, sizeof(v)) == -1)
		return -1;
	return buf_put_u64(&p->b, v);
}

static int pack_rows(struct pack *p, const struct schema *s, const void *from);

/* Element i of a list. */
static int
pack_element(struct pack *p, const struct schema_key *k, uint16_t number,
    const void *v, size_t i)
{
	switch (k->type) {
	case SCHEMA_STRINGS:
		return pack_string(p, number, ((char *const *)v)[i]);
	case SCHEMA_ADDRS:
		if (begin(p, number, ADDR_WIRE) == -1)
			return -1;
		return addr_put(&p->b, &((const struct addr *)v)[i]);
	case SCHEMA_BLOCKS:
		if (begin(p, number, ADDR_WIRE + 1) == -1)
			return -1;
		return addr_block_put(
		    &p->b, &((const struct addr_block *)v)[i]);
	default:
		if (begin(p, number, 0) == -1)
			return -1;
		return pack_rows(p, k->sub, (const char *)v + i * k->sub->size);
	}
}

static int
pack_list(struct pack *p, const struct schema_key *k, uint16_t number,
    const void *field)
{
	struct any_list l = lists_get(field);

	for (size_t i = 0; i < l.n; i++) {
		if (pack_element(p, k, number, l.v, i) == -1)
			return -1;
	}
	return 0;
}

static int
pack_row(struct pack *p, const struct schema_key *k, uint16_t number,
    const void *from)
{
	const void *field = field_in(k, from);
	const char *string;

	switch (k->type) {
	case SCHEMA_STRING:
	case SCHEMA_FLAG_OR_STRING:
		string = *(char *const *)field;
		return string == NULL ? 0 : pack_string(p, number, string);
	case SCHEMA_BOOL:
		return pack_number(p, number, *(const bool *)field);
	case SCHEMA_INT:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
	case SCHEMA_SHARE:
	case SCHEMA_CHOICE:
		return pack_number(p, number, *(const uint64_t *)field);
	default:
		return pack_list(p, k, number, field);
	}
}

/* All rows of a struct, its flags, and the end. */
static int
pack_rows(struct pack *p, const struct schema *s, const void *from)
{
	uint64_t flags;

	memcpy(&flags, (const char *)from + s->set, sizeof(flags));
	if (pack_number(p, PACK_FLAGS, flags) == -1)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->keys[i].secret &&
		    pack_row(p, &s->keys[i], (uint16_t)(i + 1), from) == -1)
			return -1;
	}
	return begin(p, PACK_END, 0);
}

int
pack_struct(const struct schema *s, const void *from, pack_emit emit, void *arg)
{
	struct pack p = { .emit = emit, .arg = arg };

	buf_write(&p.b, p.frame, sizeof(p.frame));
	if (pack_rows(&p, s, from) == -1)
		return -1;
	return flush(&p);
}
