/*
 * The log: six verbs, one line each, wherever the lines go.
 *
 * A master or a client's parent writes to stderr or syslog; a worker has
 * neither and sends its lines up its channel (log_sink). errno survives every
 * call. Text that came from a peer must have gone through text_escape()
 * (common/base/text.h) first.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_TRACE,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_FATAL,
	LOG_LEVEL_DISABLE
};

#define LOG_LINE_MAX 1024 /* bytes of one line with its terminator */

struct logline;

/* Takes one finished line, without newline. */
typedef void (*log_sink)(void *arg, enum log_level level, const char *line);

/*
 * Log to stderr if foreground, else to syslog, as `name`, which must outlive
 * the log. Lines below `level` are dropped. Before log_init: stderr, info.
 */
void log_init(const char *name, bool foreground, enum log_level level);

/* Send all lines to fn instead; NULL goes back to stderr or syslog. */
void log_to(log_sink fn, void *arg);

/*
 * Hand every line on in place of syslog; stderr, if it is in use, gets it as
 * well. NULL: syslog again.
 */
void log_tee(void (*fn)(void *arg, const struct logline *l), void *arg);

/* Show every line to fn as well. NULL: to nobody. */
void log_watch(void (*fn)(void *arg, const struct logline *l), void *arg);

/* Lines on stderr are JSON, or text. */
void log_set_json(bool json);

/*
 * Warnings and errors go to stderr as well as to syslog: somebody waits there
 * to see whether we start. Off until it is set, and again when it is unset.
 */
void log_starting(bool on);

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "trace" ... "disable" to its level; -1 if there is none of that name. */
int log_level_parse(const char *name, enum log_level *level);
const char *log_level_name(enum log_level level);

/* printf-like. log_warn and fatal append ": " and the text of errno. */
void log_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line at a level decided at run time. */
void log_at(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A line of a process of ours, as it came up its channel; index -1: there is
 * only one of its role.
 */
void log_from(enum log_level level, const char *role, int index, long pid,
    const char *text);

/* For main paths and broken invariants only: log, then exit with 2. */
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
_Noreturn void fatalx(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
