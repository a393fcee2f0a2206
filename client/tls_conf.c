/* How the role `tls` meets a service: codec. */
#include "client/tls_conf.h"

#include "common/base/buf.h"

int
tls_conf_put(struct buf *b, const struct tls_conf *c)
{
	buf_put_u16(b, c->service);
	buf_put_u8(b, c->verify);
	return buf_put_cstr8(b, c->name);
}

int
tls_conf_get(struct buf *b, struct tls_conf *c)
{
	uint8_t verify = 0;

	buf_get_u16(b, &c->service);
	buf_get_u8(b, &verify);
	buf_get_cstr8(b, c->name, sizeof(c->name));
	c->verify = verify;
	return buf_done(b) && verify <= 1 ? 0 : -1;
}
