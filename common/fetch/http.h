/*
 * Requests over HTTP and HTTPS: libcurl's multi interface on libevent's loop.
 * No redirects, no proxies, no cookies, no files; an answer of at most
 * HTTP_ANSWER_MAX bytes; servers are verified.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct http;
struct lookup;

#define HTTP_CAS 2		/* sets of certificates */
#define HTTP_ANSWER_MAX 65536	/* bytes of a body, and of all header lines */
#define HTTP_REQUESTS_MAX 128	/* at a time */
#define HTTP_HEADERS_MAX 4	/* of a request, beside our own */
#define HTTP_CONNECTIONS_MAX 32 /* at a time */

struct http_answer {
	long status; /* 0: there is none, and `why` says why */
	const char *body;
	size_t n;
	const char *why;
};

struct http_request {
	const char *url;
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value", or NULL */
	const void *body;
	size_t n;
	unsigned ca; /* which certificates: http_set_ca() */
	uint32_t ms; /* for all of it */
	void (*done)(void *arg, const struct http_answer *a);
	void *arg;
};

/*
 * To be called before the sandbox: libcurl reads its configuration. Names go
 * through `lookup`, whose answers http_found() gets. NULL: no memory.
 */
struct http *http_new(struct event_base *base);
void http_use(struct http *h, struct lookup *lookup);

/* End every request without calling anybody, and free. NULL is allowed. */
void http_free(struct http *h);

/*
 * Verify servers by these certificates (PEM; copied), of the requests that say
 * so; `which` is below HTTP_CAS. -1: no memory.
 */
int http_set_ca(struct http *h, unsigned which, const void *pem, size_t n);

/*
 * POST. Everything is copied; copies of the body are wiped. done is called
 * once, in a later turn. -1: too many at a time, no memory, or no URL.
 */
int http_post(struct http *h, const struct http_request *r);

/* lookup_ops.found. */
void http_found(
    struct http *h, const char *host, const char *addrs, const char *why);

#endif
