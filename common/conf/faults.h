/*
 * What is wrong with a configuration, one line for each fault, collected so
 * that a user sees them all at once.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define FAULTS_MAX 64	 /* lines kept; further ones are only counted */
#define FAULTS_LINE 1024 /* bytes of one line with its terminator */

/* All zero is the empty collection. */
struct faults {
	char *line[FAULTS_MAX];
	size_t n;	/* lines kept, warnings among them */
	size_t errors;	/* faults in all; 0: the configuration is good */
	size_t dropped; /* lines that were not kept */
};

/*
 * Add one line. `file` may be NULL, `line` 0 and `key` NULL or empty: then
 * that part is left out. "FILE:LINE: KEY: text". Text from the file must be
 * printable already; the whole line is escaped all the same.
 */
void faults_add(struct faults *f, const char *file, unsigned int line,
    const char *key, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* The same, but the configuration is still good. */
void faults_warn(struct faults *f, const char *file, unsigned int line,
    const char *key, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Write every line to out, and how many more there were. */
void faults_print(const struct faults *f, FILE *out);

/* Free the lines; f is empty afterwards. */
void faults_free(struct faults *f);

#endif
