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
#include "master/master.h"
#include "master/options.h"

enum exit_status { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_START = 2 };

/* -n: say what is wrong with the configuration. */
static int
check(const struct options *o)
{
	struct faults faults = { 0 };
	struct server_conf conf;
	int ret;

	ret = server_conf_load(&conf, &o->args, &faults);
	faults_print(&faults, stderr);
	faults_free(&faults);
	if (ret == -1)
		return EXIT_USAGE;
	server_conf_free(&conf);
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

int
main(int argc, char **argv)
{
	struct options options;
	char **args;
	int status;

	umask(077);
	log_init("ptpd", true, LOG_LEVEL_INFO);
	if ((args = argv_hide(argc, argv)) == NULL || sodium_init() == -1)
		fatal("cannot start");
	if (options_parse(&options, argc, args) == -1)
		return EXIT_USAGE;
	if (options.check) {
		status = check(&options);
	} else if (options_keep(&options, argc, args) == -1) {
		log_error("cannot start: %s", strerror(errno));
		status = EXIT_START;
	} else {
		/* From here on secrets are in that file alone. */
		options_drop_lists(&options);
		argv_free(args);
		args = NULL;
		status = serve(&options);
	}
	options_free(&options);
	argv_free(args);
	return status;
}
