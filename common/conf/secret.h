/*
 * Secrets as a configuration gives them: the secret itself, or "@FILE" for
 * the first line of a file, so that it need not stand on a command line.
 */
#ifndef SECRET_H
#define SECRET_H

#define SECRET_MAX 255 /* bytes of a secret: LOGIN_SECRET_MAX */
#define SECRET_WHY 128 /* bytes of a reason */

/*
 * Replace the secret that *secret owns, if it begins with "@", by what the
 * file holds: 1 to SECRET_MAX bytes without NUL or newline, but for one
 * newline at the end, which is dropped. The old string is wiped. 0, or -1 and
 * why (not which file: maybe it is a secret), *secret as it was.
 */
int secret_resolve(char **secret, char why[SECRET_WHY]);

/*
 * The secret of a file into dst[SECRET_MAX + 1], the same way. NULL, or what
 * went wrong (valid until the next call).
 */
const char *secret_read(char dst[SECRET_MAX + 1], const char *path);

#endif
