/*
 * Secrets on a command line: taken out of ps's sight.
 *
 * The first thing that a main does. Between exec and this call they can be
 * seen; nothing can help that but a file.
 */
#ifndef ARGV_H
#define ARGV_H

/*
 * Copy argc strings of argv to the heap, then overwrite in argv itself, with
 * '*', every byte that may be a secret: after the colon of an option -u's
 * value; between id and '@' of an address (scheme://id:secret@host, with or
 * without scheme); the value of key=value where the key's name speaks of a
 * secret (secret, token, basic, password, users ...).
 *
 * Returns the copy, NULL-terminated, to be used instead of argv from then on
 * and given to argv_free(); or NULL with errno ENOMEM, argv blanked all the
 * same.
 */
char **argv_hide(int argc, char **argv);

/* Wipe and free a copy. NULL is allowed. */
void argv_free(char **copy);

#endif
