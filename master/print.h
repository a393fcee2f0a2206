/*
 * What a daemon answers, for people (aligned tables, "name: value" lines) or
 * as JSON (RFC 8259). Whatever comes from the daemon is made printable.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct print;

/* Print to out, which stays the caller's. NULL: no memory. */
struct print *print_new(FILE *out, bool json);
void print_free(struct print *p);

/* An enum ctl_shape: how the rows that follow are to be shown. */
void print_shape(struct print *p, uint8_t shape);

/* One row, n bytes of its fields. -1: malformed, or no memory. */
int print_row(struct print *p, const uint8_t *row, size_t n);

/* The end: what was kept to align it is printed. -1: out has failed. */
int print_end(struct print *p);

/* n bytes of text; those that are not printable as \xNN, newlines as such. */
void print_text(FILE *out, const void *text, size_t n);

#endif
