/* ptpctl: asks a running ptpd or ptp, and shows what it says. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conf/paths.h"
#include "common/ipc/ctl.h"
#include "master/print.h"
#include "master/probe.h"

enum exit_status { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_NO_DAEMON = 2 };

/* Commands of ptpd, and those of ptp. */
static const struct command {
	const char *name;
	int args;
} commands[] = {
	{ "status", 0 },
	{ "show", 1 },
	{ "kick", 1 },
	{ "reload", 0 },
	{ "restart", 0 },
	{ "stop", 0 },
	{ "kill", 0 },
	{ "log", 1 },
	{ "invite", 1 },
	{ "check", 0 },
	{ "add", 1 },
	{ "remove", 1 },
};

static int
usage(void)
{
	fprintf(stderr, "usage: ptpctl [-j] [-s socket] command [argument]\n");
	return EXIT_REFUSED;
}

/* Surplus arguments are an error before anybody is asked. */
static bool
is_command(int argc, char **argv)
{
	size_t n = sizeof(commands) / sizeof(commands[0]);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		if (argc - 1 == commands[i].args)
			return true;
		if (argc - 1 > commands[i].args)
			fprintf(stderr, "ptpctl: %s: what is %s?\n", argv[0],
			    argv[1 + commands[i].args]);
		else
			fprintf(stderr, "ptpctl: %s: an argument is missing\n",
			    argv[0]);
		return false;
	}
	fprintf(stderr, "ptpctl: there is no command %s; there are", argv[0]);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s %s", i == 0 ? "" : ",", commands[i].name);
	fputc('\n', stderr);
	return false;
}

static void
print_error(const uint8_t *text, size_t n)
{
	fputs("ptpctl: ", stderr);
	print_text(stderr, text, n);
	fputc('\n', stderr);
}

/* Take one packet of the answer. -1: go on, else the exit status. */
static int
take_packet(struct print *p, const uint8_t *packet, size_t n)
{
	switch (packet[0]) {
	case CTL_SHAPE:
		if (n == 2)
			print_shape(p, packet[1]);
		return -1;
	case CTL_ROW:
		if (print_row(p, packet + 1, n - 1) == 0)
			return -1;
		fprintf(stderr, "ptpctl: a malformed answer\n");
		return EXIT_REFUSED;
	case CTL_DONE:
		return print_end(p) == 0 ? EXIT_DONE : EXIT_REFUSED;
	case CTL_ERROR:
		print_error(packet + 1, n - 1);
		return EXIT_REFUSED;
	default:
		return -1;
	}
}

/* Read answers until the last. */
static int
take_answer(int fd, struct print *p)
{
	uint8_t packet[CTL_PACKET_MAX];
	int status = -1;
	ssize_t n;

	while (status == -1) {
		n = recv(fd, packet, sizeof(packet), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			fprintf(stderr, "ptpctl: the daemon hung up\n");
			return EXIT_NO_DAEMON;
		}
		status = take_packet(p, packet, (size_t)n);
	}
	return status;
}

static int
run(const char *path, bool json, int argc, char **argv)
{
	struct print *p;
	int fd, status;

	if (strcmp(argv[0], "check") == 0)
		return probe(path, json);
	if ((fd = ctl_connect(path, (size_t)argc, argv)) == -1) {
		fprintf(stderr, "ptpctl: %s: %s\n", path, strerror(errno));
		return errno == E2BIG ? EXIT_REFUSED : EXIT_NO_DAEMON;
	}
	if ((p = print_new(stdout, json)) == NULL) {
		fprintf(stderr, "ptpctl: %s\n", strerror(errno));
		status = EXIT_REFUSED;
	} else {
		status = take_answer(fd, p);
		print_free(p);
	}
	close(fd);
	return status;
}

int
main(int argc, char **argv)
{
	char *path = NULL;
	bool json = false;
	int c, status;

	while ((c = getopt(argc, argv, "+js:")) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 's':
			free(path);
			path = strdup(optarg);
			break;
		default:
			return usage();
		}
	}
	if (optind == argc)
		return usage();
	if (!is_command(argc - optind, argv + optind))
		return EXIT_REFUSED;
	if (path == NULL)
		path = paths_runtime("/run/ptpd.sock", "ptpd", "ptpd.sock");
	if (path == NULL) {
		fprintf(stderr, "ptpctl: %s\n", strerror(errno));
		return EXIT_REFUSED;
	}
	status = run(path, json, argc - optind, argv + optind);
	free(path);
	return status;
}
