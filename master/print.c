/* What a daemon answers, for people or as JSON. */
#include "master/print.h"

#include <stdlib.h>
#include <string.h>

#include "common/ipc/ctl.h"

/* A row that waits for the widths of its columns. */
struct kept {
	struct kept *next;
	size_t n;
	uint8_t row[];
};

struct print {
	FILE *out;
	bool json;
	uint8_t shape;
	struct kept *head, **tail;
	size_t rows;
};

struct print *
print_new(FILE *out, bool json)
{
	struct print *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->out = out;
	p->json = json;
	p->tail = &p->head;
	return p;
}

void
print_free(struct print *p)
{
	struct kept *k;

	while ((k = p->head) != NULL) {
		p->head = k->next;
		free(k);
	}
	free(p);
}

void
print_text(FILE *out, const void *text, size_t n)
{
	const uint8_t *p = text;

	for (size_t i = 0; i < n; i++) {
		if ((p[i] >= 0x20 && p[i] <= 0x7e) || p[i] == '\n')
			fputc(p[i], out);
		else
			fprintf(out, "\\x%02x", p[i]);
	}
}

static void
put_json_string(FILE *out, const char *s, size_t n)
{
	fputc('"', out);
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c >= 0x20 && c <= 0x7e)
			fputc(c, out);
		else
			fprintf(out, "\\u%04x", c);
	}
	fputc('"', out);
}

static void
put_json_value(FILE *out, const struct ctl_field *f)
{
	if (f->kind == CTL_STRING)
		put_json_string(out, f->value, f->len);
	else if (f->kind == CTL_NULL)
		fputs("null", out);
	else
		fwrite(f->value, 1, f->len, out);
}

static void
put_json_row(struct print *p, const uint8_t *row, size_t n)
{
	const char *between = "";
	struct ctl_field f;
	struct buf b;

	buf_read(&b, row, n);
	if (p->shape == CTL_VALUE) {
		if (ctl_row_next(&b, &f) == 1)
			put_json_value(p->out, &f);
		return;
	}
	fputc('{', p->out);
	while (ctl_row_next(&b, &f) == 1) {
		fputs(between, p->out);
		put_json_string(p->out, f.name, f.namelen);
		fputs(": ", p->out);
		put_json_value(p->out, &f);
		between = ", ";
	}
	fputc('}', p->out);
}

/* "name: value" lines, or the one value alone. */
static void
put_lines(struct print *p, const uint8_t *row, size_t n)
{
	struct ctl_field f;
	struct buf b;

	buf_read(&b, row, n);
	while (ctl_row_next(&b, &f) == 1) {
		if (p->shape == CTL_OBJECT) {
			print_text(p->out, f.name, f.namelen);
			fputs(": ", p->out);
		}
		print_text(p->out, f.value, f.len);
		fputc('\n', p->out);
	}
}

static int
keep(struct print *p, const uint8_t *row, size_t n)
{
	struct kept *k;

	if ((k = malloc(sizeof(*k) + n)) == NULL)
		return -1;
	k->next = NULL;
	k->n = n;
	memcpy(k->row, row, n);
	*p->tail = k;
	p->tail = &k->next;
	return 0;
}

void
print_shape(struct print *p, uint8_t shape)
{
	p->shape = shape;
}

int
print_row(struct print *p, const uint8_t *row, size_t n)
{
	if (!ctl_row_ok(row, n))
		return -1;
	if (!p->json && p->shape == CTL_LIST)
		return keep(p, row, n);
	if (!p->json) {
		put_lines(p, row, n);
		return 0;
	}
	if (p->shape == CTL_LIST)
		fputs(p->rows == 0 ? "[\n  " : ",\n  ", p->out);
	put_json_row(p, row, n);
	p->rows++;
	return 0;
}

/* ---- tables: the columns are the fields of the first row ---- */

struct table {
	char names[CTL_FIELDS_MAX][64];
	size_t widths[CTL_FIELDS_MAX];
	bool numbers[CTL_FIELDS_MAX]; /* aligned to the right */
	size_t columns;
};

/* The field of that name in a row. */
static bool
find_field(const struct kept *k, const char *name, struct ctl_field *f)
{
	struct buf b;

	buf_read(&b, k->row, k->n);
	while (ctl_row_next(&b, f) == 1) {
		if (f->namelen == strlen(name) &&
		    memcmp(f->name, name, f->namelen) == 0)
			return true;
	}
	return false;
}

static void
begin_table(struct table *t, const struct kept *first)
{
	struct ctl_field f;
	struct buf b;

	memset(t, 0, sizeof(*t));
	buf_read(&b, first->row, first->n);
	while (t->columns < CTL_FIELDS_MAX && ctl_row_next(&b, &f) == 1) {
		if (f.namelen >= sizeof(t->names[0]))
			continue;
		memcpy(t->names[t->columns], f.name, f.namelen);
		t->widths[t->columns] = f.namelen;
		t->numbers[t->columns] = f.kind == CTL_NUMBER;
		t->columns++;
	}
}

static void
measure(struct table *t, const struct kept *k)
{
	struct ctl_field f;

	for (size_t i = 0; i < t->columns; i++) {
		if (!find_field(k, t->names[i], &f))
			continue;
		if (f.len > t->widths[i])
			t->widths[i] = f.len;
	}
}

static void
pad(FILE *out, size_t n)
{
	while (n-- > 0)
		fputc(' ', out);
}

/* One cell; nothing is put behind the last column. */
static void
put_cell(
    struct print *p, const struct table *t, size_t i, const char *s, size_t n)
{
	size_t gap = t->widths[i] > n ? t->widths[i] - n : 0;

	if (i > 0)
		fputs("  ", p->out);
	if (t->numbers[i])
		pad(p->out, gap);
	print_text(p->out, s, n);
	if (!t->numbers[i] && i + 1 < t->columns)
		pad(p->out, gap);
}

static void
put_table(struct print *p)
{
	struct ctl_field f;
	struct table t;

	if (p->head == NULL)
		return;
	begin_table(&t, p->head);
	for (const struct kept *k = p->head; k != NULL; k = k->next)
		measure(&t, k);
	for (size_t i = 0; i < t.columns; i++)
		put_cell(p, &t, i, t.names[i], strlen(t.names[i]));
	fputc('\n', p->out);
	for (const struct kept *k = p->head; k != NULL; k = k->next) {
		for (size_t i = 0; i < t.columns; i++) {
			if (!find_field(k, t.names[i], &f) ||
			    f.kind == CTL_NULL)
				put_cell(p, &t, i, "-", 1);
			else
				put_cell(p, &t, i, f.value, f.len);
		}
		fputc('\n', p->out);
	}
}

int
print_end(struct print *p)
{
	if (p->json && p->shape == CTL_LIST)
		fputs(p->rows == 0 ? "[]\n" : "\n]\n", p->out);
	else if (p->json && p->rows > 0)
		fputc('\n', p->out);
	else if (!p->json)
		put_table(p);
	return fflush(p->out) == 0 && !ferror(p->out) ? 0 : -1;
}
