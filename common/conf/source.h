/*
 * Where settings come from: a file, or the literal behind `-o key=`. All of
 * it goes through scan.h before libconfig sees it.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <libconfig.h>

#include "common/conf/faults.h"

#define SOURCE_MAX (32u << 20) /* bytes of a file */

/*
 * Read a configuration file into *cfg, which is initialised in any case and
 * is the caller's to free by source_free(). A file that does not exist is a
 * fault if `must`, else empty. Refused are directories, files that others may
 * write, and what is larger than SOURCE_MAX. Returns 1 if it was read, 0 if
 * it does not exist, -1 after a fault.
 */
int source_file(config_t *cfg, const char *path, bool must, struct faults *f);

/* The same for the n bytes at text; faults name `label`. 0 or -1. */
int source_text(config_t *cfg, const char *text, size_t n, const char *label,
    struct faults *f);

/*
 * Read a value as it would stand in a file, "8080" or "( \"a\", \"b\" )",
 * into *cfg as its only member. 0, or -1 if it is no libconfig literal (*cfg
 * is then empty); never a fault. source_free() in any case.
 */
int source_literal(config_t *cfg, const char *value);

/* Make the string the only member of *cfg. 0, or -1: ENOMEM. */
int source_string(config_t *cfg, const char *value);

/* The only member. */
const config_setting_t *source_value(const config_t *cfg);

/* Wipe every string, for some are secrets, and free. */
void source_free(config_t *cfg);

#endif
