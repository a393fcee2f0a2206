/* Unit test of the client's configuration. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/conf.h"
#include "client/keyfile.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define SERVER "tcp://id1:secret1@example.com:8080"
#define ARGUMENTS_MAX 4

/* A file's text and the command line. */
struct input {
	const char *text;
	const char *options[ARGUMENTS_MAX];
	const char *servers[ARGUMENTS_MAX];
	const char *services[ARGUMENTS_MAX];
};

static size_t
count(const char *const *v)
{
	size_t n = 0;

	while (n < ARGUMENTS_MAX && v[n] != NULL)
		n++;
	return n;
}

/* Load; faults name the file "t.conf". */
static int
load(struct client_conf *c, const struct input *in, struct faults *f)
{
	static char dir[] = "/tmp/check_client_conf.XXXXXX";
	struct conf_args args = { .file = "t.conf",
		.named = true,
		.options = in->options,
		.noptions = count(in->options),
		.servers = in->servers,
		.nservers = count(in->servers),
		.services = in->services,
		.nservices = count(in->services) };
	uint8_t public[KEYTEXT_KEY];
	char why[KEYFILE_WHY];
	FILE *file;
	int rc;

	if (strstr(dir, "XXXXXX") != NULL)
		ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	file = fopen("secret", "w");
	fputs("in the file\n", file);
	fclose(file);
	ck_assert_int_eq(keyfile_make("id.key", public, why), 0);
	file = fopen("t.conf", "w");
	fputs(in->text == NULL ? "" : in->text, file);
	fclose(file);
	memset(f, 0, sizeof(*f));
	rc = client_conf_load(c, &args, f);
	unlink("t.conf");
	unlink("secret");
	unlink("id.key");
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(dir);
	strcpy(strrchr(dir, '.') + 1, "XXXXXX");
	return rc;
}

static void
load_ok(struct client_conf *c, const struct input *in)
{
	struct faults f;
	int rc = load(c, in, &f);

	ck_assert_msg(rc == 0, "%s", f.n > 0 ? f.line[0] : "");
}

START_TEST(first_contact)
{
	static const struct input in = { NULL, { NULL }, { SERVER },
		{ "http://127.0.0.1:80" } };
	const struct client_service *s;
	struct client_conf c;

	load_ok(&c, &in);
	ck_assert_uint_eq(c.nservers, 1);
	ck_assert_str_eq(c.servers[0].id, "id1");
	ck_assert_str_eq(c.servers[0].secret, "secret1");
	ck_assert_str_eq(c.servers[0].host, "example.com");
	ck_assert_uint_eq(c.servers[0].port, 8080);
	ck_assert(!c.servers[0].has_key);
	ck_assert_uint_eq(c.services.n, 1);
	s = &c.services.v[0];
	ck_assert_str_eq(s->local_text, "http://127.0.0.1:80");
	ck_assert_int_eq(s->local.scheme, LOCAL_HTTP);
	ck_assert_str_eq(s->local.host, "127.0.0.1");
	ck_assert_uint_eq(s->local.port, 80);
	ck_assert_uint_eq(s->names.n, 0);
	ck_assert_ptr_null(s->rewrite_host);
	ck_assert_uint_eq(c.connections, 3);
	ck_assert_uint_eq(c.idle, 1);
	ck_assert_uint_eq(c.cipher, CLIENT_CIPHER_AUTO);
	ck_assert_str_eq(c.congestion, "bbr");
	ck_assert_uint_eq(c.reconnect, 1000);
	ck_assert_uint_eq(c.timeout, 45000);
	ck_assert_uint_eq(c.log_level, LOG_LEVEL_INFO);
	ck_assert_str_eq(c.user, "_ptp");
	ck_assert_int_eq(c.known_servers[0], '/');
	client_conf_free(&c);
	client_conf_free(&c); /* zeroed: nothing to do */
}
END_TEST

/* What becomes of `local` and rewrite_host = true. */
static const struct {
	const char *operand, *text, *host;
	uint16_t port;
	enum local_scheme scheme;
} locals[] = {
	{ "8080", "http://127.0.0.1:8080", "127.0.0.1:8080", 8080, LOCAL_HTTP },
	{ "http://web", "http://web", "web", 80, LOCAL_HTTP },
	{ "http://Web:81/", "http://Web:81", "web:81", 81, LOCAL_HTTP },
	{ "http://[::1]:81", "http://[::1]:81", "[::1]:81", 81, LOCAL_HTTP },
	{ "https://web", "https://web", "web", 443, LOCAL_HTTPS },
	{ "https://web:80", "https://web:80", "web:80", 80, LOCAL_HTTPS },
	{ "unix:/run/web", "unix:/run/web", "localhost", 0, LOCAL_UNIX },
};

