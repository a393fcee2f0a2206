/* Prometheus metrics: names in base units, counters end in _total. */
#include <string.h>

#include "worker/report/views.h"

enum type { COUNTER, GAUGE };

/* One figure of a row. */
struct metric {
	const char *name;
	enum type type;
	const char *help;
	const char *field;  /* of the row */
	const char *labels; /* more of them, with a comma before; or "" */
};

static const struct metric of_server[] = {
	{ "ptpd_uptime_seconds", GAUGE, "Time since the start.", "seconds",
	    "" },
	{ "ptpd_clients", GAUGE, "Sessions of clients.", "clients", "" },
	{ "ptpd_connections", GAUGE,
	    "Connections of any kind, before and after their verdict.",
	    "connections", "" },
	{ "ptpd_accepted_total", COUNTER, "Connections accepted.", "accepted",
	    "" },
	{ "ptpd_turned_away_total", COUNTER,
	    "Connections refused for want of descriptors.", "turned_away", "" },
	{ "ptpd_users", GAUGE, "Connections of users.", "users", "" },
	{ "ptpd_users_total", COUNTER, "Connections of users so far.",
	    "users_total", "" },
	{ "ptpd_requests_total", COUNTER, "HTTP requests of users.", "requests",
	    "" },
	{ "ptpd_bytes_total", COUNTER,
	    "Payload of users: up is from them, down is to them.", "up",
	    "direction=\"up\"" },
	{ "ptpd_bytes_total", COUNTER, NULL, "down", "direction=\"down\"" },
	{ "ptpd_worker_restarts_total", COUNTER,
	    "Workers started anew after an end that nobody wanted.",
	    "workers_restarted", "" },
};

static const struct metric of_client[] = {
	{ "ptpd_client_tunnels", GAUGE, "Tunnels of a client.", "tunnels", "" },
	{ "ptpd_client_users", GAUGE, "Connections of a client's users.",
	    "users", "" },
	{ "ptpd_client_users_total", COUNTER,
	    "Connections of a client's users so far.", "users_total", "" },
	{ "ptpd_client_parked", GAUGE,
	    "Users that wait for a client to come back.", "parked", "" },
	{ "ptpd_client_requests_total", COUNTER,
	    "HTTP requests of a client's users.", "requests", "" },
	{ "ptpd_client_up_bytes_total", COUNTER,
	    "Payload from a client's users.", "up", "" },
	{ "ptpd_client_down_bytes_total", COUNTER,
	    "Payload to a client's users.", "down", "" },
};

static const struct metric of_worker[] = {
	{ "ptpd_worker_connections", GAUGE, "Connections that a worker holds.",
	    "connections", "" },
	{ "ptpd_worker_uptime_seconds", GAUGE, "Age of a worker.", "seconds",
	    "" },
};

static const struct metric of_limit[] = {
	{ "ptpd_limit_used", GAUGE, "How much of a bound is used.", "used",
	    "" },
	{ "ptpd_limit_most", GAUGE, "The bound.", "most", "" },
};

static void
put_head(struct text_out *out, const struct metric *m)
{
	if (m->help == NULL) /* goes on with the one before */
		return;
	text_out_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help,
	    m->name, m->type == COUNTER ? "counter" : "gauge");
}

/* A label of each line: what it is called, and from which field it comes. */
struct label {
	const char *name, *field;
};

/*
 * A label's value is printable already; a quote or backslash is escaped. One
 * that the row has not (a bound of the server belongs to no client) is left
 * out. Whether it was written.
 */
static bool
put_label(struct text_out *out, const char *between, const struct label *l,
    struct buf row)
{
	struct ctl_field f;

	if (!row_field(row, l->field, &f) || f.kind == CTL_NULL)
		return false;
	text_out_printf(out, "%s%s=", between, l->name);
	text_out_json(out, f.value, f.len);
	return true;
}

/* A figure that the row has not is not 0: it has no line. */
static void
put_line(struct text_out *out, const struct metric *m, struct buf row,
    const struct label *labels, size_t nlabels)
{
	const char *between = "{";
	struct ctl_field f;

	if (!row_field(row, m->field, &f) || f.kind != CTL_NUMBER)
		return;
	text_out_printf(out, "%s", m->name);
	for (size_t i = 0; i < nlabels; i++) {
		if (put_label(out, between, &labels[i], row))
			between = ",";
	}
	if (m->labels[0] != '\0') {
		text_out_printf(out, "%s%s", between, m->labels);
		between = ",";
	}
	text_out_printf(out, "%s %llu\n", between[0] == ',' ? "}" : "",
	    (unsigned long long)row_number(row, m->field));
}

/* Each metric with a line for every row: the lines of one name together. */
static void
put_family(struct text_out *out, const struct metric *m, size_t n,
    const struct rows *rows, const struct label *labels, size_t nlabels)
{
	struct buf row;

	for (size_t i = 0; i < n; i++) {
		size_t at = 0;

		put_head(out, &m[i]);
		while (rows_next(rows, &at, &row))
			put_line(out, &m[i], row, labels, nlabels);
	}
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
view_metrics(
    struct text_out *out, const struct answers *a, const struct view *view)
{
	static const struct label client[] = { { "client", "id" } };
	static const struct label worker[] = { { "role", "role" },
		{ "index", "index" }, { "pid", "pid" } };
	static const struct label limit[] = { { "limit", "limit" },
		{ "client", "client" } };

	for (size_t i = 0; view->asks[i] != 0; i++) {
		if (a->of[view->asks[i]].failed)
			return 503;
	}
	text_out_printf(out,
	    "# HELP ptpd_info The version that runs.\n"
	    "# TYPE ptpd_info gauge\n"
	    "ptpd_info{version=\"%s\"} 1\n",
	    PTP_VERSION);
	put_family(
	    out, of_server, COUNT(of_server), &a->of[QUERY_STATUS], NULL, 0);
	put_family(out, of_client, COUNT(of_client), &a->of[QUERY_CLIENTS],
	    client, COUNT(client));
	put_family(out, of_worker, COUNT(of_worker), &a->of[QUERY_WORKERS],
	    worker, COUNT(worker));
	put_family(out, of_limit, COUNT(of_limit), &a->of[QUERY_LIMITS], limit,
	    COUNT(limit));
	return 200;
}
