/* Where events of an error service (Sentry) go: its DSN, taken apart. */
#ifndef DSN_H
#define DSN_H

#define DSN_MAX 1023 /* bytes of one */
#define DSN_KEY_MAX 127

struct dsn {
	char url[DSN_MAX + 32]; /* of envelopes */
	char key[DSN_KEY_MAX + 1];
};

/*
 * Parse "https://KEY@host[:port][/path]/PROJECT" (http:// too; a secret behind
 * the key, as old ones have it, is left out). 0, or -1.
 */
int dsn_parse(struct dsn *d, const char *s);

#endif
