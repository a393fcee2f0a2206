/* The page for people: no script, nothing loaded, new every few seconds. */
#include <string.h>

#include "worker/report/views.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"refresh\" content=\"5\">\n"
    "<title>ptpd</title>\n<style>\n"
    ":root{color-scheme:light dark;--line:#8883;--dim:#888;--good:#2a9d4a;"
    "--bad:#d33}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;"
    "padding:0 1rem}\n"
    "h1{font-size:1.4rem;margin:0}h2{font-size:1rem;margin:2rem 0 .5rem}\n"
    "header{display:flex;gap:.75rem;align-items:baseline}\n"
    "header span,footer{color:var(--dim)}footer{margin:2rem 0}\n"
    ".figures{display:grid;gap:.75rem;margin-top:1rem;"
    "grid-template-columns:repeat(auto-fill,minmax(9rem,1fr))}\n"
    ".figures div{border:1px solid var(--line);border-radius:.5rem;"
    "padding:.5rem .75rem}\n"
    ".figures b{display:block;font-size:1.35rem;font-variant-numeric:"
    "tabular-nums}\n"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}\n"
    "th{text-align:left;font-weight:600;color:var(--dim);white-space:nowrap}\n"
    "th,td{padding:.25rem .75rem .25rem 0;border-bottom:1px solid "
    "var(--line)}\n"
    ".n{text-align:right}td.here{color:var(--good)}td.away,td.lost{"
    "color:var(--bad)}\n"
    "</style></head><body>\n";

/* A number as people read it: 1536 -> 1.5 K, by 1024 for bytes. */
static void
put_bytes(struct text_out *out, uint64_t v)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB",
		"PiB" };
	double d = (double)v;
	size_t unit = 0;

	while (d >= 1024 && unit < 5) {
		d /= 1024;
		unit++;
	}
	text_out_printf(out, unit == 0 ? "%.0f %s" : "%.1f %s", d, units[unit]);
}

static void
put_time(struct text_out *out, uint64_t s)
{
	if (s >= 86400)
		text_out_printf(out, "%llu d %llu h",
		    (unsigned long long)(s / 86400),
		    (unsigned long long)(s % 86400 / 3600));
	else if (s >= 3600)
		text_out_printf(out, "%llu h %llu min",
		    (unsigned long long)(s / 3600),
		    (unsigned long long)(s % 3600 / 60));
	else if (s >= 60)
		text_out_printf(out, "%llu min", (unsigned long long)(s / 60));
	else
		text_out_printf(out, "%llu s", (unsigned long long)s);
}

static bool
is_named(const struct ctl_field *f, const char *name)
{
	return f->namelen == strlen(name) &&
	    memcmp(f->name, name, f->namelen) == 0;
}

/* Field names that are bytes, and those that are seconds. */
static bool
is_bytes(const struct ctl_field *f)
{
	return is_named(f, "up") || is_named(f, "down") || is_named(f, "speed");
}

static uint64_t
number_of(const struct ctl_field *f)
{
	uint64_t v = 0;

	for (size_t i = 0; i < f->len; i++)
		v = v * 10 + (uint64_t)(f->value[i] - '0');
	return v;
}

static void
put_value(struct text_out *out, const struct ctl_field *f)
{
	if (f->kind == CTL_NULL)
		text_out_printf(out, "&ndash;");
	else if (f->kind == CTL_NUMBER && is_bytes(f))
		put_bytes(out, number_of(f));
	else if (f->kind == CTL_NUMBER && is_named(f, "seconds"))
		put_time(out, number_of(f));
	else
		text_out_html(out, f->value, f->len);
}

/* "users_total" is shown as "users total". */
static void
put_name(struct text_out *out, const struct ctl_field *f)
{
	for (size_t i = 0; i < f->namelen; i++) {
		char c = f->name[i] == '_' ? ' ' : f->name[i];

		text_out_html(out, &c, 1);
	}
}

static void
put_cell(struct text_out *out, const struct ctl_field *f)
{
	const char *class = f->kind == CTL_NUMBER ? "n" : "";

	if (is_named(f, "state") && f->len == 4)
		class = memcmp(f->value, "here", 4) == 0 ? "here"
		    : memcmp(f->value, "away", 4) == 0	 ? "away"
		    : memcmp(f->value, "lost", 4) == 0	 ? "lost"
							 : "";
	text_out_printf(out, "<td class=\"%s\">", class);
	put_value(out, f);
	text_out_printf(out, "</td>");
}

static void
put_table(struct text_out *out, const char *title, const struct rows *rows)
{
	struct ctl_field f;
	struct buf row, names;
	size_t at = 0;

	text_out_printf(out, "<h2>%s</h2>\n", title);
	if (rows->failed || !rows_next(rows, &at, &row)) {
		text_out_printf(out, "<p>%s</p>\n",
		    rows->failed ? "not to be had now" : "none");
		return;
	}
	text_out_printf(out, "<div class=\"wide\"><table><tr>");
	names = row;
	while (ctl_row_next(&names, &f) == 1) {
		text_out_printf(
		    out, "<th class=\"%s\">", f.kind == CTL_NUMBER ? "n" : "");
		put_name(out, &f);
		text_out_printf(out, "</th>");
	}
	do {
		text_out_printf(out, "</tr>\n<tr>");
		while (ctl_row_next(&row, &f) == 1)
			put_cell(out, &f);
	} while (rows_next(rows, &at, &row));
	text_out_printf(out, "</tr></table></div>\n");
}

static void
put_figures(struct text_out *out, struct buf row)
{
	struct ctl_field f;

	text_out_printf(out, "<div class=\"figures\">\n");
	while (ctl_row_next(&row, &f) == 1) {
		if (is_named(&f, "version") || is_named(&f, "pid") ||
		    is_named(&f, "state"))
			continue;
		text_out_printf(out, "<div><b>");
		put_value(out, &f);
		text_out_printf(out, "</b>");
		if (is_named(&f, "seconds"))
			text_out_printf(out, "up time");
		else if (is_named(&f, "up"))
			text_out_printf(out, "from users");
		else if (is_named(&f, "down"))
			text_out_printf(out, "to users");
		else
			put_name(out, &f);
		text_out_printf(out, "</div>\n");
	}
	text_out_printf(out, "</div>\n");
}

int
view_page(
    struct text_out *out, const struct answers *a, const struct view *view)
{
	const struct rows *status = &a->of[QUERY_STATUS];
	struct ctl_field state;
	struct buf row;
	size_t at = 0;

	(void)view;
	if (status->failed || !rows_next(status, &at, &row))
		return 503;
	text_out_add(out, head, sizeof(head) - 1);
	text_out_printf(out, "<header><h1>ptpd</h1><span>%s, ", PTP_VERSION);
	if (row_field(row, "state", &state))
		text_out_html(out, state.value, state.len);
	text_out_printf(out, "</span></header>\n");
	put_figures(out, row);
	put_table(out, "Clients", &a->of[QUERY_CLIENTS]);
	put_table(out, "Names and ports", &a->of[QUERY_ROUTES]);
	put_table(out, "Listeners", &a->of[QUERY_LISTENERS]);
	put_table(out, "Processes", &a->of[QUERY_WORKERS]);
	put_table(out, "Bounds", &a->of[QUERY_LIMITS]);
	text_out_printf(out,
	    "<footer>Read only. For programs: /status, /metrics, "
	    "/show/clients and the other tables of ptpctl(8).</footer>\n"
	    "</body></html>\n");
	return 200;
}
