/* A new binary takes over under the same pid. */
#include "master/restart.h"

#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "master/snapshot.h"
#include "master/workers.h"

#define ENV_STEP "PTPD_STEP"
#define ENV_STATE "PTPD_STATE"
#define ENV_WHY "PTPD_WHY"
#define YES "ptpd takes over\n"
#define SAYS_MAX 512 /* bytes of what the new binary says */

struct restart {
	struct master *master;
	struct ctl_call *call;
	pid_t pid; /* of the new binary, tried; 0: reaped */
	int status;
	int out; /* what it says; -1 once it has ended */
	struct event *readable, *timer;
	char says[SAYS_MAX];
	size_t n;
	unsigned tries; /* to flush the channels */
	bool yes;
};

extern char **environ;

/* ---- the successor's side ---- */

int
restart_receive(struct inherited *in)
{
	static const char *const steps[] = { [RESTART_CHECK] = "check",
		[RESTART_TAKEOVER] = "takeover",
		[RESTART_RESUME] = "resume" };
	const char *step = getenv(ENV_STEP), *fd = getenv(ENV_STATE);
	const char *why = getenv(ENV_WHY);
	struct buf b;

	memset(in, 0, sizeof(*in));
	in->fd = -1;
	if (step == NULL || fd == NULL)
		return 0;
	for (int i = RESTART_CHECK; i <= RESTART_RESUME; i++) {
		if (strcmp(step, steps[i]) == 0)
			in->step = (enum restart_step)i;
	}
	in->fd = atoi(fd);
	if (why != NULL)
		snprintf(in->why, sizeof(in->why), "%s", why);
	unsetenv(ENV_STEP);
	unsetenv(ENV_STATE);
	unsetenv(ENV_WHY);
	if ((in->state = state_reader_new(in->fd)) == NULL ||
	    state_next(in->state, &b) != STATE_HEAD ||
	    state_get_head(&in->head, &b) == -1 ||
	    state_check(in->state) == -1) {
		fprintf(stderr,
		    "version %s cannot read the state of the one that runs\n",
		    PTP_VERSION);
		return -1;
	}
	fcntl(in->fd, F_SETFD, FD_CLOEXEC);
	if (in->step != RESTART_CHECK)
		state_keep_fds(in->state, false);
	return 0;
}

void
restart_done(struct inherited *in)
{
	state_reader_free(in->state);
	close(in->fd);
	in->state = NULL;
	in->fd = -1;
}

int
restart_say_yes(void)
{
	char why[WORKERS_WHY];

	if (workers_find(NULL, why) == -1) {
		printf("%s\n", why);
		return 1;
	}
	return write(STDOUT_FILENO, YES, sizeof(YES) - 1) == sizeof(YES) - 1
	    ? 0
	    : 1;
}

/* Let the next image know what it is and what it gets. */
static void
set_environment(const char *step, int fd, const char *why)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	setenv(ENV_STEP, step, 1);
	setenv(ENV_STATE, number, 1);
	if (why != NULL)
		setenv(ENV_WHY, why, 1);
}

static void
clear_environment(void)
{
	unsetenv(ENV_STEP);
	unsetenv(ENV_STATE);
	unsetenv(ENV_WHY);
}

void
restart_go_back(struct inherited *in, char *const argv[], const char *why)
{
	int fd = in->head.exe_fd;

	log_error("version %s cannot serve (%s), the one before goes on",
	    PTP_VERSION, why);
	state_keep_fds(in->state, true);
	fcntl(in->fd, F_SETFD, 0);
	fcntl(fd, F_SETFD, FD_CLOEXEC); /* it needs no descriptor of itself */
	set_environment("resume", in->fd, why);
	fexecve(fd, argv, environ);
	log_warn("cannot execute the former ptpd");
}

/* ---- the end of it ---- */

