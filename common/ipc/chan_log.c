/* The log of a worker, sent up its channel at a bounded rate. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "common/ipc/chan.h"

#define LINES_PER_SECOND 50

/* A process has one log, so its bookkeeping may be static. */
static struct {
	time_t second;
	unsigned lines, dropped;
} rate;

static void
send_line(struct chan *c, enum log_level level, const char *line)
{
	uint8_t frame[1 + LOG_LINE_MAX];
	size_t n = strlen(line);

	frame[0] = (uint8_t)level;
	memcpy(frame + 1, line, n);
	chan_send(c, MSG_LOG, 0, frame, 1 + n, -1);
	/* It may be the last thing that this process does. */
	chan_flush(c);
}

static void
sink(void *arg, enum log_level level, const char *line)
{
	struct chan *c = arg;
	struct timespec now;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != rate.second) {
		if (rate.dropped > 0) {
			snprintf(text, sizeof(text),
			    "%u log lines dropped in one second", rate.dropped);
			send_line(c, LOG_LEVEL_WARN, text);
		}
		rate.second = now.tv_sec;
		rate.lines = rate.dropped = 0;
	}
	if (++rate.lines > LINES_PER_SECOND) {
		rate.dropped++;
		return;
	}
	send_line(c, level, line);
}

void
chan_log(struct chan *c)
{
	log_to(sink, c);
}
