/* The child that reads the configuration, and its reader. */
#include "master/parse.h"

#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc/chan.h"
#include "master/options.h"

/* The first byte of each packet from the child. */
enum packet { PACKET_LINE = 1, PACKET_CONF, PACKET_COMPLETE, PACKET_BAD };

struct parse {
	struct parses *parses;
	pid_t pid; /* 0 once reaped */
	int fd;	   /* -1 once done */
	int users_fd;
	struct certs_files files;
	struct event *readable;
	struct server_conf conf;
	struct server_conf_decoder *decoder;
	bool whole; /* conf is complete */
	char *text;
	size_t textlen;
	parse_fn fn;
	void *arg;
	TAILQ_ENTRY(parse) link;
};

struct parses {
	struct master *master;
	TAILQ_HEAD(, parse) all;
};

struct parses *
parses_new(struct master *m)
{
	struct parses *ps;

	if ((ps = calloc(1, sizeof(*ps))) == NULL)
		return NULL;
	ps->master = m;
	TAILQ_INIT(&ps->all);
	return ps;
}

/* Close what the reader has; the child may still feed auth. */
static void
stop_reading(struct parse *p)
{
	if (p->fd == -1)
		return;
	event_free(p->readable);
	close(p->fd);
	p->fd = -1;
	server_conf_decoder_free(p->decoder);
	p->decoder = NULL;
}

static void
drop(struct parse *p)
{
	stop_reading(p);
	if (p->users_fd != -1)
		close(p->users_fd);
	certs_close(&p->files);
	server_conf_free(&p->conf);
	TAILQ_REMOVE(&p->parses->all, p, link);
	free(p->text);
	free(p);
}

void
parses_free(struct parses *ps)
{
	struct parse *p;

	if (ps == NULL)
		return;
	while ((p = TAILQ_FIRST(&ps->all)) != NULL) {
		if (p->pid != 0) {
			kill(p->pid, SIGKILL);
			waitpid(p->pid, NULL, 0);
		}
		drop(p);
	}
	free(ps);
}

void
parses_reap(struct parses *ps)
{
	struct parse *p, *next;

	for (p = TAILQ_FIRST(&ps->all); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->pid != 0 && waitpid(p->pid, NULL, WNOHANG) == p->pid)
			p->pid = 0;
		if (p->pid == 0 && p->fd == -1)
			drop(p);
	}
}

/* ---- the child ---- */

static int
send_packet(int fd, enum packet type, const void *data, size_t n)
{
	uint8_t packet[1 + PACK_FRAME_MAX];

	if (n > PACK_FRAME_MAX)
		return -1;
	packet[0] = (uint8_t)type;
	if (n > 0)
		memcpy(packet + 1, data, n);
	return send(fd, packet, n + 1, MSG_NOSIGNAL) == (ssize_t)(n + 1) ? 0
									 : -1;
}

static int
emit_conf(void *arg, const void *frame, size_t n)
{
	return send_packet(*(int *)arg, PACKET_CONF, frame, n);
}

