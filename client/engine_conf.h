/*
 * MSG_ENGINE_CONF: how an engine treats tunnels and services, one frame for
 * each thing that it is told.
 *
 *   kind u8, then by kind
 *   POOL     connections u8, idle u8, timeout u32 ms
 *   SERVICE  index u16, timeout u32 ms, pair u8, proxy u8, datagrams u8,
 *            name cstr8 (to log it), rewrite_host cstr16 (empty: leave Host
 *            alone), count u8, that many header names cstr8. It replaces
 *            what the index was.
 *   GONE     index u16: no new streams for it
 */
#ifndef ENGINE_CONF_H
#define ENGINE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/text.h"

struct buf;

#define ENGINE_CONF_HEADERS 32 /* remove_headers of one service */
#define ENGINE_CONF_HOST 511   /* bytes of a rewrite_host */
#define ENGINE_CONF_LABEL 255  /* bytes of a service's name for the log */

enum engine_conf_kind {
	ENGINE_CONF_POOL = 1,
	ENGINE_CONF_SERVICE,
	ENGINE_CONF_GONE
};

struct engine_pool {
	uint8_t connections; /* tunnels at most */
	uint8_t idle;	     /* kept when nothing flows */
	uint32_t timeout;    /* ms of silence until a tunnel is dead */
};

struct engine_service {
	uint16_t index;
	uint32_t timeout; /* ms without a byte; 0: for ever */
	bool pair;	  /* what it is reached by is a converter's end */
	uint8_t proxy;	  /* enum proxy_version: a header comes first */
	bool datagrams;	  /* it is a UDP service */
	const char *label;
	const char *host; /* rewrite_host, or NULL */
	size_t nremove;
	const char *const *remove;
};

/* Each writes one payload. 0, or -1 if it does not fit. */
int engine_conf_put_pool(struct buf *b, const struct engine_pool *p);
int engine_conf_put_service(struct buf *b, const struct engine_service *s);
int engine_conf_put_gone(struct buf *b, uint16_t index);

/* A service as it was received: everything in one block. */
struct engine_service_in {
	uint16_t index;
	uint32_t timeout;
	bool pair;
	uint8_t proxy;
	bool datagrams;
	char label[ENGINE_CONF_LABEL + 1];
	char host[ENGINE_CONF_HOST + 1]; /* empty: none */
	size_t nremove;
	char *remove[ENGINE_CONF_HEADERS]; /* allocated */
};

/*
 * Take one apart, its kind first. The getters want a whole buffer behind the
 * kind; -1: malformed, or no memory.
 */
int engine_conf_get_pool(struct buf *b, struct engine_pool *p);
int engine_conf_get_service(struct buf *b, struct engine_service_in *s);
void engine_conf_free_service(struct engine_service_in *s);

#endif
