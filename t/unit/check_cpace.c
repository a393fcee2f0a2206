/* Unit test of cpace.c: the draft's vector, and everything that must fail. */
#include "common/crypto/cpace.h"

#include <errno.h>
#include <stdlib.h>

#include "t/unit/hex.h"
#include "t/unit/vectors_cpace.h"

/* One run's inputs, of both sides, and what travels. */
struct run {
	struct cpace_input in[2]; /* initiator, responder */
	struct cpace c[2];
	uint8_t ya[CPACE_POINT], yb[CPACE_POINT];
	uint8_t ta[CPACE_TAG], tb[CPACE_TAG];
	uint8_t isk[2][CPACE_KEY];
};

static const struct cpace_input plain = { .secret = "open sesame",
	.secret_len = 11,
	.ci = "channel",
	.ci_len = 7,
	.sid = "session",
	.sid_len = 7,
	.ada = "client",
	.ada_len = 6,
	.adb = "server",
	.adb_len = 6 };

static void
run_init(struct run *r)
{
	memset(r, 0, sizeof(*r));
	r->in[0] = r->in[1] = plain;
}

/* As far as the responder's answer. */
static void
run_answer(struct run *r)
{
	ck_assert_int_eq(cpace_start(&r->c[0], &r->in[0], NULL, r->ya), 0);
	ck_assert_int_eq(
	    cpace_respond(&r->c[1], &r->in[1], NULL, r->ya, r->yb, r->tb), 0);
}

static int
run_finish(struct run *r)
{
	errno = 0;
	return cpace_finish(
	    &r->c[0], &r->in[0], r->yb, r->tb, r->ta, r->isk[0]);
}

static int
run_confirm(struct run *r)
{
	errno = 0;
	return cpace_confirm(&r->c[1], r->ta, r->isk[1]);
}

START_TEST(draft_vector)
{
	uint8_t secret[64], ci[64], sid[64], ada[8], adb[8];
	uint8_t scalar_a[CPACE_SCALAR], scalar_b[CPACE_SCALAR];
	struct cpace_input in = { .secret = secret,
		.secret_len = hex(secret, sizeof(secret), VECTORS_CPACE_SECRET),
		.ci = ci,
		.ci_len = hex(ci, sizeof(ci), VECTORS_CPACE_CI),
		.sid = sid,
		.sid_len = hex(sid, sizeof(sid), VECTORS_CPACE_SID),
		.ada = ada,
		.ada_len = hex(ada, sizeof(ada), VECTORS_CPACE_ADA),
		.adb = adb,
		.adb_len = hex(adb, sizeof(adb), VECTORS_CPACE_ADB) };
	struct run r;

	run_init(&r);
	hex(scalar_a, sizeof(scalar_a), VECTORS_CPACE_SCALAR_A);
	hex(scalar_b, sizeof(scalar_b), VECTORS_CPACE_SCALAR_B);
	r.in[0] = r.in[1] = in;
	ck_assert_int_eq(cpace_start(&r.c[0], &in, scalar_a, r.ya), 0);
	hex_eq(r.ya, sizeof(r.ya), VECTORS_CPACE_YA);
	ck_assert_int_eq(
	    cpace_respond(&r.c[1], &in, scalar_b, r.ya, r.yb, r.tb), 0);
	hex_eq(r.yb, sizeof(r.yb), VECTORS_CPACE_YB);
	hex_eq(r.tb, sizeof(r.tb), VECTORS_CPACE_TB);
	ck_assert_int_eq(run_finish(&r), 0);
	hex_eq(r.ta, sizeof(r.ta), VECTORS_CPACE_TA);
	hex_eq(r.isk[0], CPACE_KEY, VECTORS_CPACE_ISK);
	ck_assert_int_eq(run_confirm(&r), 0);
	hex_eq(r.isk[1], CPACE_KEY, VECTORS_CPACE_ISK);
}
END_TEST

