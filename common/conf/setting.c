/* One value of a configuration: checked by its row, put into its field. */
#include "common/conf/setting.h"

#include <stdio.h>
#include <string.h>

#include "common/base/units.h"
#include "common/conf/field.h"

/* What is set, by what, and where a fault is said to be. */
struct target {
	const struct schema_key *k;
	void *to;
	struct schema_place at;
};

static void
say(const struct target *t, const char *expected)
{
	schema_fault(&t->at, NULL, "%s", expected);
}

/* The number of an integer setting; -1 if it is none or negative. */
static int
whole(const config_setting_t *s, uint64_t *v)
{
	long long got;
	int type = config_setting_type(s);

	if (type == CONFIG_TYPE_INT)
		got = config_setting_get_int(s);
	else if (type == CONFIG_TYPE_INT64)
		got = config_setting_get_int64(s);
	else
		return -1;
	if (got < 0)
		return -1;
	*v = (uint64_t)got;
	return 0;
}

/* The text of a string setting, or NULL. */
static const char *
text(const config_setting_t *s)
{
	return config_setting_type(s) == CONFIG_TYPE_STRING
	    ? config_setting_get_string(s)
	    : NULL;
}

static void
set_string(const struct target *t, const config_setting_t *s)
{
	const char *v = text(s), *expected = "expected a string";
	char digits[24];
	uint64_t n;

	if (v == NULL && t->k->number && whole(s, &n) == 0) {
		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
		v = digits;
	}
	if (v != NULL)
		expected = field_put_string(t->k, t->to, v, strlen(v));
	if (expected != NULL)
		say(t, expected);
}

static void
set_bool(const struct target *t, const config_setting_t *s)
{
	bool *field = field_at(t->k, t->to);

	if (config_setting_type(s) == CONFIG_TYPE_BOOL)
		*field = config_setting_get_bool(s) == CONFIG_TRUE;
	else
		say(t, "expected true or false");
}

static void
set_int(const struct target *t, const config_setting_t *s)
{
	uint64_t v;

	if (whole(s, &v) == -1 || field_put_number(t->k, t->to, v) == -1)
		schema_fault(&t->at, NULL,
		    "expected a whole number from %llu to %llu",
		    (unsigned long long)t->k->min,
		    (unsigned long long)t->k->max);
}

static void
set_duration(const struct target *t, const config_setting_t *s)
{
	char min[UNITS_TEXT], max[UNITS_TEXT];
	const char *unit = text(s);
	uint64_t v;

	/* A number without unit would be a guess, but for 0. */
	if (unit != NULL ? units_duration(&v, unit) == 0
			 : whole(s, &v) == 0 && v == 0) {
		if (field_put_number(t->k, t->to, v) == 0)
			return;
	}
	schema_fault(&t->at, NULL,
	    "expected a duration as \"30s\" or \"1h30m\", from %s to %s",
	    units_duration_text(min, t->k->min),
	    units_duration_text(max, t->k->max));
}

static void
set_size(const struct target *t, const config_setting_t *s)
{
	const char *unit = text(s);
	uint64_t v;

	if (unit != NULL ? units_size(&v, unit) == 0 : whole(s, &v) == 0) {
		if (field_put_number(t->k, t->to, v) == 0)
			return;
	}
	schema_fault(&t->at, NULL,
	    "expected a size in bytes, or as \"16K\", from %llu to %llu",
	    (unsigned long long)t->k->min, (unsigned long long)t->k->max);
}

static void
set_share(const struct target *t, const config_setting_t *s)
{
	uint64_t v;

	if (config_setting_type(s) == CONFIG_TYPE_FLOAT) {
		double share = config_setting_get_float(s);

		if (share >= 0 && share <= 1 &&
		    field_put_number(t->k, t->to,
			(uint64_t)(share * SCHEMA_WHOLE + 0.5)) == 0)
			return;
	} else if (whole(s, &v) == 0 && v <= 1 &&
	    field_put_number(t->k, t->to, v * SCHEMA_WHOLE) == 0) {
		return;
	}
	say(t, "expected a number from 0 to 1");
}

static void
set_choice(const struct target *t, const config_setting_t *s)
{
	const char *const *word = t->k->choices, *v = text(s);
	char all[256] = "";
	size_t used = 0;

	for (uint64_t i = 0; word[i] != NULL; i++) {
		if (v != NULL && strcmp(word[i], v) == 0) {
			field_put_number(t->k, t->to, i);
			return;
		}
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used,
			    "%s%s", i == 0 ? "" : ", ", word[i]);
	}
	schema_fault(&t->at, NULL, "expected one of %s", all);
}

