/* Unit test of ticket.c, against values of Python's hashlib.blake2b. */
#include "common/crypto/ticket.h"

#include <stdbool.h>
#include <stdlib.h>

#include "t/unit/hex.h"

#define ROOT_0 \
	"3a40992e0c05994c618c6e269250d98f422772470c99df1c5a2b4132bf6e55ee"
#define KEY_0 "56e9eb0647100c8e537f21eba39e36ff550c5a14dc187c36c6008a33e7b74f13"
#define KEY_1 "3c69dc00171cb5a15c003183478fbde9a804ee1df8413a67c83c00379eba260b"
#define CLIENT_MAC \
	"f67069e2ecaf9077250a70c04ca361fe3b90e43c9d052f860caf8dd9b6a0579e"
#define SERVER_MAC \
	"13096ac93b9346bc55f9bcf7c7f8c3cbd065e62f16316450b8d028db345f1dd2"
#define C2S "2f0804470c704aaf529d135f730843cfe2b1943da85fa78d37f2b3e635bd8dc1"
#define S2C "fe76cfaace593d13db560e4d021fd335831b4be468b213bd2337df472fa9153f"

static const uint8_t ones[TICKET_NONCE] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static const uint8_t twos[TICKET_NONCE] = { 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };

static const struct ticket_flight flight = { .preface = "preface",
	.preface_len = 7,
	.transport = "tcp",
	.transport_len = 3,
	.client_nonce = ones,
	.server_nonce = twos };

/* The root of the split keys 0, 1 ... 31 and 32, 33 ... 63. */
static void
first_root(uint8_t root[TICKET_KEY])
{
	uint8_t split[2 * TICKET_KEY];

	for (size_t i = 0; i < sizeof(split); i++)
		split[i] = (uint8_t)i;
	ticket_root(root, split, split + TICKET_KEY);
}

START_TEST(ratchet)
{
	uint8_t root[TICKET_KEY], key[TICKET_KEY];

	first_root(root);
	hex_eq(root, TICKET_KEY, ROOT_0);
	ticket_next(root, key);
	hex_eq(key, TICKET_KEY, KEY_0);
	ticket_next(root, key);
	hex_eq(key, TICKET_KEY, KEY_1);
}
END_TEST

START_TEST(proofs_and_keys)
{
	uint8_t root[TICKET_KEY], key[TICKET_KEY], mac[TICKET_MAC];
	uint8_t c2s[TICKET_KEY], s2c[TICKET_KEY];

	first_root(root);
	ticket_next(root, key);
	ticket_client_mac(mac, key, &flight);
	hex_eq(mac, TICKET_MAC, CLIENT_MAC);
	ticket_server_mac(mac, key, &flight);
	hex_eq(mac, TICKET_MAC, SERVER_MAC);
	ticket_split(key, &flight, c2s, s2c);
	hex_eq(c2s, TICKET_KEY, C2S);
	hex_eq(s2c, TICKET_KEY, S2C);
}
END_TEST

/* The flight with one thing changed in each. */
static const struct {
	const char *what;
	struct ticket_flight f;
	bool client_too; /* the client's MAC is over it */
} changes[] = {
	{ "preface", { "prefacf", 7, "tcp", 3, NULL, 0, ones, twos }, true },
	{ "transport", { "preface", 7, "tls", 3, NULL, 0, ones, twos }, true },
	{ "exporter", { "preface", 7, "tcp", 3, "x", 1, ones, twos }, true },
	{ "a border", { "prefacet", 8, "cp", 2, NULL, 0, ones, twos }, true },
	{ "another border", { "preface", 7, "tc", 2, "p", 1, ones, twos },
	    true },
	{ "client's nonce", { "preface", 7, "tcp", 3, NULL, 0, twos, twos },
	    true },
	{ "server's nonce", { "preface", 7, "tcp", 3, NULL, 0, ones, ones },
	    false },
};

START_TEST(macs_cover_everything)
{
	uint8_t key[TICKET_KEY] = { 0 };
	uint8_t mac[TICKET_MAC], other[TICKET_MAC];

	ticket_client_mac(mac, key, &flight);
	ticket_client_mac(other, key, &changes[_i].f);
	ck_assert_msg(
	    (ticket_mac_verify(mac, other) == -1) == changes[_i].client_too,
	    "client: %s", changes[_i].what);
	ticket_server_mac(mac, key, &flight);
	ticket_server_mac(other, key, &changes[_i].f);
	ck_assert_msg(ticket_mac_verify(mac, other) == -1, "server: %s",
	    changes[_i].what);
}
END_TEST

START_TEST(key_matters)
{
	uint8_t key[TICKET_KEY] = { 0 }, wrong[TICKET_KEY] = { 1 };
	uint8_t mac[TICKET_MAC], other[TICKET_MAC];

	ticket_client_mac(mac, key, &flight);
	ticket_client_mac(other, wrong, &flight);
	ck_assert_int_eq(ticket_mac_verify(mac, other), -1);
	/* And neither side's proof is the other's. */
	ticket_server_mac(other, key, &flight);
	ck_assert_int_eq(ticket_mac_verify(mac, other), -1);
	ticket_client_mac(other, key, &flight);
	ck_assert_int_eq(ticket_mac_verify(mac, other), 0);
}
END_TEST

START_TEST(each_bit_of_a_mac_counts)
{
	uint8_t mac[TICKET_MAC] = { 0 }, other[TICKET_MAC] = { 0 };

	for (size_t bit = 0; bit < 8 * TICKET_MAC; bit++) {
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(ticket_mac_verify(mac, other), -1);
		other[bit / 8] = 0;
	}
	ck_assert_int_eq(ticket_mac_verify(mac, other), 0);
}
END_TEST

START_TEST(nonces_are_fresh)
{
	uint8_t a[TICKET_NONCE] = { 0 }, b[TICKET_NONCE] = { 0 };

	ticket_nonce(a);
	ticket_nonce(b);
	ck_assert_mem_ne(a, b, TICKET_NONCE);
	ck_assert(!sodium_is_zero(a, sizeof(a)));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ticket");
	TCase *t = tcase_create("ticket");
	SRunner *r = srunner_create(s);
	int failed;

	if (sodium_init() == -1)
		return EXIT_FAILURE;
	tcase_add_test(t, ratchet);
	tcase_add_test(t, proofs_and_keys);
	tcase_add_loop_test(t, macs_cover_everything, 0,
	    (int)(sizeof(changes) / sizeof(changes[0])));
	tcase_add_test(t, key_matters);
	tcase_add_test(t, each_bit_of_a_mac_counts);
	tcase_add_test(t, nonces_are_fresh);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
