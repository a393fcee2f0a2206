/*
 * Unit test of the loader: a small schema with a row of every type, loaded
 * from texts and options, carried over a channel and back.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/conf/pack.h"
#include "common/conf/schema.h"
#include "common/conf/source.h"
#include "common/conf/unpack.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define FRAMES_MAX 8

struct thing {
	uint64_t set;
	char *name;
	uint64_t number;
	char *hidden;
};

struct thing_list {
	struct thing *v;
	size_t n;
};

struct all {
	uint64_t set;
	char *string, *hidden, *flag;
	bool yes;
	uint64_t number, duration, size, choice, share;
	struct addr_list addrs;
	struct block_list blocks;
	struct str_list strings;
	struct thing_list things;
};

static const char *
not_bad(const char *v)
{
	return strcmp(v, "bad") == 0 ? "expected something good" : NULL;
}

static void
finish(void *element, const struct schema_place *at)
{
	struct thing *t = element;

	if (t->name == NULL)
		schema_fault(at, "name", "expected a name");
}

static const struct schema_key thing_keys[] = {
	{ "name", SCHEMA_STRING, offsetof(struct thing, name), .min = 1,
	    .max = 8, .always = true },
	{ "number", SCHEMA_INT, offsetof(struct thing, number), .max = 9,
	    .flag = 1 },
	{ "hidden", SCHEMA_STRING, offsetof(struct thing, hidden), .min = 1,
	    .max = 8, .secret = true },
};

static const struct schema thing_schema = {
	.keys = thing_keys,
	.n = ROWS(thing_keys),
	.size = sizeof(struct thing),
	.set = offsetof(struct thing, set),
	.finish = finish,
};

static const char *const colours[] = { "red", "green", "blue", NULL };

static const struct schema_key keys[] = {
	{ "a.string", SCHEMA_STRING, offsetof(struct all, string),
	    .preset = "preset", .min = 1, .max = 8, .flag = 2, .always = true,
	    .lowercase = true, .check = not_bad },
	{ "a.hidden", SCHEMA_STRING, offsetof(struct all, hidden), .min = 1,
	    .max = 8, .secret = true },
	{ "a.flag", SCHEMA_FLAG_OR_STRING, offsetof(struct all, flag),
	    .max = 8 },
	{ "a.yes", SCHEMA_BOOL, offsetof(struct all, yes), .preset = "true" },
	{ "number", SCHEMA_INT, offsetof(struct all, number), .preset = "5",
	    .min = 1, .max = 10 },
	{ "duration", SCHEMA_DURATION, offsetof(struct all, duration),
	    .preset = "90s", .max = 3600000 },
	{ "share", SCHEMA_SHARE, offsetof(struct all, share), .preset = "1",
	    .max = SCHEMA_WHOLE },
	{ "size", SCHEMA_SIZE, offsetof(struct all, size), .preset = "16K",
	    .min = 1024, .max = 65536 },
	{ "choice", SCHEMA_CHOICE, offsetof(struct all, choice),
	    .preset = "green", .max = 2, .choices = colours },
	{ "addrs", SCHEMA_ADDRS, offsetof(struct all, addrs), .max = 3 },
	{ "blocks", SCHEMA_BLOCKS, offsetof(struct all, blocks), .max = 3 },
	{ "strings", SCHEMA_STRINGS, offsetof(struct all, strings), .max = 3,
	    .check = not_bad },
	{ "things", SCHEMA_GROUPS, offsetof(struct all, things), .max = 3,
	    .flag = 4, .sub = &thing_schema },
};

static const struct schema schema = {
	.keys = keys,
	.n = ROWS(keys),
	.size = sizeof(struct all),
	.set = offsetof(struct all, set),
};

/* Load a text and options into *a; faults go to *f. */
static void
load(struct all *a, const char *text, const char *const *options, size_t n,
    bool append, struct faults *f)
{
	struct schema_input in = { .file = "t.conf",
		.options = options,
		.noptions = n,
		.source = "-o",
		.append = append };
	config_t cfg;

	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(source_text(&cfg, text, strlen(text), "t.conf", f), 0);
	in.group = config_root_setting(&cfg);
	schema_load(&schema, a, &in, f);
	source_free(&cfg);
}

