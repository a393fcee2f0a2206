/* ptpd's command line. */
#include "master/options.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys/fds.h"

#define ARGS_MAX (1u << 20) /* bytes of a command line */

static int
usage(void)
{
	fprintf(stderr,
	    "usage: ptpd [-dnv] [-f file] [-o key=value] [-u id:secret]\n");
	return -1;
}

static int
take(struct options *o, int c, const char *value)
{
	switch (c) {
	case 'd':
		o->foreground = true;
		return 0;
	case 'n':
		o->check = true;
		return 0;
	case 'v':
		o->verbose++;
		return 0;
	case 'f':
		o->args.file = value;
		o->args.named = true;
		return 0;
	case 'o':
		((const char **)o->args.options)[o->args.noptions++] = value;
		return 0;
	case 'u':
		((const char **)o->args.users)[o->args.nusers++] = value;
		return 0;
	default:
		return usage();
	}
}

int
options_parse(struct options *o, int argc, char **argv)
{
	char *const *shown = o->shown;
	int c;

	memset(o, 0, sizeof(*o));
	o->shown = shown;
	o->args_fd = o->cwd_fd = o->restart_fd = -1;
	o->args.file = OPTIONS_FILE;
	/* Room for every argument in either list. */
	o->lists = calloc(2 * (size_t)argc, sizeof(*o->lists));
	if (o->lists == NULL) {
		fprintf(stderr, "ptpd: %s\n", strerror(errno));
		return -1;
	}
	o->args.options = o->lists;
	o->args.users = o->lists + argc;
	optind = 0; /* glibc: from the beginning, whatever was parsed before */
	while ((c = getopt(argc, argv, "dnvf:o:u:")) != -1) {
		if (take(o, c, optarg) == -1)
			goto err;
	}
	if (optind != argc) {
		fprintf(stderr, "ptpd: what is %s?\n", argv[optind]);
		usage();
		goto err;
	}
	return 0;

err:
	options_free(o);
	return -1;
}

void
options_free(struct options *o)
{
	free(o->lists);
	o->lists = NULL;
}

void
options_drop_lists(struct options *o)
{
	options_free(o);
	o->args.options = o->args.users = NULL;
	o->args.noptions = o->args.nusers = 0;
	o->args.file = NULL;
}

int
options_keep(struct options *o, int argc, char **argv)
{
	int fd;

	fd = memfd_create("ptpd-args", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -1;
	for (int i = 0; i < argc; i++) {
		if (fds_write(fd, argv[i], strlen(argv[i]) + 1) == -1)
			goto err;
	}
	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1)
		goto err;
	if ((o->cwd_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		goto err;
	o->args_fd = fd;
	return 0;

err:
	close(fd);
	return -1;
}

/* One block: the pointers, a NULL, the strings; its size goes in front. */
char **
options_read(int args_fd, int *argc)
{
	struct stat st;
	size_t size, count = 0, head;
	char **argv, *text;

	if (fstat(args_fd, &st) == -1)
		return NULL;
	if (st.st_size <= 0 || st.st_size > ARGS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	size = (size_t)st.st_size;
	head = (size + 1) * sizeof(*argv); /* no more strings than bytes */
	if ((argv = calloc(1, head + size)) == NULL)
		return NULL;
	text = (char *)argv + head;
	if (pread(args_fd, text, size, 0) != st.st_size ||
	    text[size - 1] != '\0') {
		free(argv);
		errno = EIO;
		return NULL;
	}
	for (size_t at = 0; at < size; at += strlen(text + at) + 1)
		argv[count++] = text + at;
	argv[count] = NULL;
	*argc = (int)count;
	return argv;
}

void
options_free_argv(char **argv, int argc)
{
	for (int i = 0; i < argc; i++)
		explicit_bzero(argv[i], strlen(argv[i]));
	free(argv);
}
