/*
 * The master: it binds, accepts, owns every table and every decision, and
 * reads no byte from an accepted socket. This struct is what its parts share;
 * each part has a file of its own.
 */
#ifndef MASTER_H
#define MASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/sys/fds.h"
#include "master/conf.h"
#include "master/exe.h"
#include "master/hostkey.h"
#include "master/limits.h"
#include "master/options.h"
#include "master/uids.h"

struct event;
struct event_base;

struct master {
	struct event_base *base;
	const struct options *options;
	struct server_conf conf; /* what holds now: the public part */
	bool any_client;	 /* decided once, at start */
	bool privileged;	 /* started by root */
	struct uids uids;	 /* of the workers, if privileged */
	char jail[256];		 /* their root directory; empty: none */
	struct exe exe;		 /* for a restart */
	size_t nofile;		 /* descriptors that this process may have */
	struct fds fds;		 /* and the spare one */
	uint8_t host_public[KEYTEXT_KEY];

	struct conns *conns;
	struct clients *clients;
	struct sessions *sessions;
	struct routes *routes;
	struct ports *ports;
	struct udp_ports *udp_ports;
	struct sources *sources;
	struct workers *workers;
	struct parses *parses;
	struct feed *feed;
	struct report *report;
	struct alarms *alarms;
	struct listeners *listeners;
	struct tls *tls;
	struct handshakes *handshakes;
	struct visits *visits;
	struct check *check;  /* of the data path */
	uint32_t api_conns;   /* given to role api so far */
	struct waits *rivals; /* sessions that wait for PROBEs */
	struct waits *lost;   /* sessions without a tunnel */
	struct edges *edges;
	struct ctl_server *ctl;
	struct askings *askings;     /* what ptpctl asks of relays */
	struct reload *reload;	     /* one that goes on, or NULL */
	struct stop *stop;	     /* we drain, or NULL */
	struct restart *restart;     /* one that goes on, or NULL */
	struct inherited *inherited; /* from an earlier image, or NULL */
	struct limits_log limits_log;
	char why[512]; /* for what the start failed */

	uint64_t started;	/* clock_ms() */
	int ready_fd;		/* of daemon_start(), -1 once told or with -d */
	bool ready;		/* we serve */
	struct event *starting; /* the time that we have for it */
	int status;		/* what main returns */
};

/* Make the tables. 0, or -1 with errno. */
int master_init(struct master *m, const struct options *options);

/*
 * Go on from what an earlier image of this process has left; `in` stays the
 * caller's and must outlive m.
 */
void master_inherit(struct master *m, struct inherited *in);

/* End what we have started ourselves, touch nothing of what was left to us. */
void master_abandon(struct master *m);

/* Free everything; workers have been told to end before. */
void master_free(struct master *m);

/* Serve until told to stop. Returns the exit status. */
int master_run(struct master *m);

/* The start has failed: say why, and leave the loop with this status. */
void master_fail(struct master *m, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Leave the loop with this exit status. */
void master_quit(struct master *m, int status);

/* Called when a worker became ready: once all are, we serve. */
void master_check_ready(struct master *m);

/* Called when a worker is gone and everything it held is lost. */
void master_worker_gone(struct master *m);

#endif
