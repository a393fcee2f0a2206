/* JSON text (RFC 8259), written piece by piece into a bounded buffer. */
#ifndef JSONTEXT_H
#define JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text of n bytes so far, always terminated; `full` for good once it is. */
struct jsontext {
	char *p;
	size_t n, size;
	bool full;
};

/* Begin in the size bytes at p, at least 1. */
void jsontext_init(struct jsontext *j, char *p, size_t size);

/* Append as it is: punctuation, names that need no escapes. */
void jsontext_raw(struct jsontext *j, const char *text);

/*
 * Append a string with its quotes. What is no UTF-8 (RFC 3629) in the n bytes
 * at s stands there as U+FFFD, a byte each.
 */
void jsontext_string(struct jsontext *j, const char *s, size_t n);

void jsontext_number(struct jsontext *j, uint64_t v);

/* Whether the n bytes at s are UTF-8 as a whole. */
bool jsontext_is_utf8(const char *s, size_t n);

#endif
