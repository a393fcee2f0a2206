/* A connection that belongs nowhere. */
#include "worker/edge/answer.h"

#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/http/page.h"
#include "worker/edge/redirect.h"

static void
close_now(struct edge *e, uint32_t id, int fd, enum msg_end end)
{
	uint8_t p[17];
	struct buf b;

	close(fd);
	buf_write(&b, p, sizeof(p));
	buf_put_u8(&b, (uint8_t)end);
	/* Bytes are counted where they belong to a client: nowhere here. */
	buf_put_u64(&b, 0);
	buf_put_u64(&b, 0);
	serve_send(&e->serve, MSG_CLOSED, id, p, sizeof(p));
}

/*
 * Discard what the peer sends, counting in *seen; what is too much stays where
 * it is. 1: it is over; 0: wait.
 */
static int
discard(struct edge *e, int fd, uint32_t *seen, enum msg_end *end)
{
	ssize_t n = 1;

	*end = END_REFUSED;
	while (n > 0 && *seen <= ANSWER_DISCARD_MAX) {
		n = recv(fd, e->bytes, sizeof(e->bytes), MSG_DONTWAIT);
		if (n > 0)
			*seen += (uint32_t)n;
	}
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		*end = END_RESET;
		return 1;
	}
	return edge_is_over(fd);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct edge_conn *c = arg;
	struct edge *e = c->edge;
	uint32_t id = c->id;
	enum msg_end end;

	(void)what;
	if (discard(e, fd, &c->seen, &end) == 1)
		close_now(e, id, edge_release(c), end);
}

uint8_t
answer_alert(uint16_t status)
{
	if (status == 404)
		return ALERT_UNRECOGNIZED_NAME; /* RFC 6066, 3 */
	return status == 403 ? ALERT_ACCESS_DENIED : ALERT_INTERNAL_ERROR;
}

/* One line for who runs the server: the master bounds how many. */
static void
log_answer(const struct answer *a, const char *name)
{
	char text[ADDR_TEXT];

	addr_format(text, &a->peer);
	if (a->alert != 0)
		log_info("%s: alert %u %s", text, a->alert,
		    hello_alert_text((enum hello_alert)a->alert));
	else
		log_info("%s: %d %s%s%s", text, a->status,
		    page_reason(a->status), name != NULL ? ": " : "",
		    name != NULL ? name : "");
}

/* A fresh socket takes that much; if it does not, its peer is gone. */
static int
send_whole(int fd, const void *p, size_t n)
{
	return send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n ? 0
									 : -1;
}

/* What the request wants to be told, as far as it can be read. */
static int
send_page(struct edge *e, int fd, const struct answer *a, size_t n)
{
	struct page page = { .status = a->status, .text = a->text };
	char name[HOST_NAME_SIZE], out[PAGE_MAX];
	bool whole;

	whole = n > a->skip &&
	    head_parse_request(&e->head, (const char *)e->bytes + a->skip,
		n - a->skip, e->rules.head_max) > 0;
	if (whole && a->status == 308)
		return redirect_send(fd, &e->head, a->https);
	if (whole) {
		page.json = page_wants_json(&e->head);
		page.head_only = e->head.kind == HEAD_METHOD_HEAD;
		if (a->text == NULL &&
		    verdict_name(name, &e->head, &e->rules) == 0)
			page.name = name;
	}
	log_answer(a, page.name);
	n = page_make(out, sizeof(out), &page);
	return send_whole(fd, out, n);
}

/* Say it, n bytes having come. -1: it did not go. */
static int
say(struct edge *e, int fd, const struct answer *a, size_t n)
{
	uint8_t out[PREFACE_RANGE + HELLO_ALERT];
	char peer[ADDR_TEXT];

	if (a->range) {
		log_info("%s: it speaks no version of the tunnel protocol that "
			 "we do",
		    addr_format(peer, &a->peer));
		preface_range(out);
		return send_whole(fd, out, PREFACE_RANGE);
	}
	if (a->alert != 0) {
		log_answer(a, NULL);
		hello_alert(out, (enum hello_alert)a->alert);
		return send_whole(fd, out, HELLO_ALERT);
	}
	return send_page(e, fd, a, n);
}

void
answer_begin(struct edge *e, uint32_t id, int fd, const struct answer *a)
{
	enum msg_end end = END_REFUSED;
	struct edge_conn *c = NULL;
	uint32_t seen = 0;
	ssize_t n;

	n = recv(fd, e->bytes, a->skip + verdict_bytes(&e->rules, 0) - 1,
	    MSG_DONTWAIT);
	if (say(e, fd, a, n > 0 ? (size_t)n : 0) == -1 ||
	    shutdown(fd, SHUT_WR) == -1)
		end = END_RESET;
	else if (discard(e, fd, &seen, &end) == 0)
		c = edge_hold(e, id, fd, &e->closing, on_event);
	if (c != NULL)
		c->seen = seen;
	else
		close_now(e, id, fd, end);
}

void
answer_expired(struct edge_conn *c)
{
	struct edge *e = c->edge;
	uint32_t id = c->id;

	close_now(e, id, edge_release(c), END_REFUSED);
}
