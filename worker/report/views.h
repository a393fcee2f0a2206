/*
 * What can be read over HTTP: which questions a path takes, and how the
 * answers are written. Pure: no I/O.
 *
 *	/		a page for people, without scripts
 *	/status		the data path's own test, as JSON
 *	/status/answer	what that test fetches: "ok"
 *	/metrics	Prometheus text format 0.0.4
 *	/show/WHAT	what `ptpctl -j show WHAT` prints
 */
#ifndef VIEWS_H
#define VIEWS_H

#include "worker/report/rows.h"
#include "worker/report/text_out.h"

struct view {
	const char *path;
	const char *type;	   /* Content-Type */
	uint8_t asks[QUERY_COUNT]; /* enum query; 0 after the last */
	/* Write the body; returns the HTTP status. */
	int (*write)(struct text_out *out, const struct answers *a,
	    const struct view *view);
};

/* The view of a path of n bytes, whatever follows a '?'; NULL: none. */
const struct view *views_find(const char *path, size_t n);

/* views.c has the table and JSON; these have files of their own. */
int view_metrics(
    struct text_out *out, const struct answers *a, const struct view *view);
int view_page(
    struct text_out *out, const struct answers *a, const struct view *view);

#endif
