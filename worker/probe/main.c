/*
 * ptpd-probe: the test behind /status, from outside. It starts a ptp of its
 * own, which logs in at this server and serves role api, and asks as a user
 * for a page of that. Without privilege; ended by the end of its channel.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/ipc/msg.h"
#include "common/ipc/probe.h"
#include "common/sys/proc.h"

#define TASK_MS 5000 /* for the task to come */
#define ALL_MS 9000  /* for everything */
#define STOP_MS 2000 /* for our ptp to end, until it is killed */
#define PAGE "/status/answer"

struct probe {
	struct probe_task task;
	char dir[64];		    /* ours alone; empty: not made */
	char why[PROBE_RESULT_MAX]; /* what went wrong */
	uint64_t until;		    /* ms */
	pid_t ptp;
	int out; /* where our ptp says that it is reachable */
};

static int left_ms(const struct probe *p);

static int
fail(struct probe *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	return -1;
}

static int
left_ms(const struct probe *p)
{
	uint64_t now = clock_ms();

	return now < p->until ? (int)(p->until - now) : 0;
}

static int
take_task(struct probe *p)
{
	struct pollfd pfd = { .fd = MSG_CHANNEL_FD, .events = POLLIN };
	uint8_t packet[PROBE_TASK_MAX];
	struct buf b;
	ssize_t n;

	if (poll(&pfd, 1, TASK_MS) != 1 ||
	    (n = recv(MSG_CHANNEL_FD, packet, sizeof(packet), 0)) <= 0)
		return -1;
	buf_read(&b, packet, (size_t)n);
	return probe_task_get(&b, &p->task);
}

static int
drop_privilege(const struct probe_task *t)
{
	struct rlimit none = { 0, 0 };

	if (t->privileged &&
	    (t->uid == 0 || t->gid == 0 || setgroups(0, NULL) == -1 ||
		setresgid(t->gid, t->gid, t->gid) == -1 ||
		setresuid(t->uid, t->uid, t->uid) == -1))
		return -1;
	setrlimit(RLIMIT_CORE, &none);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* The configuration of our ptp: nobody else can read it. */
static int
write_conf(struct probe *p, const char *path)
{
	const struct probe_task *t = &p->task;
	char server[ADDR_TEXT], api[ADDR_TEXT];
	FILE *f;
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL)
		return fail(p, "%s: %s", path, strerror(errno));
	fprintf(f,
	    "server = \"tcp://%s#%s\";\nid = \"%s\";\nsecret = \"%s\";\n"
	    "socket = \"%s/sock\";\nknown_servers = \"%s/known\";\n"
	    "services = ( { local = \"http%s://%s\"; %s} );\n",
	    addr_format(server, &t->server), t->key, t->id, t->secret, p->dir,
	    p->dir, t->secure ? "s" : "", addr_format(api, &t->api),
	    t->secure ? "tls_insecure = true; " : "");
	if (fclose(f) != 0)
		return fail(p, "%s: %s", path, strerror(errno));
	return 0;
}

static void
run_ptp(const char *program, char *conf, int out)
{
	char name[] = "ptp", d[] = "-d", f[] = "-f";
	char *argv[] = { name, d, f, conf, NULL };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(out, STDOUT_FILENO);
	execv(program, argv);
	_exit(127);
}

static int
start_ptp(struct probe *p)
{
	char program[PATH_MAX], conf[128];
	int pair[2];

	if (proc_near(".", "ptp", program, sizeof(program)) == -1 &&
	    proc_near("../../bin", "ptp", program, sizeof(program)) == -1)
		snprintf(program, sizeof(program), "%s/ptp", PTP_BINDIR);
	snprintf(p->dir, sizeof(p->dir), "/tmp/ptpd-probe.XXXXXX");
	if (mkdtemp(p->dir) == NULL) {
		p->dir[0] = '\0';
		return fail(p, "/tmp: %s", strerror(errno));
	}
	snprintf(conf, sizeof(conf), "%s/conf", p->dir);
	if (write_conf(p, conf) == -1)
		return -1;
	if (pipe2(pair, O_CLOEXEC) == -1 || (p->ptp = fork()) == -1)
		return fail(p, "%s", strerror(errno));
	if (p->ptp == 0)
		run_ptp(program, conf, pair[1]);
	close(pair[1]);
	p->out = pair[0];
	return 0;
}

