/* What a master leaves to its successor: written, sealed, read again. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "master/state.h"

#include "master/listeners.h"

static const struct state_head HEAD = { .args_fd = 10,
	.cwd_fd = 11,
	.exe_fd = 12,
	.ctl_fd = 13,
	.call_fd = -1,
	.started = 12345,
	.exe_uid = 1,
	.exe_dir_uid = 2,
	.exe_path = "/usr/sbin/ptpd",
	.any_client = true,
	.feed_usable = true,
	.feed_generation = 7,
	.jail = "/var/empty",
	.host_public = { 9, 8, 7 },
	.socket = "/run/ptpd.sock" };

static int
sealed(struct state_writer *w)
{
	int fd = state_seal(w);

	ck_assert_int_ne(fd, -1);
	return fd;
}

/* The next record, which must be of that type. */
static struct buf
expect(struct state_reader *r, int type)
{
	struct buf b;

	ck_assert_int_eq(state_next(r, &b), type);
	return b;
}

START_TEST(test_every_record_comes_back)
{
	struct state_listener l = { .kind = LISTENER_HTTP,
		.number = 3,
		.fd = 5 },
			      l2;
	struct state_worker k = { .role = ROLE_RELAY,
		.state = 1,
		.index = 2,
		.pid = 4242,
		.fd = 6,
		.full = true,
		.posted = true,
		.started = 99 },
			    k2;
	struct state_client c = { .id = "id1",
		.number = 8,
		.held = true,
		.total = 1,
		.up = UINT64_MAX,
		.down = 3 },
			    c2;
	struct state_session s = { .generation = 1ull << 60,
		.id = "id1",
		.state = 2,
		.instance = { 1, 2, 3 },
		.relay = 1,
		.since = 5,
		.port = 8080,
		.told = true,
		.offer = (const uint8_t *)"abc",
		.offer_len = 3 },
			     s2;
	struct state_route t = { .table = 's',
		.kind = 'L',
		.name = "web",
		.id = "id1",
		.generation = 1ull << 60,
		.service = 4,
		.since = 6,
		.kept = true },
			   t2;
	struct state_port p = { .way = GRANT_WAY_TCP,
		.number = 65535,
		.asked = 2222,
		.service = 5,
		.generation = 1ull << 60,
		.since = 7,
		.fd = 12 },
			  p2;
	struct state_conn n = { .id = 0xfffffffe,
		.parent = 7,
		.reroutes = 2,
		.state = 3,
		.tries = 1,
		.handshake = 0x1f,
		.rerouted = true,
		.fd = -1,
		.worker = 1,
		.generation = 9,
		.client = "id1",
		.since = 10,
		.service = 11,
		.name = "web.example.com" },
			  n2;
	struct state_source u = { .failures = 3, .failed = 11 }, u2;
	struct state_writer *w = state_writer_new();
	struct state_head h2;
	struct state_reader *r;
	struct buf b;
	int fd;

	ck_assert_int_eq(addr_parse_listen(&l.asked, "[::1]:80"), 0);
	ck_assert_int_eq(addr_parse_listen(&n.who.peer, "10.0.0.1:9"), 0);
	ck_assert_int_eq(addr_parse_ip(&c.held_from, "10.0.0.2"), 0);
	ck_assert_int_eq(addr_parse_ip(&u.block, "2001:db8::"), 0);
	s.tickets[15].issued = 77;
	s.tickets[15].id[0] = 0xee;
	state_put_head(w, &HEAD);
	state_put_conf(w, "frame", 5);
	state_put_listener(w, &l);
	state_put_worker(w, &k);
	state_put_client(w, &c);
	state_put_session(w, &s);
	state_put_route(w, &t);
	state_put_port(w, &p);
	state_put_conn(w, &n);
	state_put_source(w, &u);
	fd = sealed(w);
	r = state_reader_new(fd);
	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(state_check(r), 0);

	b = expect(r, STATE_HEAD);
	ck_assert_int_eq(state_get_head(&h2, &b), 0);
	ck_assert_int_eq(h2.args_fd, 10);
	ck_assert_int_eq(h2.call_fd, -1);
	ck_assert_str_eq(h2.exe_path, HEAD.exe_path);
	ck_assert_str_eq(h2.socket, HEAD.socket);
	ck_assert_mem_eq(
	    h2.host_public, HEAD.host_public, sizeof(h2.host_public));
	b = expect(r, STATE_CONF);
	ck_assert_mem_eq(b.p, "frame", 5);
	b = expect(r, STATE_LISTENER);
	ck_assert_int_eq(state_get_listener(&l2, &b), 0);
	ck_assert(addr_equal(&l.asked, &l2.asked));
	ck_assert_int_eq(l2.fd, 5);
	b = expect(r, STATE_WORKER);
	ck_assert_int_eq(state_get_worker(&k2, &b), 0);
	ck_assert_uint_eq(k2.pid, 4242);
	ck_assert(k2.full && k2.posted);
	b = expect(r, STATE_CLIENT);
	ck_assert_int_eq(state_get_client(&c2, &b), 0);
	ck_assert_str_eq(c2.id, "id1");
	ck_assert(addr_equal(&c.held_from, &c2.held_from));
	ck_assert_uint_eq(c2.up, UINT64_MAX);
	b = expect(r, STATE_SESSION);
	ck_assert_int_eq(state_get_session(&s2, &b), 0);
	ck_assert_uint_eq(s2.generation, s.generation);
	ck_assert_uint_eq(s2.tickets[15].issued, 77);
	ck_assert_uint_eq(s2.offer_len, 3);
	ck_assert_mem_eq(s2.offer, "abc", 3);
	b = expect(r, STATE_ROUTE);
	ck_assert_int_eq(state_get_route(&t2, &b), 0);
	ck_assert_str_eq(t2.name, "web");
	ck_assert_int_eq(t2.table, 's');
	ck_assert_int_eq(t2.kind, 'L');
	ck_assert(t2.kept);
	b = expect(r, STATE_PORT);
	ck_assert_int_eq(state_get_port(&p2, &b), 0);
	ck_assert_int_eq(p2.way, p.way);
	ck_assert_uint_eq(p2.number, p.number);
	ck_assert_uint_eq(p2.asked, p.asked);
	ck_assert_uint_eq(p2.service, p.service);
	ck_assert_uint_eq(p2.generation, p.generation);
	ck_assert_uint_eq(p2.since, p.since);
	ck_assert_int_eq(p2.fd, 12);
	b = expect(r, STATE_CONN);
	ck_assert_int_eq(state_get_conn(&n2, &b), 0);
	ck_assert_uint_eq(n2.id, n.id);
	ck_assert_int_eq(n2.fd, -1);
	ck_assert(addr_equal(&n.who.peer, &n2.who.peer));
	ck_assert_str_eq(n2.name, n.name);
	ck_assert_uint_eq(n2.handshake, 0x1f);
	b = expect(r, STATE_SOURCE);
	ck_assert_int_eq(state_get_source(&u2, &b), 0);
	ck_assert(addr_equal(&u.block, &u2.block));
	ck_assert_uint_eq(u2.failures, 3);
	ck_assert_uint_eq(u2.failed, 11);
	ck_assert_int_eq(state_next(r, &b), 0);
	state_reader_free(r);
	close(fd);
}
END_TEST

