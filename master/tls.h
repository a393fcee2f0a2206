/*
 * TLS of users: who ends it, with which certificates, and the plain ends that
 * come out of it. `tls` has the certificates, `sign` the keys, and a channel
 * of their own connects the two; this process has both only as files that it
 * does not read.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>

#include "common/ipc/chan.h"
#include "master/certs.h"
#include "master/conns.h"
#include "master/master.h"

#define TLS_CONNS_MAX 65536	/* at a time, in one worker */
#define TLS_WAITING_MAX 1024	/* that no worker has taken yet */
#define TLS_WAIT_MS 5000	/* for a worker */
#define TLS_TICKET_SECONDS 3600 /* until tickets have another key */

struct tls;
struct worker;

/* For struct master. */
struct tls *tls_new(struct master *m);
void tls_free(struct tls *t);

/* Use these from now on; they are taken, and *f has none any more. */
void tls_use(struct master *m, struct certs_files *f);

/* Whether there are certificates. */
bool tls_is_on(const struct master *m);

/* The files, for a restart; they stay ours. */
void tls_files(const struct master *m, struct certs_files *f);

/* What a worker of the roles tls and sign is told at its start. */
void tls_boot(struct worker *w);

/* ... and again after a reload. */
void tls_send_rules(struct worker *w);

/* A worker of one of these roles is ready. */
void tls_ready(struct worker *w);

/* A tls worker takes connections again. */
void tls_takes(struct master *m);

/* Have the TLS of a new connection ended. */
void tls_place(struct master *m, struct conn *c);

/* One that no worker had taken before a restart. */
void tls_restore(struct master *m, struct conn *c);

/* The worker that held it has died. */
void tls_lost(struct master *m, struct conn *c);

/* MSG_CLOSED of a tls worker. */
int tls_on_closed(void *arg, const struct msg *msg);

#endif