START_TEST(both_know_the_secret)
{
	struct run r, again;

	run_init(&r);
	run_answer(&r);
	ck_assert_int_eq(run_finish(&r), 0);
	ck_assert_int_eq(run_confirm(&r), 0);
	ck_assert_mem_eq(r.isk[0], r.isk[1], CPACE_KEY);
	ck_assert(sodium_is_zero((const uint8_t *)&r.c, sizeof(r.c)));

	run_init(&again);
	run_answer(&again);
	ck_assert_int_eq(run_finish(&again), 0);
	ck_assert_mem_ne(again.ya, r.ya, CPACE_POINT);
	ck_assert_mem_ne(again.yb, r.yb, CPACE_POINT);
	ck_assert_mem_ne(again.isk[0], r.isk[0], CPACE_KEY);
}
END_TEST

START_TEST(session_key_is_optional)
{
	struct run r;

	run_init(&r);
	r.in[0].ada = r.in[1].ada = r.in[0].adb = r.in[1].adb = NULL;
	r.in[0].ada_len = r.in[1].ada_len = 0;
	r.in[0].adb_len = r.in[1].adb_len = 0;
	run_answer(&r);
	ck_assert_int_eq(
	    cpace_finish(&r.c[0], &r.in[0], r.yb, r.tb, r.ta, NULL), 0);
	ck_assert_int_eq(cpace_confirm(&r.c[1], r.ta, NULL), 0);
}
END_TEST

/* Long secrets and fields: lengths of two LEB128 bytes, no zeros left. */
START_TEST(long_inputs)
{
	static const size_t sizes[] = { 0, 1, 99, 100, 101, 127, 128, 129,
		300 };
	static uint8_t bytes[300];
	struct run r;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run_init(&r);
		for (int k = 0; k < 2; k++) {
			r.in[k].secret = r.in[k].ci = r.in[k].ada = bytes;
			r.in[k].secret_len = r.in[k].ci_len = sizes[i];
			r.in[k].ada_len = sizes[i];
		}
		run_answer(&r);
		ck_assert_int_eq(run_finish(&r), 0);
		ck_assert_int_eq(run_confirm(&r), 0);
		ck_assert_mem_eq(r.isk[0], r.isk[1], CPACE_KEY);
	}
}
END_TEST

/* Each input that the two sides may have differently. */
static const struct {
	const char *what;
	size_t offset; /* of the length in struct cpace_input */
} inputs[] = {
	{ "secret", offsetof(struct cpace_input, secret_len) },
	{ "ci", offsetof(struct cpace_input, ci_len) },
	{ "sid", offsetof(struct cpace_input, sid_len) },
	{ "ada", offsetof(struct cpace_input, ada_len) },
	{ "adb", offsetof(struct cpace_input, adb_len) },
};

START_TEST(inputs_must_agree)
{
	struct run r;
	size_t n;

	run_init(&r);
	memcpy(&n, (char *)&r.in[1] + inputs[_i].offset, sizeof(n));
	n--;
	memcpy((char *)&r.in[1] + inputs[_i].offset, &n, sizeof(n));
	run_answer(&r);
	memset(r.ta, 0xee, sizeof(r.ta));
	ck_assert_msg(run_finish(&r) == -1, "%s", inputs[_i].what);
	ck_assert_int_eq(errno, EBADMSG);
	/* Nothing came out that an impostor could test guesses on. */
	ck_assert_uint_eq(r.ta[0], 0xee);
	ck_assert(sodium_is_zero(r.isk[0], CPACE_KEY));
	ck_assert(sodium_is_zero((const uint8_t *)&r.c[0], sizeof(r.c[0])));
	ck_assert_int_eq(run_confirm(&r), -1);
	ck_assert_int_eq(errno, EBADMSG);
}
END_TEST

