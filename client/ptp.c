/* ptp: publishes local services through a ptp server. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cmdline.h"
#include "client/keyfile.h"
#include "client/logging.h"
#include "client/parent.h"
#include "common/base/log.h"
#include "common/sys/argv.h"
#include "common/sys/daemon.h"

enum status { OK = 0, BAD_CONF = 1, NOT_STARTED = 2 };

/* `ptp keygen [-o file]` */
static int
keygen(int argc, char **argv)
{
	char why[KEYFILE_WHY], text[KEYTEXT_SIZE];
	uint8_t public[KEYTEXT_KEY];
	const char *path = NULL;
	int c;

	while ((c = getopt(argc, argv, "o:")) != -1) {
		if (c != 'o')
			return cmdline_usage();
		path = optarg;
	}
	if (optind != argc)
		return cmdline_usage();
	if (keyfile_make(path, public, why) == -1) {
		fprintf(stderr, "ptp: %s\n", why);
		return NOT_STARTED;
	}
	printf("%s\n", keytext_encode(text, public));
	return fflush(stdout) == 0 ? OK : NOT_STARTED;
}

/* Commands that a later version will have are not services of this one. */
static int
refuse_command(const char *name)
{
	fprintf(stderr, "ptp: this version has no command %s\n", name);
	return BAD_CONF;
}

/* Load the configuration; faults go to stderr. NULL: they were errors. */
static struct source *
load(const struct cmdline *cl)
{
	struct faults faults = { 0 };
	struct source *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->users = 1;
	if (client_conf_load(&s->conf, &cl->args, &faults) == -1) {
		free(s);
		s = NULL;
	}
	faults_print(&faults, stderr);
	faults_free(&faults);
	return s;
}

static int
open_log(struct parent *p, const struct client_conf *c)
{
	char why[LOGGING_WHY];

	if ((p->logging = logging_new()) == NULL) {
		log_error("cannot start: %s", strerror(errno));
		return -1;
	}
	if (logging_prepare(p->logging, c, why) == -1) {
		log_error("%s", why);
		return -1;
	}
	logging_commit(p->logging, c);
	return 0;
}

static int
serve(const struct cmdline *cl, struct source *s)
{
	int status;
	struct parent p = {
		.args = &cl->args,
		.foreground = cl->foreground,
		.privileged = geteuid() == 0,
		.daemon_fd = -2, /* there is something to say, to nobody here */
		.cwd_fd = -1,
		.verbose = cl->verbose,
	};

	if (!cl->foreground &&
	    ((p.cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1 ||
		(p.daemon_fd = daemon_start()) == -1)) {
		fprintf(stderr, "ptp: cannot go to the background: %s\n",
		    strerror(errno));
		source_drop(s);
		return NOT_STARTED;
	}
	log_init("ptp", cl->foreground, parent_level(&s->conf, cl->verbose));
	log_starting(!cl->foreground);
	if (open_log(&p, &s->conf) == 0) {
		status = parent_run(&p, s);
	} else {
		source_drop(s);
		status = NOT_STARTED;
	}
	logging_free(p.logging);
	return status;
}

static int
run(int argc, char **argv)
{
	struct cmdline cl;
	struct source *s;
	int status;

	if (argc > 1 && strcmp(argv[1], "keygen") == 0)
		return keygen(argc - 1, argv + 1);
	if (argc > 1 && cmdline_is_command(argv[1]))
		return refuse_command(argv[1]);
	if (cmdline_parse(&cl, argc, argv) == -1)
		return BAD_CONF;
	if ((s = load(&cl)) == NULL) {
		status = BAD_CONF;
	} else if (cl.check) {
		source_drop(s);
		status = puts("configuration OK") == EOF ? NOT_STARTED : OK;
	} else {
		status = serve(&cl, s);
	}
	cmdline_free(&cl);
	return status;
}

int
main(int argc, char **argv)
{
	char **copy;
	int status;

	/* First of all: secrets out of ps's sight. */
	if ((copy = argv_hide(argc, argv)) == NULL || sodium_init() == -1) {
		fprintf(stderr, "ptp: cannot start\n");
		return NOT_STARTED;
	}
	status = run(argc, copy);
	argv_free(copy);
	return status;
}
