/* What http.c (a request) and http_loop.c (all of them) share, nobody else. */
#ifndef HTTP_IMPL_H
#define HTTP_IMPL_H

#include <curl/curl.h>
#include <event2/event.h>
#include <sys/queue.h>

#include "common/base/text.h"
#include "common/fetch/http.h"

#define WHY_MAX CURL_ERROR_SIZE

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

/* Forget it; nobody is told. */
void http_drop(struct request *r);

/* It is over, well (a status) or not (0, and why). */
void http_finish(struct request *r, long status, const char *why);

#endif
