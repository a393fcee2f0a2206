/* Role api: the process and its connections. */
#include "worker/report/api.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/http/page.h"

/* One connection: a request, its answer, its end. */
struct request {
	struct deadline deadline; /* first: of the queue that it is in */
	struct api *api;
	uint32_t id;
	int fd;
	struct event readable, writable;
	const struct view *view; /* once the head is whole */
	bool head_only;
	struct gather gather;
	struct text_out out;
	size_t sent;
	bool finished; /* all is sent; the rest is discarded */
	size_t got;
	char in[API_HEAD_MAX];
};

static void
drop(struct request *r)
{
	struct api *a = r->api;

	gather_end(&r->gather);
	event_del(&r->readable);
	event_del(&r->writable);
	deadline_drop(&r->deadline);
	close(r->fd);
	text_out_free(&r->out);
	free(r);
	if (--a->held == 0)
		event_del(&a->tick);
	if (a->held == 0 && a->draining)
		event_active(&a->tick, EV_TIMEOUT, 0);
}

static void
put_answer(struct request *r)
{
	ssize_t n;

	while (r->sent < r->out.n) {
		n = send(r->fd, r->out.p + r->sent, r->out.n - r->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN) {
			event_add(&r->writable, NULL);
			return;
		}
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			drop(r);
			return;
		}
		r->sent += (size_t)n;
	}
	r->finished = true;
	shutdown(r->fd, SHUT_WR);
	deadline_drop(&r->deadline);
	deadline_set(&r->api->closing, &r->deadline, clock_us());
}

/* An error page. */
static void
refuse(struct request *r, int status)
{
	struct page page = { .status = status, .head_only = r->head_only };
	char out[PAGE_MAX];

	switch (status) {
	case 404:
		page.text = "there are /, /status, /metrics and /show/clients, "
			    "tunnels, streams, routes, users, workers, "
			    "listeners, limits";
		break;
	case 405:
		page.text = "here is nothing but to be read";
		page.fields = "Allow: GET, HEAD\r\n";
		break;
	case 503:
		page.text = "the server's tables are not to be had now";
		break;
	default:
		break;
	}
	text_out_add(&r->out, out, page_make(out, sizeof(out), &page));
	put_answer(r);
}

/* The whole answer, its body being written. */
static void
answer(struct request *r, int status, const struct text_out *body)
{
	text_out_printf(&r->out,
	    "HTTP/1.1 %d %s\r\n"
	    "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n"
	    "Content-Security-Policy: default-src 'none'; style-src "
	    "'unsafe-inline'; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Connection: close\r\n\r\n",
	    status, status == 200 ? "OK" : page_reason(status), r->view->type,
	    body->n);
	if (!r->head_only)
		text_out_add(&r->out, body->p, body->n);
	if (r->out.failed)
		drop(r);
	else
		put_answer(r);
}

static bool
is_check(const struct request *r)
{
	return r->view->asks[0] == QUERY_CHECK;
}

/* Keep what a chart is made of. */
static void
remember(struct api *a, struct answers *answers)
{
	const struct rows *figures = &answers->of[QUERY_STATUS];
	struct history_sample s = { .ms = clock_us() / 1000 };
	struct buf row;
	size_t at = 0;

	answers->history = &a->history;
	if (figures->failed || !rows_next(figures, &at, &row))
		return;
	s.up = row_number(row, "up");
	s.down = row_number(row, "down");
	s.requests = row_number(row, "requests");
	history_add(&a->history, &s);
}

/* Everything that the view needs is there. */
static void
on_gathered(void *arg)
{
	struct text_out body = { .p = NULL };
	struct request *r = arg;
	int status;

	remember(r->api, &r->gather.answers);
	status = r->view->write(&body, &r->gather.answers, r->view);
	gather_end(&r->gather);
	if (is_check(r))
		r->api->checked = status == 200 ? clock_us() : 0;
	if (body.failed || (status != 200 && body.n == 0))
		refuse(r, 503);
	else
		answer(r, status, &body);
	text_out_free(&body);
}

/* A good answer of the data path's test holds for a while. */
static bool
is_cached(struct request *r)
{
	struct api *a = r->api;
	struct answers answers = { 0 };
	struct text_out body = { .p = NULL };
	const uint8_t *fields;
	struct ctl_row row;
	size_t n;

	if (!is_check(r) || a->checked == 0 ||
	    clock_us() - a->checked > API_CACHE_MS * UINT64_C(1000))
		return false;
	ctl_row_begin(&row);
	ctl_row_str(&row, "result", "ok");
	if ((fields = ctl_row_end(&row, &n)) != NULL)
		rows_add(&answers.of[QUERY_CHECK], fields, n);
	answer(r, r->view->write(&body, &answers, r->view), &body);
	text_out_free(&body);
	answers_free(&answers);
	return true;
}

