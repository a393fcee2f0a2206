/* Unit test of hkdf.c, against values of Python's hmac and hashlib. */
#include "common/crypto/hkdf.h"

#include <stdlib.h>

#include "t/unit/hex.h"

#define HMAC                                                               \
	"e33fddf8992f619b8fc74af98a787f16606b9a7f588bda065006ac8c7e6fd3f4" \
	"5ff64fd7ea59c43847f32dd569d7db654d7b77715e7bf2d0fe7afa0f0ec75bc4"

/* The key is 0, 1, 2 ... 63 in all of them. */
static const struct {
	size_t n; /* bytes of input key material: 100, 101 ... */
	const char *out1, *out2;
} cases[] = {
	{ 32,
	    "2262ed5f40c3324574d00a1e0849a7cc67fb5b6a80211c3c59404bb8e4"
	    "7512b1cb95e73840718c5d68ca345f934f39a52f1f31e8f6d3ed521f06"
	    "64f46feddae4",
	    "f6a6559fa2aaab64d3d2666b83fe3f4fed6fae1959537fedd6a39b6f8d"
	    "411e6132593234cc2a750244335da5021c27bf7eacbb65cfa608457de6"
	    "ecc144b90077" },
	{ 0,
	    "03be0946afb62e33dcc2e8cb76dfad47663d284d81c0bde963f32a283d"
	    "ede221be2b9e3a86fa82934234d2a6ed331fb664a3e670252b9454da9e"
	    "d2567b435e11",
	    "8481b385940ea1ddc1e37243d34e6a00d9e35fe86844b75be2f9d084ef"
	    "cbf4a9d18c764645baf5262707efcb490c9ddfcc81c78ff75e1e727428"
	    "f05b9fee857f" },
};

static void
count_up(uint8_t *p, size_t n, uint8_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = from++;
}

/* However the text is cut in two. */
START_TEST(hmac_of_two_parts)
{
	static const char text[] = "what do ya want for nothing?";
	uint8_t key[HKDF_HASH], out[HKDF_HASH];

	count_up(key, sizeof(key), 0);
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		hkdf_hmac(
		    out, key, text, cut, text + cut, sizeof(text) - 1 - cut);
		hex_eq(out, sizeof(out), HMAC);
	}
}
END_TEST

START_TEST(two_outputs)
{
	uint8_t ck[HKDF_HASH], out2[HKDF_HASH], ikm[32];

	count_up(ck, sizeof(ck), 0);
	count_up(ikm, sizeof(ikm), 100);
	hkdf_two(ck, out2, ck, ikm, cases[_i].n);
	hex_eq(ck, sizeof(ck), cases[_i].out1);
	hex_eq(out2, sizeof(out2), cases[_i].out2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hkdf");
	TCase *t = tcase_create("hkdf");
	SRunner *r = srunner_create(s);
	int failed;

	if (sodium_init() == -1)
		return EXIT_FAILURE;
	tcase_add_test(t, hmac_of_two_parts);
	tcase_add_loop_test(
	    t, two_outputs, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
