/* The page for people: no script, nothing loaded, new every few seconds. */
#include <string.h>

#include "worker/report/cards.h"
#include "worker/report/figures.h"
#include "worker/report/views.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"refresh\" content=\"5\">\n"
    "<title>ptpd</title>\n<style>\n"
    ":root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--line:#e3e6ea;"
    "--dim:#667080;--good:#1f9d55;--bad:#d64545;--fair:#c98a0b;"
    "--down:#2f6fed;--up:#e0801a}\n"
    "@media(prefers-color-scheme:dark){:root{--back:#14171c;--card:#1d2128;"
    "--line:#2c323b;--dim:#96a0ae;--good:#3fc67a;--bad:#f07070;"
    "--fair:#e5b045;--down:#6c9dff;--up:#f5a44f}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:1.5rem "
    "auto;padding:0 1rem;background:var(--back);font-variant-numeric:"
    "tabular-nums}\n"
    "header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;"
    "align-items:baseline}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1rem;margin:2rem 0 .75rem}\n"
    "h3{font-size:1rem;margin:0;overflow-wrap:anywhere}p{margin:.25rem 0}\n"
    "small,header span,figcaption,footer,article p,.tiles p,dt{"
    "color:var(--dim)}small{font-size:.8rem}\n"
    ".tiles,.cards{display:grid;gap:.75rem;grid-template-columns:"
    "repeat(auto-fit,minmax(min(100%,9rem),1fr))}\n"
    ".cards{align-items:start;grid-template-columns:repeat(auto-fill,minmax("
    "min(100%,20rem),"
    "1fr))}\n"
    ".tiles>div,article,figure,.list{background:var(--card);border:1px solid "
    "var(--line);border-radius:.6rem;padding:.75rem 1rem;margin:0}\n"
    ".tiles{margin:1rem 0 .75rem}.tiles b{display:block;font-size:1.6rem;"
    "line-height:1.2}\n"
    "svg{display:block;width:100%;height:8rem}path{vector-effect:"
    "non-scaling-stroke;stroke-width:2;fill:none}\n"
    "path.area{fill:var(--down);fill-opacity:.15}path.down{stroke:"
    "var(--down)}path.up{stroke:var(--up)}\n"
    "figcaption,article p,.list{display:flex;flex-wrap:wrap;gap:.1rem 1rem}\n"
    "span.down::before{content:\"\\2193 \";color:var(--down);font-weight:700}"
    "span.up::before{content:\"\\2191 \";color:var(--up);font-weight:700}\n"
    ".state::before{content:\"\";display:inline-block;width:.6em;height:.6em;"
    "border-radius:50%;margin-right:.5em;background:var(--fair)}\n"
    ".state.here::before,.state.ready::before,.state.serving::before{"
    "background:var(--good)}.state.lost::before{background:var(--bad)}"
    ".state.away::before{background:var(--dim)}\n"
    ".bar{height:.3rem;border-radius:1rem;background:var(--line);"
    "overflow:hidden;margin:.4rem 0}.bar i{display:block;height:100%;"
    "background:var(--down)}\n"
    "article ul{list-style:none;margin:.5rem 0 0;padding:0}"
    "article li{overflow-wrap:anywhere}a{color:var(--down);"
    "text-decoration:none}a:hover{text-decoration:underline}\n"
    ".list{gap:.25rem 1.5rem}.list span{white-space:nowrap}\n"
    "meter{width:5rem;vertical-align:middle}.alarm{color:var(--bad)}\n"
    "footer{margin:2rem 0}\n"
    "</style></head><body>\n";

/* ---- the server's figures ---- */

/* The rate of late, if there is one to tell; else the total. */
static void
put_bytes_tile(struct text_out *out, struct buf row, const char *name,
    const char *text, const uint64_t *rate)
{
	text_out_printf(out, "<div><b>");
	figures_bytes(out, rate != NULL ? *rate : row_number(row, name));
	text_out_printf(out, "%s</b><p>%s", rate != NULL ? "/s" : "", text);
	if (rate != NULL) {
		text_out_printf(out, ", ");
		figures_bytes(out, row_number(row, name));
		text_out_printf(out, " in all");
	}
	text_out_printf(out, "</p></div>\n");
}

static void
put_requests_tile(struct text_out *out, struct buf row, const uint64_t *rate)
{
	text_out_printf(out, "<div><b>%llu%s</b><p>requests",
	    (unsigned long long)(rate != NULL ? *rate
					      : row_number(row, "requests")),
	    rate != NULL ? "/s" : "");
	if (rate != NULL) {
		text_out_printf(out, ", ");
		figures_number(out, row, "requests");
		text_out_printf(out, " in all");
	}
	text_out_printf(out, "</p></div>\n");
}

static void
put_tiles(struct text_out *out, struct buf row, const struct history *h)
{
	struct history_sample r = { 0 };
	bool rates = h != NULL && h->n >= 2;

	if (rates)
		r = history_rate(h, h->n - 1);
	text_out_printf(out, "<div class=\"tiles\">\n<div><b>");
	figures_number(out, row, "users");
	text_out_printf(out, "</b><p>users now, ");
	figures_number(out, row, "users_total");
	text_out_printf(out, " so far</p></div>\n");
	put_requests_tile(out, row, rates ? &r.requests : NULL);
	put_bytes_tile(out, row, "down", "to users", rates ? &r.down : NULL);
	put_bytes_tile(out, row, "up", "from users", rates ? &r.up : NULL);
	text_out_printf(out, "<div><b>");
	figures_number(out, row, "clients");
	text_out_printf(out, "</b><p>clients here</p></div>\n</div>\n");
}

