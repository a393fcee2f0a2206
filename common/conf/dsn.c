/* Where events go. */
#include "common/conf/dsn.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD                                                   \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789"

/* Whether the n bytes at s are such characters, and some. */
static bool
only(const char *s, size_t n, const char *these)
{
	return n > 0 && strspn(s, these) >= n;
}

int
dsn_parse(struct dsn *d, const char *s)
{
	const char *key, *host, *slash, *project, *colon;
	size_t scheme, keylen;

	if (strlen(s) > DSN_MAX)
		return -1;
	if (strncmp(s, "https://", 8) == 0)
		scheme = 8;
	else if (strncmp(s, "http://", 7) == 0)
		scheme = 7;
	else
		return -1;
	key = s + scheme;
	if ((host = strchr(key, '@')) == NULL)
		return -1;
	keylen = (size_t)(host - key);
	if ((colon = memchr(key, ':', keylen)) != NULL)
		keylen = (size_t)(colon - key);
	host++;
	slash = strchr(host, '/');
	project = strrchr(s, '/') + 1;
	if (slash == NULL || keylen > DSN_KEY_MAX || !only(key, keylen, WORD) ||
	    !only(host, (size_t)(slash - host), WORD "-._:[]") ||
	    !only(slash, strlen(slash), WORD "-._~/") ||
	    !only(project, strlen(project), WORD "-_"))
		return -1;
	memcpy(d->key, key, keylen);
	d->key[keylen] = '\0';
	snprintf(d->url, sizeof(d->url), "%.*s%.*sapi/%s/envelope/",
	    (int)scheme, s, (int)(project - host), host, project);
	return 0;
}
