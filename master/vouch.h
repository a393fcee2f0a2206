/*
 * The external check of logins: questions from `auth` to `fetch` and answers
 * back, passed on unread and only while a login waits for them.
 */
#ifndef VOUCH_H
#define VOUCH_H

#include "common/ipc/chan.h"
#include "master/master.h"

struct worker;

/* Whether an id may come that no user is configured for, if it is vouched. */
bool vouch_configured(const struct master *m);

/* It is asked by plain http:// beyond this machine: secrets can be read. */
bool vouch_is_open(const struct master *m);

/* MSG_VOUCH of auth. */
int vouch_on_ask(void *arg, const struct msg *msg);

/* MSG_VOUCHED of fetch. */
int vouch_on_answer(void *arg, const struct msg *msg);

/* fetch is gone: what it was asked will not be answered. */
void vouch_lost(struct master *m);

/* Give fetch the certificates to verify servers by; again after a reload. */
void vouch_send_ca(struct master *m, struct worker *w);

#endif
