/* What is wrong with a configuration, one line for each fault. */
#include "common/conf/faults.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Make a line safe to print: it may quote what a stranger wrote. */
static void
printable(char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
	}
}

static void __attribute__((format(printf, 5, 0)))
add(struct faults *f, const char *file, unsigned int line, const char *key,
    const char *fmt, va_list ap)
{
	char where[FAULTS_LINE / 4] = "", text[FAULTS_LINE / 2];
	char out[FAULTS_LINE];

	if (f->n == FAULTS_MAX) {
		f->dropped++;
		return;
	}
	if (file != NULL && line > 0)
		snprintf(where, sizeof(where), "%s:%u: ", file, line);
	else if (file != NULL)
		snprintf(where, sizeof(where), "%s: ", file);
	vsnprintf(text, sizeof(text), fmt, ap);
	snprintf(out, sizeof(out), "%s%.200s%s%s", where,
	    key == NULL ? "" : key, key == NULL || key[0] == '\0' ? "" : ": ",
	    text);
	printable(out);
	f->line[f->n] = strdup(out);
	if (f->line[f->n] == NULL)
		f->dropped++;
	else
		f->n++;
}

void
faults_add(struct faults *f, const char *file, unsigned int line,
    const char *key, const char *fmt, ...)
{
	va_list ap;

	f->errors++;
	va_start(ap, fmt);
	add(f, file, line, key, fmt, ap);
	va_end(ap);
}

void
faults_warn(struct faults *f, const char *file, unsigned int line,
    const char *key, const char *fmt, ...)
{
	char warning[FAULTS_LINE];
	va_list ap;

	snprintf(warning, sizeof(warning), "warning: %s", fmt);
	va_start(ap, fmt);
	add(f, file, line, key, warning, ap);
	va_end(ap);
}

void
faults_print(const struct faults *f, FILE *out)
{
	for (size_t i = 0; i < f->n; i++)
		fprintf(out, "%s\n", f->line[i]);
	if (f->dropped > 0)
		fprintf(out, "and %zu more\n", f->dropped);
}

void
faults_free(struct faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->line[i]);
	memset(f, 0, sizeof(*f));
}
