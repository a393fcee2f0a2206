/*
 * The configuration is read by a child that lives only for that: the public
 * part comes back in frames, faults as text, and what proves users goes
 * through a descriptor that the master never reads but passes to `auth`.
 */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "master/certs.h"
#include "master/conf.h"
#include "master/master.h"

#define PARSE_TEXT_MAX 65536 /* bytes of faults that are kept */
#define PARSE_SECONDS 60     /* that a child may live */

struct parses;

struct parse_result {
	bool ok;
	struct server_conf conf;  /* if ok; the receiver's */
	int users_fd;		  /* verifiers, for MSG_USERS; or -1 */
	struct certs_files files; /* if ok; the receiver's */
	const char *text;	  /* faults and warnings, a line each; "" */
};

typedef void (*parse_fn)(void *arg, struct parse_result *r);

/* For struct master: the children that live. */
struct parses *parses_new(struct master *m);
void parses_free(struct parses *ps);

/*
 * Start one. fn is called once, from the loop. `reload`: not the first time.
 * -1 with errno.
 */
int parse_start(struct master *m, bool reload, parse_fn fn, void *arg);

/* Nobody wants the result for `arg` any more. */
void parse_forget(struct master *m, const void *arg);

/* For SIGCHLD. */
void parses_reap(struct parses *ps);

#endif
