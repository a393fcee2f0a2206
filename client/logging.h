/*
 * Where the parent's log goes: its lines, and those of its children, into
 * log.file, if there is one. The parent writes itself: it moves no user's
 * bytes, so that a slow disk holds none up.
 */
#ifndef LOGGING_H
#define LOGGING_H

struct client_conf;
struct logging;

#define LOGGING_WHY 1200

/* Nothing yet. NULL: no memory. */
struct logging *logging_new(void);

/* The log is what it was without. NULL is allowed. */
void logging_free(struct logging *g);

/*
 * Open what a configuration says; used from logging_commit() on, which the
 * same configuration is given. -1 and why: nothing has changed.
 */
int logging_prepare(
    struct logging *g, const struct client_conf *c, char why[LOGGING_WHY]);
void logging_commit(struct logging *g, const struct client_conf *c);

#endif
