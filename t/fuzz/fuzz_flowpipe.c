/*
 * Fuzz target of flowpipe.c: what the other side of a flowpipe may send, cut
 * anywhere. First byte: whether it may open flows, and how it is cut. What is
 * understood comes out as it would in one piece.
 */
#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/net/flowpipe.h"

#define MAX 60000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What came out, boiled down. */
struct sum {
	size_t frames, bytes;
	uint64_t mix;
};

static int
take(void *arg, const struct flow_frame *f)
{
	struct sum *s = arg;

	if (f->n > FLOWPIPE_DGRAM_MAX || (f->type == FLOW_END && f->n != 0))
		abort();
	s->frames++;
	s->bytes += f->n;
	s->mix = s->mix * 31 + f->flow + f->type;
	for (size_t i = 0; i < f->n; i++)
		s->mix = s->mix * 31 + f->p[i];
	return 0;
}

/* Everything in pieces of `cut`; 0: it was understood to the end. */
static int
feed(const uint8_t *p, size_t n, size_t cut, bool opens, struct sum *s)
{
	static uint8_t scratch[FLOWPIPE_SCRATCH];
	struct flowpipe *f;
	ssize_t got = 0;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == -1 ||
	    (f = flowpipe_new(fds[0])) == NULL)
		abort();
	while (n > 0 && got != -1) {
		size_t len = n < cut ? n : cut;

		if (write(fds[1], p, len) != (ssize_t)len)
			abort();
		p += len;
		n -= len;
		do
			got = flowpipe_read(f, scratch, opens, take, s);
		while (got > 0);
	}
	close(fds[1]);
	flowpipe_free(f);
	return got == -1 ? -1 : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sum whole = { 0 }, cut = { 0 };
	bool opens;
	int a, b;

	if (n < 1 || n > MAX)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	opens = (data[0] & 1) != 0;
	a = feed(data + 1, n - 1, n, opens, &whole);
	b = feed(data + 1, n - 1, 1 + (data[0] >> 1), opens, &cut);
	if (a != b || memcmp(&whole, &cut, sizeof(whole)) != 0)
		abort();
	return 0;
}
