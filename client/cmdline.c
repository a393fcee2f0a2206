/* ptp's command line. */
#include "client/cmdline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf/paths.h"

int
cmdline_usage(void)
{
	fprintf(stderr,
	    "usage: ptp [-dnv] [-f file] [-o key=value] [-s "
	    "server] [service ...]\n"
	    "       ptp keygen [-o file]\n");
	return 1;
}

bool
cmdline_is_command(const char *word)
{
	static const char *const commands[] = { "connect", "punch", "doctor",
		"keygen" };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(word, commands[i]) == 0)
			return true;
	}
	return false;
}

static int
take(struct cmdline *cl, int c, const char *value)
{
	switch (c) {
	case 'd':
		cl->foreground = true;
		return 0;
	case 'n':
		cl->check = true;
		return 0;
	case 'v':
		cl->verbose++;
		return 0;
	case 'f':
		cl->args.file = value;
		cl->args.named = true;
		return 0;
	case 'o':
		((const char **)cl->args.options)[cl->args.noptions++] = value;
		return 0;
	case 's':
		((const char **)cl->args.servers)[cl->args.nservers++] = value;
		return 0;
	default:
		cmdline_usage();
		return -1;
	}
}

/* A daemon's directory is "/", and a reload comes from there. */
static int
complete(struct cmdline *cl, char **operands, int n)
{
	cl->args.services = (const char *const *)operands;
	cl->args.nservices = (size_t)n;
	if ((cl->path = strdup(cl->args.file)) == NULL ||
	    paths_absolute(&cl->path) == -1) {
		fprintf(stderr, "ptp: %s\n", strerror(errno));
		return -1;
	}
	cl->args.file = cl->path;
	return 0;
}

int
cmdline_parse(struct cmdline *cl, int argc, char **argv)
{
	int c;

	memset(cl, 0, sizeof(*cl));
	cl->args.file = CMDLINE_FILE;
	/* Room for every argument in either list. */
	cl->lists = calloc(2 * (size_t)argc, sizeof(*cl->lists));
	if (cl->lists == NULL) {
		fprintf(stderr, "ptp: %s\n", strerror(errno));
		return -1;
	}
	cl->args.options = cl->lists;
	cl->args.servers = cl->lists + argc;
	while ((c = getopt(argc, argv, "dnvf:o:s:")) != -1) {
		if (take(cl, c, optarg) == -1)
			goto err0;
	}
	if (complete(cl, argv + optind, argc - optind) == 0)
		return 0;

err0:
	cmdline_free(cl);
	return -1;
}

void
cmdline_free(struct cmdline *cl)
{
	free(cl->path);
	free(cl->lists);
	cl->path = NULL;
	cl->lists = NULL;
}
