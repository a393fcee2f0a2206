/*
 * The rules on names of a configuration (limits.hosts.regex): POSIX extended
 * regular expressions, compiled once, and once for however many users.
 */
#ifndef REGEXES_H
#define REGEXES_H

#include <stdbool.h>

struct regexes;

/* An empty set. NULL: no memory. */
struct regexes *regexes_new(void);

/* NULL is allowed. */
void regexes_free(struct regexes *t);

/* Compile a rule that checks_regex() accepts. 0; -1: it does not compile. */
int regexes_add(struct regexes *t, const char *rule);

/*
 * Whether the rule, which was added, matches somewhere in the text. Without
 * back-references that takes time in proportion to the text.
 */
bool regexes_match(const struct regexes *t, const char *rule, const char *text);

#endif
