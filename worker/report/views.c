/* What can be read over HTTP, and as JSON. */
#include "worker/report/views.h"

#include <string.h>

#define JSON "application/json"
#define PLAIN "text/plain; version=0.0.4; charset=utf-8"

static void
put_row(struct text_out *out, struct buf row)
{
	struct ctl_field f;
	bool first = true;

	text_out_printf(out, "{");
	while (ctl_row_next(&row, &f) == 1) {
		text_out_printf(out, "%s", first ? "" : ", ");
		first = false;
		text_out_json(out, f.name, f.namelen);
		text_out_printf(out, ": ");
		if (f.kind == CTL_STRING)
			text_out_json(out, f.value, f.len);
		else if (f.kind == CTL_NULL)
			text_out_printf(out, "null");
		else
			text_out_add(out, f.value, f.len);
	}
	text_out_printf(out, "}");
}

static int
view_rows(
    struct text_out *out, const struct answers *a, const struct view *view)
{
	const struct rows *r = &a->of[view->asks[0]];
	bool first = true;
	struct buf row;
	size_t at = 0;

	if (r->failed)
		return 503;
	text_out_printf(out, "[");
	while (rows_next(r, &at, &row)) {
		text_out_printf(out, "%s\n", first ? "" : ",");
		first = false;
		put_row(out, row);
	}
	text_out_printf(out, "\n]\n");
	return 200;
}

/* {"status": "ok", "version": ...}; not ok: 503, and why. */
static int
view_status(
    struct text_out *out, const struct answers *a, const struct view *view)
{
	const struct rows *r = &a->of[QUERY_CHECK];
	struct ctl_field why;
	struct buf row;
	size_t at = 0;
	bool ok;

	(void)view;
	if (!rows_next(r, &at, &row))
		buf_read(&row, "", 0);
	ok = !r->failed && row_is(row, "result", "ok");
	text_out_printf(out, "{\"status\": \"%s\", \"version\": \"%s\"",
	    ok ? "ok" : "failed", PTP_VERSION);
	if (!ok) {
		text_out_printf(out, ", \"reason\": ");
		if (row_field(row, "result", &why))
			text_out_json(out, why.value, why.len);
		else
			text_out_printf(out, "\"ptpd did not answer\"");
	}
	text_out_printf(out, "}\n");
	return ok ? 200 : 503;
}

/* What a user gets through the data path, when it is tested. */
static int
view_answer(
    struct text_out *out, const struct answers *a, const struct view *view)
{
	(void)a;
	(void)view;
	text_out_printf(out, "ok\n");
	return 200;
}

static const struct view views[] = {
	{ "/", "text/html; charset=utf-8",
	    { QUERY_STATUS, QUERY_LISTENERS, QUERY_CLIENTS, QUERY_ROUTES,
		QUERY_WORKERS, QUERY_LIMITS },
	    view_page },
	{ "/status", JSON, { QUERY_CHECK }, view_status },
	{ "/status/answer", "text/plain", { 0 }, view_answer },
	{ "/metrics", PLAIN,
	    { QUERY_STATUS, QUERY_CLIENTS, QUERY_WORKERS, QUERY_LIMITS },
	    view_metrics },
	{ "/show/status", JSON, { QUERY_STATUS }, view_rows },
	{ "/show/clients", JSON, { QUERY_CLIENTS }, view_rows },
	{ "/show/tunnels", JSON, { QUERY_TUNNELS }, view_rows },
	{ "/show/streams", JSON, { QUERY_STREAMS }, view_rows },
	{ "/show/routes", JSON, { QUERY_ROUTES }, view_rows },
	{ "/show/users", JSON, { QUERY_USERS }, view_rows },
	{ "/show/workers", JSON, { QUERY_WORKERS }, view_rows },
	{ "/show/listeners", JSON, { QUERY_LISTENERS }, view_rows },
	{ "/show/limits", JSON, { QUERY_LIMITS }, view_rows },
};

const struct view *
views_find(const char *path, size_t n)
{
	const char *question = memchr(path, '?', n);

	if (question != NULL)
		n = (size_t)(question - path);
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (strlen(views[i].path) == n &&
		    memcmp(views[i].path, path, n) == 0)
			return &views[i];
	}
	return NULL;
}
