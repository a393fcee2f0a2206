/* The field of a row. */
#include "common/conf/field.h"

#include <stdlib.h>
#include <string.h>

void *
field_at(const struct schema_key *k, void *to)
{
	return (char *)to + k->offset;
}

const void *
field_in(const struct schema_key *k, const void *from)
{
	return (const char *)from + k->offset;
}

static size_t
element_size(const struct schema_key *k)
{
	switch (k->type) {
	case SCHEMA_ADDRS:
		return sizeof(struct addr);
	case SCHEMA_BLOCKS:
		return sizeof(struct addr_block);
	case SCHEMA_STRINGS:
		return sizeof(char *);
	case SCHEMA_GROUPS:
		return k->sub->size;
	default:
		return 0;
	}
}

static void
free_string(char *s)
{
	if (s != NULL)
		explicit_bzero(s, strlen(s));
	free(s);
}

/* A checked copy of the string into *copy. NULL, or what was expected. */
static const char *
copy_string(const struct schema_key *k, const char *v, size_t n, char **copy)
{
	bool list = k->type == SCHEMA_STRINGS;
	size_t max = list ? SCHEMA_TEXT_MAX : k->max;
	const char *expected = NULL;
	char *s;

	if (n < (list ? 1 : k->min))
		return "expected a string that is not empty";
	if (n > max)
		return "expected a shorter string";
	if (memchr(v, '\0', n) != NULL)
		return "expected a string without NUL";
	s = strndup(v, n);
	if (s == NULL)
		return "expected more memory";
	for (size_t i = 0; k->lowercase && i < n; i++) {
		if (s[i] >= 'A' && s[i] <= 'Z')
			s[i] = (char)(s[i] + ('a' - 'A'));
	}
	if (k->check != NULL)
		expected = k->check(s);
	if (expected != NULL)
		free_string(s);
	else
		*copy = s;
	return expected;
}

const char *
field_put_string(const struct schema_key *k, void *to, const char *v, size_t n)
{
	void *field = field_at(k, to);
	const char *expected;
	char **slot = field;
	char *s;

	if (k->type == SCHEMA_STRINGS && lists_get(field).n >= k->max)
		return "expected a shorter list";
	expected = copy_string(k, v, n, &s);
	if (expected != NULL)
		return expected;
	if (k->type != SCHEMA_STRINGS) {
		free_string(*slot);
	} else {
		slot = lists_add(field, sizeof(*slot));
		if (slot == NULL) {
			free_string(s);
			return "expected more memory";
		}
	}
	*slot = s;
	return NULL;
}

int
field_put_number(const struct schema_key *k, void *to, uint64_t v)
{
	uint64_t *number = field_at(k, to);

	if (v < k->min || v > k->max)
		return -1;
	*number = v;
	return 0;
}

void *
field_add(const struct schema_key *k, void *to)
{
	void *field = field_at(k, to);

	if (lists_get(field).n >= k->max)
		return NULL;
	return lists_add(field, element_size(k));
}

/* Free what the elements of a list point at. */
static void
free_elements(const struct schema_key *k, struct any_list l)
{
	for (size_t i = 0; i < l.n; i++) {
		if (k->type == SCHEMA_STRINGS)
			free_string(((char **)l.v)[i]);
		else if (k->type == SCHEMA_GROUPS)
			schema_free(k->sub, (char *)l.v + i * k->sub->size);
	}
}

void
field_free(const struct schema_key *k, void *to)
{
	void *field = field_at(k, to);
	char **string = field;

	switch (k->type) {
	case SCHEMA_STRING:
	case SCHEMA_FLAG_OR_STRING:
		free_string(*string);
		*string = NULL;
		break;
	case SCHEMA_BOOL:
		*(bool *)field = false;
		break;
	case SCHEMA_INT:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
	case SCHEMA_SHARE:
	case SCHEMA_CHOICE:
		*(uint64_t *)field = 0;
		break;
	case SCHEMA_ADDRS:
	case SCHEMA_BLOCKS:
	case SCHEMA_STRINGS:
	case SCHEMA_GROUPS:
		free_elements(k, lists_get(field));
		lists_clear(field);
		break;
	}
}
