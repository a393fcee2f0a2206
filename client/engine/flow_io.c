/*
 * The datagrams between a stream and its socket. Several of one size leave as
 * one message that the kernel cuts (UDP_SEGMENT, as the socket's option: this
 * process may not call sendmsg); what it has joined (UDP_GRO) is cut here.
 */
#include "client/engine/flow_io.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 65536
#define JOINED_SIZE 1452 /* of pieces: larger ones would be fragmented */
#define JOINED_MAX 65000
#define JOINED_PIECES 64
#define ROUNDS 4 /* batches of one flow in a turn */

/* Set how the kernel cuts what is written. 0, or -1: it does not. */
static int
cut_at(struct flow *f, size_t size)
{
	int v = (int)size;

	if (f->segment == v)
		return 0;
	if (setsockopt(f->fd, IPPROTO_UDP, UDP_SEGMENT, &v, sizeof(v)) == -1)
		return -1;
	f->segment = v;
	return 0;
}

/* An empty datagram is one as well, which writev(2) does not know. */
static ssize_t
write_all(struct flow *f, const struct iovec *iov, int n, size_t total)
{
	if (total == 0)
		return send(f->fd, "", 0, MSG_DONTWAIT);
	return writev(f->fd, iov, n);
}

/*
 * One datagram, or several that are joined. What the network said of an
 * earlier one is said once, in place of the work.
 */
static int
put(struct flow *f, const struct iovec *iov, int n, size_t total)
{
	ssize_t sent = write_all(f, iov, n, total);

	if (sent == -1 &&
	    (errno == ECONNREFUSED || errno == EHOSTUNREACH ||
		errno == ENETUNREACH)) {
		flow_complain(f, strerror(errno));
		sent = write_all(f, iov, n, total);
	}
	if (sent == -1)
		return -1;
	f->up += total;
	return 0;
}

static void
put_apart(struct flow *f, const struct iovec *iov, int n)
{
	for (int i = 0; i < n; i++) {
		/* An option of 0 sends any size whole. */
		if (iov[i].iov_len > (size_t)f->segment && f->segment != 0)
			cut_at(f, 0);
		if (put(f, &iov[i], 1, iov[i].iov_len) == -1)
			f->dropped++;
	}
}

/* How many of the first leave joined: equal ones, the last may be shorter. */
static int
run_of(const struct flow *f, const struct iovec *iov, int n, size_t *total)
{
	size_t size = iov->iov_len;
	int i;

	*total = size;
	if (f->apart || size == 0 || size > JOINED_SIZE)
		return 1;
	for (i = 1; i < n && i < JOINED_PIECES; i++) {
		size_t len = iov[i].iov_len;

		if (len == 0 || len > size || *total + len > JOINED_MAX)
			break;
		*total += len;
		if (len < size)
			return i + 1;
	}
	return i;
}

void
flow_io_send(struct flow *f, const struct iovec *iov, int n)
{
	while (n > 0) {
		size_t total;
		int run = run_of(f, iov, n, &total);

		if (run == 1 || cut_at(f, iov->iov_len) == -1) {
			put_apart(f, iov, run);
		} else if (put(f, iov, run, total) == -1) {
			/* EIO, EINVAL, EMSGSIZE: not on this path. */
			f->apart = errno != EAGAIN && errno != ENOBUFS &&
			    errno != EPERM;
			put_apart(f, iov, run);
		}
		iov += run;
		n -= run;
	}
}

/* Ancillary data says how long the pieces of a joined message are. */
static size_t
piece_size(struct msghdr *m, size_t all)
{
	struct cmsghdr *c;
	int v;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&v, CMSG_DATA(c), sizeof(v));
		return v > 0 ? (size_t)v : all;
	}
	return all;
}

static void
take(struct flow *f, const uint8_t *p, size_t n, size_t size)
{
	size_t len;

	do {
		len = n < size ? n : size;
		if (stream_dgram(f->stream, p, len) == 0)
			f->down += len;
		else
			f->dropped++;
		p += len;
		n -= len;
	} while (n > 0);
}

/* Receive once. How many messages came; -1: an error of the network. */
static int
receive(struct flow *f, uint8_t *space)
{
	struct mmsghdr m[FLOW_BATCH];
	struct iovec iov[FLOW_BATCH];
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control[FLOW_BATCH];
	int n;

	memset(m, 0, sizeof(m));
	for (size_t i = 0; i < FLOW_BATCH; i++) {
		iov[i].iov_base = space + i * MESSAGE_MAX;
		iov[i].iov_len = MESSAGE_MAX;
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_control = control[i].space;
		m[i].msg_hdr.msg_controllen = sizeof(control[i].space);
	}
	n = recvmmsg(f->fd, m, FLOW_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		take(f, iov[i].iov_base, m[i].msg_len,
		    piece_size(&m[i].msg_hdr, m[i].msg_len));
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		flow_complain(f, strerror(errno));
		return -1;
	}
	return n == -1 ? 0 : n;
}

void
flow_io_receive(struct flow *f)
{
	struct engine *e = f->engine;
	int n = 1;

	/* Pages that nothing is received into take no memory. */
	if (e->flow_space == NULL &&
	    (e->flow_space = malloc((size_t)FLOW_BATCH * MESSAGE_MAX)) == NULL)
		return;
	for (int i = 0; i < ROUNDS && n != 0; i++) {
		n = receive(f, e->flow_space);
		if (n > 0)
			flow_touch(f);
	}
}
