/* Requests over HTTP: libcurl on libevent's loop. */
#include "common/fetch/http.h"

#include <sys/queue.h>

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/addr.h"
#include "common/base/text.h"
#include "common/fetch/lookup.h"

#define WHY_MAX CURL_ERROR_SIZE
#define IDLE_CONNECTIONS 8

struct request {
	TAILQ_ENTRY(request) link;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	char host[TEXT_NAME_MAX + 1]; /* waits for its address; or empty */
	char *port;
	void *body;
	size_t n;
	char answer[HTTP_ANSWER_MAX + 1];
	size_t got, head; /* bytes of the answer, of its header lines */
	char why[WHY_MAX];
	struct event *deadline; /* all in all */
	void (*done)(void *arg, const struct http_answer *a);
	void *arg;
};

struct http {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	struct lookup *lookup;
	struct curl_blob ca[HTTP_CAS];
	TAILQ_HEAD(, request) all;
	size_t count;
};

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

/* ---- one request ---- */

static void
drop(struct request *r)
{
	struct http *h = r->http;

	curl_multi_remove_handle(h->multi, r->easy);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	curl_slist_free_all(r->resolve);
	curl_free(r->port);
	if (r->deadline != NULL)
		event_free(r->deadline);
	if (r->body != NULL)
		explicit_bzero(r->body, r->n);
	free(r->body);
	TAILQ_REMOVE(&h->all, r, link);
	h->count--;
	free(r);
}

static void
finish(struct request *r, long status, const char *why)
{
	struct http_answer a = {
		.status = status, .body = r->answer, .n = r->got, .why = why
	};

	r->answer[r->got] = '\0';
	r->done(r->arg, &a);
	drop(r);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct request *r = arg;

	(void)fd;
	(void)what;
	finish(r, 0, r->why[0] != '\0' ? r->why : "no answer in time");
}

static size_t
on_body(char *p, size_t size, size_t count, void *arg)
{
	struct request *r = arg;
	size_t n = size * count;

	if (n > HTTP_ANSWER_MAX - r->got) {
		snprintf(r->why, sizeof(r->why), "its answer is too long");
		return 0;
	}
	memcpy(r->answer + r->got, p, n);
	r->got += n;
	return n;
}

static size_t
on_header(char *p, size_t size, size_t count, void *arg)
{
	struct request *r = arg;
	size_t n = size * count;

	(void)p;
	if (n > HTTP_ANSWER_MAX - r->head) {
		snprintf(r->why, sizeof(r->why), "its header is too long");
		return 0;
	}
	r->head += n;
	return n;
}

/* Whom the URL names: a host that has to be looked up, or an address. */
static int
parse_url(struct request *r, const char *url)
{
	CURLU *u = curl_url();
	char *host = NULL;
	struct addr a;
	int ret = -1;

	if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_PORT, &r->port, CURLU_DEFAULT_PORT) !=
		CURLUE_OK ||
	    strlen(host) > TEXT_NAME_MAX)
		goto out;
	if (host[0] != '[' && addr_parse_ip(&a, host) == -1)
		strcpy(r->host, host);
	ret = 0;
out:
	curl_free(host);
	curl_url_cleanup(u);
	return ret;
}

static int
add_headers(struct request *r, const char *const headers[HTTP_HEADERS_MAX])
{
	/* libcurl would wait for a 100 that few servers send. */
	struct curl_slist *more = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; more != NULL && i < HTTP_HEADERS_MAX; i++) {
		r->headers = more;
		if (headers[i] == NULL)
			return 0;
		more = curl_slist_append(r->headers, headers[i]);
	}
	if (more != NULL)
		r->headers = more;
	return more != NULL ? 0 : -1;
}