/* A setting and the one line of fault that it gives; NULL: none. */
static const struct {
	const char *text, *fault;
} faulty[] = {
	{ "number = 10;", NULL },
	{ "number = 11;",
	    "t.conf:1: number: expected a whole number from 1 to 10" },
	{ "number = 0;",
	    "t.conf:1: number: expected a whole number from 1 to 10" },
	{ "number = -1;",
	    "t.conf:1: number: expected a whole number from 1 to 10" },
	{ "number = 1.0;",
	    "t.conf:1: number: expected a whole number from 1 to 10" },
	{ "number = \"5\";",
	    "t.conf:1: number: expected a whole number from 1 to 10" },
	{ "number = 5L;", NULL },
	{ "\n\nno = 1;", "t.conf:3: no: unknown key" },
	{ "a = {\nno = 1; };", "t.conf:2: a.no: unknown key" },
	{ "a = 1;", "t.conf:1: a: expected { key = value; ... }" },
	{ "number = { a = 1; };",
	    "t.conf:1: number: expected a whole number from 1 to 10" },
	{ "a : { string = \"12345678\"; };", NULL },
	{ "a : { string = \"123456789\"; };",
	    "t.conf:1: a.string: expected a shorter string" },
	{ "a : { string = \"\"; };",
	    "t.conf:1: a.string: expected a string that is not empty" },
	{ "a : { string = 5; };", "t.conf:1: a.string: expected a string" },
	{ "a : { string = \"bad\"; };",
	    "t.conf:1: a.string: expected something good" },
	{ "a : { string = \"BAD\"; };",
	    "t.conf:1: a.string: expected something good" },
	{ "a : { yes = 1; };", "t.conf:1: a.yes: expected true or false" },
	{ "a : { flag = false; };", NULL },
	{ "a : { flag = \"x\"; };", NULL },
	{ "a : { flag = \"\"; };",
	    "t.conf:1: a.flag: expected true, false or a string" },
	{ "a : { flag = 1; };",
	    "t.conf:1: a.flag: expected true, false or a string" },
	{ "duration = 0;", NULL },
	{ "duration = \"0\";", NULL },
	{ "duration = \"1h\";", NULL },
	{ "duration = 10;",
	    "t.conf:1: duration: expected a duration as \"30s\" or \"1h30m\","
	    " from 0 to 1h" },
	{ "duration = \"1h1ms\";",
	    "t.conf:1: duration: expected a duration as \"30s\" or \"1h30m\","
	    " from 0 to 1h" },
	{ "share = 0.25;", NULL },
	{ "share = 1;", NULL },
	{ "share = 2;", "t.conf:1: share: expected a number from 0 to 1" },
	{ "share = -0.1;", "t.conf:1: share: expected a number from 0 to 1" },
	{ "share = \"x\";", "t.conf:1: share: expected a number from 0 to 1" },
	{ "size = 1024;", NULL },
	{ "size = \"64K\";", NULL },
	{ "size = 1023;",
	    "t.conf:1: size: expected a size in bytes, or as \"16K\", from "
	    "1024 to 65536" },
	{ "size = \"65K\";",
	    "t.conf:1: size: expected a size in bytes, or as \"16K\", from "
	    "1024 to 65536" },
	{ "choice = \"blue\";", NULL },
	{ "choice = \"\";",
	    "t.conf:1: choice: expected one of red, green, blue" },
	{ "choice = 1;", "t.conf:1: choice: expected one of red, green, blue" },
	{ "addrs = 80;", NULL },
	{ "addrs = [80, 81, 82];", NULL },
	{ "addrs = ();", NULL },
	{ "addrs = (80, \"[::1]:1\");", NULL },
	{ "addrs = [80, 81, 82, 83];",
	    "t.conf:1: addrs[3]: expected a shorter list" },
	{ "addrs = 65536;",
	    "t.conf:1: addrs: expected a port or an address, as \"80\", "
	    "\"127.0.0.1:80\" or \"[::1]:80\"" },
	{ "addrs = (80,\n(81));",
	    "t.conf:2: addrs[1]: expected a port or an address, as \"80\", "
	    "\"127.0.0.1:80\" or \"[::1]:80\"" },
	{ "blocks = \"10.0.0.0/8\";", NULL },
	{ "blocks = [\"10.0.0.0/33\"];",
	    "t.conf:1: blocks[0]: expected an address or a block of them, as "
	    "\"10.0.0.0/8\" or \"::1\"" },
	{ "strings = \"x\";", NULL },
	{ "strings = [\"x\", \"\"];",
	    "t.conf:1: strings[1]: expected a string that is not empty" },
	{ "strings = [\"bad\"];",
	    "t.conf:1: strings[0]: expected something good" },
	{ "strings = [\"1\", \"2\", \"3\", \"4\"];",
	    "t.conf:1: strings[3]: expected a shorter list" },
	{ "things = { name = \"x\"; };", NULL },
	{ "things = (\n{ name = \"x\"; },\n{ });",
	    "t.conf:3: things[1].name: expected a name" },
	{ "things = ({ name = \"x\";\nnumber = 10; });",
	    "t.conf:2: things[0].number: expected a whole number from 0 to "
	    "9" },
	{ "things = ({ name = \"x\"; more = 1; });",
	    "t.conf:1: things[0].more: unknown key" },
	{ "things = (1);",
	    "t.conf:1: things[0]: expected { key = value; ... }" },
	{ "things = ({name=\"1\";}, {name=\"2\";}, {name=\"3\";}, {});",
	    "t.conf:1: things[3]: expected a shorter list" },
};

