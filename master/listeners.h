/*
 * The public addresses: bound once, kept over a reload as long as they are
 * configured, over a restart with whoever waits in their queues.
 */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/conf/lists.h"
#include "common/ipc/msg.h"
#include "common/net/listen.h"
#include "master/master.h"

#define LISTENERS_BATCH 64		/* connections of one turn */
#define LISTENERS_WHY (LISTEN_WHY + 32) /* bytes for a reason, with its key */
#define LISTENERS_PAUSE_MS 1000		/* when there are no descriptors */

/* What its connections are taken for. */
enum listener_kind {
	LISTENER_HTTP = 1, /* listen.http */
	LISTENER_REDIRECT, /* listen.http_redirect */
	LISTENER_SNI,	   /* listen.sni */
	LISTENER_API,	   /* listen.api */
	LISTENER_TLS,	   /* listen.tls */
	LISTENER_KINDS
};

struct listener {
	uint16_t number;   /* in msg_conn */
	uint8_t kind;	   /* enum listener_kind */
	struct addr asked; /* as configured: the port may be 0 */
	struct addr local; /* as bound */
	int fd;
};

/* For struct master. */
struct listeners *listeners_new(struct master *m);
void listeners_free(struct listeners *ls);

/*
 * Bind what a configuration wants and is not bound yet. Nothing else changes
 * before listeners_commit(). -1 and the key with the reason in why: nothing is
 * bound anew.
 */
int listeners_prepare(struct listeners *ls, const struct server_conf *conf,
    char why[static LISTENERS_WHY]);

/* Serve the prepared ones and those that were in the list; close the rest. */
void listeners_commit(struct listeners *ls);

/* Forget what was prepared. */
void listeners_abort(struct listeners *ls);

/* Adopt a bound socket of an earlier image of this process. 0, -1 errno. */
int listeners_adopt(struct listeners *ls, enum listener_kind kind,
    const struct addr *asked, uint16_t number, int fd);

/* Begin to accept. */
void listeners_open(struct listeners *ls);

/* Take no connections until listeners_resume(). */
void listeners_pause(struct listeners *ls);
void listeners_resume(struct listeners *ls);

/* Close all: nobody is taken any more. */
void listeners_close(struct listeners *ls);

/* Call fn for each. */
void listeners_each(const struct listeners *ls,
    void (*fn)(void *arg, const struct listener *l), void *arg);

/*
 * The port that users of https come to: 443 if there is a listener for them on
 * it, or none at all (something in front of us serves it); else that of the
 * first listen.tls, or the first listen.sni.
 */
uint16_t listeners_https_port(const struct listeners *ls);

/*
 * The port of the first listener by which that role gets the users of services;
 * 0: there is none.
 */
uint16_t listeners_port(const struct listeners *ls, enum role role);

const char *listener_kind_name(enum listener_kind kind);

/* Connections accepted, and those refused for want of descriptors. */
uint64_t listeners_accepted(const struct listeners *ls);
uint64_t listeners_refused(const struct listeners *ls);

#endif
