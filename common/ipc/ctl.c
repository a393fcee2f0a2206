/* The control protocol's packets. */
#include "common/ipc/ctl.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
ctl_row_begin(struct ctl_row *r)
{
	buf_write(&r->b, r->space, sizeof(r->space));
}

static void
put(struct ctl_row *r, const char *name, enum ctl_kind kind, const char *value)
{
	buf_put_cstr8(&r->b, name);
	buf_put_u8(&r->b, (uint8_t)kind);
	buf_put_cstr16(&r->b, value);
}

void
ctl_row_str(struct ctl_row *r, const char *name, const char *value)
{
	if (value == NULL)
		put(r, name, CTL_NULL, "");
	else
		put(r, name, CTL_STRING, value);
}

void
ctl_row_num(struct ctl_row *r, const char *name, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	put(r, name, CTL_NUMBER, digits);
}

void
ctl_row_bool(struct ctl_row *r, const char *name, bool value)
{
	put(r, name, CTL_BOOL, value ? "true" : "false");
}

const uint8_t *
ctl_row_end(struct ctl_row *r, size_t *n)
{
	if (!buf_ok(&r->b))
		return NULL;
	*n = buf_used(&r->b);
	return r->space;
}

static bool
is_value(const struct ctl_field *f)
{
	switch (f->kind) {
	case CTL_STRING:
		return true;
	case CTL_NUMBER:
		for (size_t i = 0; i < f->len; i++) {
			if (f->value[i] < '0' || f->value[i] > '9')
				return false;
		}
		return f->len > 0 && f->len <= 20;
	case CTL_BOOL:
		return (f->len == 4 && memcmp(f->value, "true", 4) == 0) ||
		    (f->len == 5 && memcmp(f->value, "false", 5) == 0);
	case CTL_NULL:
		return f->len == 0;
	}
	return false;
}

int
ctl_row_next(struct buf *b, struct ctl_field *f)
{
	uint8_t kind;

	if (buf_ok(b) && buf_left(b) == 0)
		return 0;
	if (buf_get_str8(b, &f->name, &f->namelen) == -1 ||
	    buf_get_u8(b, &kind) == -1 ||
	    buf_get_str16(b, &f->value, &f->len) == -1 || f->namelen == 0)
		return -1;
	f->kind = (enum ctl_kind)kind;
	return is_value(f) ? 1 : -1;
}

bool
ctl_row_ok(const void *p, size_t n)
{
	struct ctl_field f;
	struct buf b;
	int got;

	buf_read(&b, p, n);
	for (int i = 0; i <= CTL_FIELDS_MAX; i++) {
		if ((got = ctl_row_next(&b, &f)) != 1)
			return got == 0;
	}
	return false;
}

size_t
ctl_request_put(uint8_t out[CTL_PACKET_MAX], size_t argc, char *const argv[])
{
	struct buf b;

	if (argc == 0 || argc > CTL_ARGS_MAX)
		return 0;
	buf_write(&b, out, CTL_PACKET_MAX);
	buf_put_u8(&b, (uint8_t)argc);
	for (size_t i = 0; i < argc; i++) {
		if (strlen(argv[i]) >= CTL_ARG_MAX)
			return 0;
		buf_put_cstr16(&b, argv[i]);
	}
	return buf_ok(&b) ? buf_used(&b) : 0;
}

int
ctl_request_get(struct ctl_request *r, const void *p, size_t n)
{
	size_t used = 0;
	uint8_t count;
	struct buf b;

	if (n > CTL_PACKET_MAX)
		return -1;
	buf_read(&b, p, n);
	if (buf_get_u8(&b, &count) == -1 || count == 0 || count > CTL_ARGS_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		r->argv[i] = r->space + used;
		if (buf_get_cstr16(&b, r->argv[i], CTL_ARG_MAX) == -1)
			return -1;
		/* Each argument took its terminator beyond its own bytes. */
		used += strlen(r->argv[i]) + 1;
	}
	r->argc = count;
	r->argv[count] = NULL;
	return buf_done(&b) ? 0 : -1;
}

int
ctl_connect(const char *path, size_t argc, char *const argv[])
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	uint8_t packet[CTL_PACKET_MAX];
	size_t n;
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(sun.sun_path, path);
	if ((n = ctl_request_put(packet, argc, argv)) == 0) {
		errno = E2BIG;
		return -1;
	}
	if ((fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    send(fd, packet, n, MSG_NOSIGNAL) != (ssize_t)n) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}