START_TEST(one_fault_each)
{
	struct faults f;
	struct all a;

	load(&a, faulty[_i].text, NULL, 0, false, &f);
	if (faulty[_i].fault == NULL) {
		ck_assert_msg(f.errors == 0, "%s: %s", faulty[_i].text,
		    f.errors > 0 ? f.line[0] : "");
	} else {
		ck_assert_msg(
		    f.errors == 1, "%s: %zu", faulty[_i].text, f.errors);
		ck_assert_str_eq(f.line[0], faulty[_i].fault);
	}
	faults_free(&f);
	schema_free(&schema, &a);
}
END_TEST

START_TEST(presets)
{
	struct faults f;
	struct all a;

	load(&a, "", NULL, 0, false, &f);
	ck_assert_uint_eq(f.errors, 0);
	ck_assert_str_eq(a.string, "preset");
	ck_assert(a.yes);
	ck_assert_uint_eq(a.number, 5);
	ck_assert_uint_eq(a.duration, 90000);
	ck_assert_uint_eq(a.size, 16384);
	ck_assert_uint_eq(a.choice, 1);
	ck_assert_uint_eq(a.set, 0);
	ck_assert_ptr_null(a.flag);
	schema_free(&schema, &a);
}
END_TEST

START_TEST(options_beat_the_file)
{
	static const char *const options[] = { "number=99", "number=7",
		"a.string=Word", "strings=one", "a.yes=false", "addrs=(1, 2)",
		"things=({ name = \"o\"; })", "a.flag=true", "size=2K",
		"a.hidden=12345", "choice=\"red\"" };
	struct faults f;
	struct all a;

	load(&a,
	    "number = \"wrong\"; a = { string = \"file\"; };"
	    "strings = [\"x\", \"y\"]; addrs = 80; size = 99;",
	    options, ROWS(options), false, &f);
	ck_assert_msg(f.errors == 0, "%s", f.errors > 0 ? f.line[0] : "");
	ck_assert_uint_eq(a.number, 7);
	ck_assert_str_eq(a.string, "word");
	ck_assert_uint_eq(a.strings.n, 1);
	ck_assert_str_eq(a.strings.v[0], "one");
	ck_assert(!a.yes);
	ck_assert_uint_eq(a.addrs.n, 2);
	ck_assert_uint_eq(a.addrs.v[1].port, 2);
	ck_assert_uint_eq(a.things.n, 1);
	ck_assert_str_eq(a.things.v[0].name, "o");
	ck_assert_str_eq(a.flag, "");
	ck_assert_uint_eq(a.size, 2048);
	ck_assert_str_eq(a.hidden, "12345");
	ck_assert_uint_eq(a.choice, 0);
	ck_assert_uint_eq(a.set, 2 | 4);
	schema_free(&schema, &a);
}
END_TEST

