/* Requests over HTTP: libcurl on libevent's loop. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/fetch/http_impl.h"

#define IDLE_CONNECTIONS 8

/* ---- memory of libcurl: secrets pass through it ---- */

static void
wiping_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *
wiping_realloc(void *p, size_t n)
{
	size_t old = p == NULL ? 0 : malloc_usable_size(p);
	void *q = malloc(n);

	if (q == NULL || p == NULL)
		return q;
	memcpy(q, p, old < n ? old : n);
	wiping_free(p);
	return q;
}

static void *
plain_malloc(size_t n)
{
	return malloc(n);
}

static void *
plain_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

static char *
plain_strdup(const char *s)
{
	return strdup(s);
}

/* ---- the loop ---- */

/* Those that libcurl is done with. */
static void
reap(struct http *h)
{
	struct request *r;
	CURLMsg *m;
	long status;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		CURLcode rc = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
		status = 0;
		if (rc == CURLE_OK)
			curl_easy_getinfo(
			    m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		http_finish(r, status,
		    rc == CURLE_OK	    ? NULL
			: r->why[0] != '\0' ? r->why
					    : curl_easy_strerror(rc));
	}
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;
	int running, mask = 0;

	if ((what & EV_READ) != 0)
		mask |= CURL_CSELECT_IN;
	if ((what & EV_WRITE) != 0)
		mask |= CURL_CSELECT_OUT;
	curl_multi_socket_action(h->multi, fd, mask, &running);
	reap(h);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(h);
}

/* libcurl wants to know of these things on a socket; `mine` is its event. */
static int
want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
	struct event *ev = mine;
	struct http *h = arg;
	short mask = EV_PERSIST;

	(void)easy;
	if (ev != NULL)
		event_free(ev);
	ev = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what != CURL_POLL_OUT)
			mask |= EV_READ;
		if (what != CURL_POLL_IN)
			mask |= EV_WRITE;
		ev = event_new(h->base, fd, mask, on_ready, h);
		if (ev != NULL)
			event_add(ev, NULL);
	}
	curl_multi_assign(h->multi, fd, ev);
	return 0;
}

static int
want_timer(CURLM *multi, long ms, void *arg)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	struct http *h = arg;

	(void)multi;
	if (ms == -1)
		evtimer_del(h->timer);
	else
		evtimer_add(h->timer, &tv);
	return 0;
}

struct http *
http_new(struct event_base *base)
{
	struct http *h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	h->base = base;
	TAILQ_INIT(&h->all);
	h->timer = evtimer_new(base, on_timer, h);
	if (h->timer == NULL ||
	    curl_global_init_mem(CURL_GLOBAL_DEFAULT, plain_malloc, wiping_free,
		wiping_realloc, plain_strdup, plain_calloc) != CURLE_OK ||
	    (h->multi = curl_multi_init()) == NULL)
		goto err0;
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(
	    h->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
	    (long)HTTP_CONNECTIONS_MAX);
	return h;

err0:
	if (h->timer != NULL)
		event_free(h->timer);
	free(h);
	return NULL;
}

void
http_use(struct http *h, struct lookup *lookup)
{
	h->lookup = lookup;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	while (!TAILQ_EMPTY(&h->all))
		http_drop(TAILQ_FIRST(&h->all));
	curl_multi_cleanup(h->multi);
	event_free(h->timer);
	for (size_t i = 0; i < HTTP_CAS; i++)
		free(h->ca[i].data);
	free(h);
}

int
http_set_ca(struct http *h, unsigned which, const void *pem, size_t n)
{
	struct curl_blob *ca = &h->ca[which];

	free(ca->data);
	ca->len = 0;
	if ((ca->data = malloc(n)) == NULL)
		return -1;
	memcpy(ca->data, pem, n);
	ca->len = n;
	ca->flags = CURL_BLOB_COPY;
	return 0;
}