/* Wait until a descriptor can be read, or our parent has no more interest. */
static int
wait_for(struct probe *p, int fd, const char *what)
{
	struct pollfd pfd[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = MSG_CHANNEL_FD, .events = POLLRDHUP } };

	if (poll(pfd, 2, left_ms(p)) <= 0)
		return fail(p, "%s in time", what);
	return pfd[1].revents != 0 ? fail(p, "given up") : 0;
}

/* The line that says where the service is. */
static int
await_reachable(struct probe *p)
{
	char text[1024];
	size_t n = 0;
	ssize_t got;

	for (;;) {
		if (wait_for(p, p->out, "the client did not get in") == -1)
			return -1;
		got = read(p->out, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			return fail(p, "the client could not serve");
		n += (size_t)got;
		text[n] = '\0';
		if (strstr(text, "is reachable") != NULL)
			return 0;
	}
}

static int
dial(struct probe *p)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, &p->task.server);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&ss, len) == -1)
		return fail(p, "as a user: %s", strerror(errno));
	return fd;
}

/* Ask as a user. */
static int
fetch(struct probe *p)
{
	const struct probe_task *t = &p->task;
	bool other = strcasecmp(t->header, "Host") != 0;
	char request[1024], text[2048];
	size_t n = 0;
	ssize_t got;
	int fd, status = 0, size;

	if ((fd = dial(p)) == -1)
		return -1;
	size = snprintf(request, sizeof(request),
	    "GET " PAGE " HTTP/1.1\r\nHost: %s\r\n%s%s%s%s"
	    "Connection: close\r\n\r\n",
	    t->name, other ? t->header : "", other ? ": " : "",
	    other ? t->name : "", other ? "\r\n" : "");
	if (write(fd, request, (size_t)size) != size)
		return fail(p, "as a user: %s", strerror(errno));
	do {
		if (wait_for(p, fd, "no answer came") == -1)
			return -1;
		got = read(fd, text + n, sizeof(text) - 1 - n);
		if (got > 0)
			n += (size_t)got;
	} while (got > 0 && n < sizeof(text) - 1);
	text[n] = '\0';
	close(fd);
	if (sscanf(text, "HTTP/1.1 %3d", &status) != 1 || status != 200)
		return fail(p, "as a user: the answer was %d", status);
	if (strstr(text, "\r\n\r\nok\n") == NULL)
		return fail(p, "as a user: another answer came");
	return 0;
}

static void
stop_ptp(struct probe *p)
{
	const struct timespec pause = { 0, 10 * 1000 * 1000 };
	uint64_t until = clock_ms() + STOP_MS;

	if (p->ptp <= 0)
		return;
	kill(p->ptp, SIGTERM);
	while (waitpid(p->ptp, NULL, WNOHANG) == 0) {
		if (clock_ms() > until)
			kill(p->ptp, SIGKILL);
		nanosleep(&pause, NULL);
	}
}

static void
clean(const struct probe *p)
{
	static const char *const names[] = { "conf", "sock", "known" };
	char path[128];

	if (p->dir[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->dir, names[i]);
		unlink(path);
	}
	rmdir(p->dir);
}

int
main(void)
{
	struct probe p = { .out = -1 };
	const char *result = "ok";

	signal(SIGPIPE, SIG_IGN);
	p.until = clock_ms() + ALL_MS;
	if (take_task(&p) == -1 || drop_privilege(&p.task) == -1)
		return 2;
	if (start_ptp(&p) == -1 || await_reachable(&p) == -1 || fetch(&p) == -1)
		result = p.why;
	send(MSG_CHANNEL_FD, result, strlen(result), MSG_NOSIGNAL);
	stop_ptp(&p);
	clean(&p);
	return 0;
}
