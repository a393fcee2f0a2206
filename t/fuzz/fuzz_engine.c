/*
 * Fuzz target of a whole engine: what a server, local services and the parent
 * send, in any order. The input is a list of steps, each {what u8, whom u8, n
 * u8} and n bytes. Whatever comes, no local connection outlives its tunnel
 * and no tunnel its line (lab_free() says so).
 */
#include "t/unit/engine_lab.h"

#include "common/tunnel/turn.h"

#define LINES 4
#define LOCALS 8

enum step {
	STEP_LINE,   /* a new one, of a kind */
	STEP_BLOB,   /* `proof` speaks */
	STEP_KEYS,   /* ... and is done */
	STEP_FAIL,   /* ... or not */
	STEP_RAW,    /* a server writes */
	STEP_FRAME,  /* ... a frame: type, bytes */
	STEP_OPEN,   /* ... an OPEN */
	STEP_HANG,   /* ... and hangs up */
	STEP_DIALED, /* the parent answers a dial */
	STEP_NO,
	STEP_SAY,   /* a service writes */
	STEP_SHUT,  /* ... half-closes */
	STEP_CLOSE, /* ... goes */
	STEP_LAZY,  /* ... reads nothing any more */
	STEP_TICK,
	STEP_TIME, /* deadlines pass */
	STEP_CONF, /* a service changes */
	STEP_OFFER,
	STEP_SHOW,
	STEP_DRAIN,
	STEP_TURN,
	STEPS
};

struct field {
	struct lab *lab;
	int line[LINES]; /* the server's end, -1: none */
	uint32_t conn[LINES];
	int local[LOCALS]; /* the service's end, -1: none */
	bool lazy[LOCALS];
	uint32_t dials[LOCALS]; /* asked for, not answered */
	size_t ndials;
	uint32_t last;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
drain_fd(int fd)
{
	char space[65536];

	while (fd != -1 && read(fd, space, sizeof(space)) > 0)
		;
}

/* What the engine says: dials are remembered, all else has passed its row. */
static void
listen_up(struct field *f)
{
	struct msg m;

	while (lab_up(f->lab, &m)) {
		if (m.type == MSG_DIAL && f->ndials < LOCALS)
			f->dials[f->ndials++] = m.id;
	}
}

static void
turn(struct field *f, int n)
{
	lab_turns(f->lab, n);
	listen_up(f);
	for (size_t i = 0; i < LINES; i++)
		drain_fd(f->line[i]);
	for (size_t i = 0; i < LOCALS; i++) {
		if (!f->lazy[i])
			drain_fd(f->local[i]);
	}
}

static void
say(int fd, const void *p, size_t n)
{
	if (fd != -1 && n > 0 && send(fd, p, n, MSG_NOSIGNAL) == -1)
		return;
}

static void
say_frame(int fd, uint8_t whom, const uint8_t *p, size_t n)
{
	uint8_t frame[FRAME_HEAD + 256];
	uint8_t type = n > 0 ? p[0] % FRAME_TYPES : FRAME_FIN;
	bool stream = type <= FRAME_CREDIT;

	if (n > 0) {
		p++;
		n--;
	}
	frame_head(frame, stream ? (whom >> 2) * 2u : 0, type, n);
	if (n > 0)
		memcpy(frame + FRAME_HEAD, p, n);
	say(fd, frame, FRAME_HEAD + n);
}

static void
say_open(int fd, uint8_t whom, uint8_t service)
{
	uint8_t frame[FRAME_HEAD + 64];
	const struct addr none = { 0 };
	struct buf b;

	buf_write(&b, frame + FRAME_HEAD, 64);
	buf_put_u16(&b, LAB_SERVICE + service % 3u);
	buf_put_u8(&b, 0);
	addr_put(&b, &none);
	addr_put(&b, &none);
	buf_put_u32(&b, 1000);
	frame_head(frame, (whom >> 2) * 2u, FRAME_OPEN, buf_used(&b));
	say(fd, frame, FRAME_HEAD + buf_used(&b));
}

static void
answer_dial(struct field *f, size_t i, bool yes)
{
	uint32_t number;
	int fds[2];

	if (f->ndials == 0)
		return;
	number = f->dials[--f->ndials];
	if (!yes) {
		lab_down(f->lab, MSG_DIAL_NO, number,
		    i % 2 == 0 ? "\0\0\0\0" : "\0\0\0\157", 4, -1);
		return;
	}
	shut(&f->local[i]);
	f->lazy[i] = false;
	lab_sockets(fds);
	f->local[i] = fds[0];
	lab_down(f->lab, MSG_DIALED, number, NULL, 0, fds[1]);
}

/* All that wait for a deadline have waited long enough. */
static void
pass_time(struct field *f)
{
	struct deadlines *d = &f->lab->e.connecting;

	for (struct deadline *x = d->ring.next; x != &d->ring; x = x->next)
		x->at = 1;
	for (struct rules *r = f->lab->e.all_rules; r != NULL; r = r->next) {
		d = &r->idle;
		for (struct deadline *x = d->ring.next; x != &d->ring;
		    x = x->next)
			x->at = 1;
	}
	engine_tick(&f->lab->e);
}

static void
change(struct field *f, uint8_t whom)
{
	uint8_t gone[3] = { ENGINE_CONF_GONE, 0,
		(uint8_t)(LAB_SERVICE + whom % 3) };

	if (whom & 4)
		lab_down(f->lab, MSG_ENGINE_CONF, 0, gone, sizeof(gone), -1);
	else
		lab_service(f->lab, (uint16_t)(LAB_SERVICE + whom % 3),
		    whom & 8 ? "h:1" : NULL);
}

/* What the parent does. */
static void
parent_step(
    struct field *f, enum step what, uint8_t whom, const uint8_t *p, size_t n)
{
	size_t i = whom % LINES;