static int
set_options(struct request *r, const struct http_request *in)
{
	CURL *e = r->easy;
	CURLcode rc = CURLE_OK;

#define SET(option, value) \
	rc = rc == CURLE_OK ? curl_easy_setopt(e, option, value) : rc
	SET(CURLOPT_URL, in->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, (long)in->ms);
	SET(CURLOPT_USERAGENT, "ptpd/" PTP_VERSION);
	SET(CURLOPT_HTTPHEADER, r->headers);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, r->body);
	SET(CURLOPT_POSTFIELDSIZE, (long)r->n);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, r);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, r);
	SET(CURLOPT_PRIVATE, r);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (r->http->ca[in->ca].data != NULL)
		SET(CURLOPT_CAINFO_BLOB, &r->http->ca[in->ca]);
#undef SET
	return rc == CURLE_OK ? 0 : -1;
}

/* Its addresses are known, or it needs none. */
static void
start(struct request *r, const char *addrs)
{
	char line[TEXT_NAME_MAX + LOOKUP_TEXT + 16];

	if (addrs != NULL) {
		snprintf(
		    line, sizeof(line), "+%s:%s:%s", r->host, r->port, addrs);
		r->resolve = curl_slist_append(NULL, line);
		curl_easy_setopt(r->easy, CURLOPT_RESOLVE, r->resolve);
	}
	r->host[0] = '\0';
	if (curl_multi_add_handle(r->http->multi, r->easy) != CURLM_OK) {
		/* From here it is only its deadline that ends it. */
		snprintf(r->why, sizeof(r->why), "out of memory");
		event_active(r->deadline, EV_TIMEOUT, 0);
	}
}

static int
prepare(struct request *r, const struct http_request *in)
{
	struct timeval tv = { (time_t)(in->ms / 1000),
		(suseconds_t)(in->ms % 1000 * 1000) };

	if ((r->easy = curl_easy_init()) == NULL ||
	    (r->body = malloc(in->n + 1)) == NULL)
		return -1;
	memcpy(r->body, in->body, in->n);
	r->n = in->n;
	r->deadline = evtimer_new(r->http->base, on_deadline, r);
	if (r->deadline == NULL || parse_url(r, in->url) == -1 ||
	    add_headers(r, in->headers) == -1 || set_options(r, in) == -1)
		return -1;
	return evtimer_add(r->deadline, &tv);
}

int
http_post(struct http *h, const struct http_request *in)
{
	const char *addrs = NULL;
	struct request *r;

	if (h->count >= HTTP_REQUESTS_MAX ||
	    (r = calloc(1, sizeof(*r))) == NULL)
		return -1;
	r->http = h;
	r->done = in->done;
	r->arg = in->arg;
	TAILQ_INSERT_TAIL(&h->all, r, link);
	h->count++;
	if (prepare(r, in) == -1) {
		drop(r);
		return -1;
	}
	if (r->host[0] == '\0' ||
	    (addrs = lookup_get(h->lookup, r->host)) != NULL)
		start(r, addrs);
	return 0;
}

void
http_found(struct http *h, const char *host, const char *addrs, const char *why)
{
	struct request *r, *next;
	char text[WHY_MAX];

	snprintf(text, sizeof(text), "its name: %s", addrs == NULL ? why : "");
	for (r = TAILQ_FIRST(&h->all); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->host[0] == '\0' || strcmp(r->host, host) != 0)
			continue;
		if (addrs != NULL)
			start(r, addrs);
		else
			finish(r, 0, text);
	}
}

/* ---- all of them ---- */

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
		finish(r, status,
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
		drop(TAILQ_FIRST(&h->all));
	curl_multi_cleanup(h->multi);
	event_free(h->timer);
	for (size_t i = 0; i < HTTP_CAS; i++)
		free(h->ca[i].data);
	free(h);
}

int
http_set_ca(struct http *h, unsigned which, const void *pem, size_t n)
{
	void *copy = malloc(n);

	if (copy == NULL)
		return -1;
	memcpy(copy, pem, n);
	free(h->ca[which].data);
	h->ca[which] = (struct curl_blob){ copy, n, CURL_BLOB_COPY };
	return 0;
}
