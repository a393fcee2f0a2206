/* What ptpd tells ptpd-probe. */
#include "common/ipc/probe.h"

#include "common/base/buf.h"

int
probe_task_put(struct buf *b, const struct probe_task *t)
{
	buf_put_u8(b, t->privileged);
	buf_put_u32(b, t->uid);
	buf_put_u32(b, t->gid);
	addr_put(b, &t->server);
	addr_put(b, &t->api);
	buf_put_u8(b, t->secure);
	buf_put_cstr8(b, t->id);
	buf_put_cstr8(b, t->secret);
	buf_put_cstr8(b, t->key);
	buf_put_cstr8(b, t->header);
	return buf_put_cstr16(b, t->name);
}

int
probe_task_get(struct buf *b, struct probe_task *t)
{
	uint8_t privileged = 0, secure = 0;

	buf_get_u8(b, &privileged);
	buf_get_u32(b, &t->uid);
	buf_get_u32(b, &t->gid);
	addr_get(b, &t->server);
	addr_get(b, &t->api);
	buf_get_u8(b, &secure);
	buf_get_cstr8(b, t->id, sizeof(t->id));
	buf_get_cstr8(b, t->secret, sizeof(t->secret));
	buf_get_cstr8(b, t->key, sizeof(t->key));
	buf_get_cstr8(b, t->header, sizeof(t->header));
	buf_get_cstr16(b, t->name, sizeof(t->name));
	t->privileged = privileged != 0;
	t->secure = secure != 0;
	return buf_done(b) ? 0 : -1;
}
