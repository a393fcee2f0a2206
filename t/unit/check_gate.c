/* Unit test of the relay's gate.c: who may use a service. */
#include "worker/relay/gate.h"

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define ID "id1"
#define INDEX 7
#define TOKEN "s3cret"
#define BASIC "ann:pass"

/* ann:pass; x:s3cret; and those with another password. */
#define GOOD_BASIC "Authorization: Basic YW5uOnBhc3M=\r\n"
#define BAD_BASIC "Authorization: Basic YW5uOnBhc3Q=\r\n"
#define TOKEN_BASIC "Authorization: Basic eDpzM2NyZXQ=\r\n"
#define AUTH(v) "Authorization: " v "\r\n"
#define PROXY(v) "Proxy-Authorization: " v "\r\n"
#define FIELD(v) "X-Ptp-Token: " v "\r\n"

enum { OPEN = 0, PRIVATE = 1, GATED = 2, EDITED = 4 };

static struct addr
ip(const char *text)
{
	struct addr a = { 0 };

	ck_assert_int_eq(addr_parse_ip(&a, text), 0);
	return a;
}

static struct service
service(int what)
{
	struct service sv = { .index = INDEX, .kind = SERVICE_HTTP };

	if (what & PRIVATE) {
		sv.flags |= SERVICE_PRIVATE;
		sv.has_token = true;
		gate_hash(sv.token, ID, INDEX, TOKEN, strlen(TOKEN));
	}
	if (what & GATED) {
		sv.has_basic = true;
		gate_hash(sv.basic, ID, INDEX, BASIC, strlen(BASIC));
	}
	if (what & EDITED)
		sv.flags |= SERVICE_EDITS;
	return sv;
}

static void
parse(struct head *h, char *space, bool connect, const char *fields)
{
	strcpy(space,
	    connect ? "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n"
		    : "GET / HTTP/1.1\r\nHost: a\r\n");
	strcat(space, fields);
	strcat(space, "\r\n");
	ck_assert_int_gt(
	    head_parse_request(h, space, strlen(space), HEAD_MAX), 0);
}

static const struct {
	int what;
	bool connect;
	const char *fields;
	int status;
	uint32_t drop; /* beside GATE_DROP, if it passes */
} cases[] = {
	{ OPEN, false, "", 0, 0 },
	{ OPEN, false, AUTH("its own") FIELD("any"), 0, 0 },
	{ OPEN, true, "", 0, 0 },
	{ EDITED, false, "", 0, 0 },
	{ EDITED, true, "", 403, 0 },

	{ GATED, false, "", 401, 0 },
	{ GATED, false, GOOD_BASIC, 0, 0 },
	{ GATED, false, BAD_BASIC, 401, 0 },
	{ GATED, false, AUTH("YW5uOnBhc3M="), 401, 0 },
	{ GATED, false, AUTH("Bearer " BASIC), 401, 0 },
	{ GATED, false, AUTH(BASIC), 401, 0 },
	{ GATED, false, PROXY("Basic YW5uOnBhc3M="), 401, 0 },
	{ GATED, false, GOOD_BASIC GOOD_BASIC, 400, 0 },
	{ GATED, false, GOOD_BASIC BAD_BASIC, 400, 0 },
	{ GATED, true, GOOD_BASIC, 403, 0 },
	{ GATED, true, PROXY("Basic YW5uOnBhc3M="), 403, 0 },

	{ PRIVATE, false, "", 401, 0 },
	{ PRIVATE, false, AUTH(TOKEN), 0, HEAD_BIT(HEAD_ID_AUTHORIZATION) },
	{ PRIVATE, false, AUTH("Bearer " TOKEN), 0,
	    HEAD_BIT(HEAD_ID_AUTHORIZATION) },
	{ PRIVATE, false, TOKEN_BASIC, 0, HEAD_BIT(HEAD_ID_AUTHORIZATION) },
	{ PRIVATE, false, FIELD(TOKEN), 0, 0 },
	{ PRIVATE, false, FIELD(TOKEN) AUTH("its own"), 0, 0 },
	{ PRIVATE, false, FIELD("x") AUTH(TOKEN), 401, 0 },
	{ PRIVATE, false, FIELD("") AUTH(TOKEN), 401, 0 },
	{ PRIVATE, false, FIELD(TOKEN) FIELD(TOKEN), 400, 0 },
	{ PRIVATE, false, AUTH(TOKEN) AUTH(TOKEN), 400, 0 },
	{ PRIVATE, false, AUTH("s3cre"), 401, 0 },
	{ PRIVATE, false, AUTH(TOKEN "t"), 401, 0 },
	{ PRIVATE, false, AUTH("S3CRET"), 401, 0 },
	{ PRIVATE, false, AUTH("Basic Og=="), 401, 0 },
	{ PRIVATE, false, AUTH("Digest " TOKEN), 401, 0 },
	{ PRIVATE, false, PROXY(TOKEN), 401, 0 },
	{ PRIVATE, false, "X_Ptp_Token: " TOKEN "\r\n", 401, 0 },
	{ PRIVATE, true, "", 407, 0 },
	{ PRIVATE, true, PROXY(TOKEN), 0,
	    HEAD_BIT(HEAD_ID_PROXY_AUTHORIZATION) },
	{ PRIVATE, true, PROXY("bearer " TOKEN), 0,
	    HEAD_BIT(HEAD_ID_PROXY_AUTHORIZATION) },
	{ PRIVATE, true, PROXY("Basic eDpzM2NyZXQ="), 0,
	    HEAD_BIT(HEAD_ID_PROXY_AUTHORIZATION) },
	{ PRIVATE, true, FIELD(TOKEN), 0, 0 },
	{ PRIVATE, true, AUTH(TOKEN), 407, 0 },
	{ PRIVATE, true, PROXY("x"), 407, 0 },
	{ PRIVATE, true, PROXY(TOKEN) PROXY("x"), 400, 0 },
	{ PRIVATE | EDITED, true, PROXY(TOKEN), 403, 0 },

	{ PRIVATE | GATED, false, FIELD(TOKEN) GOOD_BASIC, 0, 0 },
	{ PRIVATE | GATED, false, FIELD(TOKEN), 401, 0 },
	{ PRIVATE | GATED, false, FIELD(TOKEN) BAD_BASIC, 401, 0 },
	{ PRIVATE | GATED, false, GOOD_BASIC, 401, 0 },
	{ PRIVATE | GATED, false, AUTH(TOKEN), 401, 0 },
	{ PRIVATE | GATED, false, TOKEN_BASIC, 401, 0 },
	{ PRIVATE | GATED, true, PROXY(TOKEN), 403, 0 },
};

