/* The rules on names of a configuration. */
#include "master/regexes.h"

#include <regex.h>
#include <stdlib.h>

#include "common/conf/checks.h"
#include "master/map.h"

struct regexes {
	struct map *rules; /* text: regex_t */
};

struct regexes *
regexes_new(void)
{
	struct regexes *t;

	_Static_assert(CHECKS_REGEX_MAX <= MAP_KEY_MAX, "a rule is a key");
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	if ((t->rules = map_new()) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

static void
drop(void *arg, void *value)
{
	(void)arg;
	regfree(value);
	free(value);
}

void
regexes_free(struct regexes *t)
{
	if (t == NULL)
		return;
	map_each(t->rules, drop, NULL);
	map_free(t->rules);
	free(t);
}

int
regexes_add(struct regexes *t, const char *rule)
{
	regex_t *re;

	if (map_gets(t->rules, rule) != NULL)
		return 0;
	if ((re = malloc(sizeof(*re))) == NULL)
		return -1;
	if (regcomp(re, rule, REG_EXTENDED | REG_NOSUB) != 0) {
		free(re);
		return -1;
	}
	if (map_puts(t->rules, rule, re) == -1) {
		drop(NULL, re);
		return -1;
	}
	return 0;
}

bool
regexes_match(const struct regexes *t, const char *rule, const char *text)
{
	const regex_t *re = map_gets(t->rules, rule);

	return re != NULL && regexec(re, text, 0, NULL, 0) == 0;
}
