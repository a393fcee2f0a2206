/* `ptpctl check`: a probe through the whole data path. */
#include "master/probe.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/text.h"
#include "common/ipc/ctl.h"
#include "master/print.h"

#define PROBE_LABEL "ptpctl-check"
#define PROBE_NOBODY "nobody." PROBE_LABEL ".invalid"
#define PROBE_LISTENERS_MAX 64

/*
 * What a request for nobody is answered with, by kind of listener; where TLS
 * is spoken it is not what is expected.
 */
static const struct {
	const char *kind;
	int status;
} answers[] = {
	{ "http", 404 },
	{ "http_redirect", 308 },
	{ "sni", 400 },
	{ "tls", 400 },
	{ "api", 200 },
};

#define ANSWERS (sizeof(answers) / sizeof(answers[0]))

struct probing {
	char listeners[PROBE_LISTENERS_MAX][ADDR_TEXT];
	int expected[PROBE_LISTENERS_MAX];
	size_t nlisteners;
	const char *http; /* one of them that names are asked for at */
	char names[PROBE_NAMES_MAX][TEXT_NAME_MAX + 1];
	size_t nnames;
	struct print *print;
	bool failed;
};

/* Copy the string field of that name out of a row. */
static bool
copy_field(
    const uint8_t *row, size_t n, const char *name, char *dst, size_t size)
{
	struct ctl_field f;
	struct buf b;

	buf_read(&b, row, n);
	while (ctl_row_next(&b, &f) == 1) {
		if (f.namelen != strlen(name) ||
		    memcmp(f.name, name, f.namelen) != 0 || f.len >= size)
			continue;
		memcpy(dst, f.value, f.len);
		dst[f.len] = '\0';
		return true;
	}
	return false;
}

static void
take_listener(struct probing *p, const uint8_t *row, size_t n)
{
	char kind[16] = "", tls[8] = "";
	size_t i = 0;

	(void)copy_field(row, n, "listener", kind, sizeof(kind));
	while (i < ANSWERS && strcmp(answers[i].kind, kind) != 0)
		i++;
	if (i == ANSWERS || p->nlisteners == PROBE_LISTENERS_MAX ||
	    !copy_field(
		row, n, "address", p->listeners[p->nlisteners], ADDR_TEXT))
		return;
	(void)copy_field(row, n, "tls", tls, sizeof(tls));
	p->expected[p->nlisteners++] =
	    strcmp(tls, "true") == 0 ? 400 : answers[i].status;
	if (p->http == NULL && i == 0)
		p->http = p->listeners[p->nlisteners - 1];
}

static void
take_route(struct probing *p, const uint8_t *row, size_t n)
{
	char state[16], table[16];

	if (p->nnames < PROBE_NAMES_MAX &&
	    copy_field(row, n, "table", table, sizeof(table)) &&
	    strcmp(table, "http") == 0 &&
	    copy_field(row, n, "state", state, sizeof(state)) &&
	    strcmp(state, "here") == 0 &&
	    copy_field(
		row, n, "host", p->names[p->nnames], sizeof(p->names[0])))
		p->nnames++;
}

/* Send `show what` and give every row to fn. 0, or the exit status. */
static int
ask(struct probing *p, const char *path, const char *what,
    void (*fn)(struct probing *p, const uint8_t *row, size_t n))
{
	char show[] = "show", copy[16], *argv[] = { show, copy };
	uint8_t packet[CTL_PACKET_MAX];
	ssize_t n;
	int fd, ret = 1;

	snprintf(copy, sizeof(copy), "%s", what);
	if ((fd = ctl_connect(path, 2, argv)) == -1) {
		fprintf(stderr, "ptpctl: %s: %s\n", path, strerror(errno));
		return 2;
	}
	while ((n = recv(fd, packet, sizeof(packet), 0)) > 0 && ret == 1) {
		if (packet[0] == CTL_ROW)
			fn(p, packet + 1, (size_t)n - 1);
		else if (packet[0] == CTL_DONE)
			ret = 0;
		else if (packet[0] == CTL_ERROR)
			break;
	}
	close(fd);
	if (ret != 0)
		fprintf(stderr, "ptpctl: check is for ptpd\n");
	return ret;
}