START_TEST(options_of_lists_may_add_up)
{
	static const char *const options[] = { "strings=one", "strings=two",
		"number=1", "number=2" };
	struct faults f;
	struct all a;

	load(&a, "strings = \"file\";", options, ROWS(options), true, &f);
	ck_assert_uint_eq(f.errors, 0);
	ck_assert_uint_eq(a.strings.n, 2);
	ck_assert_str_eq(a.strings.v[1], "two");
	ck_assert_uint_eq(a.number, 2);
	schema_free(&schema, &a);
}
END_TEST

static const struct {
	const char *option, *fault;
} bad_options[] = {
	{ "number", "-o: number: expected key=value" },
	{ "=1", "-o: unknown key" },
	{ "", "-o: expected key=value" },
	{ "no=1", "-o: no: unknown key" },
	{ "a=1", "-o: a: expected one of the keys of this group" },
	{ "a.str=1", "-o: a.str: unknown key" },
	{ "x\x1b[1m=1", "-o: x\\x1b[1m: unknown key" },
	{ "number=many", "-o: number: expected a whole number from 1 to 10" },
	{ "number=1; a.yes = false",
	    "-o: number: expected a whole number from 1 to 10" },
	{ "number=99999999999",
	    "-o: number: expected a whole number from 1 to 10" },
	{ "strings=", "-o: strings: expected a string that is not empty" },
	{ "things=x", "-o: things: expected { key = value; ... }" },
	{ "things=({})", "-o: things[0].name: expected a name" },
	{ "a.string=\n@include \"/etc/passwd\"",
	    "-o: a.string: expected a shorter string" },
};

START_TEST(bad_options_are_told)
{
	struct faults f;
	struct all a;

	load(&a, "", &bad_options[_i].option, 1, false, &f);
	ck_assert_msg(f.errors == 1, "%s", bad_options[_i].option);
	ck_assert_str_eq(f.line[0], bad_options[_i].fault);
	faults_free(&f);
	schema_free(&schema, &a);
}
END_TEST

START_TEST(places)
{
	static const char *const options[] = { "number=3" };
	struct schema_input in = { .file = "t.conf",
		.options = options,
		.noptions = 1,
		.source = "-o" };
	struct faults f = { 0 };
	struct schema_place at;
	const char *text = "number = 1;\na = {\nstring = \"x\"; };";
	config_t cfg;

	ck_assert_int_eq(
	    source_text(&cfg, text, strlen(text), "t.conf", &f), 0);
	in.group = config_root_setting(&cfg);
	at = schema_locate(&in, "a.string", &f);
	ck_assert_str_eq(at.file, "t.conf");
	ck_assert_uint_eq(at.line, 3);
	at = schema_locate(&in, "number", &f);
	ck_assert_str_eq(at.file, "-o");
	ck_assert_uint_eq(at.line, 0);
	at = schema_locate(&in, "size", &f);
	ck_assert_ptr_null(at.file);
	at = schema_locate(&in, "number.more", &f);
	ck_assert_ptr_null(at.file);
	source_free(&cfg);
}
END_TEST

