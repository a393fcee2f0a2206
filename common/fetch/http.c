/* Requests over HTTP: one of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/fetch/http_impl.h"
#include "common/fetch/lookup.h"

void
http_drop(struct request *r)
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

void
http_finish(struct request *r, long status, const char *why)
{
	struct http_answer a = {
		.status = status, .body = r->answer, .n = r->got, .why = why
	};

	r->answer[r->got] = '\0';
	r->done(r->arg, &a);
	http_drop(r);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct request *r = arg;

	(void)fd;
	(void)what;
	http_finish(r, 0, r->why[0] != '\0' ? r->why : "no answer in time");
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
		http_drop(r);
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
			http_finish(r, 0, text);
	}
}
