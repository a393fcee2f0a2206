/*
 * A look at a configuration's text before libconfig gets it: for what
 * libconfig 1.5 would silently do wrong.
 */
#ifndef SCAN_H
#define SCAN_H

#include <stddef.h>

#define SCAN_DEPTH_MAX 16 /* of nested groups and lists */

/*
 * Refuse a NUL, "@include" at the start of a line (a configuration is one
 * file: an included one would escape its checks), nesting beyond
 * SCAN_DEPTH_MAX, and integers that do not fit 32 bits, or 63 with the suffix
 * L (libconfig 1.5 cuts them off). The n bytes at text need not be
 * terminated. Returns NULL if all is well, else what was expected, and the
 * line it is on.
 */
const char *scan_text(const char *text, size_t n, unsigned int *line);

#endif
