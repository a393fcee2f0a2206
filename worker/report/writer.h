/*
 * Lines into a file that was opened by somebody else: gathered, written in
 * large pieces, never beyond the file's size; what cannot be written is counted
 * and said as soon as something can be.
 */
#ifndef WRITER_H
#define WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITER_BUFFER (1u << 20) /* bytes that may wait */
#define WRITER_PIECE 65536	 /* that are enough to be written at once */

struct writer;

struct writer_ops {
	/* The file is full; nothing is written until writer_open(). */
	void (*full)(void *arg);
	/* It takes nothing more, by this errno; said once until it does. */
	void (*failed)(void *arg, int err);
	/*
	 * Write a line that says that so many were lost to dst[size]; err is
	 * an errno, or 0: they came too fast. Returns the length.
	 */
	size_t (*say)(
	    void *arg, char *dst, size_t size, uint64_t lost, int err);
};

/* NULL: no memory. */
struct writer *writer_new(const struct writer_ops *ops, void *arg);

/* Write what is left, close the file, and free. NULL is allowed. */
void writer_free(struct writer *w);

/*
 * Write to fd (taken) from now on, which has `size` bytes and may have `max`
 * (0: any number).
 */
void writer_open(struct writer *w, int fd, uint64_t size, uint64_t max);

/* Add one line of n bytes with its newline. */
void writer_line(struct writer *w, const char *line, size_t n);

/* So many lines were lost before they came here. */
void writer_lost(struct writer *w, uint64_t lines);

/* Write what waits. Whether something still does. */
bool writer_flush(struct writer *w);

#endif
