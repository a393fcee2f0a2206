/* Where the parent's log goes. */
#include "client/logging.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/conf.h"
#include "common/base/log.h"
#include "common/base/logline.h"
#include "common/sys/logfile.h"

struct logging {
	struct logfile file, next;
	char *path; /* of file */
	bool json;
	uint64_t lost; /* lines that could not be written */
	int err;       /* why */
};

struct logging *
logging_new(void)
{
	struct logging *g;

	if ((g = calloc(1, sizeof(*g))) != NULL)
		g->file.fd = g->next.fd = -1;
	return g;
}

void
logging_free(struct logging *g)
{
	if (g == NULL)
		return;
	log_tee(NULL, NULL);
	logfile_close(&g->file);
	logfile_close(&g->next);
	free(g->path);
	free(g);
}

static int
put(struct logging *g, const struct logline *l)
{
	char line[LOGLINE_MAX];
	size_t n = logline_format(line, l, g->json);

	if (g->file.max != 0 && logfile_size(&g->file) + n > g->file.max)
		(void)logfile_rotate(&g->file, l->ms); /* or the old goes on */
	return write(g->file.fd, line, n) == (ssize_t)n ? 0 : -1;
}

/* That lines are missing, before the first that is not. */
static int
put_loss(struct logging *g, const struct logline *l)
{
	struct logline loss = *l;
	char text[128];

	if (g->lost == 0)
		return 0;
	snprintf(text, sizeof(text), "%llu lines lost: %s",
	    (unsigned long long)g->lost, strerror(g->err));
	loss.level = LOG_LEVEL_WARN;
	loss.role = NULL;
	loss.text = text;
	if (put(g, &loss) == -1)
		return -1;
	g->lost = 0;
	return 0;
}

static void
on_line(void *arg, const struct logline *l)
{
	struct logging *g = arg;

	if (logfile_is_old(&g->file, l->ms))
		(void)logfile_rotate(&g->file, l->ms);
	if (put_loss(g, l) == 0 && put(g, l) == 0)
		return;
	g->err = errno;
	g->lost++;
}

int
logging_prepare(
    struct logging *g, const struct client_conf *c, char why[LOGGING_WHY])
{
	logfile_close(&g->next);
	if (c->log_file == NULL)
		return 0;
	g->next = (struct logfile){ .path = c->log_file,
		.max = c->log_max_size,
		.count = (unsigned)c->log_max_count,
		.fd = -1 };
	if (logfile_open(&g->next, logline_now()) == 0)
		return 0;
	snprintf(
	    why, LOGGING_WHY, "log.file: %s: %s", c->log_file, strerror(errno));
	return -1;
}

void
logging_commit(struct logging *g, const struct client_conf *c)
{
	logfile_close(&g->file);
	free(g->path);
	g->path = NULL;
	g->json = c->log_format != 0;
	log_set_json(g->json);
	log_tee(NULL, NULL);
	if (g->next.fd == -1 || (g->path = strdup(g->next.path)) == NULL)
		return;
	g->file = g->next;
	g->file.path = g->path;
	g->next.fd = -1;
	log_tee(on_line, g);
}
