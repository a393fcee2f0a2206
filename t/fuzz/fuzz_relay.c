/*
 * Fuzz target of a whole relay: what users, a client and the master send, in
 * any order. The input is a list of steps, each {what u8, whom u8, n u8} and
 * n bytes. Whatever comes, every user ends when its other ends are gone, and
 * nothing is left of it.
 */
#include "t/unit/relay_lab.h"

#define USERS 8
#define OPAQUE 6 /* the first of those that come by a port */
#define GENERATION 1
#define TURNS_MAX 300 /* until everything must have ended */

enum step {
	STEP_USER,  /* a new one */
	STEP_SAY,   /* a user writes */
	STEP_SHUT,  /* a user half-closes */
	STEP_CLOSE, /* a user goes */
	STEP_RAW,   /* the client writes */
	STEP_FRAME, /* ... a frame: type, bytes */
	STEP_SAME,  /* the master answers */
	STEP_NO,
	STEP_FD,
	STEP_TURN,
	STEP_TIME, /* deadlines pass */
	STEP_KICK,
	STEP_PROBE,
	STEP_LAZY, /* the client reads nothing any more */
	STEP_DRAIN,
	STEP_FLOWS, /* a flowpipe from role `udp` */
	STEP_PIPE,  /* ... which writes */
	STEPS
};

struct field {
	struct lab *lab;
	int user[USERS]; /* -1: none */
	uint32_t conn[USERS];
	int client; /* -1: gone */
	int pipe;   /* -1: none */
	bool lazy;
	struct turn_item nothing;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
on_nothing(void *arg)
{
	(void)arg;
}

static void
drain_fd(int fd)
{
	char space[65536];

	while (fd != -1 && read(fd, space, sizeof(space)) > 0)
		;
}

static void
turn(struct field *f)
{
	turn_next(f->lab->r.turn, &f->nothing);
	turn_once(f->lab->r.turn);
	lab_listen(f->lab);
	for (size_t i = 0; i < USERS; i++)
		drain_fd(f->user[i]);
	if (!f->lazy) {
		drain_fd(f->client);
		drain_fd(f->pipe);
	}
}

static void
pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		abort();
}

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
new_user(struct field *f, size_t i)
{
	int fds[2];

	shut(&f->user[i]);
	pair(fds);
	f->user[i] = fds[1];
	f->conn[i] = ++f->lab->last_conn;
	f->lab->scheme = i < OPAQUE ? SCHEME_HTTP : SCHEME_TCP;
	lab_user(f->lab, f->conn[i], fds[0], GENERATION, false, "a.test");
}

static void
say(int fd, const uint8_t *p, size_t n)
{
	if (fd != -1 && n > 0 && send(fd, p, n, MSG_NOSIGNAL) == -1)
		return;
}

static void
say_frame(struct field *f, uint8_t whom, const uint8_t *p, size_t n)
{
	uint8_t frame[FRAME_HEAD + 256];
	uint8_t type = n > 0 ? p[0] % FRAME_TYPES : FRAME_OPENED;
	bool stream = type <= FRAME_CREDIT || type >= FRAME_DGRAM;

	if (n > 0) {
		p++;
		n--;
	}
	frame_head(frame, stream ? whom % USERS * 2u : 0, type, n);
	if (n > 0)
		memcpy(frame + FRAME_HEAD, p, n);
	say(f->client, frame, FRAME_HEAD + n);
}

static void
say_same(struct field *f, uint32_t conn)
{
	static const uint8_t same[10] = { 0, 0, 0, 0, 0, 0, 0, GENERATION };

	lab_down(f->lab, MSG_ASK_SAME, conn, same, sizeof(same), -1);
}

static void
say_fd(struct field *f, uint32_t conn)
{
	int fds[2];

	pair(fds);
	lab_down(f->lab, MSG_ASK_FD, conn, NULL, 0, fds[0]);
	lab_user(
	    f->lab, ++f->lab->last_conn, fds[1], GENERATION, true, "b.test");
}

static void
new_pipe(struct field *f, uint8_t service)
{
	uint8_t flows[10] = { 0, 0, 0, 0, 0, 0, 0, GENERATION, 0, service };
	int fds[2];

	shut(&f->pipe);
	pair(fds);
	f->pipe = fds[1];
	lab_down(f->lab, MSG_UDP_FLOWS, 0, flows, sizeof(flows), fds[0]);
}

