/*
 * What the command line says about the configuration, as the option parser
 * collected it. Nothing is owned: all strings live in argv or longer.
 */
#ifndef ARGS_H
#define ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct conf_args {
	const char *file; /* to read */
	bool named;	  /* by -f: it must exist; else it may be missing */
	bool reload;	  /* not at start: a users_file may be missing */
	const char *const *options; /* -o: "key=value", in order */
	size_t noptions;
	const char *const *users; /* ptpd -u: "id:secret" or "id:@file" */
	size_t nusers;
	const char *const *servers; /* ptp -s: addresses, in order */
	size_t nservers;
	const char *const *services; /* ptp's operands: LOCAL[,key=value...] */
	size_t nservices;
};

#endif
