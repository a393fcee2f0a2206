/*
 * What the client's processes tell each other: the payloads that are the
 * client's own. The first byte chooses one; what decodes is encoded again and
 * must be the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/engine_conf.h"
#include "client/identity.h"
#include "client/tls_conf.h"
#include "common/base/buf.h"

#define ROOM 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const struct buf *out, const uint8_t *space, const uint8_t *p, size_t n)
{
	if (!buf_ok(out) || buf_used(out) != n || memcmp(space, p, n) != 0)
		abort();
}

static void
service(struct buf *in, struct buf *out)
{
	struct engine_service_in s;
	struct engine_service again;

	if (engine_conf_get_service(in, &s) == -1)
		return;
	again = (struct engine_service){ .index = s.index,
		.timeout = s.timeout,
		.pair = s.pair,
		.proxy = s.proxy,
		.datagrams = s.datagrams,
		.label = s.label,
		.host = s.host,
		.nremove = s.nremove,
		.remove = (const char *const *)s.remove };
	if (engine_conf_put_service(out, &again) == -1)
		abort();
	engine_conf_free_service(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t space[ROOM];
	struct engine_pool pool;
	struct identity_start start;
	struct identity id;
	struct tls_conf tls;
	struct buf in, out;

	if (size < 1 || size > ROOM)
		return 0;
	buf_read(&in, data + 1, size - 1);
	buf_write(&out, space, sizeof(space));
	switch (data[0] % 5) {
	case 0:
		if (identity_get(&in, &id) == 0) {
			identity_put(&out, &id);
			same(&out, space, data + 1, size - 1);
		}
		break;
	case 1:
		if (identity_start_get(&in, &start) == 0) {
			identity_start_put(&out, &start);
			same(&out, space, data + 1, size - 1);
		}
		break;
	case 2:
		if (tls_conf_get(&in, &tls) == 0) {
			tls_conf_put(&out, &tls);
			same(&out, space, data + 1, size - 1);
		}
		break;
	case 3:
		if (engine_conf_get_pool(&in, &pool) == 0) {
			engine_conf_put_pool(&out, &pool);
			/* Behind its kind, which is our choosing byte. */
			if (buf_used(&out) != size ||
			    memcmp(space + 1, data + 1, size - 1) != 0)
				abort();
		}
		break;
	default:
		service(&in, &out);
	}
	return 0;
}
