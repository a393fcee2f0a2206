/*
 * Questions to the master, one after the other: each is answered on a socket
 * of its own, in packets of the control protocol (common/ipc/ctl.h).
 */
#ifndef GATHER_H
#define GATHER_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "worker/report/rows.h"
#include "common/ipc/serve.h"

struct gather {
	LIST_ENTRY(gather) link;
	struct serve *serve;
	uint32_t id; /* of the question that is out */
	const uint8_t *asks;
	size_t at; /* of asks */
	int fd;	   /* where the answer comes; -1: not yet */
	struct event readable;
	struct answers answers;
	/* All have been answered, or have failed. */
	void (*done)(void *arg);
	void *arg;
};

LIST_HEAD(gather_list, gather);

/*
 * Ask `asks` (enum query, 0 after the last), for a connection's number. g is
 * all zero before; gather_end() may be called at any time after.
 */
void gather_begin(struct gather *g, struct gather_list *list,
    struct serve *serve, uint32_t id, const uint8_t *asks,
    void (*done)(void *arg), void *arg);

/* Forget it and free the answers. Safe on one that never began. */
void gather_end(struct gather *g);

/* MSG_QUERY_FD: where the answer to `id` comes (fd is owned; -1: lost). */
void gather_answer(struct gather_list *list, uint32_t id, int fd);

#endif
