/* The process of role `keys`. */
#include "worker/guard/keys_main.h"

#include <sodium.h>

#include "worker/guard/keys.h"
#include "common/ipc/serve.h"

struct process {
	struct serve serve; /* first: the common handlers' arg */
	struct keys *keys;
};

static void
on_send(void *arg, uint8_t type, uint32_t id, const void *p, size_t n)
{
	struct process *x = arg;

	serve_send(&x->serve, type, id, p, n);
}

static int
on_frame(void *arg, const struct msg *m)
{
	struct process *x = arg;

	return keys_take(x->keys, m);
}

/* Nothing is to be finished: the master waits for no answer any more. */
static int
on_drain(void *arg, const struct msg *m)
{
	struct process *x = arg;

	serve_send(&x->serve, MSG_DRAINED, 0, NULL, 0);
	return serve_exit(arg, m);
}

int
keys_main(const struct msg_boot *boot)
{
	static const chan_handler handlers[MSG_TYPES] = {
		[MSG_PING] = serve_ping,
		[MSG_LEVEL] = serve_level,
		[MSG_EXIT] = serve_exit,
		[MSG_DRAIN] = on_drain,
		[MSG_HOST_KEY] = on_frame,
		[MSG_HS_START] = on_frame,
		[MSG_HS_IN] = on_frame,
		[MSG_HS_REPLY] = on_frame,
		[MSG_HS_FINISH] = on_frame,
		[MSG_HS_FAIL] = on_frame,
	};
	struct process x;
	int status;

	if (sodium_init() == -1 || serve_init(&x.serve) == -1 ||
	    (x.keys = keys_new(on_send, &x)) == NULL)
		return 2;
	status = serve_run(&x.serve, boot, handlers);
	keys_free(x.keys);
	return status;
}