/* A sealed file with these bytes. */
static int
file_of(const uint8_t *p, size_t n)
{
	int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	ck_assert_int_eq(
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW),
	    0);
	return fd;
}

/* No shorter file is one, and none of another version. */
START_TEST(test_malformed_files)
{
	struct state_client c = { .id = "id1" };
	struct state_writer *w = state_writer_new();
	struct state_reader *r;
	uint8_t *copy;
	off_t n;
	int fd, part;

	state_put_head(w, &HEAD);
	state_put_client(w, &c);
	fd = sealed(w);
	n = lseek(fd, 0, SEEK_END);
	copy = malloc((size_t)n + 1);
	ck_assert_int_eq(pread(fd, copy, (size_t)n, 0), n);
	for (off_t i = 1; i < n; i++) {
		part = file_of(copy, (size_t)i);
		r = state_reader_new(part);
		ck_assert_ptr_nonnull(r);
		ck_assert_int_eq(state_check(r), -1);
		state_reader_free(r);
		close(part);
	}
	copy[n] = 0; /* something behind the end */
	part = file_of(copy, (size_t)n + 1);
	r = state_reader_new(part);
	ck_assert_int_eq(state_check(r), -1);
	state_reader_free(r);
	close(part);
	copy[6]++; /* version */
	part = file_of(copy, (size_t)n);
	r = state_reader_new(part);
	ck_assert_int_eq(state_check(r), -1);
	state_reader_free(r);
	close(part);
	close(fd);
	free(copy);
}
END_TEST

/* One that could still be changed or cut is not even opened. */
START_TEST(test_unsealed)
{
	int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(write(fd, "\x09\x00\x00", 3), 3);
	ck_assert_ptr_null(state_reader_new(fd));
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	ck_assert_ptr_null(state_reader_new(fd));
	close(fd);
	ck_assert_ptr_null(state_reader_new(-1));
}
END_TEST

START_TEST(test_descriptors_survive_exec)
{
	struct state_listener l = { .kind = LISTENER_HTTP,
		.fd = open("/dev/null", O_CLOEXEC) };
	struct state_head h = HEAD;
	struct state_writer *w = state_writer_new();
	struct state_reader *r;
	int fd;

	h.args_fd = h.cwd_fd = h.exe_fd = h.ctl_fd = -1;
	state_put_head(w, &h);
	state_put_listener(w, &l);
	fd = sealed(w);
	r = state_reader_new(fd);
	state_keep_fds(r, true);
	ck_assert_int_eq(fcntl(l.fd, F_GETFD), 0);
	state_keep_fds(r, false);
	ck_assert_int_eq(fcntl(l.fd, F_GETFD), FD_CLOEXEC);
	state_reader_free(r);
	close(l.fd);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("state");
	TCase *tc = tcase_create("state");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_every_record_comes_back);
	tcase_add_test(tc, test_malformed_files);
	tcase_add_test(tc, test_unsealed);
	tcase_add_test(tc, test_descriptors_survive_exec);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
