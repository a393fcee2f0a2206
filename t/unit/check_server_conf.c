/* Unit test of the server's configuration: master/conf.c and its users. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "master/conf.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define FRAMES_MAX 4096
#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define HASH                                        \
	"$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ" \
	"$qLml5cbqFAO6YxVHhrSBHP0UWdxrIxkNcM8aMX3blzU"

static char dir[] = "/tmp/check_server_conf.XXXXXX";

/* Write a file of the test's directory; its name is valid to the next call. */
static const char *
file(const char *name, const char *text)
{
	static char path[2][64];
	static int turn;
	FILE *f;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	unlink(path[turn]); /* it may be another user's */
	f = fopen(path[turn], "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	return path[turn];
}

/* Load text and options; ends with NULL. */
static int
load(struct server_conf *c, const char *text, const char *const *options,
    const char *const *users, struct faults *f)
{
	struct conf_args args = { .file = file("ptpd.conf", text),
		.named = true,
		.options = options,
		.users = users };

	while (options != NULL && options[args.noptions] != NULL)
		args.noptions++;
	while (users != NULL && users[args.nusers] != NULL)
		args.nusers++;
	memset(f, 0, sizeof(*f));
	return server_conf_load(c, &args, f);
}

static void
load_ok(struct server_conf *c, const char *text, const char *const *options,
    const char *const *users)
{
	struct faults f;
	int rc = load(c, text, options, users, &f);

	ck_assert_msg(rc == 0, "%s", f.n > 0 ? f.line[0] : "");
	faults_free(&f);
}

START_TEST(defaults)
{
	struct server_conf c;

	load_ok(&c, "listen = { http = 80; };", NULL, NULL);
	ck_assert_str_eq(c.user, "_ptpd");
	ck_assert_str_eq(c.chroot, "/var/empty");
	ck_assert_uint_eq(c.workers, 0);
	ck_assert_uint_eq(c.listen_http.n, 1);
	ck_assert_ptr_null(c.domain);
	ck_assert_uint_eq(c.limits.tunnels, 10);
	ck_assert_uint_eq(c.limits.streams, 0);
	ck_assert(!c.limits.hosts_with_id);
	ck_assert_str_eq(c.mux_header, "Host");
	ck_assert(c.forwarded);
	ck_assert_uint_eq(c.head_max, 16384);
	ck_assert_uint_eq(c.timeouts.handshake, 10000);
	ck_assert_uint_eq(c.timeouts.head, 10000);
	ck_assert_uint_eq(c.timeouts.idle, 0);
	ck_assert_uint_eq(c.timeouts.tunnel, 90000);
	ck_assert_uint_eq(c.timeouts.drain, 300000);
	ck_assert_uint_eq(c.timeouts.park, 5000);
	ck_assert_uint_eq(c.log_level, LOG_LEVEL_INFO);
	ck_assert_uint_eq(c.set, CONF_SET_LISTEN);
	ck_assert(server_conf_any_client(&c));
	if (geteuid() == 0) {
		ck_assert_str_eq(c.host_key, "/var/db/ptpd/host_key");
		ck_assert_str_eq(c.socket, "/run/ptpd.sock");
	}
	server_conf_free(&c);
	server_conf_free(&c); /* zeroed: nothing to do */
}
END_TEST

START_TEST(places_without_root)
{
	struct server_conf c;

	ck_assert_int_eq(chmod(dir, 0777), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	setenv("XDG_STATE_HOME", "/s", 1);
	setenv("XDG_RUNTIME_DIR", "/r", 1);
	load_ok(&c, "listen = { http = 80; };", NULL, NULL);
	ck_assert_str_eq(c.host_key, "/s/ptpd/host_key");
	ck_assert_str_eq(c.socket, "/r/ptpd.sock");
	server_conf_free(&c);
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("HOME", "/home/me", 1);
	unsetenv("XDG_RUNTIME_DIR");
	load_ok(&c, "listen = { http = 80; };", NULL, NULL);
	ck_assert_str_eq(c.host_key, "/home/me/.local/state/ptpd/host_key");
	ck_assert_int_eq(strncmp(c.socket, "/tmp/ptpd-", 10), 0);
	server_conf_free(&c);
	/* Back, or LeakSanitizer could not look. */
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}
END_TEST

START_TEST(first_contact)
{
	static const char *const options[] = { "listen.http=8080", NULL };
	static const char *const users[] = { "ID1:secret1", NULL };
	const struct conf_user *u;
	struct server_conf c;

	load_ok(&c, "", options, users);
	ck_assert_uint_eq(c.listen_http.v[0].port, 8080);
	ck_assert(!server_conf_any_client(&c));
	u = server_conf_user(&c, "id1");
	ck_assert_ptr_nonnull(u);
	ck_assert_uint_eq(u->method, VERIFIER_SECRET);
	ck_assert_ptr_null(server_conf_user(&c, "id2"));
	server_conf_free(&c);
}
END_TEST

START_TEST(missing_file)
{
	static const char *const options[] = { "listen.http=0" };
	struct conf_args args = { .file = "/nonexistent/ptpd.conf",
		.options = options,
		.noptions = 1 };
	struct faults f = { 0 };
	struct server_conf c;

	ck_assert_int_eq(server_conf_load(&c, &args, &f), 0);
	server_conf_free(&c);
	args.named = true;
	ck_assert_int_eq(server_conf_load(&c, &args, &f), -1);
	ck_assert_str_eq(
	    f.line[0], "/nonexistent/ptpd.conf: No such file or directory");
	faults_free(&f);
}
END_TEST

START_TEST(file_that_all_may_write)
{
	struct conf_args args = { .named = true };
	struct faults f = { 0 };
	struct server_conf c;

	args.file = file("open.conf", "listen = { http = 80; };");
	ck_assert_int_eq(chmod(args.file, 0666), 0);
	ck_assert_int_eq(server_conf_load(&c, &args, &f), -1);
	ck_assert_uint_eq(f.errors, 1);
	faults_free(&f);
}
END_TEST

/* Text below a good listener, and the fault behind the file's name. */
static const struct {
	const char *text, *fault;
} faulty[] = {
	{ "users = ( { id = \"a\"; } );",
	    ":1: users[0]: expected a secret, key or secret_hash" },
	{ "users = ( { secret = \"a\"; } );",
	    ":1: users[0].id: expected an id" },
	{ "users = ( { id = \"a\"; secret = \"b\"; key = \"" KEY "\"; } );",
	    ":1: users[0]: expected only one of secret, key, secret_hash" },
	{ "users = (\n{ id = \"a\"; secret = \"b\"; },\n"
	  "{ id = \"A\"; secret = \"c\"; } );",
	    ":3: users[1].id: expected each id once: \"a\" is there twice" },
	{ "users = ( { id = \"a\"; key = \"short\"; } );",
	    ":1: users[0].key: expected a key as `ptp keygen` prints it, 43 "
	    "characters" },
	{ "users = ( { id = \"a\"; secret_hash = \"x\"; } );",
	    ":1: users[0].secret_hash: expected a hash as `argon2 -id -e` "
	    "prints it" },
	{ "users = ( { id = \"a.b\"; secret = \"b\"; } );",
	    ":1: users[0].id: expected letters, digits and inner hyphens, at "
	    "most 63" },
	{ "users = ( { id = \"a\"; secret = \"b\"; tunnels = 0; } );",
	    ":1: users[0].tunnels: expected a whole number from 1 to 255" },
	{ "users = ( { id = \"a\"; secret = \"b\"; tunnels = 256; } );",
	    ":1: users[0].tunnels: expected a whole number from 1 to 255" },
	{ "users = ( { id = \"a\"; secret = \"@/nonexistent\"; } );",
	    ":1: users[0].secret: the file after \"@\": No such file or "
	    "directory" },
	{ "users_file = \"/nonexistent\";",
	    ":1: users_file: /nonexistent: no such file" },
	{ "limits = { hosts = { regex = \"(\"; }; };",
	    ":1: limits.hosts.regex: expected an extended regular "
	    "expression" },
	{ "chroot = \"var/empty\";", ":1: chroot: expected an absolute path" },
	{ "domain = \"exa mple\";",
	    ":1: domain: expected a domain name, as \"example.com\"" },
	{ "http = { mux_header = \"A B\"; };",
	    ":1: http.mux_header: expected the name of a header field" },
	{ "tls = { cert = \"x\"; };",
	    ":1: tls.key: expected the path of tls.cert's key" },
};

START_TEST(one_fault_each)
{
	static const char *const options[] = { "listen.http=80", NULL };
	char expected[512];
	struct server_conf c;
	struct faults f;

	ck_assert_int_eq(load(&c, faulty[_i].text, options, NULL, &f), -1);
	snprintf(expected, sizeof(expected), "%s/ptpd.conf%s", dir,
	    faulty[_i].fault);
	ck_assert_str_eq(f.line[0], expected);
	ck_assert_uint_eq(f.errors, 1);
	faults_free(&f);
}
END_TEST

static const char *const bad_users[] = { "id1", ":secret", "id1:", "a.b:c",
	"a b:c", "id1:@/nonexistent", "" };

START_TEST(bad_user_arguments)
{
	static const char *const options[] = { "listen.http=80", NULL };
	const char *users[] = { bad_users[_i], NULL };
	struct server_conf c;
	struct faults f;

	ck_assert_int_eq(load(&c, "", options, users, &f), -1);
	ck_assert_uint_eq(f.errors, 1);
	ck_assert_int_eq(strncmp(f.line[0], "-u: ", 4), 0);
	ck_assert_ptr_null(strstr(f.line[0], "secret\""));
	faults_free(&f);
}
END_TEST

START_TEST(no_listener)
{
	struct server_conf c;
	struct faults f;

	ck_assert_int_eq(load(&c, "", NULL, NULL, &f), -1);
	ck_assert_str_eq(f.line[0],
	    "listen.http: nothing to listen on: add listen.http = \"80\" "
	    "(or -o listen.http=8080)");
	faults_free(&f);
}
END_TEST

/* What emit got. */
struct frames {
	uint8_t *bytes[FRAMES_MAX];
	size_t length[FRAMES_MAX];
	size_t n;
};

static int
keep(void *arg, const void *frame, size_t n)
{
	struct frames *fr = arg;

	ck_assert_uint_gt(n, 0);
	ck_assert_uint_le(n, PACK_FRAME_MAX);
	ck_assert_uint_lt(fr->n, FRAMES_MAX);
	fr->bytes[fr->n] = malloc(n);
	memcpy(fr->bytes[fr->n], frame, n);
	fr->length[fr->n++] = n;
	return 0;
}

static void
drop(struct frames *fr)
{
	for (size_t i = 0; i < fr->n; i++)
		free(fr->bytes[i]);
	fr->n = 0;
}

/* The secret of an id among frames of verifiers; their number in all. */
static size_t
find_secret(const struct frames *fr, const char *id, char *secret)
{
	struct verifier v;
	uint32_t total = 0;
	size_t n = 0;
	struct buf b;

	for (size_t i = 0; i < fr->n; i++) {
		buf_read(&b, fr->bytes[i], fr->length[i]);
		ck_assert_int_eq(buf_get_u32(&b, &total), 0);
		while (buf_left(&b) > 0) {
			ck_assert_int_eq(verifier_get(&b, &v), 0);
			n++;
			if (strcmp(v.id, id) == 0)
				strcpy(secret, v.u.secret);
		}
		ck_assert(buf_done(&b));
	}
	ck_assert_uint_eq(total, n);
	return n;
}

START_TEST(stronger_sources_win)
{
	static const char *const arguments[] = { "c:from-u", NULL };
	static struct frames fr;
	char text[512], secret[256];
	struct server_conf c;

	snprintf(text, sizeof(text),
	    "listen = { http = 80; };"
	    "users = ( { id = \"a\"; secret = \"from-users\"; tunnels = 3; },"
	    "{ id = \"b\"; secret = \"from-users\"; },"
	    "{ id = \"c\"; secret = \"from-users\"; } );"
	    "users_file = \"%s\";",
	    file("users",
		"users = ( { id = \"b\"; secret = \"from-file\"; },"
		"{ id = \"c\"; secret = \"from-file\"; },"
		"{ id = \"d\"; key = \"" KEY "\"; },"
		"{ id = \"e\"; secret_hash = \"" HASH "\"; } );"));
	load_ok(&c, text, NULL, arguments);
	ck_assert_uint_eq(c.users.n, 5);
	ck_assert_uint_eq(server_conf_user(&c, "d")->method, VERIFIER_PUBKEY);
	ck_assert_uint_eq(server_conf_user(&c, "e")->method, VERIFIER_HASH);
	ck_assert_int_eq(server_conf_encode_verifiers(&c, keep, &fr), 0);
	ck_assert_uint_eq(find_secret(&fr, "a", secret), 5);
	ck_assert_str_eq(secret, "from-users");
	find_secret(&fr, "b", secret);
	ck_assert_str_eq(secret, "from-file");
	find_secret(&fr, "c", secret);
	ck_assert_str_eq(secret, "from-u");
	find_secret(&fr, "e", secret);
	ck_assert_str_eq(secret, HASH);
	drop(&fr);
	server_conf_free(&c);
}
END_TEST

START_TEST(secrets_from_files)
{
	static const char *const options[] = { "listen.http=80", NULL };
	static struct frames fr;
	char argument[128], secret[256];
	const char *users[] = { argument, NULL };
	struct server_conf c;

	snprintf(argument, sizeof(argument), "a:@%s",
	    file("secret", "in the file\n"));
	load_ok(&c, "", options, users);
	ck_assert_int_eq(server_conf_encode_verifiers(&c, keep, &fr), 0);
	ck_assert_uint_eq(find_secret(&fr, "a", secret), 1);
	ck_assert_str_eq(secret, "in the file");
	drop(&fr);
	server_conf_free(&c);
}
END_TEST

START_TEST(missing_users_file_at_reload)
{
	struct conf_args args = { .named = true, .reload = true };
	struct faults f = { 0 };
	struct server_conf c;

	args.file = file("ptpd.conf",
	    "listen = { http = 80; }; users_file = \"/nonexistent\";");
	ck_assert_int_eq(server_conf_load(&c, &args, &f), 0);
	ck_assert_uint_eq(f.n, 1);
	ck_assert_uint_eq(f.errors, 0);
	ck_assert(!server_conf_any_client(&c));
	faults_free(&f);
	server_conf_free(&c);
}
END_TEST

static const struct {
	const char *text;
	bool any;
} any_client[] = {
	{ "", true },
	{ "users = ();", false },
	{ "users = (); allow_any_client = true;", true },
	{ "allow_any_client = false;", false },
	{ "allow_any_client = true;", true },
};

START_TEST(any_client_by_absence)
{
	static const char *const options[] = { "listen.http=80", NULL };
	struct server_conf c;

	load_ok(&c, any_client[_i].text, options, NULL);
	ck_assert_int_eq(server_conf_any_client(&c), any_client[_i].any);
	server_conf_free(&c);
}
END_TEST

static void
decode(struct server_conf *c, const struct frames *fr, int last)
{
	struct server_conf_decoder *d = server_conf_decoder_new(c);
	int rc = 0;

	for (size_t i = 0; i < fr->n; i++) {
		ck_assert_int_eq(rc, 0);
		rc = server_conf_decode(d, fr->bytes[i], fr->length[i]);
	}
	ck_assert_int_eq(rc, last);
	server_conf_decoder_free(d);
}

START_TEST(sent_to_the_master)
{
	static struct frames fr;
	struct server_conf c, back;
	struct limits l;

	load_ok(&c,
	    "listen = { http = [\"80\", \"[::1]:81\"]; };"
	    "domain = \"Example.com.\"; workers = 2;"
	    "limits = { tunnels = 4; hosts = { number = 2; regex = \"^w\"; "
	    "}; };"
	    "http = { trusted = \"10.0.0.0/8\"; head_max = \"8K\"; };"
	    "log = { level = \"debug\"; }; allow_any_client = true;"
	    "users = ( { id = \"b\"; secret = \"hidden-b\"; streams = 7; "
	    "hosts = { regex = [\"^x\", \"^y\"]; with_id = true; }; },"
	    "{ id = \"a\"; key = \"" KEY "\"; } );",
	    NULL, NULL);
	ck_assert_int_eq(server_conf_encode(&c, keep, &fr), 0);
	for (size_t i = 0; i < fr.n; i++) {
		ck_assert_ptr_null(
		    memmem(fr.bytes[i], fr.length[i], "hidden", 6));
		ck_assert_ptr_null(memmem(fr.bytes[i], fr.length[i], KEY, 43));
	}
	server_conf_free(&c);
	decode(&back, &fr, 1);
	drop(&fr);

	ck_assert_uint_eq(back.listen_http.n, 2);
	ck_assert_str_eq(back.domain, "example.com");
	ck_assert_uint_eq(back.workers, 2);
	ck_assert_uint_eq(back.head_max, 8192);
	ck_assert_uint_eq(back.trusted.n, 1);
	ck_assert_uint_eq(back.log_level, LOG_LEVEL_DEBUG);
	ck_assert(server_conf_any_client(&back));
	ck_assert_uint_eq(back.users.n, 2);
	ck_assert_uint_eq(
	    server_conf_user(&back, "a")->method, VERIFIER_PUBKEY);
	l = server_conf_limits(&back, server_conf_user(&back, "a"));
	ck_assert_uint_eq(l.tunnels, 4);
	ck_assert(limits_allow_prefix(&l, "web"));
	ck_assert(!limits_allow_prefix(&l, "xweb"));
	l = server_conf_limits(&back, server_conf_user(&back, "b"));
	ck_assert_uint_eq(l.tunnels, 4);
	ck_assert_uint_eq(l.streams, 7);
	ck_assert_uint_eq(l.hosts_number, 2);
	ck_assert(l.hosts_with_id);
	ck_assert(!limits_allow_prefix(&l, "web"));
	ck_assert(limits_allow_prefix(&l, "yes"));
	l = server_conf_limits(&back, NULL);
	ck_assert_uint_eq(l.streams, 0);
	server_conf_free(&back);
}
END_TEST

START_TEST(many_users)
{
	enum { MANY = 20000 };
	static struct frames public, secret;
	static const char *const options[] = { "listen.http=80", NULL };
	char *text = malloc(MANY * 64), *p = text, found[256];
	struct server_conf c, back;

	p += sprintf(p, "users = (");
	for (int i = 0; i < MANY; i++)
		p += sprintf(p, "%s{id=\"u%d\";secret=\"secret-%d\";}",
		    i == 0 ? "" : ",\n", i, i);
	sprintf(p, ");");
	load_ok(&c, text, options, NULL);
	free(text);
	ck_assert_int_eq(server_conf_encode(&c, keep, &public), 0);
	ck_assert_int_eq(server_conf_encode_verifiers(&c, keep, &secret), 0);
	server_conf_free(&c);
	decode(&back, &public, 1);
	ck_assert_uint_eq(back.users.n, MANY);
	ck_assert_ptr_nonnull(server_conf_user(&back, "u19999"));
	ck_assert_uint_eq(find_secret(&secret, "u12345", found), MANY);
	ck_assert_str_eq(found, "secret-12345");
	server_conf_free(&back);
	drop(&public);
	drop(&secret);
}
END_TEST

START_TEST(no_verifiers_is_one_frame)
{
	static struct frames fr;
	struct server_conf c;

	load_ok(&c, "listen = { http = 80; };", NULL, NULL);
	ck_assert_int_eq(server_conf_encode_verifiers(&c, keep, &fr), 0);
	ck_assert_uint_eq(fr.n, 1);
	ck_assert_uint_eq(fr.length[0], 4);
	drop(&fr);
	server_conf_free(&c);
}
END_TEST

START_TEST(order_of_users_is_checked)
{
	static const char *const users[] = { "ab:1", "cd:2", NULL };
	static const char *const options[] = { "listen.http=80", NULL };
	static struct frames fr;
	struct server_conf c, back;
	uint8_t *id;

	load_ok(&c, "", options, users);
	ck_assert_int_eq(server_conf_encode(&c, keep, &fr), 0);
	server_conf_free(&c);
	ck_assert_uint_eq(fr.n, 1);
	id = memmem(fr.bytes[0], fr.length[0], "\0\002cd", 4);
	ck_assert_ptr_nonnull(id);
	memcpy(id + 2, "ab", 2); /* twice */
	decode(&back, &fr, -1);
	server_conf_free(&back);
	memcpy(id + 2, "AB", 2); /* not lower case: is folded, so twice */
	decode(&back, &fr, -1);
	server_conf_free(&back);
	memcpy(id + 2, "..", 2);
	decode(&back, &fr, -1);
	server_conf_free(&back);
	memcpy(id + 2, "ac", 2);
	decode(&back, &fr, 1);
	server_conf_free(&back);
	drop(&fr);
}
END_TEST

/* Ids: a, a-b, other. */
static bool
is_id(void *arg, const char *label)
{
	(void)arg;
	return strcmp(label, "a") == 0 || strcmp(label, "a-b") == 0 ||
	    strcmp(label, "other") == 0;
}

static const struct {
	const char *id, *label;
	bool with_id, taken;
} names[] = {
	{ "a", "a", false, false },
	{ "a", "web", false, false },
	{ "a", "other", false, true },
	{ "a", "a-b", false, true },
	{ "a", "a-b", true, true },
	{ "a", "a-b-c", true, true },
	{ "a", "a-b-c", false, false },
	{ "a", "a-bc", true, false },
	{ "a", "a-c", true, false },
	{ "a-b", "a-b-c", true, false },
	{ "a-b", "a", true, true },
	{ "other", "other-a", true, false },
};

START_TEST(names_of_others)
{
	ck_assert_msg(server_conf_name_taken(names[_i].id, names[_i].label,
			  names[_i].with_id, is_id, NULL) == names[_i].taken,
	    "%s of %s", names[_i].label, names[_i].id);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("server_conf");
	TCase *t = tcase_create("load"), *e = tcase_create("send");
	SRunner *r = srunner_create(s);
	char command[64];
	int failed;

	if (mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	tcase_add_test(t, defaults);
	tcase_add_test(t, first_contact);
	tcase_add_test(t, missing_file);
	tcase_add_test(t, file_that_all_may_write);
	tcase_add_loop_test(t, one_fault_each, 0, (int)ROWS(faulty));
	tcase_add_loop_test(t, bad_user_arguments, 0, (int)ROWS(bad_users));
	tcase_add_test(t, no_listener);
	tcase_add_test(t, stronger_sources_win);
	tcase_add_test(t, secrets_from_files);
	tcase_add_test(t, missing_users_file_at_reload);
	tcase_add_loop_test(t, any_client_by_absence, 0, (int)ROWS(any_client));
	tcase_add_test(e, sent_to_the_master);
	tcase_add_test(e, many_users);
	tcase_add_test(e, no_verifiers_is_one_frame);
	tcase_add_test(e, order_of_users_is_checked);
	tcase_add_loop_test(e, names_of_others, 0, (int)ROWS(names));
	tcase_add_test(t, places_without_root);
	tcase_set_timeout(e, 30);
	suite_add_tcase(s, e);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		failed++;
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