	switch (what) {
	case STEP_LINE:
		shut(&f->line[i]);
		f->conn[i] = ++f->last;
		f->line[i] = lab_line(f->lab, f->conn[i],
		    whom & 4 ? PREFACE_TICKET : PREFACE_SESSION);
		break;
	case STEP_BLOB:
		if (n > 0)
			lab_down(f->lab, MSG_HS_OUT, f->conn[i], p, n, -1);
		break;
	case STEP_KEYS:
		lab_keys(f->lab, f->conn[i]);
		break;
	case STEP_FAIL:
		lab_down(f->lab, MSG_HS_FAIL, f->conn[i], "\1", 1, -1);
		break;
	case STEP_CONF:
		change(f, whom);
		break;
	case STEP_OFFER:
		lab_down(f->lab, MSG_OFFER, 0, "\0\0\0\1\0\0", 6, -1);
		break;
	case STEP_SHOW:
		lab_down(f->lab, MSG_SHOW, 1, whom & 1 ? "\1" : "\2", 1, -1);
		break;
	case STEP_DRAIN:
		lab_down(f->lab, MSG_DRAIN, 0, NULL, 0, -1);
		break;
	case STEP_TICK:
		engine_tick(&f->lab->e);
		break;
	case STEP_TIME:
		pass_time(f);
		break;
	default:
		turn(f, 1 + whom % 4);
	}
}

static void
step(struct field *f, uint8_t what, uint8_t whom, const uint8_t *p, size_t n)
{
	int line = f->line[whom % LINES];
	size_t i = whom % LOCALS;

	switch ((enum step)(what % STEPS)) {
	case STEP_RAW:
		say(line, p, n);
		break;
	case STEP_FRAME:
		say_frame(line, whom, p, n);
		break;
	case STEP_OPEN:
		say_open(line, whom, n > 0 ? p[0] : 0);
		break;
	case STEP_HANG:
		shut(&f->line[whom % LINES]);
		break;
	case STEP_DIALED:
		answer_dial(f, i, true);
		break;
	case STEP_NO:
		answer_dial(f, i, false);
		break;
	case STEP_SAY:
		say(f->local[i], p, n);
		break;
	case STEP_SHUT:
		if (f->local[i] != -1)
			shutdown(f->local[i], SHUT_WR);
		break;
	case STEP_CLOSE:
		shut(&f->local[i]);
		break;
	case STEP_LAZY:
		f->lazy[i] = true;
		break;
	default:
		parent_step(f, (enum step)(what % STEPS), whom, p, n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct field f = { .lab = lab_new() };

	for (size_t i = 0; i < LINES; i++)
		f.line[i] = -1;
	for (size_t i = 0; i < LOCALS; i++)
		f.local[i] = -1;
	lab_pool(f.lab, 3, 2);
	lab_service(f.lab, LAB_SERVICE, NULL);
	lab_service(f.lab, LAB_SERVICE + 1, "local:1");
	turn(&f, 1);
	while (n >= 3) {
		size_t len = data[2] < n - 3 ? data[2] : n - 3;

		step(&f, data[0], data[1], data + 3, len);
		turn(&f, 1);
		data += 3 + len;
		n -= 3 + len;
	}
	turn(&f, 4);
	lab_free(f.lab);
	for (size_t i = 0; i < LINES; i++)
		shut(&f.line[i]);
	for (size_t i = 0; i < LOCALS; i++)
		shut(&f.local[i]);
	return 0;
}