START_TEST(wrong_tags)
{
	struct run r;

	for (size_t i = 0; i < CPACE_TAG; i++) {
		run_init(&r);
		run_answer(&r);
		r.tb[i] ^= 0x80;
		ck_assert_int_eq(run_finish(&r), -1);

		run_init(&r);
		run_answer(&r);
		ck_assert_int_eq(run_finish(&r), 0);
		r.ta[i] ^= 0x80;
		ck_assert_int_eq(run_confirm(&r), -1);
		ck_assert_int_eq(errno, EBADMSG);
		/* One exchange is one guess. */
		r.ta[i] ^= 0x80;
		ck_assert_int_eq(run_confirm(&r), -1);
		ck_assert_int_eq(errno, EINVAL);
		ck_assert(sodium_is_zero(r.isk[1], CPACE_KEY));
	}
}
END_TEST

/* The responder's own tag is no answer to it. */
START_TEST(reflection)
{
	struct run r;

	run_init(&r);
	run_answer(&r);
	memcpy(r.ta, r.tb, CPACE_TAG);
	ck_assert_int_eq(run_confirm(&r), -1);

	run_init(&r);
	run_answer(&r);
	memcpy(r.yb, r.ya, CPACE_POINT);
	ck_assert_int_eq(run_finish(&r), -1);
}
END_TEST

/* Shares that are no point, or the neutral element. */
static const char *bad_points[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
};

START_TEST(bad_shares)
{
	struct run r;

	run_init(&r);
	hex(r.ya, sizeof(r.ya), bad_points[_i]);
	errno = 0;
	ck_assert_int_eq(
	    cpace_respond(&r.c[1], &r.in[1], NULL, r.ya, r.yb, r.tb), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(run_confirm(&r), -1);
	ck_assert_int_eq(errno, EINVAL);

	run_init(&r);
	run_answer(&r);
	hex(r.yb, sizeof(r.yb), bad_points[_i]);
	ck_assert_int_eq(run_finish(&r), -1);
	ck_assert_int_eq(errno, EBADMSG);
}
END_TEST

START_TEST(steps_out_of_order)
{
	struct run r;

	run_init(&r);
	ck_assert_int_eq(run_finish(&r), -1);
	ck_assert_int_eq(errno, EINVAL);
	run_answer(&r);
	ck_assert_int_eq(cpace_confirm(&r.c[0], r.ta, NULL), -1);
	ck_assert_int_eq(
	    cpace_finish(&r.c[1], &r.in[1], r.yb, r.tb, r.ta, NULL), -1);
}
END_TEST

START_TEST(channel_identifier)
{
	uint8_t ci[CPACE_CI_MAX], client[32], server[32];
	char id[CPACE_ID_MAX + 2];

	memset(client, 0xcc, sizeof(client));
	memset(server, 0x55, sizeof(server));
	ck_assert_uint_eq(cpace_ci(ci, "id1", client, server), 4 + 33 + 33);
	ck_assert_mem_eq(ci, "\x03id1\x20\xcc", 6);
	ck_assert_mem_eq(ci + 5, client, 32);
	ck_assert_uint_eq(ci[37], 32);
	ck_assert_mem_eq(ci + 38, server, 32);

	memset(id, 'a', sizeof(id));
	id[CPACE_ID_MAX + 1] = '\0';
	ck_assert_uint_eq(cpace_ci(ci, id, client, server), 0);
	ck_assert_uint_eq(cpace_ci(ci, "", client, server), 0);
	id[CPACE_ID_MAX] = '\0';
	ck_assert_uint_eq(cpace_ci(ci, id, client, server), CPACE_CI_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cpace");
	TCase *t = tcase_create("cpace");
	SRunner *r = srunner_create(s);
	int failed;

	if (sodium_init() == -1)
		return EXIT_FAILURE;
	tcase_add_test(t, draft_vector);
	tcase_add_test(t, both_know_the_secret);
	tcase_add_test(t, session_key_is_optional);
	tcase_add_test(t, long_inputs);
	tcase_add_loop_test(
	    t, inputs_must_agree, 0, (int)(sizeof(inputs) / sizeof(inputs[0])));
	tcase_add_test(t, wrong_tags);
	tcase_add_test(t, reflection);
	tcase_add_loop_test(t, bad_shares, 0,
	    (int)(sizeof(bad_points) / sizeof(bad_points[0])));
	tcase_add_test(t, steps_out_of_order);
	tcase_add_test(t, channel_identifier);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
