/* Checks of strings that rows of several schemas name. */
#include "common/conf/checks.h"

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/conf/dsn.h"
#include "common/conf/verifier.h"
#include "common/crypto/keytext.h"

#define ALNUM                                                  \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789"

const char *
checks_id(const char *v)
{
	char id[TEXT_LABEL_MAX + 1];

	if (text_label(id, v, strlen(v)) == 0)
		return NULL;
	return "expected letters, digits and inner hyphens, at most 63";
}

const char *
checks_domain(const char *v)
{
	char name[TEXT_NAME_MAX + 1];

	if (text_name(name, v, strlen(v)) == -1 ||
	    name[strspn(name, "0123456789.")] == '\0')
		return "expected a domain name, as \"example.com\"";
	return NULL;
}

const char *
checks_server_name(const char *v)
{
	if (checks_domain(strncmp(v, "*.", 2) == 0 ? v + 2 : v) == NULL)
		return NULL;
	return "expected a name, as \"www.example.com\" or "
	       "\"*.example.com\"";
}

const char *
checks_host(const char *v)
{
	char name[TEXT_NAME_MAX + 1];

	return text_name(name, v, strlen(v)) == 0 ? NULL : "expected a name";
}

const char *
checks_absolute(const char *v)
{
	return v[0] == '/' ? NULL : "expected an absolute path";
}

const char *
checks_url(const char *v)
{
	static const char what[] =
	    "expected a URL, as \"https://api.example.com/check\"";
	size_t n = strncmp(v, "http://", 7) == 0 ? 7
	    : strncmp(v, "https://", 8) == 0	 ? 8
						 : 0;

	if (n == 0 || strcspn(v + n, "/?") == 0)
		return what;
	for (const char *p = v; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}#", *p) != NULL)
			return what;
	return NULL;
}

const char *
checks_dsn(const char *v)
{
	struct dsn d;

	return dsn_parse(&d, v) == 0
	    ? NULL
	    : "expected a DSN, as \"https://KEY@sentry.example.com/1\"";
}

const char *
checks_level(const char *v)
{
	enum log_level level;

	if (log_level_parse(v, &level) == 0 && level != LOG_LEVEL_DISABLE)
		return NULL;
	return "expected one of trace, debug, info, warn, error, fatal";
}

const char *
checks_header(const char *v)
{
	if (v[strspn(v, ALNUM "!#$%&'*+-.^_`|~")] == '\0')
		return NULL;
	return "expected the name of a header field";
}

/* With those, which only GNU has here, matching can take for ever. */
static bool
has_back_reference(const char *v)
{
	for (; *v != '\0'; v++) {
		if (*v != '\\')
			continue;
		v++;
		if (*v >= '1' && *v <= '9')
			return true;
		if (*v == '\0')
			break;
	}
	return false;
}

/* The end of a bracket expression that begins at v ("[^]abc[:alpha:]]"). */
static const char *
skip_bracket(const char *v)
{
	v++;
	if (*v == '^')
		v++;
	if (*v == ']')
		v++;
	for (; *v != '\0' && *v != ']'; v++) {
		if (v[0] == '[' && v[1] == ':' && strstr(v + 2, ":]") != NULL)
			v = strstr(v + 2, ":]") + 1;
	}
	return v;
}

/* How often what stands before an interval at v ("{2,3}") may stand there. */
static unsigned long
interval(const char *v)
{
	char *end;
	unsigned long most = strtoul(v + 1, &end, 10), upper = 0;

	if (*end == ',')
		upper = strtoul(end + 1, NULL, 10);
	most = upper > most ? upper : most;
	return most > CHECKS_REPEAT_MAX ? CHECKS_REPEAT_MAX + 1 : most;
}

static bool
repeats_too_much(const char *v)
{
	unsigned long product = 1;

	for (; *v != '\0' && product <= CHECKS_REPEAT_MAX; v++) {
		if (*v == '\\' && v[1] != '\0')
			v++;
		else if (*v == '[')
			v = skip_bracket(v);
		else if (*v == '+')
			product *= 2;
		else if (*v == '{' && interval(v) > 1)
			product *= interval(v);
		if (*v == '\0')
			break;
	}
	return product > CHECKS_REPEAT_MAX;
}

const char *
checks_regex(const char *v)
{
	regex_t re;

	if (strlen(v) > CHECKS_REGEX_MAX || has_back_reference(v))
		return "expected at most 255 bytes without back-references";
	if (repeats_too_much(v))
		return "expected repetitions that multiply to 4096 at most";
	if (regcomp(&re, v, REG_EXTENDED | REG_NOSUB) != 0)
		return "expected an extended regular expression";
	regfree(&re);
	return NULL;
}

const char *
checks_key(const char *v)
{
	uint8_t key[KEYTEXT_KEY];

	if (keytext_decode(key, v, strlen(v)) == 0)
		return NULL;
	return "expected a key as `ptp keygen` prints it, 43 characters";
}

const char *
checks_hash(const char *v)
{
	if (verifier_check_hash(v) == 0)
		return NULL;
	return "expected a hash as `argon2 -id -e` prints it";
}

const char *
checks_word(const char *v)
{
	if (v[strspn(v, ALNUM "_-.")] == '\0')
		return NULL;
	return "expected letters, digits, \"_\", \"-\" and \".\"";
}