START_TEST(faults_are_bounded)
{
	struct faults f = { 0 };

	for (int i = 0; i < FAULTS_MAX * 2; i++)
		faults_add(&f, "f", 1, "k", "x%d\n\x1b", i);
	ck_assert_uint_eq(f.n, FAULTS_MAX);
	ck_assert_uint_eq(f.errors, FAULTS_MAX * 2);
	ck_assert_uint_eq(f.dropped, FAULTS_MAX);
	ck_assert_str_eq(f.line[0], "f:1: k: x0??");
	faults_free(&f);
	faults_warn(&f, "f", 0, NULL, "%s", "careful");
	ck_assert_uint_eq(f.errors, 0);
	ck_assert_str_eq(f.line[0], "f: warning: careful");
	faults_free(&f);
}
END_TEST

struct frames {
	uint8_t bytes[FRAMES_MAX][PACK_FRAME_MAX];
	size_t length[FRAMES_MAX];
	size_t n;
};

static int
keep(void *arg, const void *frame, size_t n)
{
	struct frames *fr = arg;

	ck_assert_uint_le(n, PACK_FRAME_MAX);
	if (fr->n == FRAMES_MAX)
		return -1;
	memcpy(fr->bytes[fr->n], frame, n);
	fr->length[fr->n++] = n;
	return 0;
}

static const char *const full_options[] = { "a.string=word", "a.hidden=secret",
	"a.flag=host", "a.yes=false", "number=9", "duration=1s", "size=1K",
	"choice=blue", "addrs=(1, \"[::1]:2\")",
	"blocks=(\"10.0.0.0/8\", \"::1\")", "strings=(\"p\", \"q\", \"r\")",
	"things=({name=\"t1\";number=3;hidden=\"h\";},{name=\"t2\";})" };

static void
pack_full(struct frames *fr)
{
	struct faults f;
	struct all a;

	load(&a, "", full_options, ROWS(full_options), false, &f);
	ck_assert_uint_eq(f.errors, 0);
	fr->n = 0;
	ck_assert_int_eq(pack_struct(&schema, &a, keep, fr), 0);
	schema_free(&schema, &a);
}

START_TEST(packed_and_back)
{
	static struct frames fr;
	struct unpack *u;
	struct all a;

	pack_full(&fr);
	ck_assert_uint_eq(fr.n, 1);
	ck_assert_ptr_null(
	    memmem(fr.bytes[0], fr.length[0], "secret", strlen("secret")));
	u = unpack_new(&schema, &a);
	ck_assert_int_eq(unpack_frame(u, fr.bytes[0], fr.length[0]), 1);
	ck_assert_int_eq(unpack_frame(u, fr.bytes[0], fr.length[0]), -1);
	unpack_free(u);
	ck_assert_str_eq(a.string, "word");
	ck_assert_ptr_null(a.hidden);
	ck_assert_str_eq(a.flag, "host");
	ck_assert(!a.yes);
	ck_assert_uint_eq(a.number, 9);
	ck_assert_uint_eq(a.duration, 1000);
	ck_assert_uint_eq(a.size, 1024);
	ck_assert_uint_eq(a.choice, 2);
	ck_assert_uint_eq(a.addrs.n, 2);
	ck_assert_uint_eq(a.addrs.v[1].family, ADDR_V6);
	ck_assert_uint_eq(a.blocks.n, 2);
	ck_assert_uint_eq(a.blocks.v[0].bits, 8);
	ck_assert_uint_eq(a.strings.n, 3);
	ck_assert_uint_eq(a.things.n, 2);
	ck_assert_uint_eq(a.things.v[0].number, 3);
	ck_assert_uint_eq(a.things.v[0].set, 1);
	ck_assert_ptr_null(a.things.v[0].hidden);
	ck_assert_str_eq(a.things.v[1].name, "t2");
	ck_assert_uint_eq(a.set, 2 | 4);
	schema_free(&schema, &a);
}
END_TEST

