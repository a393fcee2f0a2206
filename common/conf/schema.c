/* Configuration by table: from a libconfig tree and options to a struct. */
#include "common/conf/schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/conf/field.h"
#include "common/conf/paths.h"
#include "common/conf/source.h"
#include "common/conf/setting.h"

#define FULL_PATH (SCHEMA_PATH_MAX * 2) /* bytes of prefix and path */

struct load {
	const struct schema *s;
	void *to;
	const struct schema_input *in;
	struct faults *f;
	/* What the file says, by row. */
	const config_setting_t *found[SCHEMA_KEYS_MAX];
	bool given[SCHEMA_KEYS_MAX]; /* an option has set the row */
};

void
schema_fault(
    const struct schema_place *at, const char *key, const char *fmt, ...)
{
	char text[FAULTS_LINE / 2], path[FULL_PATH] = "";
	bool both = at->key != NULL && key != NULL;
	va_list ap;

	snprintf(path, sizeof(path), "%s%s%s", at->key == NULL ? "" : at->key,
	    both ? "." : "", key == NULL ? "" : key);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	faults_add(at->faults, at->file, at->line, path, "%s", text);
}

/* The row of a path; rows without one are never found. */
static const struct schema_key *
find(const struct schema *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->keys[i].path != NULL &&
		    strcmp(s->keys[i].path, path) == 0)
			return &s->keys[i];
	}
	return NULL;
}

/* Whether some key's path goes on below this one. */
static bool
is_group(const struct schema *s, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < s->n; i++) {
		const char *p = s->keys[i].path;

		if (p != NULL && strncmp(p, path, n) == 0 && p[n] == '.')
			return true;
	}
	return false;
}

/* The path as a user knows it: below the prefix. */
static const char *
full_path(char *dst, const struct load *l, const char *path)
{
	const char *prefix = l->in->prefix;

	snprintf(dst, FULL_PATH, "%.50s%s%.200s", prefix == NULL ? "" : prefix,
	    prefix == NULL ? "" : ".", path);
	return dst;
}

static unsigned int
line_of(const struct load *l, const config_setting_t *v)
{
	return l->in->unlined ? 0 : config_setting_source_line(v);
}

static void
set(struct load *l, const struct schema_key *k, const config_setting_t *v,
    const char *file, bool append)
{
	char key[FULL_PATH];
	struct schema_place at = {
		.faults = l->f, .file = file, .key = full_path(key, l, k->path)
	};
	uint64_t *flags = (uint64_t *)((char *)l->to + l->s->set);

	if (file == l->in->file)
		at.line = line_of(l, v);
	setting_put(k, l->to, v, append, &at);
	*flags |= k->flag;
}

/*
 * Note the settings of a group of the file by their rows, groups within it
 * too; what has no row is a fault.
 */
static void
walk(struct load *l, const config_setting_t *group, const char *above)
{
	int n = config_setting_length(group);

	for (int i = 0; i < n; i++) {
		const config_setting_t *v =
		    config_setting_get_elem(group, (unsigned int)i);
		char path[SCHEMA_PATH_MAX], key[FULL_PATH];
		const struct schema_key *k;
		const char *wrong = "unknown key";

		snprintf(path, sizeof(path), "%s%s%s", above,
		    *above == '\0' ? "" : ".", config_setting_name(v));
		k = find(l->s, path);
		if (k != NULL) {
			l->found[k - l->s->keys] = v;
			continue;
		}
		if (is_group(l->s, path)) {
			if (config_setting_type(v) == CONFIG_TYPE_GROUP) {
				walk(l, v, path);
				continue;
			}
			wrong = "expected { key = value; ... }";
		}
		faults_add(l->f, l->in->file, line_of(l, v),
		    full_path(key, l, path), "%s", wrong);
	}
}

/* Read the value of an option, by what its row takes. 0, or -1: ENOMEM. */
static int
read_option(config_t *cfg, const struct schema_key *k, const char *value)
{
	if (source_literal(cfg, value) == 0) {
		if (setting_fits(k, config_setting_type(source_value(cfg))))
			return 0;
	}
	source_free(cfg);
	return source_string(cfg, value);
}

static void
set_option(struct load *l, const struct schema_key *k, const char *value)
{
	size_t row = (size_t)(k - l->s->keys);
	config_t cfg;

	if (read_option(&cfg, k, value) == 0)
		set(l, k, source_value(&cfg), l->in->source,
		    l->in->append && l->given[row]);
	else
		faults_add(
		    l->f, l->in->source, 0, k->path, "expected more memory");
	l->given[row] = true;
	source_free(&cfg);
}

