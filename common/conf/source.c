/* Configuration files and literals, read for libconfig. */
#include "common/conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf/scan.h"

#define LITERAL_MAX 65536
#define FIRST_ROOM 16384

/* Text as it is read; room for a final newline and a terminator is kept. */
struct text {
	char *p;
	size_t n, room;
};

static void
text_free(struct text *t)
{
	if (t->p != NULL)
		explicit_bzero(t->p, t->room);
	free(t->p);
}

/* Double the room; the old copy is wiped, which realloc() would not do. */
static int
text_grow(struct text *t)
{
	size_t room = t->room == 0 ? FIRST_ROOM : t->room * 2;
	char *p = malloc(room);

	if (p == NULL)
		return -1;
	if (t->n > 0)
		memcpy(p, t->p, t->n);
	text_free(t);
	t->p = p;
	t->room = room;
	return 0;
}

/* Read to the end. Returns NULL, or why not. */
static const char *
read_all(int fd, struct text *t)
{
	ssize_t n;

	for (;;) {
		if (t->n + 2 >= t->room && text_grow(t) == -1)
			return strerror(ENOMEM);
		n = read(fd, t->p + t->n, t->room - t->n - 2);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return strerror(errno);
		if (n == 0)
			return NULL;
		t->n += (size_t)n;
		if (t->n > SOURCE_MAX)
			return "expected a smaller file";
	}
}

/* Whether the open file may be believed. Returns NULL, or why not. */
static const char *
check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return strerror(EISDIR);
	if (S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH) != 0)
		return "expected a file that not everybody may write";
	return NULL;
}

/* Give the text to libconfig, which wants it terminated. */
static int
parse(config_t *cfg, struct text *t, const char *label, struct faults *f)
{
	const char *fault;
	unsigned int line;

	/* Some editors begin with a byte order mark. */
	if (t->n >= 3 && memcmp(t->p, "\xef\xbb\xbf", 3) == 0)
		memset(t->p, ' ', 3);
	fault = scan_text(t->p, t->n, &line);
	if (fault != NULL) {
		faults_add(f, label, line, NULL, "%s", fault);
		return -1;
	}
	/* libconfig 1.5 ends a comment at a newline only. */
	t->p[t->n] = '\n';
	t->p[t->n + 1] = '\0';
	if (config_read_string(cfg, t->p) == CONFIG_TRUE)
		return 0;
	faults_add(f, label, (unsigned int)config_error_line(cfg), NULL, "%s",
	    config_error_text(cfg));
	return -1;
}

int
source_file(config_t *cfg, const char *path, bool must, struct faults *f)
{
	struct text t = { 0 };
	const char *fault;
	int fd, rc = -1;

	config_init(cfg);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		if (errno == ENOENT && !must)
			return 0;
		faults_add(f, path, 0, NULL, "%s", strerror(errno));
		return -1;
	}
	fault = check_file(fd);
	if (fault == NULL)
		fault = read_all(fd, &t);
	close(fd);
	if (fault != NULL)
		faults_add(f, path, 0, NULL, "%s", fault);
	else if (t.p != NULL && parse(cfg, &t, path, f) == 0)
		rc = 1;
	text_free(&t);
	return rc;
}

int
source_text(config_t *cfg, const char *text, size_t n, const char *label,
    struct faults *f)
{
	struct text t = { 0 };
	int rc;

	config_init(cfg);
	if (n > SOURCE_MAX)
		return -1;
	t.room = n + 2;
	t.p = malloc(t.room);
	if (t.p == NULL)
		return -1;
	memcpy(t.p, text, n);
	t.n = n;
	rc = parse(cfg, &t, label, f);
	text_free(&t);
	return rc;
}

int
source_literal(config_t *cfg, const char *value)
{
	struct text t = { 0 };
	size_t n = strlen(value);
	unsigned int line;
	int rc = -1;

	config_init(cfg);
	t.room = n + sizeof("v=");
	t.p = n > LITERAL_MAX ? NULL : malloc(t.room);
	if (t.p == NULL)
		return -1;
	memcpy(t.p, "v=", 2);
	memcpy(t.p + 2, value, n + 1);
	if (scan_text(t.p, n + 2, &line) == NULL &&
	    config_read_string(cfg, t.p) == CONFIG_TRUE &&
	    config_setting_length(config_root_setting(cfg)) == 1)
		rc = 0;
	text_free(&t);
	if (rc == -1) {
		source_free(cfg);
		config_init(cfg);
	}
	return rc;
}

int
source_string(config_t *cfg, const char *value)
{
	config_setting_t *v;

	config_init(cfg);
	v = config_setting_add(
	    config_root_setting(cfg), "v", CONFIG_TYPE_STRING);
	if (v == NULL || config_setting_set_string(v, value) == CONFIG_FALSE)
		return -1;
	return 0;
}

const config_setting_t *
source_value(const config_t *cfg)
{
	return config_setting_get_elem(config_root_setting(cfg), 0);
}

/* Wipe the strings of a setting; scan_text() has bounded the depth. */
static void
wipe(const config_setting_t *s)
{
	const char *v;
	int n;

	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		v = config_setting_get_string(s);
		if (v != NULL)
			explicit_bzero((void *)(uintptr_t)v, strlen(v));
	} else if (config_setting_is_aggregate(s)) {
		n = config_setting_length(s);
		for (int i = 0; i < n; i++)
			wipe(config_setting_get_elem(s, (unsigned int)i));
	}
}

void
source_free(config_t *cfg)
{
	wipe(config_root_setting(cfg));
	config_destroy(cfg);
}
