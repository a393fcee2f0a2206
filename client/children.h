/* What the parent's children are told, and what is done when one dies. */
#ifndef CHILDREN_H
#define CHILDREN_H

struct parent;

/*
 * Find the accounts that they live as, before any is started. 0, or -1 after
 * an error line.
 */
int children_prepare(struct parent *p);

/*
 * Start those that are always there: engine and proof. 0, or -1 after an
 * error line.
 */
int children_start(struct parent *p);

/*
 * The identities again: the configuration, or the file of the key, has
 * changed. 0, or -1 after an error line: there is one that is not to be had.
 */
int children_identify(struct parent *p);

/* The pool's settings again. */
void children_configure(struct parent *p);

#endif
