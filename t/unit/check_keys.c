/* Unit test of keys.c and responder.c: handshakes, well and badly behaved. */
#include "worker/guard/keys.h"

#include "common/crypto/ticket.h"
#include "t/unit/login_lab.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct lab *l;

static void
setup(void)
{
	ck_assert_int_ne(sodium_init(), -1);
	l = lab_new();
}

static void
teardown(void)
{
	lab_free(l);
}

START_TEST(both_ends_get_the_session_keys)
{
	struct lab_client *c = &l->client;
	struct noise_cipher was_rx;
	uint8_t root[TICKET_KEY];

	lab_connect(l, LOGIN_SECRET, "secret1", "s1");
	ck_assert_int_eq(lab_confirm(l, "secret1", "s1"), 0);
	lab_accepted(l, LOGIN_SECRET, "secret1");
	was_rx = c->rx;
	noise_cipher_rekey(&c->tx);
	noise_cipher_rekey(&c->rx);
	ck_assert_uint_eq(l->session[0], RECORD_CHACHA20_POLY1305);
	ck_assert_mem_eq(l->session + 1, c->rx.key, NOISE_KEY);
	ck_assert_mem_eq(l->session + 33, c->tx.key, NOISE_KEY);
	ticket_root(root, c->tx.key, c->rx.key);
	ck_assert_mem_eq(l->session + 65, root, sizeof(root));
	/* Who has these cannot open what the login carried. */
	ck_assert_mem_ne(l->session + 1, was_rx.key, NOISE_KEY);
}
END_TEST

START_TEST(hello_offers_ciphers)
{
	l->flags = _i == 0 ? 0 : PREFACE_UNBOUND;
	lab_start(l, LAB_CONN);
	lab_client_start(l, l->transport, l->exporter, l->flags);
	ck_assert_int_eq(lab_hello(l), 0);
	ck_assert_str_eq(l->client.hello.version, PTP_VERSION);
	ck_assert_int_eq(l->client.hello.ciphers,
	    1 << RECORD_CHACHA20_POLY1305 | 1 << RECORD_AES256_GCM |
		(_i == 0 ? 1 << RECORD_NONE : 0));
}
END_TEST

/* Each differs from what the server's end saw in one thing. */
static const struct {
	uint8_t transport;
	const char *exporter;
	uint8_t flags;
	bool agrees;
} views[] = {
	{ TRANSPORT_TLS, "exported", 0, true },
	{ TRANSPORT_TCP, "exported", 0, false },
	{ TRANSPORT_TLS, "exportee", 0, false },
	{ TRANSPORT_TLS, "", 0, false },
	{ TRANSPORT_TLS, "exported", PREFACE_UNBOUND, false },
};

START_TEST(prologue_binds_the_channel)
{
	l->transport = TRANSPORT_TLS;
	l->exporter = "exported";
	lab_start(l, LAB_CONN);
	lab_client_start(
	    l, views[_i].transport, views[_i].exporter, views[_i].flags);
	ck_assert_int_eq(lab_hello(l), views[_i].agrees ? 0 : -1);
}
END_TEST

static const struct {
	uint8_t flags, cipher;
	enum login_code code;
} ciphers[] = {
	{ 0, RECORD_NONE, LOGIN_OK },
	{ 0, RECORD_CHACHA20_POLY1305, LOGIN_OK },
	{ 0, RECORD_AES256_GCM, LOGIN_OK },
	{ 0, RECORD_AES256_GCM + 1, LOGIN_CIPHER },
	{ 0, 255, LOGIN_CIPHER },
	{ PREFACE_UNBOUND, RECORD_NONE, LOGIN_CIPHER },
	{ PREFACE_UNBOUND, RECORD_AES256_GCM, LOGIN_OK },
};

START_TEST(cipher_is_the_clients_choice)
{
	l->flags = ciphers[_i].flags;
	lab_start(l, LAB_CONN);
	lab_client_start(l, l->transport, l->exporter, l->flags);
	ck_assert_int_eq(lab_hello(l), 0);
	lab_login(l, LOGIN_KEY, "key1", "", ciphers[_i].cipher);
	if (ciphers[_i].code != LOGIN_OK) {
		lab_refused(l, ciphers[_i].code);
		return;
	}
	lab_accepted(l, LOGIN_KEY, "key1");
	ck_assert_uint_eq(l->session[0], ciphers[_i].cipher);
}
END_TEST