START_TEST(local_addresses)
{
	char operand[128];
	struct input in = { NULL, { NULL }, { SERVER }, { operand } };
	const struct client_service *s;
	struct client_conf c;

	snprintf(operand, sizeof(operand), "%s,rewrite_host=true",
	    locals[_i].operand);
	load_ok(&c, &in);
	s = &c.services.v[0];
	ck_assert_str_eq(s->local_text, locals[_i].text);
	ck_assert_str_eq(s->rewrite_host, locals[_i].host);
	ck_assert_int_eq(s->local.scheme, locals[_i].scheme);
	ck_assert_uint_eq(s->local.port, locals[_i].port);
	if (s->local.scheme == LOCAL_UNIX)
		ck_assert_str_eq(s->local.path, "/run/web");
	client_conf_free(&c);
}
END_TEST

START_TEST(services_of_the_command_line)
{
	static const struct input in = {
		"services = ( { local = \"http://file\"; } );", { NULL },
		{ SERVER },
		{ "80,name=Web,name=www.example.com,rewrite_host=x:1,"
		  "remove_headers=X-A,remove_headers=X-B,timeout=1m",
		    "https://[::1],tls_insecure=true,tls_name=web,name=b" }
	};
	const struct client_service *s;
	struct client_conf c;

	load_ok(&c, &in);
	ck_assert_uint_eq(c.services.n, 2);
	s = &c.services.v[0];
	ck_assert_uint_eq(s->names.n, 2);
	ck_assert_str_eq(s->names.v[0], "web");
	ck_assert_str_eq(s->names.v[1], "www.example.com");
	ck_assert_str_eq(s->rewrite_host, "x:1");
	ck_assert_uint_eq(s->remove_headers.n, 2);
	ck_assert_str_eq(s->remove_headers.v[1], "X-B");
	ck_assert_uint_eq(s->timeout, 60000);
	s = &c.services.v[1];
	ck_assert(s->tls_insecure);
	ck_assert_str_eq(s->tls_name, "web");
	ck_assert_str_eq(s->local.host, "::1");
	client_conf_free(&c);
}
END_TEST

START_TEST(servers_are_completed)
{
	static const struct input in = {
		"server = [\"tcp://a:s@h1\", \"h2:81\", \"b@h3#" KEY "\"];"
		"id = \"Me\"; secret_file = \"secret\";"
		"server_key = \"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\";",
		{ NULL }, { NULL }, { "80" }
	};
	struct client_conf c;

	load_ok(&c, &in);
	ck_assert_uint_eq(c.nservers, 3);
	ck_assert_str_eq(c.servers[0].id, "a");
	ck_assert_str_eq(c.servers[0].secret, "s");
	ck_assert_uint_eq(c.servers[0].key[1], 1);
	ck_assert_str_eq(c.servers[1].id, "me");
	ck_assert_str_eq(c.servers[1].secret, "in the file");
	ck_assert(c.servers[1].has_key);
	ck_assert_str_eq(c.servers[2].id, "b");
	ck_assert_str_eq(c.servers[2].secret, "in the file");
	ck_assert_uint_eq(c.servers[2].key[31], 31);
	client_conf_free(&c);
}
END_TEST

START_TEST(secret_by_file_name)
{
	static const struct input in = { NULL, { "id=me", "secret=@secret" },
		{ "tcp://a:@secret@h1", "h2" }, { "80" } };
	struct client_conf c;

	load_ok(&c, &in);
	ck_assert_str_eq(c.servers[0].secret, "in the file");
	ck_assert_str_eq(c.servers[1].secret, "in the file");
	client_conf_free(&c);
}
END_TEST

START_TEST(login_by_key)
{
	static const struct input in = { NULL, { "id=me", "key=id.key" },
		{ "h" }, { "80" } };
	struct client_conf c;

	load_ok(&c, &in);
	ck_assert_str_eq(c.servers[0].secret, "");
	ck_assert_int_eq(c.key[0], '/');
	ck_assert_ptr_nonnull(strstr(c.key, "/id.key"));
	client_conf_free(&c);
}
END_TEST

