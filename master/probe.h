/*
 * `ptpctl check`: what a user would see, asked of the real listeners: a page
 * of ptpd's own for a name that nobody has, and an answer through the tunnel
 * for every name that is served.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

#define PROBE_SECONDS 10    /* for one answer */
#define PROBE_NAMES_MAX 256 /* names that are asked for */

/*
 * Ask the ptpd at the control socket for its listeners and routes, then ask
 * those. Prints a row for each. Returns the exit status of ptpctl.
 */
int probe(const char *path, bool json);

#endif