static int
emit_users(void *arg, const void *frame, size_t n)
{
	return send(*(int *)arg, frame, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

/* Close all descriptors but 0 to 2 and the n given ones. */
static void
close_others(int *keep, size_t n)
{
	unsigned from = 3;

	for (size_t i = 1; i < n; i++) {
		for (size_t j = i; j > 0 && keep[j - 1] > keep[j]; j--) {
			int t = keep[j];

			keep[j] = keep[j - 1];
			keep[j - 1] = t;
		}
	}
	for (size_t i = 0; i < n; i++) {
		unsigned fd = (unsigned)keep[i];

		if (fd > from)
			syscall(SYS_close_range, from, fd - 1, 0);
		from = fd + 1;
	}
	syscall(SYS_close_range, from, ~0u, 0);
}

/* A process of its own, that holds nothing of the master's. */
static void
isolate(const struct options *o, int out, int users,
    const struct certs_files *files)
{
	int keep[] = { o->args_fd, o->cwd_fd, out, users, files->certs,
		files->keys };
	struct rlimit none = { 0, 0 };

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	close_others(keep, sizeof(keep) / sizeof(keep[0]));
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
	alarm(PARSE_SECONDS);
}

/* Load and send. Returns the exit status. */
static int
run_child(const struct options *o, bool reload, int out, int users,
    const struct certs_files *files)
{
	struct faults faults = { 0 };
	struct server_conf conf;
	struct options mine = { 0 };
	char **argv;
	int argc, ret;

	isolate(o, out, users, files);
	if (fchdir(o->cwd_fd) == -1 ||
	    (argv = options_read(o->args_fd, &argc)) == NULL ||
	    options_parse(&mine, argc, argv) == -1)
		return 1;
	mine.args.reload = reload;
	ret = server_conf_load(&conf, &mine.args, &faults);
	if (ret == 0) {
		certs_load(&conf, files, &faults);
		ret = faults.errors == 0 ? 0 : -1;
	}
	for (size_t i = 0; i < faults.n; i++)
		send_packet(
		    out, PACKET_LINE, faults.line[i], strlen(faults.line[i]));
	options_free_argv(argv, argc);
	if (ret == -1) {
		send_packet(out, PACKET_BAD, NULL, 0);
		return 1;
	}
	if (server_conf_encode(&conf, emit_conf, &out) == -1 ||
	    send_packet(out, PACKET_COMPLETE, NULL, 0) == -1)
		return 1;
	close(out);
	/* This blocks until auth reads. */
	ret = server_conf_encode_verifiers(&conf, emit_users, &users);
	server_conf_free(&conf);
	return ret == 0 ? 0 : 1;
}

/* ---- the master's side ---- */

static void
add_line(struct parse *p, const uint8_t *line, size_t n)
{
	char *text;

	if (p->textlen + n + 2 > PARSE_TEXT_MAX ||
	    (text = realloc(p->text, p->textlen + n + 2)) == NULL)
		return;
	p->text = text;
	if (p->textlen > 0)
		text[p->textlen++] = '\n';
	memcpy(text + p->textlen, line, n);
	p->textlen += n;
	text[p->textlen] = '\0';
}

/* The child has said all, or failed. */
static void
finish(struct parse *p, bool ok)
{
	static const char died[] = "the reader of the configuration died";
	struct parse_result r = { .users_fd = -1, .text = "" };

	stop_reading(p);
	certs_none(&r.files);
	if (ok && certs_seal(&p->files) == -1)
		ok = false;
	r.ok = ok;
	if (!ok && p->textlen == 0)
		add_line(p, (const uint8_t *)died, sizeof(died) - 1);
	if (p->text != NULL)
		r.text = p->text;
	if (ok) {
		r.conf = p->conf;
		memset(&p->conf, 0, sizeof(p->conf));
		r.users_fd = p->users_fd;
		p->users_fd = -1;
		r.files = p->files;
		certs_none(&p->files);
	}
	if (p->fn != NULL) {
		p->fn(p->arg, &r);
	} else if (ok) {
		server_conf_free(&r.conf);
		close(r.users_fd);
		certs_close(&r.files);
	}
	parses_reap(p->parses);
}

/* Take one packet. 1: go on, 0: complete, -1: failed. */
static int
take_packet(struct parse *p, const uint8_t *packet, size_t n)
{
	switch (packet[0]) {
	case PACKET_LINE:
		add_line(p, packet + 1, n - 1);
		return 1;
	case PACKET_CONF:
		switch (server_conf_decode(p->decoder, packet + 1, n - 1)) {
		case 1:
			p->whole = true;
			return 1;
		case 0:
			return 1;
		default:
			return -1;
		}
	case PACKET_COMPLETE:
		return p->whole ? 0 : -1;
	default:
		return -1;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	uint8_t packet[1 + PACK_FRAME_MAX];
	struct parse *p = arg;
	ssize_t n;
	int more = 1;

	(void)what;
	while (more == 1) {
		n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		more = n <= 0 ? -1 : take_packet(p, packet, (size_t)n);
	}
	finish(p, more == 0);
}

static struct parse *
new_parse(
    struct parses *ps, int fd, int users_fd, const struct certs_files *files)
{
	struct parse *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->parses = ps;
	p->fd = fd;
	p->users_fd = users_fd;
	p->files = *files;
	p->decoder = server_conf_decoder_new(&p->conf);
	p->readable = event_new(
	    ps->master->base, fd, EV_READ | EV_PERSIST, on_readable, p);
	if (p->decoder == NULL || p->readable == NULL ||
	    event_add(p->readable, NULL) == -1) {
		server_conf_decoder_free(p->decoder);
		if (p->readable != NULL)
			event_free(p->readable);
		free(p);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&ps->all, p, link);
	return p;
}

int
parse_start(struct master *m, bool reload, parse_fn fn, void *arg)
{
	struct certs_files files;
	int conf[2], users[2], e;
	struct parse *p;

	if (chan_pair(conf) == -1)
		return -1;
	if (chan_pair(users) == -1)
		goto err0;
	if (certs_open(&files) == -1)
		goto err1;
	if ((p = new_parse(m->parses, conf[0], users[0], &files)) == NULL) {
		certs_close(&files);
		goto err1;
	}
	p->fn = fn;
	p->arg = arg;
	if ((p->pid = fork()) == -1)
		goto err2;
	if (p->pid == 0)
		_exit(run_child(m->options, reload, conf[1], users[1], &files));
	close(conf[1]);
	close(users[1]);
	return 0;

err2:
	e = errno;
	p->pid = 0;
	drop(p); /* closes our ends */
	close(conf[1]);
	close(users[1]);
	errno = e;
	return -1;
err1:
	close(users[0]);
	close(users[1]);
err0:
	close(conf[0]);
	close(conf[1]);
	return -1;
}

void
parse_forget(struct master *m, const void *arg)
{
	struct parse *p;

	TAILQ_FOREACH(p, &m->parses->all, link)
	{
		if (p->arg == arg)
			p->fn = NULL;
	}
}
