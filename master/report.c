/* Where the log goes. */
#include "master/report.h"

#include <sys/queue.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/logline.h"
#include "common/ipc/line.h"
#include "common/sys/logfile.h"
#include "master/alarm.h"
#include "master/workers.h"

#define FRAME_MAX LINE_BYTES

/* A line that waits for the process. */
struct waiting {
	STAILQ_ENTRY(waiting) link;
	size_t n;
	uint8_t frame[];
};

struct report {
	struct master *master;
	struct logfile file; /* path NULL: there is none */
	struct logfile next; /* prepared */
	char *path;	     /* of file */
	bool json;
	bool trouble; /* that it cannot be moved aside has been said */
	STAILQ_HEAD(, waiting) waiting;
	size_t nwaiting;
	uint64_t lost; /* lines that did not fit */
	bool busy;     /* a line of ours would make another */
	struct event *timer;
};

static struct worker *
process(const struct report *r)
{
	struct master *m = r->master;

	return m->workers == NULL ? NULL
				  : workers_only(m->workers, ROLE_REPORT);
}

/* ---- lines ---- */

static size_t
encode(uint8_t frame[FRAME_MAX], const struct logline *l)
{
	struct buf b;

	buf_write(&b, frame, FRAME_MAX);
	line_put(&b, l);
	return buf_ok(&b) ? buf_used(&b) : 0;
}

static void
keep(struct report *r, const uint8_t *frame, size_t n)
{
	struct waiting *w;

	if (r->nwaiting >= REPORT_WAITING ||
	    (w = malloc(sizeof(*w) + n)) == NULL) {
		r->lost++;
		return;
	}
	w->n = n;
	memcpy(w->frame, frame, n);
	STAILQ_INSERT_TAIL(&r->waiting, w, link);
	r->nwaiting++;
}

/* What was lost is said as soon as there is room. */
static void
say_lost(struct report *r, struct worker *w)
{
	uint8_t frame[FRAME_MAX];
	char text[96];
	struct logline l = { .ms = logline_now(),
		.level = LOG_LEVEL_WARN,
		.name = "ptpd",
		.pid = (long)getpid(),
		.text = text };

	if (r->lost == 0)
		return;
	snprintf(text, sizeof(text), "%llu lines lost: they came too fast",
	    (unsigned long long)r->lost);
	r->lost = 0;
	worker_send(w, MSG_LINE, 0, frame, encode(frame, &l));
}

/* log_tee()'s function. Whatever happens, it blocks nobody. */
static void
on_line(void *arg, const struct logline *l)
{
	uint8_t frame[FRAME_MAX];
	struct report *r = arg;
	struct worker *w;
	size_t n;

	if (r->busy || (n = encode(frame, l)) == 0)
		return;
	r->busy = true;
	if ((w = process(r)) == NULL) {
		keep(r, frame, n);
	} else if (chan_queued(w->chan) >= REPORT_QUEUE) {
		r->lost++;
	} else {
		say_lost(r, w);
		worker_send(w, MSG_LINE, 0, frame, n);
	}
	r->busy = false;
}

/* ---- the file ---- */

static void
send_file(struct report *r, struct worker *w, uint64_t max)
{
	uint8_t payload[17];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, logfile_size(&r->file));
	buf_put_u64(&b, r->file.regular ? max : 0);
	buf_put_u8(&b, r->json);
	worker_send_copy(
	    w, MSG_LOG_FILE, 0, payload, sizeof(payload), r->file.fd);
}

/* Move it aside, and give the process the new one; or else the old again. */
static void
rotate(struct report *r)
{
	struct worker *w = process(r);
	bool moved = logfile_rotate(&r->file, logline_now()) == 0;

	if (!moved && !r->trouble)
		log_warn("log.file: cannot begin a new one");
	r->trouble = !moved;
	if (w != NULL)
		send_file(r, w, moved ? r->file.max : 0);
}

int
report_on_full(void *arg, const struct msg *msg)
{
	struct worker *w = arg;
	struct report *r = w->master->report;

	(void)msg;
	if (r->file.fd == -1)
		return 0;
	if (w == process(r))
		rotate(r);
	else /* what the relays of before a restart still have */
		send_file(r, w, 0);
	return 0;
}

/* It grew beyond its size, because it could not be moved; now perhaps. */
static void
rotate_again(struct report *r)
{
	struct worker *w = process(r);

	if (logfile_rotate(&r->file, logline_now()) == -1)
		return;
	r->trouble = false;
	if (w != NULL)
		send_file(r, w, r->file.max);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct report *r = arg;
	struct worker *w;

	(void)fd;
	(void)what;
	if (r->trouble)
		rotate_again(r);
	else if (r->file.fd != -1 && logfile_is_old(&r->file, logline_now()))
		rotate(r);
	if ((w = process(r)) != NULL && chan_queued(w->chan) < REPORT_QUEUE)
		say_lost(r, w);
}

