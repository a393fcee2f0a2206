/* The process of role `log`. */
#include "worker/report/log_main.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/logline.h"
#include "common/ipc/access.h"
#include "common/ipc/line.h"
#include "worker/report/writer.h"
#include "common/ipc/serve.h"

#define SOURCES_MAX 256 /* relays, with those that drain */
#define PACKETS 16	/* of one source in one turn */
#define NAME "ptpd"
#define RETRY_MS 100 /* until a pipe is written to again */

/* A relay. */
struct source {
	LIST_ENTRY(source) link;
	struct process *process;
	struct event *readable;
	int fd;
};

struct process {
	struct serve serve; /* first: the common handlers' arg */
	struct writer *writer;
	struct event *flush;
	bool json;
	bool draining; /* it ends with its last source */
	LIST_HEAD(, source) sources;
	unsigned nsources;
	uint8_t packet[ACCESS_BATCH];
};

static void
on_full(void *arg)
{
	struct process *x = arg;

	serve_send(&x->serve, MSG_LOG_FULL, 0, NULL, 0);
}

/* To whoever reads standard error, or Sentry: the file cannot say it now. */
static void
on_failed(void *arg, int err)
{
	(void)arg;
	log_warnx("log.file: %s: lines are lost", strerror(err));
}

static size_t
on_say(void *arg, char *dst, size_t size, uint64_t lost, int err)
{
	const struct process *x = arg;
	char text[128], line[LOGLINE_MAX];
	struct logline l = { .ms = logline_now(),
		.level = LOG_LEVEL_WARN,
		.name = NAME,
		.pid = (long)getpid(),
		.role = "log",
		.role_pid = (long)getpid(),
		.text = text };
	size_t n;

	snprintf(text, sizeof(text), "%llu lines lost: %s",
	    (unsigned long long)lost,
	    err != 0 ? strerror(err) : "they came too fast");
	n = logline_format(line, &l, x->json);
	if (n > size)
		return 0;
	memcpy(dst, line, n);
	return n;
}

/* Write at the end of this turn. */
static void
flush_soon(struct process *x)
{
	event_active(x->flush, EV_TIMEOUT, 0);
}

static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval retry = { 0, RETRY_MS * 1000 };
	struct process *x = arg;

	(void)fd;
	(void)what;
	if (writer_flush(x->writer))
		evtimer_add(x->flush, &retry);
}

static int
on_line(void *arg, const struct msg *m)
{
	struct process *x = arg;
	char out[LOGLINE_MAX];
	struct line line;
	struct buf b;

	buf_read(&b, m->p, m->n);
	if (line_get(&b, &line) == -1)
		return -1;
	writer_line(x->writer, out, logline_format(out, &line.l, x->json));
	flush_soon(x);
	return 0;
}

static int
on_file(void *arg, const struct msg *m)
{
	struct process *x = arg;
	uint64_t size = 0, max = 0;
	uint8_t json = 0;
	struct buf b;

	buf_read(&b, m->p, m->n);
	buf_get_u64(&b, &size);
	buf_get_u64(&b, &max);
	buf_get_u8(&b, &json);
	if (!buf_done(&b) || json > 1) {
		if (m->fd != -1)
			close(m->fd);
		return -1;
	}
	if (m->fd == -1) /* the old one goes on */
		return 0;
	x->json = json == 1;
	writer_open(x->writer, m->fd, size, max);
	flush_soon(x);
	return 0;
}

/* ---- relays ---- */

static void
drop_source(struct source *s)
{
	LIST_REMOVE(s, link);
	s->process->nsources--;
	event_free(s->readable);
	close(s->fd);
	free(s);
}

/* One packet of records. -1: it is malformed. */
static int
take_packet(struct process *x, size_t n)
{
	char line[ACCESS_LINE_MAX];
	struct access a;
	uint32_t lost;
	struct buf b;

	buf_read(&b, x->packet, n);
	if (buf_get_u32(&b, &lost) == -1)
		return -1;
	writer_lost(x->writer, lost);
	while (buf_left(&b) > 0) {
		if (access_get(&b, &a) == -1)
			return -1;
		writer_line(
		    x->writer, line, access_format(line, &a, NAME, x->json));
	}
	flush_soon(x);
	return 0;
}

/* 1: there may be more; 0: not now; -1: the source has ended. */
static int
read_source(struct process *x, int fd)
{
	ssize_t n;

	n = recv(fd, x->packet, sizeof(x->packet), MSG_DONTWAIT | MSG_TRUNC);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	if ((size_t)n > sizeof(x->packet) || take_packet(x, (size_t)n) == -1) {
		log_warnx("a relay's records are malformed");
		return -1;
	}
	return 1;
}

static void
leave_if_drained(struct process *x)
{
	if (!x->draining || x->nsources > 0)
		return;
	serve_send(&x->serve, MSG_DRAINED, 0, NULL, 0);
	event_base_loopbreak(x->serve.base);
}

static void
on_source(evutil_socket_t fd, short what, void *arg)
{
	struct source *s = arg;
	struct process *x = s->process;
	int more = 1;

	(void)what;
	for (int i = 0; i < PACKETS && more == 1; i++)
		more = read_source(x, fd);
	if (more != -1)
		return;
	drop_source(s);
	leave_if_drained(x);
}

static int
on_access(void *arg, const struct msg *m)
{
	struct process *x = arg;
	struct source *s;

	if (m->fd == -1)
		return 0;
	if (x->nsources == SOURCES_MAX || (s = calloc(1, sizeof(*s))) == NULL) {
		close(m->fd);
		return 0;
	}
	s->process = x;
	s->fd = m->fd;
	s->readable =
	    event_new(x->serve.base, s->fd, EV_READ | EV_PERSIST, on_source, s);
	if (s->readable == NULL || event_add(s->readable, NULL) == -1) {
		if (s->readable != NULL)
			event_free(s->readable);
		close(s->fd);
		free(s);
		return 0;
	}
	LIST_INSERT_HEAD(&x->sources, s, link);
	x->nsources++;
	return 0;
}

/* What came before the end is written. */
static void
finish(struct serve *serve)
{
	struct process *x = (struct process *)serve;
	struct source *s;

	while ((s = LIST_FIRST(&x->sources)) != NULL) {
		while (read_source(x, s->fd) == 1)
			continue;
		drop_source(s);
	}
	writer_free(x->writer);
	event_free(x->flush);
}

/* Relays that go on have records to the end; they drain as well. */
static int
on_drain(void *arg, const struct msg *m)
{
	struct process *x = arg;

	(void)m;
	x->draining = true;
	leave_if_drained(x);
	return 0;
}

int
log_main(const struct msg_boot *boot)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_PING] = serve_ping,
		[MSG_LEVEL] = serve_level,
		[MSG_EXIT] = serve_exit,
		[MSG_DRAIN] = on_drain,
		[MSG_LINE] = on_line,
		[MSG_LOG_FILE] = on_file,
		[MSG_ACCESS] = on_access,
	};
	static const struct writer_ops ops = { on_full, on_failed, on_say };
	struct process *x;

	if ((x = calloc(1, sizeof(*x))) == NULL ||
	    (x->writer = writer_new(&ops, x)) == NULL ||
	    serve_init(&x->serve) == -1 ||
	    (x->flush = evtimer_new(x->serve.base, on_flush, x)) == NULL)
		return 2;
	x->serve.leave = finish;
	return serve_run(&x->serve, boot, handlers);
}
