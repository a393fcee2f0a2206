/* Secrets on a command line: taken out of ps's sight. */
#include "common/sys/argv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Options of our programs that take a value; -u's is id:secret. */
static const char valued[] = "fosu";

/* A key=value whose key contains one of these holds a secret. */
static const char *const secret_keys[] = { "secret", "token", "basic",
	"password", "users", "dsn", "headers", "services", "auth.url",
	"server_api" };

static void
blank(char *from, char *to)
{
	while (from < to)
		*from++ = '*';
}

/* Keep what is before the first colon. */
static void
blank_after_colon(char *s)
{
	char *colon = strchr(s, ':');

	if (colon != NULL)
		blank(colon + 1, s + strlen(s));
}

/* The end of a value: the comma before the next key, or the string's end. */
static char *
value_end(char *value)
{
	char *comma = strchr(value, ',');

	/* A secret may have commas in it: stop only where a key follows. */
	while (comma != NULL) {
		char *p = comma + 1;

		p += strspn(p, "abcdefghijklmnopqrstuvwxyz_.");
		if (p > comma + 1 && *p == '=')
			return comma;
		comma = strchr(comma + 1, ',');
	}
	return value + strlen(value);
}

static bool
is_secret_key(const char *key, size_t n)
{
	for (size_t i = 0; i < sizeof(secret_keys) / sizeof(secret_keys[0]);
	    i++)
		if (memmem(key, n, secret_keys[i], strlen(secret_keys[i])) !=
		    NULL)
			return true;
	return false;
}

/* Values of key=value, of which a service has several behind commas. */
static void
blank_values(char *s)
{
	char *key = s, *equals, *end;

	while ((equals = strchr(key, '=')) != NULL) {
		end = value_end(equals + 1);
		if (is_secret_key(key, (size_t)(equals - key)))
			blank(equals + 1, end);
		key = end;
		if (*key == '\0')
			return;
		key++;
	}
}

/* From the colon behind an id to the '@': [scheme://]id:secret@host. */
static void
blank_userinfo(char *s)
{
	char *at = strrchr(s, '@'), *scheme = strstr(s, "://"), *colon;

	if (at == NULL)
		return;
	if (scheme != NULL && scheme < at)
		s = scheme + strlen("://");
	colon = memchr(s, ':', (size_t)(at - s));
	if (colon != NULL)
		blank(colon + 1, at);
}

/*
 * If s is a group of options, find the one that takes a value: it comes last
 * and its value follows at once (*value) or is the next argument (NULL).
 */
static char
option_with_value(char *s, char **value)
{
	if (s[0] != '-' || s[1] == '-')
		return '\0';
	for (s++; *s != '\0'; s++) {
		if (strchr(valued, *s) == NULL)
			continue;
		*value = s[1] != '\0' ? s + 1 : NULL;
		return *s;
	}
	return '\0';
}

static void
blank_all(int argc, char **argv)
{
	char *value;

	for (int i = 1; i < argc; i++) {
		if (option_with_value(argv[i], &value) == 'u') {
			if (value == NULL && i + 1 < argc)
				value = argv[++i];
			if (value != NULL)
				blank_after_colon(value);
			continue;
		}
		blank_values(argv[i]);
		blank_userinfo(argv[i]);
	}
}

char **
argv_hide(int argc, char **argv)
{
	char **copy;

	copy = calloc((size_t)argc + 1, sizeof(*copy));
	if (copy != NULL) {
		for (int i = 0; i < argc; i++) {
			copy[i] = strdup(argv[i]);
			if (copy[i] == NULL) {
				argv_free(copy);
				copy = NULL;
				break;
			}
		}
	}
	blank_all(argc, argv);
	return copy;
}

void
argv_free(char **copy)
{
	if (copy == NULL)
		return;
	for (char **p = copy; *p != NULL; p++) {
		explicit_bzero(*p, strlen(*p));
		free(*p);
	}
	free(copy);
}