/* An input and its one fault. */
static const struct {
	struct input in;
	const char *fault;
} faulty[] = {
	{ { NULL, { NULL }, { NULL }, { "80" } },
	    "server: no server: add server = "
	    "\"tcp://id:secret@host:port\" (or -s "
	    "tcp://id:secret@host:port)" },
	{ { NULL, { NULL }, { SERVER }, { NULL } },
	    "services: no service: add services = ( { local = "
	    "\"http://127.0.0.1:80\"; } ) (or http://127.0.0.1:80 on the "
	    "command line)" },
	{ { NULL, { NULL }, { "h" }, { "80" } },
	    "server: no id: add id = \"...\", or write it into the address, "
	    "tcp://id:secret@host" },
	{ { "\nserver = \"a@h\";", { NULL }, { NULL }, { "80" } },
	    "t.conf:2: server: no secret: add secret = \"...\", secret_file "
	    "or key, or write it into the address, tcp://id:secret@host" },
	{ { "\nserver = (\"x://h\");", { NULL }, { NULL }, { "80" } },
	    "t.conf:2: server[0]: expected tcp://, tls://, ws://, wss:// or "
	    "udp://" },
	{ { NULL, { NULL }, { "wss://a:b@h" }, { "80" } },
	    "-s: expected tcp:// (tls, ws, wss and udp are not in this "
	    "version)" },
	{ { NULL, { "server=" SERVER }, { SERVER }, { "80" } },
	    "-o: server: expected not beside -s" },
	{ { NULL, { "services=({local=\"1\";})" }, { SERVER }, { "80" } },
	    "-o: services: expected not beside services of the command "
	    "line" },
	{ { "id = \"a\";\nsecret = \"b\"; key = \"c\";", { NULL }, { "h" },
	      { "80" } },
	    "t.conf:2: secret: expected only one of secret, secret_file, "
	    "key" },
	{ { "id = \"a\"; secret_file = \"/nonexistent\";", { NULL },
	      { "a:b@h" }, { "80" } },
	    "t.conf:1: secret_file: /nonexistent: No such file or directory" },
	{ { NULL, { NULL }, { "a:@/nonexistent@h" }, { "80" } },
	    "server: the file after \"@\": No such file or directory" },
	{ { NULL, { "tunnel.idle=4" }, { SERVER }, { "80" } },
	    "-o: tunnel.idle: expected at most tunnel.connections" },
	{ { NULL, { "tunnel.connections=11" }, { SERVER }, { "80" } },
	    "-o: tunnel.connections: expected a whole number from 1 to 10" },
	{ { NULL, { "tunnel.cipher=rot13" }, { SERVER }, { "80" } },
	    "-o: tunnel.cipher: expected one of auto, chacha20-poly1305, "
	    "aes256-gcm, none" },
	{ { NULL, { "tunnel.mode=single" }, { SERVER }, { "80" } },
	    "-o: tunnel.mode: unknown key" },
	{ { NULL, { NULL }, { SERVER }, { "80", "81" } },
	    "command line: services[1].name: expected a name: another "
	    "service has the id already" },
	{ { NULL, { NULL }, { SERVER }, { "80,name=a,name=a" } },
	    "command line: services[0].name: expected each name once: \"a\" "
	    "is there twice" },
	{ { "services = (\n{ local = \"http://a\"; name = \"a\"; },\n"
	    "{ local = \"http://b\"; name = [\"b\", \"A\"]; });",
	      { NULL }, { SERVER }, { NULL } },
	    "t.conf:3: services[1].name: expected each name once: \"a\" is "
	    "there twice" },
	{ { NULL, { NULL }, { SERVER },
	      { "tls://h,name=a", "80,name=a", "81,name=a" } },
	    "command line: services[2].name: expected each name once: \"a\" "
	    "is there twice" },
	{ { NULL, { NULL }, { SERVER }, { "tls://h", "80", "tls://i" } },
	    "command line: services[2].name: expected a name: another "
	    "service has the id already" },
	{ { "services = (\n{ name = \"a\"; });", { NULL }, { SERVER },
	      { NULL } },
	    "t.conf:2: services[0].local: expected what to serve, as "
	    "\"http://127.0.0.1:80\"" },
	{ { "services = (\n{ local = \"http://h\";\nhats = 3; });", { NULL },
	      { SERVER }, { NULL } },
	    "t.conf:3: services[0].hats: unknown key" },
	{ { NULL, { NULL }, { SERVER }, { "80,hats=3" } },
	    "command line: services[0].hats: unknown key" },
};