/* One "key=value". */
static void
option(struct load *l, const char *text)
{
	size_t n = strcspn(text, "=");
	char path[SCHEMA_PATH_MAX], shown[TEXT_ESCAPED], key[FULL_PATH];
	const struct schema_key *k = NULL;
	const char *wrong = "unknown key";

	text_escape(shown, text, n);
	if (text[n] != '=') {
		wrong = "expected key=value";
	} else if (n < sizeof(path)) {
		memcpy(path, text, n);
		path[n] = '\0';
		k = find(l->s, path);
		if (k == NULL && is_group(l->s, path))
			wrong = "expected one of the keys of this group";
	}
	if (k != NULL)
		set_option(l, k, text + n + 1);
	else
		faults_add(l->f, l->in->source, 0, full_path(key, l, shown),
		    "%s", wrong);
}

/* Whether a later option has the same key, and so beats this one. */
static bool
is_beaten(const struct schema_input *in, size_t i)
{
	size_t n = strcspn(in->options[i], "=") + 1;

	for (size_t j = i + 1; j < in->noptions && !in->append; j++) {
		if (in->options[i][n - 1] == '=' &&
		    strncmp(in->options[i], in->options[j], n) == 0)
			return true;
	}
	return false;
}

/* Whether the file's value of a row does not count. */
static bool
is_ignored(const struct schema_input *in, const char *path)
{
	for (size_t i = 0; in->ignore != NULL && in->ignore[i] != NULL; i++) {
		if (strcmp(in->ignore[i], path) == 0)
			return true;
	}
	return false;
}

/* Defaults are options that the table gives. */
static void
set_defaults(struct load *l)
{
	struct schema_place at = { .faults = l->f, .file = "default" };

	for (size_t i = 0; i < l->s->n; i++) {
		const struct schema_key *k = &l->s->keys[i];
		config_t cfg;

		if (k->preset == NULL)
			continue;
		at.key = k->path;
		if (read_option(&cfg, k, k->preset) == 0)
			setting_put(k, l->to, source_value(&cfg), false, &at);
		else
			schema_fault(&at, NULL, "expected more memory");
		source_free(&cfg);
	}
}

void
schema_load(const struct schema *s, void *to, const struct schema_input *in,
    struct faults *f)
{
	struct load l = { .s = s, .to = to, .in = in, .f = f };

	memset(to, 0, s->size);
	set_defaults(&l);
	if (in->group != NULL)
		walk(&l, in->group, "");
	for (size_t i = 0; i < in->noptions; i++) {
		if (!is_beaten(in, i))
			option(&l, in->options[i]);
	}
	/* In the table's order, but what an option has set stays. */
	for (size_t i = 0; i < s->n; i++) {
		if (l.found[i] != NULL && !l.given[i] &&
		    !is_ignored(in, s->keys[i].path))
			set(&l, &s->keys[i], l.found[i], in->file, false);
	}
}

void
schema_free(const struct schema *s, void *from)
{
	for (size_t i = 0; i < s->n; i++)
		field_free(&s->keys[i], from);
}

/* The setting of a dotted path below a group, or NULL. */
static const config_setting_t *
lookup(const config_setting_t *group, const char *path)
{
	char name[SCHEMA_PATH_MAX];

	while (group != NULL) {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(name) ||
		    config_setting_type(group) != CONFIG_TYPE_GROUP)
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		group = config_setting_get_member(group, name);
		if (path[n] == '\0')
			return group;
		path += n + 1;
	}
	return NULL;
}

struct schema_place
schema_locate(const struct schema_input *in, const char *key, struct faults *f)
{
	struct schema_place at = { .faults = f, .key = key };
	const config_setting_t *v = lookup(in->group, key);
	size_t n = strlen(key);

	if (v != NULL) {
		at.file = in->file;
		at.line = config_setting_source_line(v);
	}
	for (size_t i = 0; i < in->noptions; i++) {
		if (strncmp(in->options[i], key, n) == 0 &&
		    in->options[i][n] == '=') {
			at.file = in->source;
			at.line = 0;
		}
	}
	return at;
}

void
schema_path(char **path, const char *key, size_t max,
    const struct schema_input *in, struct faults *f)
{
	struct schema_place at = schema_locate(in, key, f);

	if (*path == NULL)
		schema_fault(&at, NULL, "expected a path");
	else if (paths_absolute(path) == -1)
		schema_fault(&at, NULL, "%s", strerror(errno));
	else if (strlen(*path) > max)
		schema_fault(
		    &at, NULL, "expected a path of at most %zu bytes", max);
}
