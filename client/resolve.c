/* The role `resolve`. */
#include "client/resolve.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/ipc/serve.h"

/* The answer of libc as the payload of MSG_FOUND. */
static void
put_found(struct buf *b, const struct addrinfo *list, uint16_t port)
{
	struct addr found[RESOLVE_MAX];
	uint8_t n = 0;

	for (; list != NULL && n < RESOLVE_MAX; list = list->ai_next) {
		if (addr_from_sockaddr(
			&found[n], list->ai_addr, list->ai_addrlen) == -1)
			continue;
		found[n++].port = port;
	}
	buf_put_u8(b, n);
	for (uint8_t i = 0; i < n; i++)
		addr_put(b, &found[i]);
	if (n == 0)
		buf_put_cstr8(b, "it has no address");
}

static int
on_lookup(void *arg, const struct msg *m)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	uint8_t payload[2 + 255 + RESOLVE_MAX * ADDR_WIRE];
	char host[TEXT_NAME_MAX + 1];
	struct serve *s = arg;
	struct addrinfo *list;
	struct buf b;
	uint16_t port;
	int err;

	buf_read(&b, m->p, m->n);
	buf_get_cstr8(&b, host, sizeof(host));
	buf_get_u16(&b, &port);
	if (!buf_done(&b))
		return -1;
	buf_write(&b, payload, sizeof(payload));
	if ((err = getaddrinfo(host, NULL, &hints, &list)) != 0) {
		buf_put_u8(&b, 0);
		buf_put_cstr8(&b, gai_strerror(err));
	} else {
		put_found(&b, list, port);
		freeaddrinfo(list);
	}
	serve_send(s, MSG_FOUND, m->id, payload, buf_used(&b));
	return 0;
}

static const chan_handler handlers[MSG_TYPES] = {
	[MSG_LOOKUP] = on_lookup,
	[MSG_LEVEL] = serve_level,
	[MSG_PING] = serve_ping,
	[MSG_EXIT] = serve_exit,
	[MSG_DRAIN] = serve_exit,
};

int
resolve_main(const struct msg_boot *boot)
{
	struct serve s;

	return serve_init(&s) == -1 ? 2 : serve_run(&s, boot, handlers);
}