START_TEST(one_fault_each)
{
	struct client_conf c;
	struct faults f;

	ck_assert_int_eq(load(&c, &faulty[_i].in, &f), -1);
	ck_assert_uint_ge(f.n, 1);
	ck_assert_str_eq(f.line[0], faulty[_i].fault);
	ck_assert_uint_eq(f.errors, 1);
	faults_free(&f);
}
END_TEST

static const char *const bad_services[] = { "", "0", "65536", "080", "http://",
	"http://a b", "http://h:0", "http://h/path", "http://h:1/a/",
	"http://u@h", "http://[::1", "ftp://h", "tcp://h", "udp://h",
	"udp://h:0", "udp://h:1,name=a", "udp://h:1,rewrite_host=x",
	"udp://h:65535,port=5-6", "udp://h:1,proxy_protocol=v1",
	"udp://h:1,basic=a:b", "udp://h:1,private=true,token=t", "tls://h:0",
	"tls://h,rewrite_host=true", "tls://h,remove_headers=A",
	"tls://h,basic=a:b", "tls://h,port=1", "tls://h,proxy_protocol=v3",
	"unix:", "unix:relative", "h:80", "80,", "80,name",
	"80,name=", "80,name=a b", "80,name=a_b", "80,name=-a", "80,name=a.",
	"80,name=*", "80,name=*.1.2.3.4", "80,name=*.*.x", "80,name=a.*",
	"80,name=1.2.3.4", "80,name=1.2.3.4:0", "80,name=1.2.3.4:65536",
	"80,name=a.b:80", "80,name=::1", "80,name=[::1]", "80,name=[::1]:0",
	"80,rewrite_host=", "80,rewrite_host=a b", "80,remove_headers=A B",
	"80,remove_headers=content_LENGTH", "80,remove_headers=Host",
	"80,timeout=5", "80,tls_insecure=maybe", "80,tls_name=a b",
	"80,local.x=1", "80,port=5", "80,random=true", "tcp://h:0",
	"tcp://h:1,port=0", "tcp://h:1,port=65536", "tcp://h:1,port=5-4",
	"tcp://h:1,port=1-1025", "tcp://h:1,port=5-", "tcp://h:1,port=a",
	"tcp://h:65535,port=5-6", "tcp://h:1,port=5-6,random=true",
	"unix:/a,port=5-6", "tcp://h:1,rewrite_host=true",
	"tcp://h:1,remove_headers=a", "tcp://h:1,random=5",
	"unix:/a,port=5,rewrite_host=x",
	"unix:/0123456789012345678901234567890123456789012345678901234567890"
	"123456789012345678901234567890123456789012345678901234567890" };

START_TEST(bad_services_are_told)
{
	struct input in = { NULL, { NULL }, { SERVER }, { bad_services[_i] } };
	struct client_conf c;
	struct faults f;

	ck_assert_msg(
	    load(&c, &in, &f) == -1, "\"%s\" was taken", bad_services[_i]);
	ck_assert_uint_eq(f.errors, 1);
	ck_assert_int_eq(
	    strncmp(f.line[0], "command line: services[0]", 25), 0);
	faults_free(&f);
}
END_TEST

START_TEST(no_secret_in_a_fault)
{
	static const struct input in = { "server = \"tcp://a:hidden@h:0\";"
					 "secret = \"hidden\"; id = 5;",
		{ "secret=hidden", "id=.." }, { "x://a:hidden@h" },
		{ "0,name=.." } };
	struct client_conf c;
	struct faults f;

	ck_assert_int_eq(load(&c, &in, &f), -1);
	for (size_t i = 0; i < f.n; i++)
		ck_assert_ptr_null(strstr(f.line[i], "hidden"));
	ck_assert_uint_ge(f.n, 3);
	faults_free(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client_conf");
	TCase *t = tcase_create("load");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, first_contact);
	tcase_add_loop_test(t, local_addresses, 0, (int)ROWS(locals));
	tcase_add_test(t, services_of_the_command_line);
	tcase_add_test(t, servers_are_completed);
	tcase_add_test(t, secret_by_file_name);
	tcase_add_test(t, login_by_key);
	tcase_add_loop_test(t, one_fault_each, 0, (int)ROWS(faulty));
	tcase_add_loop_test(
	    t, bad_services_are_told, 0, (int)ROWS(bad_services));
	tcase_add_test(t, no_secret_in_a_fault);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
