/* Unit test of counters.c: who may write, and that nothing else changes. */
#include "common/ipc/counters.h"

#include <sys/mman.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(one_writes_all_see)
{
	const struct counters *master, *other;
	struct counters *relay;
	int fd, shared;

	ck_assert_ptr_nonnull(master = counters_new(&fd));
	ck_assert_int_ne(shared = counters_share(fd), -1);
	ck_assert_ptr_nonnull(relay = counters_map(fd));
	ck_assert_ptr_nonnull(other = counters_watch(shared));
	counter_add(&relay->clients[COUNTERS_CLIENTS - 1][COUNTER_DOWN], 7);
	counter_add(&relay->all[COUNTER_UP], UINT64_MAX);
	ck_assert_uint_eq(
	    counter_read(&other->clients[COUNTERS_CLIENTS - 1][COUNTER_DOWN]),
	    7);
	ck_assert_uint_eq(counter_read(&master->all[COUNTER_UP]), UINT64_MAX);
	counters_free(relay);
	counters_free(other);
	counters_free(master);
	counters_free(NULL);
}
END_TEST

START_TEST(others_cannot_write)
{
	const struct counters *master;
	int fd, shared;
	void *p;

	ck_assert_ptr_nonnull(master = counters_new(&fd));
	ck_assert_int_ne(shared = counters_share(fd), -1);
	p = mmap(NULL, sizeof(*master), PROT_READ | PROT_WRITE, MAP_SHARED,
	    shared, 0);
	ck_assert_ptr_eq(p, MAP_FAILED);
	ck_assert_int_eq(write(shared, "x", 1), -1);
	p = mmap(NULL, sizeof(*master), PROT_READ, MAP_SHARED, shared, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(
	    mprotect(p, sizeof(*master), PROT_READ | PROT_WRITE), -1);
	munmap(p, sizeof(*master));
	/* And nobody can take the memory away from below a reader. */
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(fd);
	close(shared);
	counters_free(master);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("counters");
	TCase *c = tcase_create("counters");
	SRunner *r;
	int failed;

	tcase_add_test(c, one_writes_all_see);
	tcase_add_test(c, others_cannot_write);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
