/* The records of a state file, for state.c and state_records.c alone. */
#ifndef STATE_RECORDS_H
#define STATE_RECORDS_H

#include "master/state.h"

#define STATE_FDS_MAX 7 /* descriptors that one record names */

/* Append n bytes as one record. */
void state_append(
    struct state_writer *w, enum state_type type, const void *p, size_t n);

#endif
