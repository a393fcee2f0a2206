/* ptpd: the server. This is its master; the workers are other programs. */
#include <sys/stat.h>

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/conf/faults.h"
#include "common/sys/argv.h"
#include "common/sys/daemon.h"
#include "master/certs.h"
#include "master/master.h"
#include "master/options.h"
#include "master/restart.h"

enum exit_status { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_START = 2 };

/* -n: say what is wrong with the configuration. */
static int
check(const struct options *o)
{
	struct faults faults = { 0 };
	struct certs_files files;
	struct server_conf conf;
	bool good;
	int ret;

	certs_none(&files);
	ret = server_conf_load(&conf, &o->args, &faults);
	if (ret == 0 && certs_open(&files) == 0)
		certs_load(&conf, &files, &faults);
	certs_close(&files);
	faults_print(&faults, stderr);
	good = ret == 0 && faults.errors == 0;
	faults_free(&faults);
	if (ret == 0)
		server_conf_free(&conf);
	if (!good)
		return EXIT_USAGE;
	printf("configuration OK\n");
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_USAGE;
}

static int
serve(const struct options *o)
{
	struct master m;
	int ready_fd = -1, status;

	if (!o->foreground && (ready_fd = daemon_start()) == -1) {
		log_error("cannot go to the background: %s", strerror(errno));
		return EXIT_START;
	}
	if (master_init(&m, o) == -1) {
		log_error("cannot start: %s", strerror(errno));
		master_free(&m);
		return EXIT_START;
	}
	m.ready_fd = ready_fd;
	status = master_run(&m);
	master_free(&m);
	return status;
}

/* In the place of another ptpd, under its pid, with all that it had. */
static int
succeed(struct options *o, struct inherited *in)
{
	struct master m;
	int status = EXIT_START;

	if (master_init(&m, o) == 0) {
		master_inherit(&m, in);
		status = master_run(&m);
		if (m.ready || in->step == RESTART_RESUME) {
			master_free(&m);
			return status;
		}
	}
	master_abandon(&m);
	restart_go_back(
	    in, o->shown, m.why[0] != '\0' ? m.why : "its log says more");
	return EXIT_START;
}

/* Parse a command line that was kept; its secrets do not stay. */
static int
recall(struct options *o, const struct inherited *in)
{
	char **args;
	int argc, ret;

	if ((args = options_read(in->head.args_fd, &argc)) == NULL)
		return -1;
	ret = options_parse(o, argc, args);
	options_drop_lists(o);
	options_free_argv(args, argc);
	o->args_fd = in->head.args_fd;
	o->cwd_fd = in->head.cwd_fd;
	return ret;
}

static int
run_again(struct options *o, struct inherited *in)
{
	if (in->step == RESTART_CHECK)
		return restart_say_yes();
	if (recall(o, in) == -1) {
		restart_go_back(in, o->shown, "the command line is lost");
		return EXIT_START;
	}
	log_init("ptpd", o->foreground, LOG_LEVEL_INFO);
	return succeed(o, in);
}

/* The first time: by an operator, or by init. */
static int
run(struct options *o, int argc, char **argv)
{
	char **args;
	int status;

	if ((args = argv_hide(argc, argv)) == NULL)
		fatal("cannot start");
	if (options_parse(o, argc, args) == -1) {
		argv_free(args);
		return EXIT_USAGE;
	}
	o->shown = argv;
	if (o->check) {
		status = check(o);
	} else if (options_keep(o, argc, args) == -1) {
		log_error("cannot start: %s", strerror(errno));
		status = EXIT_START;
	} else {
		/* From here on secrets are in that file alone. */
		options_drop_lists(o);
		argv_free(args);
		args = NULL;
		status = serve(o);
	}
	options_free(o);
	argv_free(args);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = { .shown = argv };
	struct inherited in;

	umask(077);
	log_init("ptpd", true, LOG_LEVEL_INFO);
	if (sodium_init() == -1)
		fatalx("cannot start");
	if (restart_receive(&in) == -1)
		return EXIT_START;
	if (in.step != RESTART_NONE)
		return run_again(&options, &in);
	return run(&options, argc, argv);
}