START_TEST(request)
{
	struct service sv = service(cases[_i].what);
	struct addr user = ip("192.0.2.1");
	struct gate_verdict v;
	char space[1024];
	struct head h;

	parse(&h, space, cases[_i].connect, cases[_i].fields);
	v = gate_request(&sv, ID, &user, &h);
	ck_assert_int_eq(v.status, cases[_i].status);
	if (v.status == 0 && !cases[_i].connect)
		ck_assert_uint_eq(v.drop, cases[_i].drop | GATE_DROP);
	/* RFC 9110, 15.5.2 and 15.5.8: a challenge, each line with its end. */
	if (v.status == 401)
		ck_assert_ptr_nonnull(strstr(v.fields, "WWW-Authenticate: "));
	else if (v.status == 407)
		ck_assert_ptr_nonnull(strstr(v.fields, "Proxy-Authenticate: "));
	else
		ck_assert_ptr_null(v.fields);
	if (v.fields != NULL)
		ck_assert_str_eq(v.fields + strlen(v.fields) - 2, "\r\n");
}
END_TEST

/* The hash fits one service of one client. */
START_TEST(whose_secret)
{
	struct service sv = service(PRIVATE);
	struct addr user = ip("192.0.2.1");
	char space[1024];
	struct head h;

	parse(&h, space, false, AUTH(TOKEN));
	ck_assert_int_eq(gate_request(&sv, ID, &user, &h).status, 0);
	ck_assert_int_eq(gate_request(&sv, "id2", &user, &h).status, 401);
	sv.index++;
	ck_assert_int_eq(gate_request(&sv, ID, &user, &h).status, 401);
	sv = service(PRIVATE);
	sv.has_token = false; /* private, and nobody has the token */
	ck_assert_int_eq(gate_request(&sv, ID, &user, &h).status, 401);
	/* The hash of nothing opens nothing. */
	sv = service(PRIVATE);
	gate_hash(sv.token, ID, INDEX, "", 0);
	parse(&h, space, false, FIELD(""));
	ck_assert_int_eq(gate_request(&sv, ID, &user, &h).status, 401);
	parse(&h, space, false, AUTH("Basic eDo="));
	ck_assert_int_eq(gate_request(&sv, ID, &user, &h).status, 401);
}
END_TEST

static const struct {
	const char *allow, *deny, *user;
	bool in;
} sources[] = {
	{ NULL, NULL, "192.0.2.1", true },
	{ "192.0.2.0/24", NULL, "192.0.2.1", true },
	{ "192.0.2.0/24", NULL, "192.0.3.1", false },
	{ "192.0.2.0/24", NULL, "::ffff:192.0.2.1", true },
	{ "192.0.2.0/24", NULL, "2001:db8::1", false },
	{ "::/0", NULL, "192.0.2.1", false },
	{ NULL, "192.0.2.0/24", "192.0.2.1", false },
	{ NULL, "192.0.2.0/24", "::ffff:192.0.2.1", false },
	{ NULL, "192.0.2.0/24", "192.0.3.1", true },
	{ "192.0.2.0/24", "192.0.2.1", "192.0.2.1", false },
	{ "192.0.2.0/24", "192.0.2.1", "192.0.2.2", true },
	{ "2001:db8::/32", NULL, "2001:db8:1::1", true },
	/* Nobody knows where it comes from. */
	{ NULL, NULL, NULL, true },
	{ "0.0.0.0/0", NULL, NULL, false },
	{ NULL, "10.0.0.0/8", NULL, false },
};

