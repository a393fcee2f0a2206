/* Values of the header fields that decide about framing and connection. */
#include "common/http/value.h"

#include <strings.h>

#include "common/http/name.h"

#define LENGTH_DIGITS 18 /* 10^18 is below 2^62 */

int
value_length(struct head_view v, uint64_t *length)
{
	uint64_t sum = 0;

	if (v.n == 0 || v.n > LENGTH_DIGITS || (v.n > 1 && v.p[0] == '0'))
		return -1;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return -1;
		sum = sum * 10 + (uint64_t)(v.p[i] - '0');
	}
	*length = sum;
	return 0;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Cut the next element of a comma-separated list off *rest, without blanks
 * around it (it may be empty). Returns false at the end of the list.
 */
static bool
next_element(struct head_view *rest, struct head_view *element)
{
	size_t n = 0;

	if (rest->p == NULL)
		return false;
	while (n < rest->n && rest->p[n] != ',')
		n++;
	element->p = rest->p;
	element->n = n;
	if (n == rest->n) {
		rest->p = NULL;
	} else {
		rest->p += n + 1;
		rest->n -= n + 1;
	}
	while (element->n > 0 && blank(*element->p)) {
		element->p++;
		element->n--;
	}
	while (element->n > 0 && blank(element->p[element->n - 1]))
		element->n--;
	return true;
}

int
value_coding(struct head_view v)
{
	struct head_view coding;
	bool chunked = false;

	if (head_view_is(v, "chunked"))
		return 0;
	while (next_element(&v, &coding)) {
		if (chunked || name_judge(coding.p, coding.n) == -1)
			return -400;
		chunked = head_view_is(coding, "chunked");
	}
	return -501;
}

int
value_connection(struct head_view v, unsigned *options)
{
	struct head_view option;

	while (next_element(&v, &option)) {
		int id;

		if (option.n == 0)
			continue;
		id = name_judge(option.p, option.n);
		if (id == -1 || (HEAD_BIT(id) & NAME_PROTECTED_BITS))
			return -1;
		if (head_view_is(option, "close"))
			*options |= VALUE_CLOSE;
		else if (head_view_is(option, "keep-alive"))
			*options |= VALUE_KEEP_ALIVE;
		else if (head_view_is(option, "upgrade"))
			*options |= VALUE_UPGRADE;
	}
	return 0;
}

bool
value_upgrade(struct head_view v)
{
	struct head_view protocol;
	bool any = false;

	while (next_element(&v, &protocol)) {
		if (protocol.n == 0)
			continue;
		any = true;
		if (head_view_is(protocol, "h2c") ||
		    head_view_is(protocol, "h2") ||
		    (protocol.n >= 4 &&
			strncasecmp(protocol.p, "http", 4) == 0))
			return false;
	}
	return any;
}
