/* A connection that belongs nowhere. */
#include "worker/edge/answer.h"

#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/http/page.h"

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
 * Discard what the peer sends, counting in *seen. 1: it is over, or too much;
 * 0: wait.
 */
static int
discard(struct edge *e, int fd, uint32_t *seen, enum msg_end *end)
{
	ssize_t n;

	*end = END_REFUSED;
	while ((n = recv(fd, e->bytes, sizeof(e->bytes), MSG_DONTWAIT)) > 0) {
		*seen += (uint32_t)n;
		if (*seen > ANSWER_DISCARD_MAX)
			return 1;
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

/* One line for who runs the server: the master bounds how many. */
static void
log_answer(int fd, int status, const char *name)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct addr peer = { .family = ADDR_ANY };
	char text[ADDR_TEXT];

	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		addr_from_sockaddr(&peer, (struct sockaddr *)&ss, len);
	log_info("%s: %d %s%s%s", addr_format(text, &peer), status,
	    page_reason(status), name != NULL ? ": " : "",
	    name != NULL ? name : "");
}

/* What the request wants to be told, as far as it can be read. */
static size_t
make_page(struct edge *e, int fd, const struct answer *a, size_t n,
    char out[PAGE_MAX])
{
	struct page page = { .status = a->status, .text = a->text };
	char name[HOST_NAME_SIZE];

	if (n > 0 &&
	    head_parse_request(
		&e->head, (const char *)e->bytes, n, e->rules.head_max) > 0) {
		page.json = page_wants_json(&e->head);
		page.head_only = e->head.kind == HEAD_METHOD_HEAD;
		if (a->text == NULL &&
		    verdict_name(name, &e->head, &e->rules) == 0)
			page.name = name;
	}
	log_answer(fd, a->status, page.name);
	return page_make(out, PAGE_MAX, &page);
}

void
answer_begin(struct edge *e, uint32_t id, int fd, const struct answer *a)
{
	enum msg_end end = END_REFUSED;
	struct edge_conn *c = NULL;
	char out[PAGE_MAX];
	uint32_t seen = 0;
	ssize_t n;
	size_t len = PREFACE_RANGE;

	n = recv(fd, e->bytes, e->rules.head_max, MSG_DONTWAIT);
	if (a->range)
		preface_range((uint8_t *)out);
	else
		len = make_page(e, fd, a, n > 0 ? (size_t)n : 0, out);
	/* A fresh socket takes that much; if it does not, its peer is gone. */
	if (send(fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len ||
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
