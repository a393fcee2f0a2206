/* Datagrams of a UDP port, many at a time. */
#include "worker/udp/batch.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 32 /* received at a time, or sent */
#define MESSAGE_MAX 65536
#define PIECES 256	 /* datagrams sent at a time */
#define JOINED_MAX 65000 /* bytes joined: less than an IP packet holds */
#define JOINED_SIZE 1452 /* of pieces: larger ones would be fragmented */
#define JOINED_PIECES 64 /* UDP_MAX_SEGMENTS of older kernels */
#define CONTROL 128	 /* bytes of ancillary data */

/* A socket's own address and, joined, the size of the pieces. */
union control {
	struct cmsghdr align;
	uint8_t space[CONTROL];
};

/* Datagrams to one user that leave as one message. */
struct run {
	struct addr peer, local;
	bool six;	      /* the socket is one of IPv6 */
	bool closed;	      /* its last is shorter: no other may follow */
	size_t size;	      /* of each but the last */
	size_t total;	      /* bytes */
	size_t first, pieces; /* in out_iov */
	struct sockaddr_storage to;
	union control control;
};

struct batch {
	struct mmsghdr in[MESSAGES], out[MESSAGES];
	struct iovec in_iov[MESSAGES], out_iov[PIECES];
	struct sockaddr_storage from[MESSAGES];
	union control control[MESSAGES];
	struct run runs[MESSAGES];
	size_t nruns, npieces;
	int fd;	     /* of what is to be sent */
	bool single; /* joining has failed: the card cannot */
	uint8_t *space;
};

struct batch *
batch_new(void)
{
	struct batch *b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	/* Pages that nothing is received into take no memory. */
	if ((b->space = malloc((size_t)MESSAGES * MESSAGE_MAX)) == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	free(b->space);
	free(b);
}

/* The address that it was sent to, and the size of pieces (0: it is one). */
static void
read_control(struct msghdr *m, struct addr *local, size_t *size)
{
	struct cmsghdr *c;

	*size = 0;
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		const void *data = CMSG_DATA(c);

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			struct sockaddr_in sin = { .sin_family = AF_INET };

			memcpy(&info, data, sizeof(info));
			sin.sin_addr = info.ipi_spec_dst;
			addr_from_sockaddr(
			    local, (struct sockaddr *)&sin, sizeof(sin));
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

			memcpy(&info, data, sizeof(info));
			sin6.sin6_addr = info.ipi6_addr;
			addr_from_sockaddr(
			    local, (struct sockaddr *)&sin6, sizeof(sin6));
		} else if (c->cmsg_level == IPPROTO_UDP &&
		    c->cmsg_type == UDP_GRO) {
			int v;

			memcpy(&v, data, sizeof(v));
			*size = v > 0 ? (size_t)v : 0;
		}
	}
}

static void
prepare(struct batch *b)
{
	for (size_t i = 0; i < MESSAGES; i++) {
		b->in_iov[i].iov_base = b->space + i * MESSAGE_MAX;
		b->in_iov[i].iov_len = MESSAGE_MAX;
		b->in[i].msg_hdr = (struct msghdr){ .msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->in_iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i].space,
			.msg_controllen = CONTROL };
	}
}

size_t
batch_receive(struct batch *b, int fd, uint16_t port, batch_fn *fn, void *arg)
{
	int n;

	prepare(b);
	n = recvmmsg(fd, b->in, MESSAGES, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct msghdr *m = &b->in[i].msg_hdr;
		struct addr peer = { 0 }, local = { 0 };
		size_t len = b->in[i].msg_len, size;

		read_control(m, &local, &size);
		local.port = port;
		if (addr_from_sockaddr(&peer, m->msg_name, m->msg_namelen) ==
		    -1)
			continue;
		fn(arg, &peer, &local, b->in_iov[i].iov_base, len,
		    size == 0 ? len : size);
	}
	return n > 0 ? (size_t)n : 0;
}

/* One ancillary item behind the n bytes before it; returns what they take. */
static size_t
put_control(
    union control *to, size_t n, int level, int type, const void *p, size_t len)
{
	const struct cmsghdr c = { .cmsg_level = level,
		.cmsg_type = type,
		.cmsg_len = CMSG_LEN(len) };

	memset(to->space + n, 0, CMSG_SPACE(len));
	memcpy(to->space + n, &c, sizeof(c));
	memcpy(to->space + n + CMSG_LEN(0), p, len);
	return n + CMSG_SPACE(len);
}

