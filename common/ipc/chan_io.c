/* The system calls of a channel. */
#include "common/ipc/chan_io.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/chan.h"

union control {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* Make one message header of a frame. */
static void
prepare(struct msghdr *h, struct iovec *iov, union control *ctl,
    const struct chan_out *out)
{
	struct cmsghdr *cm;

	memset(h, 0, sizeof(*h));
	iov->iov_base = (void *)(uintptr_t)out->p;
	iov->iov_len = out->n;
	h->msg_iov = iov;
	h->msg_iovlen = 1;
	if (out->fd == -1)
		return;
	memset(ctl, 0, sizeof(*ctl));
	h->msg_control = ctl->space;
	h->msg_controllen = sizeof(ctl->space);
	cm = CMSG_FIRSTHDR(h);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &out->fd, sizeof(int));
}

static ssize_t
send_batch(int fd, const struct chan_out *out, size_t count)
{
	struct mmsghdr h[CHAN_BATCH];
	struct iovec iov[CHAN_BATCH];
	union control ctl[CHAN_BATCH];

	for (size_t i = 0; i < count; i++)
		prepare(&h[i].msg_hdr, &iov[i], &ctl[i], &out[i]);
	return sendmmsg(fd, h, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* As many frames as fit, in one packet. */
static ssize_t
send_packed(int fd, const struct chan_out *out, size_t count)
{
	uint8_t packet[MSG_MAX];
	const void *p = out[0].p;
	size_t i = 1, n = out[0].n;
	ssize_t sent;

	if (count > 1 && n + out[1].n <= sizeof(packet)) {
		memcpy(packet, p, n);
		p = packet;
		for (; i < count && n + out[i].n <= sizeof(packet); i++) {
			memcpy(packet + n, out[i].p, out[i].n);
			n += out[i].n;
		}
	}
	sent = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* Keys and logins pass here. */
	if (p == packet)
		explicit_bzero(packet, n);
	return sent == -1 ? -1 : (ssize_t)i;
}

ssize_t
chan_io_send(int fd, const struct chan_out *out, size_t count, bool parent)
{
	if (count > CHAN_BATCH)
		count = CHAN_BATCH;
	if (parent)
		return send_batch(fd, out, count);
	return send_packed(fd, out, count);
}

/* Take the one descriptor that a control buffer of ours can bring. */
static void
take_fds(struct msghdr *h, struct chan_in *in)
{
	int fd;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm != NULL;
	    cm = CMSG_NXTHDR(h, cm)) {
		size_t n;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		/* CMSG_SPACE of one has room for two. */
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(
			    &fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (in->fd == -1) {
				in->fd = fd;
				continue;
			}
			close(fd);
			in->stray = true;
		}
	}
}

int
chan_io_recv(int fd, struct chan_in *in, size_t size, bool parent)
{
	union control ctl;
	struct iovec iov = { in->p, size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	in->fd = -1;
	in->stray = false;
	if (!parent) {
		h.msg_control = ctl.space;
		h.msg_controllen = sizeof(ctl.space);
	}
	n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return (int)n;
	in->n = (size_t)n;
	if (!parent)
		take_fds(&h, in);
	if (h.msg_flags & MSG_TRUNC)
		in->stray = true;
	/*
	 * A worker out of descriptors sees MSG_CTRUNC and none: its handler
	 * gets fd -1. At the parent's end it means that a worker sent one.
	 */
	if ((h.msg_flags & MSG_CTRUNC) && (parent || in->fd != -1))
		in->stray = true;
	return 1;
}
