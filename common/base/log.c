/* The log: six verbs, one line each. */
#include "common/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

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
	bool to_syslog, starting;
	enum log_level level;
	log_sink sink;
	void *arg;
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
to_stderr(enum log_level level, const char *line)
{
	char out[LOG_LINE_MAX + 128], when[32];
	struct timespec now;
	struct tm tm;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) == NULL ||
	    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		when[0] = '\0';
	n = snprintf(out, sizeof(out), "%s.%03ldZ %s[%ld]: %s: %s\n", when,
	    now.tv_nsec / 1000000, ctx.name, (long)getpid(), levels[level].name,
	    line);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(out))
		n = (int)sizeof(out) - 1;
	/* One write, so that lines of several processes do not mix. */
	if (write(STDERR_FILENO, out, (size_t)n) == -1)
		return;
}

/* Format, append the text of `err` unless it is 0, and hand the line on. */
static void __attribute__((format(printf, 3, 0)))
emit(enum log_level level, int err, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	int saved = errno, n;

	if (level < ctx.level || ctx.level == LOG_LEVEL_DISABLE)
		return;
	n = vsnprintf(line, sizeof(line), fmt, ap);
	if (n >= 0 && (size_t)n < sizeof(line) && err != 0)
		snprintf(
		    line + n, sizeof(line) - (size_t)n, ": %s", strerror(err));
	if (ctx.sink != NULL)
		ctx.sink(ctx.arg, level, line);
	else if (ctx.to_syslog)
		syslog(levels[level].priority, "%s", line);
	if (ctx.sink == NULL &&
	    (!ctx.to_syslog || (ctx.starting && level >= LOG_LEVEL_ERROR)))
		to_stderr(level, line);
	errno = saved;
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