START_TEST(another_cipher_than_chosen_is_not_given)
{
	l->finish_cipher = RECORD_NONE;
	lab_connect(l, LOGIN_KEY, "key1", "");
	ck_assert_uint_eq(l->keys_at, 0);
	ck_assert_int_eq(l->keys_fail, LOGIN_BAD);
	ck_assert_uint_eq(keys_count(l->keys), 0);
}
END_TEST

START_TEST(malformed_login_is_refused)
{
	lab_start(l, LAB_CONN);
	lab_client_start(l, l->transport, l->exporter, l->flags);
	ck_assert_int_eq(lab_hello(l), 0);
	lab_third(l, "\x09 nonsense", 10);
	lab_refused(l, LOGIN_BAD);
}
END_TEST

/* Any changed bit or missing byte of messages 1 and 3 ends it. */
START_TEST(forged_messages_end_it)
{
	struct lab_client *c = &l->client;
	uint8_t msg[NOISE_MSG_MAX];
	size_t n;

	lab_start(l, LAB_CONN);
	lab_client_start(l, l->transport, l->exporter, l->flags);
	if (_i == 0) {
		/* A payload in message 1. */
		ck_assert_int_eq(
		    noise_write(&c->noise, "x", 1, msg, sizeof(msg), &n), 0);
	} else if (_i == 1) {
		ck_assert_int_eq(
		    noise_write(&c->noise, NULL, 0, msg, sizeof(msg), &n), 0);
		n--;
	} else if (_i == 2) {
		memset(msg, 0, n = NOISE_KEY); /* a point of small order */
	} else {
		ck_assert_int_eq(lab_hello(l), 0);
		ck_assert_int_eq(
		    noise_write(&c->noise, "x", 1, msg, sizeof(msg), &n), 0);
		if (_i == 3)
			msg[0] ^= 1;
		else
			n -= (size_t)_i - 3;
	}
	lab_in(l, LAB_CONN, msg, n);
	ck_assert_uint_eq(l->nout, 0);
	ck_assert_int_eq(l->keys_fail, LOGIN_BAD);
	ck_assert_uint_eq(keys_count(l->keys), 0);
}
END_TEST

START_TEST(speaking_out_of_turn_ends_it)
{
	struct login_msg m = { .type = LOGIN_CONFIRM };

	l->no_finish = true; /* the server has not decided yet */
	lab_connect(l, LOGIN_KEY, "key1", "");
	ck_assert_uint_eq(keys_count(l->keys), 1);
	lab_say(l, &m);
	ck_assert_int_eq(l->keys_fail, LOGIN_BAD);
	ck_assert_uint_eq(keys_count(l->keys), 0);
}
END_TEST

/* HS_FINISH, HS_REPLY before their time; as the master would never. */
START_TEST(answers_before_the_login_end_it)
{
	lab_start(l, LAB_CONN);
	if (_i == 0)
		lab_finish(l, LAB_CONN, RECORD_NONE);
	else
		lab_queue(l, true, MSG_HS_REPLY, LAB_CONN, "\x03", 1);
	lab_run(l);
	ck_assert_uint_eq(l->keys_at, 0);
	ck_assert_uint_eq(l->nout, 0);
	ck_assert_int_eq(l->keys_fail, LOGIN_BAD);
	ck_assert_uint_eq(keys_count(l->keys), 0);
}
END_TEST

START_TEST(failure_comes_back_once)
{
	uint8_t code = LOGIN_LOCKED;

	lab_start(l, LAB_CONN);
	lab_queue(l, true, MSG_HS_FAIL, LAB_CONN, &code, 1);
	lab_run(l);
	ck_assert_int_eq(l->keys_fail, LOGIN_LOCKED);
	l->keys_fail = -1;
	/* It is not known any more: frames that crossed are dropped. */
	lab_queue(l, true, MSG_HS_FAIL, LAB_CONN, &code, 1);
	lab_queue(l, true, MSG_HS_IN, LAB_CONN, "x", 1);
	lab_queue(l, true, MSG_HS_REPLY, LAB_CONN, "x", 1);
	lab_finish(l, LAB_CONN, 0);
	lab_run(l);
	ck_assert_int_eq(l->keys_fail, -1);
	ck_assert_uint_eq(l->nout, 0);
}
END_TEST

