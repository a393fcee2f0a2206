/* A look at a configuration's text before libconfig gets it. */
#include "common/conf/scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct scan {
	const char *p, *end;
	unsigned int line;
	unsigned int depth;
	const char *fault;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char
peek(const struct scan *s, size_t ahead)
{
	return (size_t)(s->end - s->p) > ahead ? s->p[ahead] : '\0';
}

/* Step over one byte. */
static void
step(struct scan *s)
{
	if (*s->p == '\n')
		s->line++;
	s->p++;
}

/* Step over what comes before the next `until`, and over that. */
static void
skip_past(struct scan *s, const char *until)
{
	size_t n = strlen(until);

	while (s->p < s->end) {
		if ((size_t)(s->end - s->p) >= n &&
		    memcmp(s->p, until, n) == 0) {
			for (size_t i = 0; i < n; i++)
				step(s);
			return;
		}
		step(s);
	}
}

static void
skip_string(struct scan *s)
{
	step(s);
	while (s->p < s->end && *s->p != '"') {
		if (*s->p == '\\' && s->p + 1 < s->end) {
			step(s);
			/* libconfig would leave it out, of a secret too. */
			if (*s->p == 'x' && peek(s, 1) == '0' &&
			    peek(s, 2) == '0')
				s->fault = "expected text without NUL bytes";
		}
		step(s);
	}
	if (s->p < s->end)
		step(s);
}

/* The value of a digit; 16 if it is none of that base. */
static unsigned int
digit(char c, unsigned int base)
{
	unsigned int v = 16;

	if (is_digit(c))
		v = (unsigned int)(c - '0');
	else if (c >= 'a' && c <= 'f')
		v = (unsigned int)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		v = (unsigned int)(c - 'A') + 10;
	return v < base ? v : 16;
}

/* Step over a number, and check it if it is an integer. */
static void
check_number(struct scan *s)
{
	unsigned int base = 10;
	uint64_t v = 0;
	bool over = false;
	char next;

	if (*s->p == '0' && (peek(s, 1) == 'x' || peek(s, 1) == 'X')) {
		base = 16;
		s->p += 2;
	}
	for (; s->p < s->end && digit(*s->p, base) < 16; s->p++) {
		over = over || v > (INT64_MAX - 15) / base;
		v = over ? v : v * base + digit(*s->p, base);
	}
	next = peek(s, 0);
	if (next == '.' || (base == 10 && (next == 'e' || next == 'E')))
		return; /* no integer: its key will refuse it */
	if (over || (next != 'L' && v > INT32_MAX))
		s->fault = "expected a number below 2147483648 (a larger one "
			   "with K, M or G as a string, or with L behind it)";
}

static void
skip_name(struct scan *s)
{
	while (s->p < s->end &&
	    (is_letter(*s->p) || is_digit(*s->p) || *s->p == '_' ||
		*s->p == '-' || *s->p == '*'))
		s->p++;
}

/* Step over the next token or separator. */
static void
token(struct scan *s)
{
	char c = *s->p;

	if (c == '"')
		skip_string(s);
	else if (c == '#' || (c == '/' && peek(s, 1) == '/'))
		skip_past(s, "\n");
	else if (c == '/' && peek(s, 1) == '*')
		skip_past(s, "*/");
	else if (is_letter(c) || c == '*')
		skip_name(s);
	else if (is_digit(c))
		check_number(s);
	else if (c == '{' || c == '(' || c == '[') {
		step(s);
		if (++s->depth > SCAN_DEPTH_MAX)
			s->fault = "expected less nesting";
	} else {
		if ((c == '}' || c == ')' || c == ']') && s->depth > 0)
			s->depth--;
		step(s);
	}
}

/*
 * Whatever libconfig takes for a string or a comment, it only includes at the
 * start of a line; so no such line may be there at all.
 */
static const char *
check_line(const char *p, size_t n)
{
	static const char word[] = "@include";
	const char *end = p + n;

	if (memchr(p, '\0', n) != NULL)
		return "expected text without NUL bytes";
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if ((size_t)(end - p) >= sizeof(word) - 1 &&
	    memcmp(p, word, sizeof(word) - 1) == 0)
		return "@include is not supported: expected one file";
	return NULL;
}

static const char *
check_lines(const char *text, size_t n, unsigned int *line)
{
	const char *p = text, *end = text + n, *fault = NULL;

	for (*line = 1; p < end; ++*line) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline == NULL ? end : newline;

		fault = check_line(p, (size_t)(stop - p));
		if (fault != NULL || newline == NULL)
			break;
		p = newline + 1;
	}
	return fault;
}

const char *
scan_text(const char *text, size_t n, unsigned int *line)
{
	struct scan s = { .p = text, .end = text + n, .line = 1 };
	const char *fault = check_lines(text, n, line);

	if (fault != NULL)
		return fault;
	while (s.p < s.end && s.fault == NULL)
		token(&s);
	*line = s.line;
	return s.fault;
}
