/* The access log. */
#include "worker/relay/journal.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/logline.h"
#include "common/ipc/access.h"
#include "worker/relay/session.h"
#include "worker/relay/upstream.h"
#include "worker/relay/user.h"

#define US_PER_MS 1000

/* Records that wait to be sent. */
struct journal {
	int fd;
	uint32_t records, lost;
	struct buf b; /* into the packet, behind its first field */
	uint8_t packet[ACCESS_BATCH];
};

/* What a user's next record will say. */
struct user_log {
	uint64_t since[USER_PIPELINE]; /* turn_now() of each that is asked */
	uint64_t up, down;	       /* of the records before */
	uint16_t status;
	bool foreign; /* another relay records it */
	bool stream;  /* no requests but bytes */
	bool done;
	char client[TEXT_LABEL_MAX + 1];
	char name[TEXT_NAME_MAX + 1];
};

static void
begin_packet(struct journal *j)
{
	j->records = 0;
	buf_write(&j->b, j->packet, sizeof(j->packet));
	buf_put_u32(&j->b, j->lost);
}

void
journal_use(struct relay *r, int fd)
{
	struct journal *j;

	/* If who reads the one before has died, this is its end. */
	journal_flush(r);
	if ((j = r->journal) != NULL)
		close(j->fd);
	if (fd != -1 && j == NULL && (j = calloc(1, sizeof(*j))) == NULL)
		close(fd);
	if (fd == -1) {
		free(j);
		j = NULL;
	}
	r->journal = j;
	if (j == NULL)
		return;
	j->fd = fd;
	begin_packet(j);
}

void
journal_flush(struct relay *r)
{
	struct journal *j = r->journal;
	ssize_t sent;

	if (j == NULL || j->records == 0)
		return;
	sent = send(
	    j->fd, j->packet, buf_used(&j->b), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent == -1)
		j->lost += j->records;
	else
		j->lost = 0;
	if (sent == -1 && errno != EAGAIN && errno != ENOBUFS) {
		/* It has died; another comes with a socket of its own. */
		close(j->fd);
		free(j);
		r->journal = NULL;
		return;
	}
	begin_packet(j);
}

static void
add(struct relay *r, const struct access *a)
{
	struct journal *j = r->journal;

	if (j != NULL && buf_left(&j->b) < ACCESS_MAX) {
		journal_flush(r);
		j = r->journal;
	}
	if (j != NULL && access_put(&j->b, a) == 0)
		j->records++;
}

/* A name that is made of what may be in a line. */
static void
copy_name(char *dst, const char *name)
{
	size_t n = strnlen(name, TEXT_NAME_MAX);

	memcpy(dst, name, n);
	dst[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (dst[i] <= ' ' || dst[i] > '~')
			dst[i] = '?';
}

/* Record what has been since the last record. */
static void
record(struct user *u, int status, uint64_t since, size_t left)
{
	struct user_log *l = u->log;
	uint64_t now = turn_now(u->relay->turn);
	uint64_t took = since != 0 && since < now ? now - since : 0;
	struct access a = { .ms = logline_now(),
		.scheme = u->scheme,
		.status = (uint16_t)status,
		.up = u->up - l->up,
		.down = u->down + left - l->down,
		.peer = u->peer };

	l->up = u->up;
	l->down = u->down + left;
	if (l->foreign)
		return;
	took /= US_PER_MS;
	a.took = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	strcpy(a.client, l->client);
	strcpy(a.name, l->name);
	add(u->relay, &a);
}

/* Whether users are recorded now, and this one has a place for it. */
static bool
is_recorded(struct user *u)
{
	if (u->relay->journal == NULL || log_get_level() > LOG_LEVEL_INFO)
		return false;
	if (u->log == NULL)
		u->log = calloc(1, sizeof(*u->log));
	return u->log != NULL;
}

/* Whom the next record is about. */
static void
describe(struct user_log *l, const struct upstream *up)
{
	l->foreign = up != NULL && up->pair != NULL;
	copy_name(l->name, up != NULL ? up->name : "");
	strcpy(l->client,
	    up != NULL && up->session != NULL ? up->session->id : "");
}

void
journal_asked(struct user *u)
{
	if (!is_recorded(u) || u->nasked == 0)
		return;
	u->log->since[u->nasked - 1] = turn_now(u->relay->turn);
	if (u->nasked > 1) /* of the same service */
		return;
	u->log->status = 0;
	describe(u->log, u->current);
}

void
journal_stream(struct user *u)
{
	char local[ADDR_TEXT];

	if (!is_recorded(u))
		return;
	u->log->stream = true;
	u->log->since[0] = turn_now(u->relay->turn);
	describe(u->log, u->ups);
	if (u->log->name[0] == '\0') /* a port has no name */
		strcpy(u->log->name, addr_format(local, &u->local));
}

void
journal_status(struct user *u, int status)
{
	if (u->log != NULL)
		u->log->status = (uint16_t)status;
}

void
journal_answered(struct user *u, size_t left)
{
	struct user_log *l = u->log;

	if (l == NULL)
		return;
	record(u, l->status, l->since[0], left);
	memmove(l->since, l->since + 1, sizeof(l->since) - sizeof(l->since[0]));
	l->since[USER_PIPELINE - 1] = 0;
	l->status = 0;
}

void
journal_refused(struct user *u, int status, bool stay)
{
	uint64_t since = 0;

	if (!is_recorded(u))
		return;
	if (u->nasked > 0)
		since = u->log->since[0];
	else
		describe(u->log, u->current);
	u->log->foreign = false; /* the answer is ours */
	record(u, status, since, 0);
	u->log->done = !stay;
}

void
journal_flow(struct relay *r, const struct access *a)
{
	struct access now = *a;

	if (r->journal == NULL || log_get_level() > LOG_LEVEL_INFO)
		return;
	now.ms = logline_now();
	add(r, &now);
}

void
journal_ended(struct user *u)
{
	struct user_log *l = u->log;

	if (l == NULL)
		return;
	if (!l->done && (l->stream || u->nasked > 0))
		record(u, l->status, l->since[0], 0);
	free(l);
	u->log = NULL;
}