START_TEST(packed_in_pieces)
{
	static struct frames fr;
	struct unpack *u;
	struct all a;

	pack_full(&fr);
	/* Cut anywhere, it is never whole, and what there is can be freed. */
	for (size_t cut = 0; cut < fr.length[0]; cut++) {
		u = unpack_new(&schema, &a);
		ck_assert_int_ne(unpack_frame(u, fr.bytes[0], cut), 1);
		unpack_free(u);
		schema_free(&schema, &a);
	}
	/* Every byte wrong in turn: no crash, no value out of bounds. */
	for (size_t i = 0; i < fr.length[0]; i++) {
		fr.bytes[0][i] ^= 0xff;
		u = unpack_new(&schema, &a);
		if (unpack_frame(u, fr.bytes[0], fr.length[0]) == 1) {
			ck_assert(a.number >= 1 && a.number <= 10);
			ck_assert(a.choice <= 2);
			ck_assert(a.string != NULL);
			ck_assert(a.things.n <= 3);
		}
		unpack_free(u);
		schema_free(&schema, &a);
		fr.bytes[0][i] ^= 0xff;
	}
}
END_TEST

/* Records that pack_struct() never writes: number, then a value. */
static const struct {
	const char *what;
	uint16_t number;
	const char *value; /* a str16; or NULL */
	uint64_t v;	   /* else this u64 */
} hostile[] = {
	{ "a secret", 2, "x", 0 },
	{ "no row", ROWS(keys) + 1, "x", 0 },
	{ "number too large", 5, NULL, 11 },
	{ "number too small", 5, NULL, 0 },
	{ "no bool", 4, NULL, 2 },
	{ "no such choice", 8, NULL, 3 },
	{ "string too long", 1, "123456789", 0 },
	{ "string that its check refuses", 1, "bad", 0 },
	{ "empty string", 1, "", 0 },
	{ "end of a struct that lacks its rows", PACK_END, "", 0 },
};

START_TEST(hostile_records)
{
	uint8_t frame[64];
	struct unpack *u;
	struct all a;
	struct buf b;

	buf_write(&b, frame, sizeof(frame));
	buf_put_u16(&b, hostile[_i].number);
	if (hostile[_i].value != NULL)
		buf_put_cstr16(&b, hostile[_i].value);
	else
		buf_put_u64(&b, hostile[_i].v);
	u = unpack_new(&schema, &a);
	ck_assert_msg(
	    unpack_frame(u, frame, buf_used(&b)) == -1, "%s", hostile[_i].what);
	unpack_free(u);
	schema_free(&schema, &a);
}
END_TEST

START_TEST(scalars_come_once)
{
	uint8_t frame[64];
	struct unpack *u;
	struct all a;
	struct buf b;

	buf_write(&b, frame, sizeof(frame));
	for (int i = 0; i < 2; i++) {
		buf_put_u16(&b, 5);
		buf_put_u64(&b, 5);
	}
	u = unpack_new(&schema, &a);
	ck_assert_int_eq(unpack_frame(u, frame, 10), 0);
	ck_assert_int_eq(unpack_frame(u, frame + 10, 10), -1);
	unpack_free(u);
	schema_free(&schema, &a);
}
END_TEST

static int
refuse(void *arg, const void *frame, size_t n)
{
	(void)arg, (void)frame, (void)n;
	return -1;
}

START_TEST(emit_may_stop)
{
	struct faults f;
	struct all a;

	load(&a, "", NULL, 0, false, &f);
	ck_assert_int_eq(pack_struct(&schema, &a, refuse, NULL), -1);
	schema_free(&schema, &a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("schema");
	TCase *t = tcase_create("load"), *p = tcase_create("pack");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, one_fault_each, 0, (int)ROWS(faulty));
	tcase_add_test(t, presets);
	tcase_add_test(t, options_beat_the_file);
	tcase_add_test(t, options_of_lists_may_add_up);
	tcase_add_loop_test(t, bad_options_are_told, 0, (int)ROWS(bad_options));
	tcase_add_test(t, places);
	tcase_add_test(t, faults_are_bounded);
	tcase_add_test(p, packed_and_back);
	tcase_add_test(p, packed_in_pieces);
	tcase_add_loop_test(p, hostile_records, 0, (int)ROWS(hostile));
	tcase_add_test(p, scalars_come_once);
	tcase_add_test(p, emit_may_stop);
	suite_add_tcase(s, t);
	suite_add_tcase(s, p);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