void
restart_free(struct master *m)
{
	struct restart *r = m->restart;

	if (r == NULL)
		return;
	m->restart = NULL;
	if (r->pid != 0) {
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
	if (r->readable != NULL)
		event_free(r->readable);
	if (r->timer != NULL)
		event_free(r->timer);
	if (r->out != -1)
		close(r->out);
	free(r);
}

static void
stay(struct restart *r, const char *why)
{
	log_error("restart: %s; the running ptpd stays", why);
	if (r->call != NULL)
		ctl_fail(r->call, "%s; the running ptpd stays", why);
	restart_free(r->master);
}

void
restart_cancel(struct master *m)
{
	if (m->restart != NULL)
		stay(m->restart, "ptpd stops");
}

/* ---- exec ---- */

/* In our place. Returns only if it fails. */
static void
execute(struct restart *r)
{
	struct master *m = r->master;
	struct state_reader *state;
	int exe, call, fd, e;

	if ((exe = open("/proc/self/exe", O_PATH | O_CLOEXEC)) == -1)
		return;
	call = ctl_take(r->call);
	if ((fd = snapshot_make(m, exe, call)) == -1 ||
	    (state = state_reader_new(fd)) == NULL)
		goto err0;
	log_info("restart: %s takes over", m->exe.path);
	state_keep_fds(state, true);
	fcntl(fd, F_SETFD, 0);
	set_environment("takeover", fd, NULL);
	execve(m->exe.path, m->options->shown, environ);
	e = errno;
	clear_environment();
	state_keep_fds(state, false);
	state_reader_free(state);
	errno = e;
err0:
	e = errno;
	if (fd != -1)
		close(fd);
	close(exe);
	r->call = call == -1 ? NULL : ctl_adopt(m->ctl, call);
	errno = e;
}

/* What was queued for a worker would be lost: send it first. */
static void
try_to_execute(struct restart *r)
{
	struct timeval tv = { 0, RESTART_RETRY_MS * 1000 };
	char why[EXE_PATH + 128];

	if (workers_congested(r->master->workers) &&
	    ++r->tries < RESTART_TRIES) {
		evtimer_add(r->timer, &tv);
		return;
	}
	if (r->tries == RESTART_TRIES) {
		stay(r, "a worker does not read");
		return;
	}
	execute(r);
	snprintf(why, sizeof(why), "cannot execute %s: %s", r->master->exe.path,
	    strerror(errno));
	stay(r, why);
}

/* ---- the trial ---- */

/* It has ended, and said what it had to say. */
static void
judge(struct restart *r)
{
	char why[EXE_PATH + TEXT_ESCAPED + 64], said[TEXT_ESCAPED];

	if (r->pid != 0 || r->out != -1)
		return;
	if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0 &&
	    strcmp(r->says, YES) == 0) {
		r->yes = true;
		try_to_execute(r);
		return;
	}
	r->says[strcspn(r->says, "\n")] = '\0';
	snprintf(why, sizeof(why), "%s does not take over%s%s",
	    r->master->exe.path, r->says[0] != '\0' ? ": " : "",
	    text_escape(said, r->says, strlen(r->says)));
	stay(r, why);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct restart *r = arg;
	ssize_t n;

	(void)what;
	n = read(fd, r->says + r->n, sizeof(r->says) - 1 - r->n);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && r->n + (size_t)n < sizeof(r->says) - 1) {
		r->n += (size_t)n;
		return;
	}
	event_free(r->readable);
	r->readable = NULL;
	close(r->out);
	r->out = -1;
	judge(r);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct restart *r = arg;

	(void)fd;
	(void)what;
	if (r->yes)
		try_to_execute(r);
	else
		stay(r, "the new ptpd does not answer");
}

void
restart_reap(struct master *m)
{
	struct restart *r = m->restart;

	if (r == NULL || r->pid == 0 ||
	    waitpid(r->pid, &r->status, WNOHANG) != r->pid)
		return;
	r->pid = 0;
	judge(r);
}

/* The child: the new binary, with the state, its words to `out`. */
static void
become_trial(const struct master *m, int state, int out)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(out, STDOUT_FILENO) == -1 || dup2(out, STDERR_FILENO) == -1 ||
	    fcntl(state, F_SETFD, 0) == -1)
		_exit(1);
	set_environment("check", state, NULL);
	execve(m->exe.path, m->options->shown, environ);
	dprintf(STDERR_FILENO, "%s\n", strerror(errno));
	_exit(1);
}

static int
start_trial(struct restart *r)
{
	struct timeval tv = { RESTART_CHECK_MS / 1000, 0 };
	struct master *m = r->master;
	int pipe[2], state;

	if ((state = snapshot_make(m, -1, -1)) == -1)
		return -1;
	if (pipe2(pipe, O_CLOEXEC) == -1)
		goto err0;
	if ((r->pid = fork()) == -1) {
		r->pid = 0;
		goto err1;
	}
	if (r->pid == 0)
		become_trial(m, state, pipe[1]);
	close(pipe[1]);
	close(state);
	r->out = pipe[0];
	fcntl(r->out, F_SETFL, O_NONBLOCK);
	r->readable =
	    event_new(m->base, r->out, EV_READ | EV_PERSIST, on_readable, r);
	r->timer = evtimer_new(m->base, on_timer, r);
	if (r->readable == NULL || r->timer == NULL ||
	    event_add(r->readable, NULL) == -1)
		return -1;
	evtimer_add(r->timer, &tv);
	return 0;

err1:
	close(pipe[0]);
	close(pipe[1]);
err0:
	close(state);
	return -1;
}

void
restart_begin(struct master *m, struct ctl_call *call)
{
	char why[EXE_WHY];
	struct restart *r;

	if (m->restart != NULL || m->reload != NULL || m->stop != NULL) {
		ctl_fail(call, "a restart, a reload or a stop is going on");
		return;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		ctl_fail(call, "%s", strerror(errno));
		return;
	}
	m->restart = r;
	r->master = m;
	r->call = call;
	r->out = -1;
	if (exe_check(&m->exe, why) == -1)
		stay(r, why);
	else if (start_trial(r) == -1)
		stay(r, strerror(errno));
}
