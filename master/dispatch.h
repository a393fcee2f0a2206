/*
 * Which frames a worker of each role may send, and who handles them; and what
 * happens to all that a worker held when it dies.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "master/workers.h"

#define DISPATCH_LOG_RATE 200 /* lines of one worker in a second */

/* For workers_new(). */
extern const struct workers_ops dispatch_ops;

#endif
