/*
 * A new binary takes over under the same pid (PROTOCOL.md section 3): it is
 * tried as a child, then executed in our place with all our tables; if it
 * cannot serve, it executes us back.
 */
#ifndef RESTART_H
#define RESTART_H

#include "common/ipc/ctl_server.h"
#include "master/master.h"
#include "master/state.h"

#define RESTART_CHECK_MS 10000 /* for the new binary to say yes */
#define RESTART_TRIES 20       /* to send what workers have not read yet */
#define RESTART_RETRY_MS 100

/* Why this process was executed. */
enum restart_step {
	RESTART_NONE,	  /* by somebody who wants a ptpd */
	RESTART_CHECK,	  /* by ptpd, to say whether it could take over */
	RESTART_TAKEOVER, /* in the place of ptpd */
	RESTART_RESUME	  /* in the place of a newer one that could not */
};

/* What a successor has got. */
struct inherited {
	enum restart_step step;
	int fd;
	struct state_reader *state;
	struct state_head head;
	struct ctl_call *call; /* of who asked for it */
	char why[512];	       /* RESUME: what went wrong */
};

/*
 * Find out from the environment, and take what there is from it. Returns 0,
 * or -1 if there is something, but not for us (a line on stderr).
 */
int restart_receive(struct inherited *in);

/* All that was in it is in use: forget the file. */
void restart_done(struct inherited *in);

/* RESTART_CHECK: say yes. Returns the exit status. */
int restart_say_yes(void);

/* Execute the older one again. Returns only if that fails. */
void restart_go_back(struct inherited *in, char *const argv[], const char *why);

/* Begin, for call. */
void restart_begin(struct master *m, struct ctl_call *call);

/* We stop: give one up that goes on. */
void restart_cancel(struct master *m);

/* For SIGCHLD. */
void restart_reap(struct master *m);

void restart_free(struct master *m);

#endif
