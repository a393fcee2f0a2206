/*
 * One worker process: started, spoken to, watched, ended. Who starts it anew
 * is another matter (workers.h).
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/ipc/chan.h"
#include "common/ipc/counters.h"

struct event;
struct master;
struct post;

#define WORKER_READY_MS 5000	 /* from start to READY */
#define WORKER_EXIT_MS 1000	 /* from the end of its channel to its exit */
#define WORKER_PING_MS 5000	 /* a heartbeat */
#define WORKER_COMPLAIN_MS 60000 /* between two lines on one trouble */
#define WORKER_PONG_MS 10000	 /* and how long it may go unanswered */

enum worker_state {
	WORKER_BOOTING,
	WORKER_READY,
	WORKER_DRAINING, /* takes nothing new; ends by itself */
	WORKER_DEAD	 /* its channel is closed */
};

struct worker {
	struct master *master;
	struct post *post; /* which it fills; NULL: another does now */
	enum role role;
	unsigned index;
	pid_t pid;
	struct chan *chan;
	struct chan_ops chan_ops;
	enum worker_state state;
	bool full;	     /* said FULL */
	bool reaped;	     /* waited for */
	bool mourned;	     /* `gone` has been called */
	bool wanted;	     /* was told to end */
	bool inherited;	     /* from before our exec: frozen rows only */
	unsigned conns;	     /* connections that it holds */
	unsigned clients;    /* sessions, of a relay */
	unsigned probes;     /* PROBEs that it has not answered */
	unsigned shows;	     /* SHOWs that it has not answered whole */
	uint64_t started;    /* clock_ms() */
	uint64_t until;	     /* DRAINING: then it is ended; 0: no limit */
	uint64_t pinged;     /* when the unanswered PING left; 0: none */
	uint32_t missing;    /* protection it could not have (sandbox.h) */
	uint64_t complained; /* clock_ms() of a line on its descriptors */
	uint64_t log_second; /* in which log_lines came */
	unsigned log_lines;
	struct event *timer;
	const struct counters *counters; /* of a relay */
	int counters_fd; /* the same, for other relays to read; or -1 */
	char why[64];	 /* for what it was ended; empty: by itself */
	TAILQ_ENTRY(worker) link;
};

/* What its owner is told. */
struct worker_ops {
	/* The frames that a role may send; see chan.h. */
	const chan_handler *(*handlers)(enum role role);
	/* It takes frames again. */
	void (*drained)(struct worker *w);
	/*
	 * Its channel is closed: whatever it held is lost. Called from the
	 * loop, never from within one of the functions below.
	 */
	void (*gone)(struct worker *w);
};

/*
 * Start the executable at `path` for a role. NULL after a log line. The owner
 * sends BOOT.
 */
struct worker *worker_start(struct master *m, const struct worker_ops *ops,
    const char *path, enum role role, unsigned index);

/*
 * Take over a worker that an earlier image of this process started, and its
 * channel fd (closed if this fails). NULL: no memory. It is READY;
 * worker_inherit() makes it one of an older version.
 */
struct worker *worker_adopt(struct master *m, const struct worker_ops *ops,
    enum role role, unsigned index, pid_t pid, int fd);

/*
 * It drains, is not watched any more, and ends in `ms` at the latest (0: when
 * it has done with everything).
 */
void worker_inherit(struct worker *w, uint64_t ms);

/* READY has come: its watch begins. */
void worker_set_ready(struct worker *w);

/*
 * End it now, for this reason, which will be logged. Safe in a handler of its
 * own channel. `gone` is called later; until then it only takes no frames.
 */
void worker_kill(struct worker *w, const char *why);

/*
 * Send a frame. A worker that does not read its frames any more is ended;
 * nobody has to look at a failure here: `gone` will be called.
 */
void worker_send(
    struct worker *w, uint8_t type, uint32_t id, const void *p, size_t n);

/* With a descriptor, which is closed in any case. */
void worker_send_fd(struct worker *w, uint8_t type, uint32_t id, const void *p,
    size_t n, int fd);

/* With one that stays the caller's. -1: it was not sent. */
int worker_send_copy(struct worker *w, uint8_t type, uint32_t id, const void *p,
    size_t n, int fd);

/* It takes nothing new and ends by itself. */
void worker_drain(struct worker *w);

/* It has no descriptors left: say so, once a minute. */
void worker_exhausted(struct worker *w);

/* Its process was waited for: log how it ended. */
void worker_reaped(struct worker *w, int status);

/* Free one that is DEAD, mourned and reaped. */
void worker_free(struct worker *w);

const char *worker_state_name(const struct worker *w);

#endif
