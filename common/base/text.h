/*
 * Text from strangers: made printable before it reaches a log, a terminal or
 * a control socket, and names checked before they reach a table.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_PEER_MAX 256 /* bytes of a peer's text that are ever shown */
#define TEXT_ESCAPED (TEXT_PEER_MAX * 4 + 1)
#define TEXT_NAME_MAX 253 /* bytes of a full name (RFC 1035, 2.3.4) */
#define TEXT_LABEL_MAX 63 /* bytes of an id: one DNS label */

/*
 * Write the first TEXT_PEER_MAX of the n bytes at src to dst[TEXT_ESCAPED],
 * terminated, every byte outside 0x20 to 0x7e and the backslash as \xNN.
 * Returns dst.
 */
char *text_escape(char *dst, const void *src, size_t n);

/*
 * Lower-case the n bytes at src into dst[TEXT_LABEL_MAX + 1] if they are one
 * DNS label: letters, digits and inner hyphens. Returns 0, or -1.
 */
int text_label(char *dst, const char *src, size_t n);

/*
 * The same for a full name: labels (underscores allowed) with dots between,
 * at most TEXT_NAME_MAX bytes into dst[TEXT_NAME_MAX + 1]; one final dot is
 * dropped.
 */
int text_name(char *dst, const char *src, size_t n);

#endif