/* Connect to a listener; where it is on all addresses, to loopback. */
static int
dial(const char *listener)
{
	struct timeval tv = { PROBE_SECONDS, 0 };
	struct sockaddr_storage ss;
	struct addr a, loopback;
	socklen_t len;
	int fd;

	if (addr_parse_listen(&a, listener) == -1)
		return -1;
	if (a.family == ADDR_ANY &&
	    addr_parse_ip(&loopback, "127.0.0.1") == 0) {
		loopback.port = a.port;
		a = loopback;
	}
	len = addr_to_sockaddr(&ss, &a);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&ss, len) == -1) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

/* The status of the answer to HEAD / for this host; -1 with errno. */
static int
head(const char *listener, const char *host)
{
	char request[TEXT_NAME_MAX + 96], answer[16];
	size_t got = 0;
	int fd, n, e, status = -1;

	if ((fd = dial(listener)) == -1)
		return -1;
	/* A wildcard is no host; what it stands for is one. */
	n = snprintf(request, sizeof(request),
	    "HEAD / HTTP/1.1\r\nHost: %s%s\r\nConnection: close\r\n"
	    "User-Agent: ptpctl\r\n\r\n",
	    host[0] == '*' ? PROBE_LABEL : "", host + (host[0] == '*'));
	if (send(fd, request, (size_t)n, MSG_NOSIGNAL) == -1)
		goto out;
	while (got < 12) {
		ssize_t r = recv(fd, answer + got, 12 - got, 0);

		if (r == 0)
			errno = ECONNRESET;
		if (r <= 0)
			goto out;
		got += (size_t)r;
	}
	answer[got] = '\0';
	if (sscanf(answer, "HTTP/1.%*1[01] %3d", &status) != 1) {
		errno = EPROTO;
		status = -1;
	}
out:
	e = status != -1 ? 0 : errno == EAGAIN ? ETIMEDOUT : errno;
	close(fd);
	errno = e;
	return status;
}

/* One question and its row; nobody: how the answer must be, or 0. */
static void
try(struct probing *p, const char *listener, const char *host, int nobody)
{
	int status = head(listener, host);
	const char *why = status == -1 ? strerror(errno) : NULL;
	/* Whatever a service says is fine; what we say for it is not. */
	bool ok = nobody != 0 ? status == nobody
			      : status > 0 && status != 404 && status < 502;
	struct ctl_row row;
	const uint8_t *fields;
	size_t n;

	p->failed |= !ok;
	ctl_row_begin(&row);
	ctl_row_str(&row, "listener", listener);
	ctl_row_str(&row, "host", nobody != 0 ? NULL : host);
	if (status == -1)
		ctl_row_str(&row, "status", NULL);
	else
		ctl_row_num(&row, "status", (uint64_t)status);
	ctl_row_str(&row, "result", ok ? "ok" : why != NULL ? why : "failed");
	if ((fields = ctl_row_end(&row, &n)) != NULL)
		print_row(p->print, fields, n);
}

static void
try_all(struct probing *p)
{
	print_shape(p->print, CTL_LIST);
	for (size_t i = 0; i < p->nlisteners; i++)
		try(p, p->listeners[i], PROBE_NOBODY, p->expected[i]);
	for (size_t i = 0; i < p->nnames && p->http != NULL; i++)
		try(p, p->http, p->names[i], 0);
	if (print_end(p->print) == -1)
		p->failed = true;
}

int
probe(const char *path, bool json)
{
	struct probing *p;
	int ret = 1;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->print = print_new(stdout, json)) == NULL) {
		fprintf(stderr, "ptpctl: %s\n", strerror(errno));
		free(p);
		return 1;
	}
	if ((ret = ask(p, path, "listeners", take_listener)) == 0 &&
	    (ret = ask(p, path, "routes", take_route)) == 0) {
		try_all(p);
		if (p->failed)
			fprintf(stderr, "ptpctl: not all is well\n");
		ret = p->failed ? 1 : 0;
	}
	print_free(p->print);
	free(p);
	return ret;
}
