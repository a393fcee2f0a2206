/*
 * ptpd's command line. It may hold secrets (-u), so it lives in a sealed
 * memory file that only the child which parses the configuration reads, and
 * that a new binary inherits (PROTOCOL.md section 3, restart).
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf/args.h"

#define OPTIONS_FILE "/etc/ptpd.conf"

/* What getopt found. */
struct options {
	struct conf_args args;
	bool foreground;    /* -d */
	bool check;	    /* -n */
	int verbose;	    /* -v: how often */
	int restart_fd;	    /* our own re-exec: the state; -1: none */
	int args_fd;	    /* the command line, as options_keep() wrote it */
	int cwd_fd;	    /* where relative paths begin */
	const char **lists; /* what args points into */
	char *const *shown; /* argv without secrets, for a restart */
};

/*
 * Parse. argv must outlive the result. Returns 0, or -1 after a usage line on
 * stderr.
 */
int options_parse(struct options *o, int argc, char **argv);

void options_free(struct options *o);

/*
 * Write the command line to a sealed memory file, note the directory that we
 * are in: args_fd and cwd_fd. 0, or -1 with errno.
 */
int options_keep(struct options *o, int argc, char **argv);

/*
 * The other way: read args_fd into a fresh argv (one allocation, freed with
 * options_free_argv(), which wipes it). NULL with errno.
 */
char **options_read(int args_fd, int *argc);
void options_free_argv(char **argv, int argc);

/* Forget what may be secret in o: afterwards only flags and file count. */
void options_drop_lists(struct options *o);

#endif
