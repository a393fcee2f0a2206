/* The log: six verbs, one line each. */
#include "common/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/logline.h"

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_TRACE] = { "trace", LOG_DEBUG },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_WARN] = { "warn", LOG_WARNING },
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_FATAL] = { "fatal", LOG_CRIT },
	[LOG_LEVEL_DISABLE] = { "disable", LOG_CRIT },
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

/* The one mutable global of a process. */
static struct {
	const char *name;
	bool to_syslog, starting, json;
	enum log_level level;
	log_sink sink;
	void *arg;
	void (*tee)(void *arg, const struct logline *l);
	void *tee_arg;
	void (*watch)(void *arg, const struct logline *l);
	void *watch_arg;
} ctx = { .name = "ptp", .level = LOG_LEVEL_INFO };

void
log_init(const char *name, bool foreground, enum log_level level)
{
	ctx.name = name;
	ctx.to_syslog = !foreground;
	ctx.level = level;
	if (ctx.to_syslog)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_to(log_sink fn, void *arg)
{
	ctx.sink = fn;
	ctx.arg = arg;
}

void
log_tee(void (*fn)(void *arg, const struct logline *l), void *arg)
{
	ctx.tee = fn;
	ctx.tee_arg = arg;
}

void
log_watch(void (*fn)(void *arg, const struct logline *l), void *arg)
{
	ctx.watch = fn;
	ctx.watch_arg = arg;
}

void
log_set_json(bool json)
{
	ctx.json = json;
}

void
log_starting(bool on)
{
	ctx.starting = on;
}

void
log_set_level(enum log_level level)
{
	ctx.level = level;
}

enum log_level
log_get_level(void)
{
	return ctx.level;
}

int
log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

static void
to_stderr(const struct logline *l)
{
	char out[LOGLINE_MAX];
	size_t n = logline_format(out, l, ctx.json);

	/* One write, so that lines of several processes do not mix. */
	if (write(STDERR_FILENO, out, n) == -1)
		return;
}

static void
to_syslog(const struct logline *l)
{
	int priority = levels[l->level].priority;

	if (l->role == NULL)
		syslog(priority, "%s", l->text);
	else if (l->index < 0)
		syslog(priority, "%s (pid %ld): %s", l->role, l->role_pid,
		    l->text);
	else
		syslog(priority, "%s %d (pid %ld): %s", l->role, l->index,
		    l->role_pid, l->text);
}

/* To wherever lines go. errno is the caller's. */
static void
hand_on(struct logline *l)
{
	int saved = errno;

	l->ms = logline_now();
	l->name = ctx.name;
	l->pid = (long)getpid();
	if (ctx.sink != NULL) {
		ctx.sink(ctx.arg, l->level, l->text);
		errno = saved;
		return;
	}
	if (ctx.watch != NULL)
		ctx.watch(ctx.watch_arg, l);
	if (ctx.tee != NULL)
		ctx.tee(ctx.tee_arg, l);
	else if (ctx.to_syslog)
		to_syslog(l);
	if (!ctx.to_syslog || (ctx.starting && l->level >= LOG_LEVEL_WARN))
		to_stderr(l);
	errno = saved;
}

static bool
is_wanted(enum log_level level)
{
	return level >= ctx.level && ctx.level != LOG_LEVEL_DISABLE;
}

/* Format, append the text of `err` unless it is 0, and hand the line on. */
static void __attribute__((format(printf, 3, 0)))
emit(enum log_level level, int err, const char *fmt, va_list ap)
{
	struct logline l = { .level = level };
	char line[LOG_LINE_MAX];
	int n;

	if (!is_wanted(level))
		return;
	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n >= 0 && (size_t)n < sizeof(line) && err != 0)
		snprintf(
		    line + n, sizeof(line) - (size_t)n, ": %s", strerror(err));
	l.text = line;
	hand_on(&l);
}

void
log_from(enum log_level level, const char *role, int index, long pid,
    const char *text)
{
	struct logline l = { .level = level,
		.role = role,
		.index = index,
		.role_pid = pid,
		.text = text };

	if (is_wanted(level))
		hand_on(&l);
}

#define VERB(name, level, err)             \
	void name(const char *fmt, ...)    \
	{                                  \
		va_list ap;                \
		va_start(ap, fmt);         \
		emit(level, err, fmt, ap); \
		va_end(ap);                \
	}

VERB(log_trace, LOG_LEVEL_TRACE, 0)
VERB(log_debug, LOG_LEVEL_DEBUG, 0)
VERB(log_info, LOG_LEVEL_INFO, 0)
VERB(log_warn, LOG_LEVEL_WARN, errno)
VERB(log_warnx, LOG_LEVEL_WARN, 0)
VERB(log_error, LOG_LEVEL_ERROR, 0)

void
log_at(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(level, 0, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_FATAL, errno, fmt, ap);
	va_end(ap);
	exit(2);
}

void
fatalx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_FATAL, 0, fmt, ap);
	va_end(ap);
	exit(2);
}
