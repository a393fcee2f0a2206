/* Unit test of argv.c: each row is one command line, before and after. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/argv.h"

#define ARGS 5

static const struct {
	const char *given[ARGS];
	const char *shown[ARGS]; /* NULL: as given */
} lines[] = {
	{ { "ptpd", "-d", "-u", "id1:secret1" },
	    { NULL, NULL, NULL, "id1:*******" } },
	{ { "ptpd", "-du", "id1:a:b" }, { NULL, NULL, "id1:***" } },
	{ { "ptpd", "-uid1:secret1", "-d" }, { NULL, "-uid1:*******" } },
	{ { "ptpd", "-u", "id1" }, { NULL } },
	{ { "ptpd", "-f", "u:x", "-u" }, { NULL } },
	{ { "ptpd", "-fu:x" }, { NULL } },
	{ { "ptp", "-d", "-s", "tcp://id1:sec@ret@example.com:8080" },
	    { NULL, NULL, NULL, "tcp://id1:*******@example.com:8080" } },
	{ { "ptp", "-stls://id1:secret@h", "80" },
	    { NULL, "-stls://id1:******@h" } },
	{ { "ptp", "-s", "id1:secret@h" }, { NULL, NULL, "id1:******@h" } },
	{ { "ptp", "-s", "tcp://id1@h:80", "http://127.0.0.1:80" }, { NULL } },
	{ { "ptp", "http://127.0.0.1:80,basic=a:b,c,name=www,token=xy" },
	    { NULL, "http://127.0.0.1:80,basic=*****,name=www,token=**" } },
	{ { "ptp", "-o", "server=tcp://id:secret@h" },
	    { NULL, NULL, "server=tcp://id:******@h" } },
	{ { "ptpd", "-o", "users=({id=\"a\";secret=\"b\"})" },
	    { NULL, NULL, "users=*********************" } },
	{ { "ptpd", "-olisten.http=8080", "-osentry.dsn=https://k@s/1" },
	    { NULL, NULL, "-osentry.dsn=*************" } },
	{ { "ptp", "-o", "token=" }, { NULL } },
	{ { "ptp", "-", "--", "" }, { NULL } },
	{ { "ptp", "-u", "" }, { NULL } },
};

START_TEST(secrets_are_blanked_and_copied)
{
	char *argv[ARGS + 1] = { NULL }, **copy;
	const char *want;
	int argc = 0;

	while (argc < ARGS && lines[_i].given[argc] != NULL) {
		argv[argc] = strdup(lines[_i].given[argc]);
		argc++;
	}
	copy = argv_hide(argc, argv);
	ck_assert_ptr_nonnull(copy);
	for (int i = 0; i < argc; i++) {
		want = lines[_i].shown[i];
		if (want == NULL)
			want = lines[_i].given[i];
		ck_assert_str_eq(argv[i], want);
		ck_assert_str_eq(copy[i], lines[_i].given[i]);
		free(argv[i]);
	}
	ck_assert_ptr_null(copy[argc]);
	argv_free(copy);
	argv_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("argv");
	TCase *t = tcase_create("hide");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, secrets_are_blanked_and_copied, 0,
	    (int)(sizeof(lines) / sizeof(lines[0])));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
