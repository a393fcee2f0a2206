/* Lines into a file. */
#include "worker/report/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAY_MAX 512

struct writer {
	const struct writer_ops *ops;
	void *arg;
	int fd; /* -1: none yet */
	uint64_t size, max;
	bool held;  /* the file is full, another is awaited */
	bool part;  /* what was written last was no whole line ... */
	bool begun; /* ... and the rest of it is lost */
	uint64_t lost;
	int err; /* why they were lost; 0: too fast */
	size_t n;
	char buffer[WRITER_BUFFER];
};

struct writer *
writer_new(const struct writer_ops *ops, void *arg)
{
	struct writer *w;

	if ((w = malloc(sizeof(*w))) == NULL)
		return NULL;
	/* The buffer is touched as far as it is used. */
	memset(w, 0, offsetof(struct writer, buffer));
	w->ops = ops;
	w->arg = arg;
	w->fd = -1;
	return w;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	/* There is no other file to wait for. */
	w->held = false;
	w->max = 0;
	writer_flush(w);
	if (w->fd != -1)
		close(w->fd);
	free(w);
}

void
writer_open(struct writer *w, int fd, uint64_t size, uint64_t max)
{
	if (w->fd != -1)
		close(w->fd);
	w->fd = fd;
	w->size = size;
	w->max = max;
	w->held = w->part = w->begun = false;
}

void
writer_lost(struct writer *w, uint64_t lines)
{
	w->lost += lines;
}

static void
append(struct writer *w, const char *line, size_t n)
{
	memcpy(w->buffer + w->n, line, n);
	w->n += n;
}

/* What was lost is said before the next line that is not. */
static void
say_lost(struct writer *w)
{
	char line[SAY_MAX];
	size_t n;

	if (w->lost == 0)
		return;
	n = w->ops->say(w->arg, line, sizeof(line), w->lost, w->err);
	if (n == 0 || n > sizeof(w->buffer) - w->n)
		return;
	append(w, line, n);
	w->lost = 0;
	w->err = 0;
}

void
writer_line(struct writer *w, const char *line, size_t n)
{
	if (n + SAY_MAX > sizeof(w->buffer) - w->n) {
		w->lost++;
		return;
	}
	if (w->err == 0)
		say_lost(w);
	append(w, line, n);
	if (w->n >= WRITER_PIECE)
		writer_flush(w);
}

/* How much of what waits may go into the file: whole lines, at least one. */
static size_t
fits(const struct writer *w)
{
	size_t room, n = 0;
	const char *end;

	if (w->max == 0 || w->size + w->n <= w->max)
		return w->n;
	room = w->size < w->max ? (size_t)(w->max - w->size) : 0;
	while ((end = memchr(w->buffer + n, '\n', w->n - n)) != NULL &&
	    (size_t)(end - w->buffer) + 1 <= room)
		n = (size_t)(end - w->buffer) + 1;
	if (n == 0 && w->size == 0 && end != NULL)
		n = (size_t)(end - w->buffer) + 1;
	return n;
}

/* The file takes nothing: what waits is lost, and the next try is the next. */
static void
fail(struct writer *w, int err)
{
	for (size_t i = 0; i < w->n; i++)
		w->lost += w->buffer[i] == '\n';
	w->n = 0;
	w->begun = w->part;
	if (w->err == 0)
		w->ops->failed(w->arg, err);
	w->err = err;
}

/* Begin a line of our own after the half of one, or after a loss. */
static int
mend(struct writer *w)
{
	char line[SAY_MAX];
	size_t n = 0;

	if (!w->begun && w->err == 0)
		return 0;
	if (w->begun)
		line[n++] = '\n';
	if (w->err != 0)
		n += w->ops->say(
		    w->arg, line + n, sizeof(line) - n, w->lost, w->err);
	if (write(w->fd, line, n) != (ssize_t)n)
		return -1;
	w->size += n;
	w->part = w->begun = false;
	if (w->err != 0)
		w->lost = 0;
	w->err = 0;
	return 0;
}

bool
writer_flush(struct writer *w)
{
	ssize_t put;
	size_t n;

	while (w->fd != -1 && !w->held && w->n > 0) {
		if (mend(w) == -1) {
			fail(w, errno);
			break;
		}
		if ((n = fits(w)) == 0) {
			w->held = true;
			w->ops->full(w->arg);
			break;
		}
		put = write(w->fd, w->buffer, n);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1 && errno == EAGAIN) /* a pipe */
			break;
		if (put <= 0) {
			fail(w, put == 0 ? EIO : errno);
			break;
		}
		w->size += (uint64_t)put;
		w->part = w->buffer[put - 1] != '\n';
		w->n -= (size_t)put;
		memmove(w->buffer, w->buffer + put, w->n);
	}
	return w->n > 0;
}
