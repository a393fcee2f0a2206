/* Certificates, or private keys, as they travel. */
#include "common/crypto/bundle.h"

#include <string.h>

static const char *const magics[] = {
	[BUNDLE_CERTS] = "ptpc", [BUNDLE_KEYS] = "ptpk"
};

int
bundle_read(struct bundle *x, enum bundle_kind kind, const void *p, size_t n)
{
	uint8_t magic[4], floor = 0;

	x->kind = kind;
	buf_read(&x->b, p, n);
	buf_get(&x->b, magic, sizeof(magic));
	buf_get_u8(&x->b, &floor);
	if (buf_get_u16(&x->b, &x->left) == -1 || floor > 1 ||
	    x->left > BUNDLE_ENTRIES ||
	    memcmp(magic, magics[kind], sizeof(magic)) != 0)
		return -1;
	x->floor = floor;
	return 0;
}

static int
get_der(struct buf *b, struct bundle_der *d)
{
	uint32_t n;

	if (buf_get_u32(b, &n) == -1 || n == 0 || n > BUNDLE_DER_MAX ||
	    buf_get_view(b, &d->p, n) == -1)
		return -1;
	d->n = n;
	return 0;
}

/* Whether another entry is there: 1, 0, or -1. */
static int
step(struct bundle *x, enum bundle_kind kind)
{
	if (x->kind != kind)
		return -1;
	if (x->left == 0)
		return buf_done(&x->b) ? 0 : -1;
	x->left--;
	return 1;
}

int
bundle_cert(struct bundle *x, struct bundle_cert *c)
{
	int more = step(x, BUNDLE_CERTS);

	if (more != 1)
		return more;
	if (buf_get_cstr8(&x->b, c->name, sizeof(c->name)) == -1 ||
	    buf_get_u8(&x->b, &c->depth) == -1 || c->depth == 0 ||
	    c->depth > BUNDLE_DEPTH)
		return -1;
	for (size_t i = 0; i < c->depth; i++) {
		if (get_der(&x->b, &c->chain[i]) == -1)
			return -1;
	}
	return 1;
}

int
bundle_key(struct bundle *x, struct bundle_der *key)
{
	int more = step(x, BUNDLE_KEYS);

	if (more != 1)
		return more;
	return get_der(&x->b, key) == -1 ? -1 : 1;
}

void
bundle_put_head(
    struct buf *b, enum bundle_kind kind, bool floor, uint16_t count)
{
	buf_put(b, magics[kind], 4);
	buf_put_u8(b, floor);
	buf_put_u16(b, count);
}

void
bundle_put_name(struct buf *b, const char *name, uint8_t depth)
{
	buf_put_cstr8(b, name);
	buf_put_u8(b, depth);
}

void
bundle_put_der(struct buf *b, const void *der, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, der, n);
}