START_TEST(source)
{
	struct addr user = { 0 };
	struct service sv = service(OPEN), gated;
	struct addr_block allow, deny;
	char space[1024];
	struct head h;

	if (sources[_i].user != NULL)
		user = ip(sources[_i].user);
	if (sources[_i].allow != NULL) {
		ck_assert_int_eq(
		    addr_block_parse(&allow, sources[_i].allow), 0);
		sv.nallow = 1;
		sv.allow = &allow;
	}
	if (sources[_i].deny != NULL) {
		ck_assert_int_eq(addr_block_parse(&deny, sources[_i].deny), 0);
		sv.ndeny = 1;
		sv.deny = &deny;
	}
	parse(&h, space, false, "");
	ck_assert_int_eq(
	    gate_request(&sv, ID, &user, &h).status, sources[_i].in ? 0 : 403);
	ck_assert(gate_stream(&sv, &user) == sources[_i].in);
	/* It is looked at before any secret is. */
	gated = sv;
	gated.flags |= SERVICE_PRIVATE;
	ck_assert_int_eq(gate_request(&gated, ID, &user, &h).status,
	    sources[_i].in ? 401 : 403);
	ck_assert(!gate_stream(&gated, &user));
}
END_TEST

START_TEST(stream)
{
	struct addr user = ip("192.0.2.1");

	for (int what = 0; what < 8; what++) {
		struct service sv = service(what);

		ck_assert(gate_stream(&sv, &user) == (what == OPEN));
	}
}
END_TEST

static const struct {
	const char *peer, *fields, *user;
} chains[] = {
	{ "10.0.0.1", "", "10.0.0.1" },
	/* A stranger may say what he likes. */
	{ "192.0.2.1", "X-Forwarded-For: 1.2.3.4\r\n", "192.0.2.1" },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4" },
	{ "10.0.0.1", "x_forwarded_for: 1.2.3.4\r\n", "10.0.0.1" },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4,5.6.7.8\r\n", "5.6.7.8" },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4 ,\t10.9.9.9 \r\n", "1.2.3.4" },
	{ "10.0.0.1",
	    "X-Forwarded-For: 1.2.3.4\r\nAccept: x\r\n"
	    "X-Forwarded-For: 10.2.2.2, 10.3.3.3\r\n",
	    "1.2.3.4" },
	{ "10.0.0.1",
	    "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n",
	    "5.6.7.8" },
	/* All are trusted: the first of them. */
	{ "10.0.0.1", "X-Forwarded-For: 10.1.1.1, 10.2.2.2\r\n", "10.1.1.1" },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4:80\r\n", "1.2.3.4" },
	{ "10.0.0.1", "X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1" },
	{ "10.0.0.1", "X-Forwarded-For: [2001:db8::1]\r\n", "2001:db8::1" },
	{ "10.0.0.1", "X-Forwarded-For: [2001:db8::1]:80\r\n", "2001:db8::1" },
	{ "10.0.0.1", "X-Forwarded-For: ::ffff:1.2.3.4\r\n", "1.2.3.4" },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4\t,10.9.9.9\r\n", "1.2.3.4" },
	/* No address: nothing before it is believed. */
	{ "10.0.0.1",
	    "X-Forwarded-For: 1234567890123456789012345678901234567890"
	    "12345678901234567890\r\n",
	    NULL },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4, unknown\r\n", NULL },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4,\r\n", NULL },
	{ "10.0.0.1", "X-Forwarded-For:\r\n", NULL },
	{ "10.0.0.1", "X-Forwarded-For: [::1\r\n", NULL },
	{ "10.0.0.1", "X-Forwarded-For: 1.2.3.4 5.6.7.8\r\n", NULL },
	{ "10.0.0.1", "X-Forwarded-For: unknown, 5.6.7.8\r\n", "5.6.7.8" },
};

START_TEST(user)
{
	struct addr peer = ip(chains[_i].peer), want = { 0 }, got;
	struct msg_relay_conf conf = { .ntrusted = 1 };
	char space[1024];
	struct head h;

	ck_assert_int_eq(addr_block_parse(&conf.trusted[0], "10.0.0.0/8"), 0);
	if (chains[_i].user != NULL)
		want = ip(chains[_i].user);
	parse(&h, space, false, chains[_i].fields);
	got = gate_user(&conf, &peer, &h);
	ck_assert(addr_equal(&got, &want));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate");
	TCase *t = tcase_create("gate");
	SRunner *r;
	int failed;

	if (sodium_init() == -1)
		return 1;
	tcase_add_loop_test(t, request, 0, ROWS(cases));
	tcase_add_test(t, whose_secret);
	tcase_add_loop_test(t, source, 0, ROWS(sources));
	tcase_add_test(t, stream);
	tcase_add_loop_test(t, user, 0, ROWS(chains));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
