/* Where a new connection belongs, by its first bytes: a pure function. */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/http/head.h"
#include "common/http/host.h"
#include "common/ipc/msg.h"
#include "common/net/proxy_header.h"
#include "common/tls/hello.h"
#include "common/tunnel/preface.h"

struct verdict {
	uint8_t kind;	  /* enum msg_verdict; 0: it takes more bytes to tell */
	uint8_t end;	  /* DROP: enum msg_end */
	uint16_t status;  /* REFUSE: of the answer */
	const char *text; /* REFUSE: a sentence; NULL: the usual one */
	uint8_t alert;	  /* REFUSE: it gets this (enum hello_alert), no page */
	bool range;  /* REFUSE: a client; it gets preface_range(), no page */
	size_t need; /* kind 0: fewer bytes than that tell no more */
	struct proxy_header proxy; /* in front of it all; n 0: none */
	struct preface preface;	   /* TUNNEL */
	char name[HOST_NAME_SIZE]; /* ROUTE */
};

/* What is asked of the bytes. */
struct verdict_rules {
	bool sni;		/* users come by TLS, not by HTTP */
	size_t head_max;	/* bytes of a request's head */
	const char *mux_header; /* the field that carries the name */
};

/*
 * Judge the first n bytes at p of a connection with these flags (enum
 * msg_edge_flag). *h is scratch space for the head of a request. More bytes
 * never change a verdict.
 */
void verdict_give(struct verdict *v, struct head *h,
    const struct verdict_rules *rules, uint8_t flags, const void *p, size_t n);

/*
 * The same of one that has said too little, and says no more: it has ended, or
 * its time is over.
 */
void verdict_late(struct verdict *v, const struct verdict_rules *rules,
    uint8_t flags, const void *p, size_t n, bool ended);

/* How many of a connection's first bytes verdict_give() may want to see. */
size_t verdict_bytes(const struct verdict_rules *rules, uint8_t flags);

/*
 * The name that a request asks for: the host of Host (or of an absolute
 * target, and of a CONNECT), without port unless it is an address; or the whole
 * value of another mux header, an id. 0; or the status to refuse it with: 400,
 * it has none, or no valid one; 404, no id can be so.
 */
int verdict_name(char name[HOST_NAME_SIZE], const struct head *h,
    const struct verdict_rules *rules);

#endif