START_TEST(start_is_taken_strictly)
{
	uint8_t p[256], whole[256];
	size_t n = lab_start_frame(l, whole);

	/* Without the peer, in full, and cut anywhere. */
	for (size_t cut = 3; cut <= n; cut++) {
		bool good = cut == n || cut == n - ADDR_WIRE;

		memcpy(p, whole, cut);
		ck_assert_int_eq(
		    lab_give(l, true, MSG_HS_START, LAB_CONN, p, cut),
		    good ? 0 : -1);
	}
	ck_assert_int_eq(lab_give(l, true, MSG_HS_START, 0, whole, n), -1);
	ck_assert_uint_eq(keys_count(l->keys), 1);
	/* A preface that is none, of a ticket, a transport that is none. */
	whole[0] = TRANSPORT_COUNT;
	ck_assert_int_eq(
	    lab_give(l, true, MSG_HS_START, LAB_CONN, whole, n), 0);
	ck_assert_int_eq(l->keys_fail, LOGIN_BAD);
	whole[0] = TRANSPORT_TCP;
	whole[9] = PREFACE_TICKET;
	l->keys_fail = -1;
	ck_assert_int_eq(
	    lab_give(l, true, MSG_HS_START, LAB_CONN, whole, n), 0);
	ck_assert_int_eq(l->keys_fail, LOGIN_BAD);
	ck_assert_uint_eq(keys_count(l->keys), 0);
}
END_TEST

START_TEST(nothing_without_a_key)
{
	uint8_t p[256];
	size_t n = lab_start_frame(l, p);

	keys_free(l->keys);
	l->keys = keys_new(lab_from_keys, l);
	ck_assert_int_eq(lab_give(l, true, MSG_HS_START, 1, p, n), 0);
	ck_assert_int_eq(l->keys_fail, LOGIN_BUSY);
}
END_TEST

/* One address has 3 handshakes, all others one: its oldest makes room. */
START_TEST(busiest_source_makes_room)
{
	uint8_t code = LOGIN_BAD;
	uint32_t id;

	for (id = 1; id <= KEYS_HANDSHAKES_MAX; id++) {
		l->peer.ip[1] = (uint8_t)(id >> 8);
		l->peer.ip[2] = (uint8_t)id;
		if (id == 500 || id == 700 || id == 900)
			l->peer.ip[1] = l->peer.ip[2] = 200;
		lab_start(l, id);
	}
	ck_assert_uint_eq(keys_count(l->keys), KEYS_HANDSHAKES_MAX);
	ck_assert_int_eq(l->keys_fail, -1);
	l->peer.ip[1] = 250;
	lab_start(l, id);
	ck_assert_int_eq(l->keys_fail, LOGIN_BUSY);
	ck_assert_uint_eq(keys_count(l->keys), KEYS_HANDSHAKES_MAX);
	l->keys_fail = -1;
	/* 500 is gone, its neighbour is not. */
	lab_queue(l, true, MSG_HS_FAIL, 500, &code, 1);
	lab_run(l);
	ck_assert_int_eq(l->keys_fail, -1);
	lab_queue(l, true, MSG_HS_FAIL, 501, &code, 1);
	lab_run(l);
	ck_assert_int_eq(l->keys_fail, LOGIN_BAD);
}
END_TEST

START_TEST(same_number_starts_afresh)
{
	lab_start(l, LAB_CONN);
	lab_client_start(l, l->transport, l->exporter, l->flags);
	ck_assert_int_eq(lab_hello(l), 0);
	lab_connect(l, LOGIN_KEY, "key1", "");
	lab_accepted(l, LOGIN_KEY, "key1");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keys");
	TCase *t = tcase_create("keys");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, both_ends_get_the_session_keys);
	tcase_add_loop_test(t, hello_offers_ciphers, 0, 2);
	tcase_add_loop_test(t, prologue_binds_the_channel, 0, ROWS(views));
	tcase_add_loop_test(t, cipher_is_the_clients_choice, 0, ROWS(ciphers));
	tcase_add_test(t, another_cipher_than_chosen_is_not_given);
	tcase_add_test(t, malformed_login_is_refused);
	tcase_add_loop_test(t, forged_messages_end_it, 0, 6);
	tcase_add_test(t, speaking_out_of_turn_ends_it);
	tcase_add_loop_test(t, answers_before_the_login_end_it, 0, 2);
	tcase_add_test(t, failure_comes_back_once);
	tcase_add_test(t, start_is_taken_strictly);
	tcase_add_test(t, nothing_without_a_key);
	tcase_add_test(t, busiest_source_makes_room);
	tcase_add_test(t, same_number_starts_afresh);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
