/*
 * Host names as they come in Host fields, CONNECT targets and authorities.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_NAME_SIZE 254 /* bytes of the longest name, terminated */

/*
 * Whether the n bytes at p can be a Host: a name of letters, digits, "-",
 * "_", "." or an IPv6 address in brackets, then maybe ":port" (1 to 65535).
 * No userinfo, blanks, commas, percent signs; not empty.
 */
bool host_valid(const char *p, size_t n);

/*
 * Lower-case the host part of such a value, without port and final dot, into
 * dst; an IPv6 address keeps its brackets. *port becomes the port, 0 if there
 * is none; port may be NULL. Returns 0, or -1 if it is no valid host: labels
 * empty or too long as well.
 */
int host_name(
    char dst[HOST_NAME_SIZE], uint16_t *port, const char *p, size_t n);

/*
 * The name of the service that such a value calls (base/service_name.h): an
 * address keeps its port, or gets `usual` (0: none yet) if it has none; a name
 * loses it. 0, or -1 as host_name().
 */
int host_called(
    char dst[HOST_NAME_SIZE], uint16_t usual, const char *p, size_t n);

/*
 * Whether two values name the same host and port; `port` is what either means
 * that names none, 0 if that is not known (then any port agrees with none).
 */
bool host_same(
    const char *a, size_t na, const char *b, size_t nb, uint16_t port);

#endif