static void
pass_time(struct field *f)
{
	struct deadlines *const all[] = { &f->lab->r.heads, &f->lab->r.idles,
		&f->lab->r.endings, &f->lab->r.lingers, &f->lab->r.looks };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct deadline *d = all[i]->ring.next;

		for (; d != &all[i]->ring; d = d->next)
			d->at = 1;
	}
	event_active(f->lab->r.tick, EV_TIMEOUT, 0);
}

static void
step(struct field *f, uint8_t what, uint8_t whom, const uint8_t *p, size_t n)
{
	static const uint8_t generation[10] = { 0, 0, 0, 0, 0, 0, 0, GENERATION,
		GOAWAY_KICKED, 0 };
	size_t i = whom % USERS;

	switch ((enum step)(what % STEPS)) {
	case STEP_USER:
		new_user(f, i);
		break;
	case STEP_SAY:
		say(f->user[i], p, n);
		break;
	case STEP_SHUT:
		if (f->user[i] != -1)
			shutdown(f->user[i], SHUT_WR);
		break;
	case STEP_CLOSE:
		shut(&f->user[i]);
		break;
	case STEP_RAW:
		say(f->client, p, n);
		break;
	case STEP_FRAME:
		say_frame(f, whom, p, n);
		break;
	case STEP_SAME:
		say_same(f, f->conn[i]);
		break;
	case STEP_NO:
		lab_down(f->lab, MSG_ASK_NO, f->conn[i], "\1\x94", 2, -1);
		break;
	case STEP_FD:
		say_fd(f, f->conn[i]);
		break;
	case STEP_TIME:
		pass_time(f);
		break;
	case STEP_KICK:
		lab_down(f->lab, MSG_KICK, 0, generation, 10, -1);
		break;
	case STEP_PROBE:
		lab_down(f->lab, MSG_PROBE, 0, generation, 8, -1);
		break;
	case STEP_LAZY:
		f->lazy = true;
		break;
	case STEP_DRAIN:
		lab_down(f->lab, MSG_DRAIN, 0, NULL, 0, -1);
		break;
	case STEP_FLOWS:
		new_pipe(f, (uint8_t)(whom % 2));
		break;
	case STEP_PIPE:
		say(f->pipe, p, n);
		break;
	case STEP_TURN:
	default:
		turn(f);
	}
}

/* Everybody goes; the master answers what it was asked. */
static void
end_all(struct field *f)
{
	struct lab *l = f->lab;
	size_t k = 0;

	for (size_t i = 0; i < USERS; i++)
		shut(&f->user[i]);
	shut(&f->client);
	shut(&f->pipe);
	/* Behind all that was said: no user comes after its PONG. */
	lab_down(l, MSG_PING, 0, NULL, 0, -1);
	for (int i = 0;
	    l->r.conns.count > 0 || lab_told(l, MSG_PONG, 0) == NULL; i++) {
		turn(f);
		for (; k < l->ntold; k++) {
			if (l->told[k].type == MSG_ASK)
				lab_down(l, MSG_ASK_NO, l->told[k].id, "\1\xf7",
				    2, -1);
		}
		if (i == TURNS_MAX)
			abort(); /* a connection that never ends */
	}
	turn(f);
	if (l->r.asks != 0 || l->r.ask_queue != NULL || l->r.waiting != 0 ||
	    l->r.sessions != NULL || l->r.graves != NULL || l->broken)
		abort();
	l->ntold = 0;
	l->r.draining = false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t key[32];
	static struct lab *lab; /* one for all inputs */
	struct field f = { .client = -1, .pipe = -1 };
	struct addr peer = { 0 };
	struct session *s;
	int fds[2];

	if (lab == NULL)
		lab = lab_new();
	f.lab = lab;
	turn_item_init(&f.nothing, on_nothing, NULL);
	for (size_t i = 0; i < USERS; i++)
		f.user[i] = -1;
	pair(fds);
	f.client = fds[1];
	s = session_new(&lab->r, GENERATION, 0, "id");
	if (s == NULL ||
	    session_link(s, ++lab->last_conn, fds[0], &peer, key, key) == -1)
		abort();
	lab_offer(s, NULL);
	while (n >= 3) {
		size_t len = data[2];

		if (len > n - 3)
			len = n - 3;
		step(&f, data[0], data[1], data + 3, len);
		data += 3 + len;
		n -= 3 + len;
	}
	turn(&f);
	end_all(&f);
	turn_cancel(&f.nothing);
	return 0;
}
