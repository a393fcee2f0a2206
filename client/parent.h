/*
 * ptp's parent: configuration, children, dialling, and every decision. It
 * reads no byte from the network: connected sockets go to an engine, names to
 * a resolver, the login to `proof`.
 *
 *	child	 one child process, started again when it dies
 *	lookup	 names to addresses, by the role `resolve`
 *	reach	 a connection to a host, whichever of its addresses answers
 *	attach	 getting and keeping a session at one of the servers
 *	trust	 whether a server's key is to be believed; known_servers
 *	catalog	 the services that are published
 *	locals	 connections to them, for the engine
 *	secure	 ... those that need TLS, by the role `tls`
 *	grants	 what the server made of them
 *	control	 ptpctl
 */
#ifndef PARENT_H
#define PARENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/conf.h"
#include "common/base/idmap.h"
#include "common/tunnel/login.h"

#define PARENT_STOP_S 30  /* streams may take so long to end */
#define PARENT_FINISH_S 2 /* and what was said last, to leave */

struct attach;
struct catalog;
struct child;
struct control;
struct ctl_call;
struct event;
struct event_base;
struct grants;

/* A configuration as it was loaded, for as long as something points in. */
struct source {
	struct client_conf conf;
	unsigned users;
};

/* As whom the children live; of no account without root. */
struct parent_uids {
	uid_t network, proof;
	gid_t network_gid, proof_gid;
};

struct parent {
	struct event_base *base;
	const struct conf_args *args;
	struct source *source; /* the configuration that is in force */
	const struct client_conf *conf;
	bool foreground, privileged;
	int daemon_fd; /* for daemon_ready(); -1: said, or not needed */
	int cwd_fd;    /* where we were started; -1: we are still there */
	int verbose;   /* -v: how often */
	struct parent_uids uids;
	char *jail; /* what children see, whatever a reload says */
	uint8_t instance[LOGIN_INSTANCE]; /* which process of this id we are */
	struct child *engine, *proof;
	struct child *resolve, *tls; /* NULL: not needed yet */
	unsigned missing; /* protection that children could not have */
	bool missing_said;
	struct event *signals[4];
	struct event *stop_timer;
	struct idmap lookups;
	uint32_t lookup; /* the last number given to one */
	struct attach *attach;
	struct catalog *catalog;
	struct grants *grants;
	struct control *control;
	struct logging *logging;
	struct alarms *alarms;
	uint64_t started;
	bool stopping;
	int status; /* to exit with */
};

/*
 * Run with the configuration in *source until told to stop. Returns the exit
 * status. The source is taken.
 */
int parent_run(struct parent *p, struct source *source);

/* Stop: in order, or, when that is under way, at once. */
void parent_stop(struct parent *p);

/* End with this status as soon as this turn of the loop is over. */
void parent_exit(struct parent *p, int status);

/* End with this status when what was said to a server has left. */
void parent_finish(struct parent *p, int status);

/* Set how loud this process and its children are. */
void parent_set_level(struct parent *p, enum log_level level);

/* The level that a configuration asks for, with every -v one lower. */
enum log_level parent_level(const struct client_conf *c, int verbose);

/* Something is published, or will have to wait: who started us may go on. */
void parent_ready(struct parent *p);

/*
 * Load the configuration again. The answer goes to `call`, if there is one,
 * and to the log.
 */
void parent_reload(struct parent *p, struct ctl_call *call);

/* Count users of a source; the last one frees it. */
struct source *source_use(struct source *s);
void source_drop(struct source *s);

#endif