/* What should not be: said only where it is. */
static void
put_alarms(struct text_out *out, struct buf row)
{
	uint64_t restarted = row_number(row, "workers_restarted");
	uint64_t away = row_number(row, "turned_away");

	if (restarted > 0)
		text_out_printf(out,
		    "<p class=\"alarm\">%llu processes had to be started "
		    "anew</p>\n",
		    (unsigned long long)restarted);
	if (away > 0)
		text_out_printf(out,
		    "<p class=\"alarm\">%llu connections were turned away for "
		    "want of descriptors</p>\n",
		    (unsigned long long)away);
}

/* ---- the rest of the server ---- */

static void
put_listener(struct text_out *out, struct buf row)
{
	text_out_printf(out, "<span>");
	figures_field(out, row, "listener");
	text_out_printf(out, " <b>");
	figures_field(out, row, "address");
	text_out_printf(out, "</b>");
	if (row_number(row, "dropped") > 0) {
		text_out_printf(out, " <small>");
		figures_number(out, row, "dropped");
		text_out_printf(out, " dropped</small>");
	}
	text_out_printf(out, "</span>\n");
}

static void
put_worker(struct text_out *out, struct buf row)
{
	text_out_printf(out, "<span class=\"state ");
	figures_field(out, row, "state");
	text_out_printf(out, "\">");
	figures_field(out, row, "role");
	text_out_printf(out, " <small>");
	if (row_number(row, "connections") > 0) {
		figures_number(out, row, "connections");
		text_out_printf(out, " connections, ");
	}
	text_out_printf(out, "for ");
	figures_seconds(out, row_number(row, "seconds"));
	text_out_printf(out, "</small></span>\n");
}

/* Bounds of the server; those of the clients are too many to look at. */
static void
put_limit(struct text_out *out, struct buf row)
{
	uint64_t used = row_number(row, "used"), most = row_number(row, "most");
	struct ctl_field client;

	if (most == 0 ||
	    (row_field(row, "client", &client) && client.kind != CTL_NULL))
		return;
	text_out_printf(out, "<span>");
	figures_field(out, row, "limit");
	text_out_printf(out,
	    " <meter max=\"%llu\" high=\"%llu\" optimum=\"0\" value=\"%llu\">"
	    "</meter> <small>%llu of %llu</small></span>\n",
	    (unsigned long long)most, (unsigned long long)(most - most / 5),
	    (unsigned long long)used, (unsigned long long)used,
	    (unsigned long long)most);
}

static void
put_list(struct text_out *out, const char *title, const struct rows *rows,
    void (*put)(struct text_out *out, struct buf row))
{
	struct buf row;
	size_t at = 0;

	text_out_printf(out, "<h2>%s</h2>\n<div class=\"list\">\n", title);
	if (rows->failed)
		text_out_printf(out, "not to be had now\n");
	while (!rows->failed && rows_next(rows, &at, &row))
		put(out, row);
	text_out_printf(out, "</div>\n");
}

/* ---- */

static void
put_header(struct text_out *out, struct buf row)
{
	text_out_printf(out, "<header><h1>ptpd</h1><span class=\"state ");
	figures_field(out, row, "state");
	text_out_printf(out, "\">");
	figures_field(out, row, "state");
	text_out_printf(out, "</span><span>for ");
	figures_seconds(out, row_number(row, "seconds"));
	text_out_printf(
	    out, "</span><span>version %s</span></header>\n", PTP_VERSION);
}

int
view_page(
    struct text_out *out, const struct answers *a, const struct view *view)
{
	const struct rows *status = &a->of[QUERY_STATUS];
	struct buf row;
	size_t at = 0;

	(void)view;
	if (status->failed || !rows_next(status, &at, &row))
		return 503;
	text_out_add(out, head, sizeof(head) - 1);
	put_header(out, row);
	put_tiles(out, row, a->history);
	figures_chart(out, a->history);
	put_alarms(out, row);
	cards_put(out, a);
	put_list(out, "Listeners", &a->of[QUERY_LISTENERS], put_listener);
	put_list(out, "Processes", &a->of[QUERY_WORKERS], put_worker);
	put_list(out, "Bounds", &a->of[QUERY_LIMITS], put_limit);
	text_out_printf(out,
	    "<footer>Read only. <a href=\"/status\">Test of the data path</a>, "
	    "<a href=\"/metrics\">metrics</a>; as ptpctl(8) shows it: "
	    "<a href=\"/show/clients\">clients</a>, "
	    "<a href=\"/show/routes\">routes</a>, "
	    "<a href=\"/show/streams\">streams</a>, "
	    "<a href=\"/show/tunnels\">tunnels</a>, "
	    "<a href=\"/show/users\">users</a>, "
	    "<a href=\"/show/limits\">limits</a></footer>\n"
	    "</body></html>\n");
	return 200;
}
