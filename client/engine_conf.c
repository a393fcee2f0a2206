/* How an engine treats tunnels and services: codecs. */
#include "client/engine_conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/net/proxy_header.h"

int
engine_conf_put_pool(struct buf *b, const struct engine_pool *p)
{
	buf_put_u8(b, ENGINE_CONF_POOL);
	buf_put_u8(b, p->connections);
	buf_put_u8(b, p->idle);
	return buf_put_u32(b, p->timeout);
}

int
engine_conf_put_service(struct buf *b, const struct engine_service *s)
{
	size_t n = strlen(s->label);

	if (s->nremove > ENGINE_CONF_HEADERS)
		return -1;
	buf_put_u8(b, ENGINE_CONF_SERVICE);
	buf_put_u16(b, s->index);
	buf_put_u32(b, s->timeout);
	buf_put_u8(b, s->pair);
	buf_put_u8(b, s->proxy);
	buf_put_u8(b, s->datagrams);
	buf_put_str8(
	    b, s->label, n < ENGINE_CONF_LABEL ? n : ENGINE_CONF_LABEL);
	buf_put_cstr16(b, s->host != NULL ? s->host : "");
	buf_put_u8(b, (uint8_t)s->nremove);
	for (size_t i = 0; i < s->nremove; i++)
		buf_put_cstr8(b, s->remove[i]);
	return buf_ok(b) ? 0 : -1;
}

int
engine_conf_put_gone(struct buf *b, uint16_t index)
{
	buf_put_u8(b, ENGINE_CONF_GONE);
	return buf_put_u16(b, index);
}

int
engine_conf_get_pool(struct buf *b, struct engine_pool *p)
{
	buf_get_u8(b, &p->connections);
	buf_get_u8(b, &p->idle);
	buf_get_u32(b, &p->timeout);
	return buf_done(b) && p->connections > 0 ? 0 : -1;
}

int
engine_conf_get_service(struct buf *b, struct engine_service_in *s)
{
	char header[256];
	uint8_t n = 0, pair = 0, datagrams = 0;

	memset(s, 0, sizeof(*s));
	buf_get_u16(b, &s->index);
	buf_get_u32(b, &s->timeout);
	buf_get_u8(b, &pair);
	s->pair = pair != 0;
	if (buf_get_u8(b, &s->proxy) == -1 || s->proxy > PROXY_V2)
		return -1;
	buf_get_u8(b, &datagrams);
	s->datagrams = datagrams != 0;
	buf_get_cstr8(b, s->label, sizeof(s->label));
	buf_get_cstr16(b, s->host, sizeof(s->host));
	if (buf_get_u8(b, &n) == -1 || n > ENGINE_CONF_HEADERS)
		return -1;
	for (s->nremove = 0; s->nremove < n; s->nremove++) {
		if (buf_get_cstr8(b, header, sizeof(header)) == -1 ||
		    (s->remove[s->nremove] = strdup(header)) == NULL)
			goto err0;
	}
	if (buf_done(b))
		return 0;

err0:
	engine_conf_free_service(s);
	return -1;
}

void
engine_conf_free_service(struct engine_service_in *s)
{
	for (size_t i = 0; i < s->nremove; i++)
		free(s->remove[i]);
	s->nremove = 0;
}