/* Where a run comes from, and how it is to be cut. Returns its length. */
static size_t
write_control(union control *to, const struct run *r, bool cut)
{
	uint16_t size = (uint16_t)r->size;
	size_t n = 0;

	if (r->local.family == ADDR_V4) {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, r->local.ip, 4);
		n = put_control(
		    to, n, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else if (r->local.family == ADDR_V6) {
		struct in6_pktinfo info = { 0 };

		memcpy(&info.ipi6_addr, r->local.ip, 16);
		n = put_control(
		    to, n, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
	if (cut)
		n = put_control(
		    to, n, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	return n;
}

/*
 * The user's address as the socket takes it: one that serves IPv6 and IPv4
 * wants IPv4 in IPv6's form.
 */
static socklen_t
destination(struct sockaddr_storage *ss, const struct addr *a, bool six)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	if (!six || a->family == ADDR_V6)
		return addr_to_sockaddr(ss, a);
	memset(ss, 0, sizeof(*ss));
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(a->port);
	sin6->sin6_addr.s6_addr[10] = sin6->sin6_addr.s6_addr[11] = 0xff;
	memcpy(&sin6->sin6_addr.s6_addr[12], a->ip, 4);
	return sizeof(*sin6);
}

/* Whether n more bytes for these may join the last run. */
static bool
may_join(const struct batch *b, const struct addr *peer,
    const struct addr *local, size_t n)
{
	const struct run *r = &b->runs[b->nruns - 1];

	return b->nruns > 0 && !b->single && n > 0 && n <= r->size &&
	    r->size <= JOINED_SIZE && !r->closed && r->pieces < JOINED_PIECES &&
	    r->total + n <= JOINED_MAX && addr_equal(&r->peer, peer) &&
	    addr_equal(&r->local, local);
}

size_t
batch_add(struct batch *b, int fd, bool six, const struct addr *peer,
    const struct addr *local, const void *p, size_t n)
{
	size_t lost = 0;
	struct run *r;
	bool join;

	if (b->npieces == PIECES || b->fd != fd)
		lost = batch_send(b);
	join = may_join(b, peer, local, n);
	if (!join && b->nruns == MESSAGES)
		lost += batch_send(b);
	b->fd = fd;
	if (!join) {
		r = &b->runs[b->nruns++];
		*r = (struct run){ .peer = *peer,
			.local = *local,
			.six = six,
			.size = n,
			.first = b->npieces };
	}
	r = &b->runs[b->nruns - 1];
	b->out_iov[b->npieces++] = (struct iovec){ (void *)(uintptr_t)p, n };
	r->pieces++;
	r->total += n;
	r->closed = n < r->size;
	return lost;
}

/* One by one, what cannot leave joined. Returns how many could not at all. */
static size_t
send_apart(struct batch *b, const struct run *r)
{
	union control control;
	struct sockaddr_storage to;
	struct mmsghdr m = { .msg_hdr = { .msg_name = &to,
				 .msg_control = control.space,
				 .msg_iovlen = 1 } };
	struct msghdr *h = &m.msg_hdr;
	size_t lost = 0;

	h->msg_namelen = destination(&to, &r->peer, r->six);
	h->msg_controllen = write_control(&control, r, false);
	if (h->msg_controllen == 0)
		h->msg_control = NULL;
	for (size_t i = 0; i < r->pieces; i++) {
		h->msg_iov = &b->out_iov[r->first + i];
		lost += sendmmsg(b->fd, &m, 1, MSG_DONTWAIT) != 1;
	}
	return lost;
}

/* A run did not leave. Returns how many of its datagrams are lost. */
static size_t
failed(struct batch *b, const struct run *r, int error)
{
	if (r->pieces == 1)
		return 1;
	switch (error) {
	case EIO: /* no checksums by the card: joining is of no use */
		b->single = true;
		return send_apart(b, r);
	case EINVAL: /* pieces larger than what the path takes */
	case EMSGSIZE:
		return send_apart(b, r);
	default:
		return r->pieces;
	}
}

static void
fill(struct batch *b, size_t i)
{
	struct run *r = &b->runs[i];
	struct msghdr *m = &b->out[i].msg_hdr;

	*m = (struct msghdr){ .msg_name = &r->to,
		.msg_namelen = destination(&r->to, &r->peer, r->six),
		.msg_iov = &b->out_iov[r->first],
		.msg_iovlen = r->pieces,
		.msg_control = r->control.space };
	m->msg_controllen = write_control(&r->control, r, r->pieces > 1);
	if (m->msg_controllen == 0)
		m->msg_control = NULL;
}

size_t
batch_send(struct batch *b)
{
	size_t done = 0, lost = 0;
	int n;

	for (size_t i = 0; i < b->nruns; i++)
		fill(b, i);
	while (done < b->nruns) {
		n = sendmmsg(b->fd, b->out + done, (unsigned)(b->nruns - done),
		    MSG_DONTWAIT);
		if (n > 0)
			done += (size_t)n;
		else
			lost += failed(b, &b->runs[done++], errno);
	}
	b->nruns = b->npieces = 0;
	return lost;
}
