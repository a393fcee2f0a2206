/*
 * What ptpd tells ptpd-probe: one packet, answered by one of text: "ok", or
 * what went wrong.
 */
#ifndef PROBE_TASK_H
#define PROBE_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/text.h"

struct buf;

#define PROBE_TASK_MAX 1024
#define PROBE_RESULT_MAX 256

struct probe_task {
	bool privileged; /* started by root: become uid and gid */
	uint32_t uid, gid;
	struct addr server, api;	   /* listen.http, listen.api */
	bool secure;			   /* TLS is spoken there */
	char id[TEXT_LABEL_MAX + 1];	   /* of the client to be */
	char secret[64], key[64];	   /* its secret, the server's key */
	char header[64];		   /* http.mux_header */
	char name[TEXT_NAME_MAX + 1 + 64]; /* its value for that client */
};

int probe_task_put(struct buf *b, const struct probe_task *t);
int probe_task_get(struct buf *b, struct probe_task *t);

#endif
