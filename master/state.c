/* The memory file of a restart: written, read, its descriptors kept. */
#include "master/state.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys/fds.h"
#include "master/state_records.h"

#define HEAD_SIZE 3 /* type u8, length u16 */

struct state_writer {
	uint8_t *p;
	size_t n, room;
	bool failed;
};

struct state_reader {
	const uint8_t *p;
	size_t n, at;
};

struct state_writer *
state_writer_new(void)
{
	return calloc(1, sizeof(struct state_writer));
}

void
state_append(
    struct state_writer *w, enum state_type type, const void *p, size_t n)
{
	size_t need = w->n + HEAD_SIZE + n, room = w->room;
	uint8_t *grown;

	if (w->failed || n > STATE_RECORD_MAX) {
		w->failed = true;
		return;
	}
	if (need > room) {
		room = need * 2;
		if ((grown = realloc(w->p, room)) == NULL) {
			w->failed = true;
			return;
		}
		w->p = grown;
		w->room = room;
	}
	w->p[w->n] = (uint8_t)type;
	w->p[w->n + 1] = (uint8_t)(n >> 8);
	w->p[w->n + 2] = (uint8_t)n;
	if (n > 0)
		memcpy(w->p + w->n + HEAD_SIZE, p, n);
	w->n = need;
}

void
state_put_conf(struct state_writer *w, const void *frame, size_t n)
{
	state_append(w, STATE_CONF, frame, n);
}

int
state_seal(struct state_writer *w)
{
	int fd = -1, e;

	state_append(w, STATE_END, NULL, 0);
	if (w->failed) {
		errno = ENOMEM;
		goto err0;
	}
	fd = memfd_create("ptpd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		goto err0;
	if (fds_write(fd, w->p, w->n) == -1 ||
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
		goto err1;
	free(w->p);
	free(w);
	return fd;

err1:
	e = errno;
	close(fd);
	errno = e;
err0:
	free(w->p);
	free(w);
	return -1;
}

struct state_reader *
state_reader_new(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct state_reader *r;
	struct stat st;
	void *p;

	/* One that could still change under us is nobody's we know. */
	if (seals == -1 || (seals & F_SEAL_WRITE) == 0 ||
	    (seals & F_SEAL_SHRINK) == 0 || fstat(fd, &st) == -1 ||
	    st.st_size <= 0) {
		errno = EINVAL;
		return NULL;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		free(r);
		return NULL;
	}
	r->p = p;
	r->n = (size_t)st.st_size;
	return r;
}

void
state_reader_free(struct state_reader *r)
{
	if (r == NULL)
		return;
	munmap((void *)(uintptr_t)r->p, r->n);
	free(r);
}

void
state_rewind(struct state_reader *r)
{
	r->at = 0;
}

int
state_next(struct state_reader *r, struct buf *b)
{
	size_t left = r->n - r->at, n;
	const uint8_t *p = r->p + r->at;

	if (left < HEAD_SIZE)
		return -1;
	n = (size_t)p[1] << 8 | p[2];
	if (p[0] == STATE_END)
		return left == HEAD_SIZE && n == 0 ? 0 : -1;
	if (p[0] == 0 || p[0] > STATE_END || n > left - HEAD_SIZE ||
	    (p[0] == STATE_HEAD) != (r->at == 0))
		return -1;
	buf_read(b, p + HEAD_SIZE, n);
	r->at += HEAD_SIZE + n;
	return p[0];
}

/* Decode one record of any type; the descriptors that it names in fds. */
static int
look(int type, struct buf *b, int fds[STATE_FDS_MAX], size_t *n)
{
	union {
		struct state_head head;
		struct state_listener listener;
		struct state_worker worker;
		struct state_client client;
		struct state_session session;
		struct state_route route;
		struct state_port port;
		struct state_conn conn;
		struct state_source source;
	} r;

	*n = 0;
	switch (type) {
	case STATE_HEAD:
		if (state_get_head(&r.head, b) == -1)
			return -1;
		fds[(*n)++] = r.head.args_fd;
		fds[(*n)++] = r.head.cwd_fd;
		fds[(*n)++] = r.head.exe_fd;
		fds[(*n)++] = r.head.ctl_fd;
		fds[(*n)++] = r.head.call_fd;
		fds[(*n)++] = r.head.certs_fd;
		fds[(*n)++] = r.head.keys_fd;
		return 0;
	case STATE_CONF:
		return 0;
	case STATE_LISTENER:
		if (state_get_listener(&r.listener, b) == -1)
			return -1;
		fds[(*n)++] = r.listener.fd;
		return 0;
	case STATE_WORKER:
		if (state_get_worker(&r.worker, b) == -1)
			return -1;
		fds[(*n)++] = r.worker.fd;
		return 0;
	case STATE_CLIENT:
		return state_get_client(&r.client, b);
	case STATE_SESSION:
		return state_get_session(&r.session, b);
	case STATE_ROUTE:
		return state_get_route(&r.route, b);
	case STATE_PORT:
		if (state_get_port(&r.port, b) == -1)
			return -1;
		fds[(*n)++] = r.port.fd;
		return 0;
	case STATE_CONN:
		if (state_get_conn(&r.conn, b) == -1)
			return -1;
		fds[(*n)++] = r.conn.fd;
		return 0;
	case STATE_SOURCE:
		return state_get_source(&r.source, b);
	default:
		return -1;
	}
}

int
state_check(struct state_reader *r)
{
	int fds[STATE_FDS_MAX], type;
	struct buf b;
	size_t n;

	state_rewind(r);
	while ((type = state_next(r, &b)) > 0) {
		if (look(type, &b, fds, &n) == -1)
			break;
	}
	state_rewind(r);
	return type == 0 ? 0 : -1;
}

void
state_keep_fds(struct state_reader *r, bool keep)
{
	int fds[STATE_FDS_MAX], type;
	struct buf b;
	size_t n;

	state_rewind(r);
	while ((type = state_next(r, &b)) > 0) {
		if (look(type, &b, fds, &n) == -1)
			break;
		for (size_t i = 0; i < n; i++) {
			if (fds[i] >= 0)
				fcntl(fds[i], F_SETFD, keep ? 0 : FD_CLOEXEC);
		}
	}
	state_rewind(r);
}
