/* ptp's command line. */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <stdbool.h>

#include "common/conf/args.h"

#define CMDLINE_FILE "/etc/ptp.conf"

struct cmdline {
	struct conf_args args; /* points into argv, and into this */
	bool foreground;       /* -d */
	bool check;	       /* -n */
	int verbose;	       /* -v: how often */
	char *path;	       /* of the file, absolute */
	const char **lists;
};

/*
 * Parse. argv must outlive the result. 0, or -1 after a usage line on stderr.
 */
int cmdline_parse(struct cmdline *cl, int argc, char **argv);
void cmdline_free(struct cmdline *cl);

/* Whether an operand is a command's name, and no service. */
bool cmdline_is_command(const char *word);

/* Say how it is used, on stderr. Returns 1, the exit status for that. */
int cmdline_usage(void);

#endif