struct report *
report_new(struct master *m)
{
	static const struct timeval look = { REPORT_LOOK_MS / 1000, 0 };
	struct report *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->master = m;
	r->file.fd = r->next.fd = -1;
	STAILQ_INIT(&r->waiting);
	r->timer = event_new(m->base, -1, EV_PERSIST, on_look, r);
	if (r->timer == NULL || event_add(r->timer, &look) == -1) {
		if (r->timer != NULL)
			event_free(r->timer);
		free(r);
		return NULL;
	}
	return r;
}

int
report_prepare(
    struct master *m, const struct server_conf *c, char why[REPORT_WHY])
{
	struct report *r = m->report;

	report_abort(m);
	if (c->log_file == NULL)
		return 0;
	r->next = (struct logfile){ .path = c->log_file,
		.max = c->log_max_size,
		.count = (unsigned)c->log_max_count,
		.fd = -1 };
	if (logfile_open(&r->next, logline_now()) == 0)
		return 0;
	snprintf(
	    why, REPORT_WHY, "log.file: %s: %s", c->log_file, strerror(errno));
	return -1;
}

void
report_abort(struct master *m)
{
	logfile_close(&m->report->next);
}

/* Give every relay a way to the process, or tell it that there is none. */
static void
connect_relay(struct report *r, struct worker *relay)
{
	struct worker *w = process(r);
	int fds[2];

	if (relay->inherited || relay->state != WORKER_READY)
		return;
	if (w == NULL || !r->master->conf.log_access || r->file.fd == -1) {
		worker_send(relay, MSG_ACCESS, 0, NULL, 0);
		return;
	}
	if (chan_pair(fds) == -1) {
		log_warn("%s %u writes no access log", role_name(relay->role),
		    relay->index);
		return;
	}
	worker_send_fd(w, MSG_ACCESS, 0, NULL, 0, fds[0]);
	worker_send_fd(relay, MSG_ACCESS, 0, NULL, 0, fds[1]);
}

static void
connect_one(void *arg, struct worker *w)
{
	if (w->role == ROLE_RELAY)
		connect_relay(arg, w);
}

void
report_commit(struct master *m)
{
	struct report *r = m->report;
	struct worker *w;

	alarm_configure(m);
	logfile_close(&r->file);
	free(r->path);
	r->path = NULL;
	r->trouble = false;
	r->json = m->conf.log_format != 0;
	log_set_json(r->json);
	if (r->next.fd == -1) {
		log_tee(NULL, NULL);
	} else if ((r->path = strdup(r->next.path)) != NULL) {
		r->file = r->next;
		r->file.path = r->path;
		r->next.fd = -1;
		log_tee(on_line, r);
		if (logfile_is_old(&r->file, logline_now()))
			rotate(r);
	}
	if ((w = process(r)) != NULL && r->file.fd != -1)
		send_file(r, w, r->file.max);
	if (m->workers != NULL)
		workers_each(m->workers, connect_one, r);
}

void
report_ready(struct master *m, struct worker *w)
{
	struct report *r = m->report;
	struct waiting *line;

	if (w->role == ROLE_RELAY)
		connect_relay(r, w);
	if (w->role != ROLE_REPORT || r->file.fd == -1)
		return;
	send_file(r, w, r->file.max);
	while ((line = STAILQ_FIRST(&r->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&r->waiting, link);
		worker_send(w, MSG_LINE, 0, line->frame, line->n);
		free(line);
	}
	r->nwaiting = 0;
	workers_each(m->workers, connect_one, r);
}

void
report_drained(struct master *m)
{
	struct worker *w = process(m->report);

	if (w != NULL)
		say_lost(m->report, w);
}

/* Without the process, at the end: write them ourselves. */
static void
write_waiting(struct report *r)
{
	char out[LOGLINE_MAX];
	struct waiting *w;
	struct line line;
	struct buf b;

	while ((w = STAILQ_FIRST(&r->waiting)) != NULL) {
		buf_read(&b, w->frame, w->n);
		if (line_get(&b, &line) == 0 &&
		    write(r->file.fd, out,
			logline_format(out, &line.l, r->json)) == -1)
			r->lost++;
		STAILQ_REMOVE_HEAD(&r->waiting, link);
		free(w);
	}
}

/* Have the process write what it was sent, and wait for its end. */
static void
await_process(struct worker *w)
{
	struct pollfd p = { .events = 0 };

	w->wanted = true;
	worker_send(w, MSG_EXIT, 0, NULL, 0);
	chan_flush(w->chan);
	/* It closes its end when it exits. */
	p.fd = chan_fd(w->chan);
	if (p.fd != -1)
		poll(&p, 1, REPORT_END_MS);
}

void
report_free(struct report *r)
{
	struct worker *w;

	if (r == NULL)
		return;
	if ((w = process(r)) != NULL && r->file.fd != -1)
		await_process(w);
	else if (r->file.fd != -1)
		write_waiting(r);
	log_tee(NULL, NULL);
	logfile_close(&r->file);
	logfile_close(&r->next);
	event_free(r->timer);
	free(r->path);
	free(r);
}
