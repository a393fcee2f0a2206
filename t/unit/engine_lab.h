/*
 * An engine in a test's process: the test is the parent, on the other end of
 * its channel, the server, on the other end of a line, and the local service.
 * Frames go bare (cipher "none"). Included by exactly one file of each test.
 */
#ifndef ENGINE_LAB_H
#define ENGINE_LAB_H

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/engine/engine.h"
#include "client/engine/line.h"
#include "client/engine/pool.h"
#include "client/engine/rules.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/crypto/record.h"
#include "common/ipc/chan_io.h"
#include "common/tunnel/frame.h"

#define LAB_SERVICE 5
#define LAB_BYTES (512 * 1024)

struct lab {
	struct engine e;
	int parent;   /* the other end of its channel */
	size_t at, n; /* what is left of the packet that came last */
	uint8_t packet[MSG_MAX + 1];
};

static inline void
lab_turns(struct lab *l, int n)
{
	while (n-- > 0) {
		event_base_loopexit(l->e.base, &(struct timeval){ 0, 0 });
		if (turn_once(l->e.turn) == -1)
			abort();
	}
}

/* A frame of the parent; takes fd. False: the channel is full or closed. */
static inline bool
lab_down(
    struct lab *l, uint8_t type, uint32_t id, const void *p, size_t n, int fd)
{
	uint8_t frame[MSG_MAX];
	struct chan_out out = { frame, MSG_HEAD + n, fd };
	bool ok;

	msg_head(frame, type, id, n);
	if (n > 0)
		memcpy(frame + MSG_HEAD, p, n);
	ok = chan_io_send(l->parent, &out, 1, true) == 1;
	if (fd != -1)
		close(fd);
	return ok;
}

/* The next packet of the engine. */
static inline bool
lab_packet(struct lab *l)
{
	struct chan_in in = { .p = l->packet };

	chan_flush(l->e.chan);
	if (chan_io_recv(l->parent, &in, sizeof(l->packet), true) != 1)
		return false;
	if (in.stray)
		abort(); /* an engine passes nothing */
	l->at = 0;
	l->n = in.n;
	return true;
}

/* What the engine has said: the next frame into *m, which lives in *l. */
static inline bool
lab_up(struct lab *l, struct msg *m)
{
	const uint8_t *p;
	size_t n;
	int type;

	if (l->at == l->n && !lab_packet(l))
		return false;
	p = l->packet + l->at;
	n = msg_length(p, l->n - l->at);
	type = msg_check(p, n, ROLE_ENGINE, true, true, &m->id);
	if (type == -1)
		abort(); /* it breaks no row */
	m->type = (uint8_t)type;
	m->p = p + MSG_HEAD;
	m->n = n - MSG_HEAD;
	l->at += n;
	return true;
}

/* Let the service be known, with a rewritten Host if that is given. */
static inline void
lab_service(struct lab *l, uint16_t index, const char *host)
{
	struct engine_service s = {
		.index = index, .label = "lab", .host = host
	};
	uint8_t payload[1024];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	engine_conf_put_service(&b, &s);
	lab_down(l, MSG_ENGINE_CONF, 0, payload, buf_used(&b), -1);
}

static inline void
lab_pool(struct lab *l, uint8_t connections, uint8_t idle)
{
	struct engine_pool p = { connections, idle, 45000 };
	uint8_t payload[16];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	engine_conf_put_pool(&b, &p);
	lab_down(l, MSG_ENGINE_CONF, 0, payload, buf_used(&b), -1);
}

static inline struct lab *
lab_new(void)
{
	struct lab *l = calloc(1, sizeof(*l));
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_DISABLE);
	if (l == NULL || engine_prepare(&l->e) == -1 || chan_pair(fds) == -1)
		abort();
	event_del(l->e.tick); /* engine_tick(): whenever the test says */
	l->parent = fds[0];
	l->e.chan =
	    chan_new(l->e.base, fds[1], ROLE_ENGINE, false, &engine_ops, &l->e);
	if (l->e.chan == NULL)
		abort();
	chan_set_ready(l->e.chan);
	return l;
}

static inline void
lab_free(struct lab *l)
{
	struct line *line;
	size_t at = 0;

	while ((line = idmap_next(&l->e.lines, &at)) != NULL) {
		line_drop(line);
		at = 0;
	}
	lab_turns(l, 2);
	if (!LIST_EMPTY(&l->e.locals) || l->e.pools != NULL)
		abort(); /* a local outlives its tunnel, or a pool its lines */
	chan_free(l->e.chan);
	close(l->parent);
	rules_free_all(&l->e);
	idmap_free(&l->e.lines);
	idmap_free(&l->e.dials);
	free(l->e.offer);
	event_free(l->e.tick);
	turn_free(l->e.turn);
	event_base_free(l->e.base);
	free(l);
}

/* Two connected sockets; the first is the test's. */
static inline void
lab_sockets(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		abort();
}

/* Give the engine a line; returns the server's end. */
static inline int
lab_line(struct lab *l, uint32_t conn, enum preface_kind kind)
{
	uint8_t byte = (uint8_t)kind;
	int fds[2];

	lab_sockets(fds);
	lab_down(l, MSG_LINK, conn, &byte, 1, fds[1]);
	return fds[0];
}

/* The keys of a session without cipher. */
static inline void
lab_keys(struct lab *l, uint32_t conn)
{
	uint8_t payload[97] = { RECORD_NONE };

	payload[70] = 1; /* the root of its tickets */
	lab_down(l, MSG_HS_KEYS, conn, payload, sizeof(payload), -1);
}

#endif
