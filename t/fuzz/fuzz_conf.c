/*
 * A configuration, by the schemas of both daemons: a file's text, then
 * options, each behind a NUL. What loads without a fault survives the way
 * over a channel.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/conf_schema.h"
#include "common/conf/pack.h"
#include "common/conf/source.h"
#include "common/conf/unpack.h"
#include "master/conf_schema.h"

#define OPTIONS_MAX 16
#define OPTION_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a string that a syntax error cuts short. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static int
feed(void *unpack, const void *frame, size_t n)
{
	return unpack_frame(unpack, frame, n) == -1 ? -1 : 0;
}

/* Split what is behind the text into terminated options. */
static size_t
split(char (*options)[OPTION_MAX + 1], const uint8_t *data, size_t size)
{
	size_t n = 0, from = 0;

	for (size_t i = 0; i <= size && n < OPTIONS_MAX; i++) {
		if (i < size && data[i] != '\0')
			continue;
		if (i - from > 0 && i - from <= OPTION_MAX) {
			memcpy(options[n], data + from, i - from);
			options[n++][i - from] = '\0';
		}
		from = i + 1;
	}
	return n;
}

static void
load(const struct schema *s, const struct schema_input *in)
{
	void *to = malloc(s->size), *back = malloc(s->size);
	struct faults f = { 0 };
	struct unpack *u;

	if (to == NULL || back == NULL)
		abort();
	schema_load(s, to, in, &f);
	u = unpack_new(s, back);
	/* Strings that have no preset are filled in later, by the loaders. */
	if (f.errors == 0)
		pack_struct(s, to, feed, u);
	unpack_free(u);
	schema_free(s, back);
	schema_free(s, to);
	faults_free(&f);
	free(back);
	free(to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char options[OPTIONS_MAX][OPTION_MAX + 1];
	const char *pointers[OPTIONS_MAX];
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	size_t text = nul == NULL ? size : (size_t)(nul - data);
	struct schema_input in = {
		.file = "fuzz", .options = pointers, .source = "-o"
	};
	struct faults f = { 0 };
	config_t cfg;

	if (nul != NULL)
		in.noptions = split(options, nul + 1, size - text - 1);
	for (size_t i = 0; i < in.noptions; i++)
		pointers[i] = options[i];
	if (source_text(&cfg, (const char *)data, text, "fuzz", &f) == 0)
		in.group = config_root_setting(&cfg);
	load(&conf_schema, &in);
	load(&conf_schema_client, &in);
	source_free(&cfg);
	faults_free(&f);
	return 0;
}
