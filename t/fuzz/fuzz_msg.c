/*
 * A frame on a channel from a hijacked process. The first byte has the role,
 * the direction and the phase; the rest is the frame. What passes obeys its
 * row; the codecs of ipc/msg.h then get its payload.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
codecs(const uint8_t *p, size_t n)
{
	static struct msg_relay_conf conf;
	uint8_t again[4096];
	struct msg_conn conn;
	struct msg_boot boot;
	struct buf b;

	buf_read(&b, p, n);
	if (msg_get_conn(&b, &conn) == 0) {
		size_t len = buf_used(&b);

		buf_write(&b, again, sizeof(again));
		if (msg_put_conn(&b, &conn) == -1 || buf_used(&b) != len ||
		    memcmp(again, p, len) != 0)
			abort();
	}
	buf_read(&b, p, n);
	if (msg_get_boot(&b, &boot) == 0) {
		buf_write(&b, again, sizeof(again));
		if (boot.role >= ROLE_COUNT || msg_put_boot(&b, &boot) == -1 ||
		    buf_used(&b) != n || memcmp(again, p, n) != 0)
			abort();
	}
	buf_read(&b, p, n);
	if (msg_get_relay_conf(&b, &conf) == 0) {
		buf_write(&b, again, sizeof(again));
		if (msg_put_relay_conf(&b, &conf) == -1 || buf_used(&b) != n ||
		    memcmp(again, p, n) != 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct msg_row *row;
	enum role role;
	uint32_t id;
	bool up, ready;
	uint8_t *p;
	int type;

	if (n == 0)
		return 0;
	role = (enum role)(data[0] % ROLE_COUNT);
	up = (data[0] & 0x40) != 0;
	ready = (data[0] & 0x80) != 0;
	p = malloc(n--);
	memcpy(p, data + 1, n);
	/* A packet: whole frames, one behind the other. */
	for (size_t at = 0, len; (len = msg_length(p + at, n - at)) != 0;
	    at += len) {
		if (len < MSG_HEAD || len > n - at)
			abort();
		if (msg_check(p + at, len, role, up, ready, &id) == -1)
			break;
	}
	type = msg_check(p, n, role, up, ready, &id);
	if (type != -1) {
		row = msg_row((uint8_t)type);
		if (row == NULL || n > MSG_MAX || n - MSG_HEAD < row->min ||
		    n - MSG_HEAD > row->max || (!ready && !row->booting) ||
		    ((up ? row->up : row->down) & (1u << role)) == 0)
			abort();
	}
	if (n > MSG_HEAD)
		codecs(p + MSG_HEAD, n - MSG_HEAD);
	free(p);
	return 0;
}
