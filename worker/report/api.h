/*
 * Role api: answers read-only HTTP requests of whoever runs the server, from
 * what the master tells it about its tables.
 *
 *	api	 the process and its connections, a request each
 *	gather	 the questions to the master that a request takes
 *	views	 which path is what; metrics, page: how it is written
 *	history	 how the figures went, for the page's chart
 */
#ifndef API_H
#define API_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/deadline.h"
#include "common/http/head.h"
#include "worker/report/gather.h"
#include "worker/report/history.h"
#include "worker/report/text_out.h"
#include "worker/report/views.h"
#include "common/ipc/serve.h"

#define API_CONNS_MAX 64  /* at a time; more are closed at once */
#define API_HEAD_MAX 8192 /* bytes of a request's head */
#define API_WAIT_MS 15000 /* for a head, for the master, for the reader */
#define API_LINGER_MS 2000
#define API_CACHE_MS 15000 /* a good answer of /status is good so long */
#define API_TICK_MS 500

struct api {
	struct serve serve; /* first: the common handlers' arg */
	size_t held;
	bool draining;
	struct deadlines waiting, closing;
	struct event tick; /* pending while anything is held */
	struct gather_list gathering;
	struct history history;
	uint64_t checked; /* when /status was well, us; 0: not lately */
	struct head head; /* scratch, between two calls of ours */
};

/* Process of the role. Returns its exit status. */
int api_main(const struct msg_boot *boot);

#endif
