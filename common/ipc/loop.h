/*
 * The event loop of a process.
 */
#ifndef LOOP_H
#define LOOP_H

struct event_base;

/*
 * One whose timers count from when they are added. libevent's own count from
 * when the loop last woke up: after a handler that took long, or a machine that
 * looked elsewhere meanwhile, they would be over before they began.
 *
 * NULL, with errno ENOMEM, if there is no memory or no descriptor for it.
 */
struct event_base *loop_new(void);

#endif