static void
set_flag_or_string(const struct target *t, const config_setting_t *s)
{
	const char *v = text(s), *expected;

	if (config_setting_type(s) == CONFIG_TYPE_BOOL) {
		field_free(t->k, t->to);
		if (config_setting_get_bool(s) == CONFIG_FALSE)
			return;
		expected = field_put_string(t->k, t->to, "", 0);
	} else if (v == NULL || *v == '\0') {
		expected = "expected true, false or a string";
	} else {
		expected = field_put_string(t->k, t->to, v, strlen(v));
	}
	if (expected != NULL)
		say(t, expected);
}

static void
add_addr(const struct target *t, const config_setting_t *s)
{
	const char *v = text(s);
	struct addr a = { 0 }, *slot;
	uint64_t port;
	bool ok;

	if (v != NULL) {
		ok = addr_parse_listen(&a, v) == 0;
	} else {
		ok = whole(s, &port) == 0 && port <= UINT16_MAX;
		if (ok)
			a.port = (uint16_t)port;
	}
	if (!ok) {
		say(t,
		    "expected a port or an address, as \"80\", "
		    "\"127.0.0.1:80\" or \"[::1]:80\"");
		return;
	}
	slot = field_add(t->k, t->to);
	if (slot == NULL)
		say(t, "expected a shorter list");
	else
		*slot = a;
}

static void
add_block(const struct target *t, const config_setting_t *s)
{
	const char *v = text(s);
	struct addr_block b, *slot;

	if (v == NULL || addr_block_parse(&b, v) == -1) {
		say(t,
		    "expected an address or a block of them, as "
		    "\"10.0.0.0/8\" or \"::1\"");
		return;
	}
	slot = field_add(t->k, t->to);
	if (slot == NULL)
		say(t, "expected a shorter list");
	else
		*slot = b;
}

static void
add_group(const struct target *t, const config_setting_t *s)
{
	const struct schema *sub = t->k->sub;
	struct schema_input in = {
		.group = s, .file = t->at.file, .prefix = t->at.key
	};
	void *element;

	if (config_setting_type(s) != CONFIG_TYPE_GROUP) {
		say(t, "expected { key = value; ... }");
		return;
	}
	element = field_add(t->k, t->to);
	if (element == NULL) {
		say(t, "expected a shorter list");
		return;
	}
	schema_load(sub, element, &in, t->at.faults);
	if (sub->finish != NULL)
		sub->finish(element, &t->at);
}

/* Call `add` for each element, or for the one value without a list. */
static void
set_list(const struct target *t, const config_setting_t *s,
    void (*add)(const struct target *t, const config_setting_t *s))
{
	char key[SCHEMA_PATH_MAX + 16];
	struct target one = *t;
	int type = config_setting_type(s), n;

	if (type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY) {
		add(t, s);
		return;
	}
	n = config_setting_length(s);
	one.at.key = key;
	for (int i = 0; i < n; i++) {
		const config_setting_t *element =
		    config_setting_get_elem(s, (unsigned int)i);

		snprintf(key, sizeof(key), "%s[%d]", t->at.key, i);
		one.at.index = (size_t)i;
		if (one.at.line > 0)
			one.at.line = config_setting_source_line(element);
		add(&one, element);
	}
}

void
setting_put(const struct schema_key *k, void *to,
    const config_setting_t *setting, bool append, const struct schema_place *at)
{
	static const struct {
		void (*set)(const struct target *, const config_setting_t *);
		bool list;
	} how[] = {
		[SCHEMA_STRING] = { set_string, false },
		[SCHEMA_BOOL] = { set_bool, false },
		[SCHEMA_INT] = { set_int, false },
		[SCHEMA_DURATION] = { set_duration, false },
		[SCHEMA_SIZE] = { set_size, false },
		[SCHEMA_SHARE] = { set_share, false },
		[SCHEMA_CHOICE] = { set_choice, false },
		[SCHEMA_FLAG_OR_STRING] = { set_flag_or_string, false },
		[SCHEMA_ADDRS] = { add_addr, true },
		[SCHEMA_BLOCKS] = { add_block, true },
		[SCHEMA_STRINGS] = { set_string, true },
		[SCHEMA_GROUPS] = { add_group, true },
	};
	struct target t = { .k = k, .to = to, .at = *at };

	if (!how[k->type].list) {
		how[k->type].set(&t, setting);
		return;
	}
	if (!append)
		field_free(k, to);
	set_list(&t, setting, how[k->type].set);
}

bool
setting_fits(const struct schema_key *k, int type)
{
	switch (k->type) {
	case SCHEMA_STRING:
	case SCHEMA_CHOICE:
		return type == CONFIG_TYPE_STRING;
	case SCHEMA_STRINGS:
	case SCHEMA_BLOCKS:
		return type == CONFIG_TYPE_STRING || type == CONFIG_TYPE_LIST ||
		    type == CONFIG_TYPE_ARRAY;
	case SCHEMA_FLAG_OR_STRING:
		return type == CONFIG_TYPE_STRING || type == CONFIG_TYPE_BOOL;
	default:
		return true;
	}
}