static void
serve_request(struct request *r, const struct head *h)
{
	r->head_only = h->kind == HEAD_METHOD_HEAD;
	if (h->kind != HEAD_METHOD_HEAD && !head_view_is(h->method, "GET")) {
		refuse(r, 405);
		return;
	}
	if ((r->view = views_find(h->path.p, h->path.n)) == NULL) {
		refuse(r, 404);
		return;
	}
	if (is_cached(r))
		return;
	if (r->view->asks[0] == 0) {
		on_gathered(r);
		return;
	}
	gather_begin(&r->gather, &r->api->gathering, &r->api->serve, r->id,
	    r->view->asks, on_gathered, r);
}

/* More of the head; or what comes after it, which nobody reads. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	char dropped[4096];
	struct request *r = arg;
	ssize_t n;
	int size;

	(void)what;
	if (r->view != NULL || r->finished || r->out.n > 0) {
		n = recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT);
		/* It may have ended its direction, and wait for an answer. */
		if (n == 0 && !r->finished)
			event_del(&r->readable);
		else if (n == 0 ||
		    (n == -1 && errno != EAGAIN && errno != EINTR))
			drop(r);
		return;
	}
	n = recv(fd, r->in + r->got, sizeof(r->in) - r->got, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(r);
		return;
	}
	r->got += (size_t)n;
	size =
	    head_parse_request(&r->api->head, r->in, r->got, sizeof(r->in) - 1);
	if (size < 0)
		refuse(r, -size);
	else if (size > 0)
		serve_request(r, &r->api->head);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	put_answer(arg);
}

static int
on_conn(void *arg, const struct msg *m)
{
	static const struct timeval tick = { 0, API_TICK_MS * 1000 };
	struct api *a = arg;
	struct request *r;

	if (m->fd == -1)
		return 0;
	if (a->held >= API_CONNS_MAX || (r = calloc(1, sizeof(*r))) == NULL) {
		close(m->fd);
		return 0;
	}
	r->api = a;
	r->id = m->id;
	r->fd = m->fd;
	event_assign(&r->readable, a->serve.base, m->fd, EV_READ | EV_PERSIST,
	    on_readable, r);
	event_assign(
	    &r->writable, a->serve.base, m->fd, EV_WRITE, on_writable, r);
	deadline_set(&a->waiting, &r->deadline, clock_us());
	if (a->held++ == 0)
		event_add(&a->tick, &tick);
	if (event_add(&r->readable, NULL) == -1)
		drop(r);
	return 0;
}

static int
on_query_fd(void *arg, const struct msg *m)
{
	struct api *a = arg;

	gather_answer(&a->gathering, m->id, m->fd);
	return 0;
}

static void
check_drained(struct api *a)
{
	if (!a->draining || a->held > 0)
		return;
	serve_send(&a->serve, MSG_DRAINED, 0, NULL, 0);
	event_base_loopbreak(a->serve.base);
}

static int
on_drain(void *arg, const struct msg *m)
{
	struct api *a = arg;

	(void)m;
	a->draining = true;
	check_drained(a);
	return 0;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct api *a = arg;
	uint64_t now = clock_us();
	struct deadline *d;

	(void)fd;
	(void)what;
	while ((d = deadlines_due(&a->waiting, now)) != NULL)
		drop((struct request *)d);
	while ((d = deadlines_due(&a->closing, now)) != NULL)
		drop((struct request *)d);
	check_drained(a);
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_PING] = serve_ping,
	[MSG_LEVEL] = serve_level,
	[MSG_EXIT] = serve_exit,
	[MSG_DRAIN] = on_drain,
	[MSG_API_CONN] = on_conn,
	[MSG_QUERY_FD] = on_query_fd,
};

int
api_main(const struct msg_boot *boot)
{
	struct api *a;

	if ((a = calloc(1, sizeof(*a))) == NULL || serve_init(&a->serve) == -1)
		return 2;
	LIST_INIT(&a->gathering);
	deadlines_init(&a->waiting, API_WAIT_MS * UINT64_C(1000));
	deadlines_init(&a->closing, API_LINGER_MS * UINT64_C(1000));
	event_assign(
	    &a->tick, a->serve.base, -1, EV_TIMEOUT | EV_PERSIST, on_tick, a);
	return serve_run(&a->serve, boot, handlers);
}
