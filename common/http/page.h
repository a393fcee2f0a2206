/*
 * The answers that we give ourselves: short pages for errors and redirects.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/http/head.h"

#define PAGE_MAX 4096	    /* bytes that are always enough for a page */
#define PAGE_TEXT_MAX 256   /* bytes of text and of name that are shown */
#define PAGE_FIELDS_MAX 512 /* bytes of page.fields that are taken */

struct page {
	int status;
	const char *text;   /* a sentence; NULL: the usual one for the status */
	const char *name;   /* what was asked for, said after the text, escaped;
			       NULL: nothing. Never another client's name */
	const char *fields; /* more field lines, each with its CRLF, trusted
			       to be well formed; NULL: none */
	bool json;
	bool head_only; /* the request was HEAD */
	bool keepalive; /* else with Connection: close */
};

/*
 * Write the whole HTTP/1.1 answer to out[cap]. Returns its size, or 0 if it
 * does not fit, which cannot be with PAGE_MAX.
 */
size_t page_make(char *out, size_t cap, const struct page *page);

/* The request's Accept prefers JSON to a web page. */
bool page_wants_json(const struct head *h);

/* "Not Found" for 404; "Error" for a status that we never give. */
const char *page_reason(int status);

#endif
