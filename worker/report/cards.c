/* The clients as cards. */
#include "worker/report/cards.h"

#include <stdlib.h>
#include <string.h>

#include "worker/report/figures.h"

/* Ports at which users come in, as a browser needs them; 0: there is none. */
struct ways {
	uint64_t http, tls, sni;
};

/* A client that may get a card. */
struct card {
	struct buf row;
	uint64_t bytes;
};

static struct ways
find_ways(const struct rows *listeners)
{
	struct ways ways = { 0 };
	struct buf row;
	size_t at = 0;

	while (rows_next(listeners, &at, &row)) {
		uint64_t port = row_number(row, "port");

		if (ways.http == 0 && row_is(row, "listener", "http"))
			ways.http = port;
		else if (ways.tls == 0 && row_is(row, "listener", "tls"))
			ways.tls = port;
		else if (ways.sni == 0 && row_is(row, "listener", "sni"))
			ways.sni = port;
	}
	return ways;
}

/* The beginning of a link, if a browser can follow it. Whether it can. */
static bool
put_link(struct text_out *out, struct buf route, const struct ways *ways)
{
	bool sni = row_is(route, "table", "sni");
	bool tls = sni || ways->tls != 0;
	uint64_t port = sni ? ways->sni : tls ? ways->tls : ways->http;
	struct ctl_field host;

	/* Names that only a server of names knows, and no patterns. */
	if (port == 0 || !row_field(route, "host", &host) ||
	    memchr(host.value, '.', host.len) == NULL ||
	    !(row_is(route, "kind", "label") || row_is(route, "kind", "full")))
		return false;
	text_out_printf(
	    out, "<a rel=\"noreferrer\" href=\"http%s://", tls ? "s" : "");
	text_out_html(out, host.value, host.len);
	if (port != (tls ? 443 : 80))
		text_out_printf(out, ":%llu", (unsigned long long)port);
	text_out_printf(out, "/\">");
	return true;
}

static void
put_name(struct text_out *out, struct buf route, const struct ways *ways)
{
	bool port =
	    row_is(route, "kind", "tcp") || row_is(route, "kind", "udp");
	struct ctl_field f;
	bool link;

	text_out_printf(out, "<li>");
	link = put_link(out, route, ways);
	if (port) {
		figures_field(out, route, "kind");
		text_out_printf(out, " ");
	}
	figures_field(out, route, port ? "name" : "host");
	text_out_printf(out, link ? "</a>" : "");
	if (row_is(route, "table", "sni"))
		text_out_printf(out, " <small>by server name</small>");
	if (row_field(route, "gates", &f) && f.kind == CTL_STRING) {
		text_out_printf(out, " <small>");
		text_out_html(out, f.value, f.len);
		text_out_printf(out, "</small>");
	}
	text_out_printf(out, "</li>");
}

static void
put_names(struct text_out *out, const struct answers *a,
    const struct ctl_field *id, const struct ways *ways)
{
	const struct rows *routes = &a->of[QUERY_ROUTES];
	struct ctl_field f;
	size_t at = 0, n = 0;
	struct buf row;

	if (routes->failed) {
		text_out_printf(out, "<p>names: not to be had now</p>");
		return;
	}
	text_out_printf(out, "<ul>");
	while (rows_next(routes, &at, &row)) {
		if (!row_field(row, "client", &f) || f.len != id->len ||
		    memcmp(f.value, id->value, f.len) != 0)
			continue;
		if (++n <= CARDS_NAMES_MAX)
			put_name(out, row, ways);
	}
	if (n > CARDS_NAMES_MAX)
		text_out_printf(
		    out, "<li>and %zu more</li>", n - CARDS_NAMES_MAX);
	text_out_printf(out, "</ul>\n");
}

static void
put_count(struct text_out *out, uint64_t n, const char *what)
{
	text_out_printf(out, "<span>%llu %s%s</span> ", (unsigned long long)n,
	    what, n == 1 ? "" : "s");
}

static void
put_card(struct text_out *out, const struct answers *a, const struct card *card,
    const struct ways *ways, uint64_t most)
{
	const struct buf row = card->row;
	struct ctl_field id;

	if (!row_field(row, "id", &id))
		return;
	text_out_printf(out, "<article><h3 class=\"state ");
	figures_field(out, row, "state");
	text_out_printf(out, "\">");
	text_out_html(out, id.value, id.len);
	text_out_printf(out, "</h3><p>");
	if (row_is(row, "state", "here")) {
		text_out_printf(out, "<span>for ");
		figures_seconds(out, row_number(row, "seconds"));
		text_out_printf(out, "</span> ");
	} else {
		text_out_printf(out, "<span>");
		figures_field(out, row, "state");
		text_out_printf(out, "</span> ");
	}
	put_count(out, row_number(row, "users"), "user");
	put_count(out, row_number(row, "tunnels"), "tunnel");
	put_count(out, row_number(row, "requests"), "request");
	text_out_printf(out,
	    "</p>\n<p class=\"bar\"><i style=\"width:%llu%%\">"
	    "</i></p><p><span class=\"down\">",
	    (unsigned long long)(most == 0 ? 0 : card->bytes * 100 / most));
	figures_bytes(out, row_number(row, "down"));
	text_out_printf(out, "</span> <span class=\"up\">");
	figures_bytes(out, row_number(row, "up"));
	text_out_printf(out, "</span>");
	if (row_number(row, "speed") != 0) {
		text_out_printf(out, " <span>at most ");
		figures_bytes(out, row_number(row, "speed"));
		text_out_printf(out, "/s</span>");
	}
	text_out_printf(out, "</p>\n");
	put_names(out, a, &id, ways);
	text_out_printf(out, "</article>\n");
}

/* Who moved most comes first; among equals, as the master has them. */
static int
compare(const void *one, const void *other)
{
	const struct card *a = one, *b = other;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return (a->row.p > b->row.p) - (a->row.p < b->row.p);
}

/* The clients that get a card, sorted; *n of them all. NULL: none. */
static struct card *
collect(const struct rows *clients, size_t *n)
{
	struct card *cards = NULL;
	struct buf row;
	size_t at = 0;

	*n = 0;
	while (rows_next(clients, &at, &row))
		++*n;
	if (*n == 0 || (cards = calloc(*n, sizeof(*cards))) == NULL)
		return NULL;
	at = 0;
	for (size_t i = 0; i < *n && rows_next(clients, &at, &row); i++) {
		cards[i].row = row;
		cards[i].bytes =
		    row_number(row, "up") + row_number(row, "down");
	}
	qsort(cards, *n, sizeof(*cards), compare);
	return cards;
}

void
cards_put(struct text_out *out, const struct answers *a)
{
	const struct rows *clients = &a->of[QUERY_CLIENTS];
	const struct ways ways = find_ways(&a->of[QUERY_LISTENERS]);
	struct card *cards;
	size_t n;

	text_out_printf(out, "<h2>Clients</h2>\n");
	cards = collect(clients, &n);
	if (clients->failed || (n > 0 && cards == NULL))
		text_out_printf(out, "<p>not to be had now</p>\n");
	else if (n == 0)
		text_out_printf(out, "<p>none is here</p>\n");
	text_out_printf(out, "<div class=\"cards\">\n");
	for (size_t i = 0; cards != NULL && i < n && i < CARDS_MAX; i++)
		put_card(out, a, &cards[i], &ways, cards[0].bytes);
	text_out_printf(out, "</div>\n");
	if (n > CARDS_MAX)
		text_out_printf(out,
		    "<p>and %zu more: <a href=\"/show/clients\">all</a></p>\n",
		    n - CARDS_MAX);
	free(cards);
}
