/* What the master has answered. */
#include "worker/report/rows.h"

#include <stdlib.h>
#include <string.h>

void
rows_add(struct rows *r, const void *p, size_t n)
{
	size_t cap = r->cap == 0 ? 1024 : r->cap;
	uint8_t *more;

	if (r->failed || n > UINT16_MAX || n + 2 > ROWS_BYTES_MAX - r->n) {
		r->failed = true;
		return;
	}
	while (cap < r->n + n + 2)
		cap *= 2;
	if (cap != r->cap) {
		if ((more = realloc(r->p, cap)) == NULL) {
			r->failed = true;
			return;
		}
		r->p = more;
		r->cap = cap;
	}
	r->p[r->n] = (uint8_t)(n >> 8);
	r->p[r->n + 1] = (uint8_t)n;
	memcpy(r->p + r->n + 2, p, n);
	r->n += n + 2;
}

void
answers_free(struct answers *a)
{
	for (size_t i = 0; i < QUERY_COUNT; i++)
		free(a->of[i].p);
	memset(a, 0, sizeof(*a));
}

bool
rows_next(const struct rows *r, size_t *at, struct buf *row)
{
	size_t n;

	if (r->n - *at < 2)
		return false;
	n = (size_t)r->p[*at] << 8 | r->p[*at + 1];
	buf_read(row, r->p + *at + 2, n);
	*at += n + 2;
	return true;
}

bool
row_field(struct buf row, const char *name, struct ctl_field *f)
{
	while (ctl_row_next(&row, f) == 1) {
		if (f->namelen == strlen(name) &&
		    memcmp(f->name, name, f->namelen) == 0)
			return true;
	}
	return false;
}

uint64_t
row_number(struct buf row, const char *name)
{
	struct ctl_field f;
	uint64_t v = 0;

	if (!row_field(row, name, &f) || f.kind != CTL_NUMBER)
		return 0;
	for (size_t i = 0; i < f.len; i++)
		v = v * 10 + (uint64_t)(f.value[i] - '0');
	return v;
}

bool
row_is(struct buf row, const char *name, const char *value)
{
	struct ctl_field f;

	return row_field(row, name, &f) && f.len == strlen(value) &&
	    memcmp(f.value, value, f.len) == 0;
}
