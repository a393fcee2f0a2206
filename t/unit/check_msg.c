/* Unit test of msg.c: each row of the message table, and the codecs. */
#include "common/ipc/msg.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

static uint8_t frame[MSG_MAX + 1];

/* What msg_check() says about a frame with n bytes of payload. */
static int
check(uint8_t type, size_t n, enum role role, bool up, bool ready)
{
	uint32_t id = 0;
	int rc;

	msg_head(frame, type, 0x80000001, n);
	rc = msg_check(frame, MSG_HEAD + n, role, up, ready, &id);
	ck_assert_uint_eq(id, rc == -1 ? 0 : 0x80000001);
	return rc;
}

/* Every row: its bounds, its roles, its directions, its phase. */
START_TEST(rows)
{
	const struct msg_row *row = msg_row((uint8_t)_i);
	uint8_t type = (uint8_t)_i;

	ck_assert_ptr_nonnull(row);
	ck_assert_uint_le(row->min, row->max);
	ck_assert_uint_le(row->max, MSG_PAYLOAD_MAX);
	ck_assert_uint_ne(row->up | row->down, 0);
	/* Descriptors flow down only. */
	ck_assert(!row->fd || row->up == 0);
	for (int k = 0; k < 2 * ROLE_COUNT; k++) {
		enum role role = (enum role)(k / 2);
		bool up = k % 2 == 1;
		bool may = ((up ? row->up : row->down) & (1u << role)) != 0;
		int yes = may ? type : -1;

		ck_assert_int_eq(check(type, row->min, role, up, true), yes);
		ck_assert_int_eq(check(type, row->max, role, up, true), yes);
		ck_assert_int_eq(check(type, row->min, role, up, false),
		    row->booting ? yes : -1);
		if (row->min > 0)
			ck_assert_int_eq(
			    check(type, row->min - 1, role, up, true), -1);
		if (row->max < MSG_PAYLOAD_MAX)
			ck_assert_int_eq(
			    check(type, row->max + 1, role, up, true), -1);
	}
}
END_TEST

START_TEST(types_that_are_none)
{
	if (_i > 0 && _i < MSG_TYPES)
		return;
	ck_assert_ptr_null(msg_row((uint8_t)_i));
	for (int role = 0; role < ROLE_COUNT; role++)
		for (size_t n = 0; n < 20; n++)
			ck_assert_int_eq(
			    check((uint8_t)_i, n, (enum role)role, n % 2, true),
			    -1);
}
END_TEST

/* The length in the header is that of the packet, exactly. */
START_TEST(length_is_exact)
{
	uint32_t id;

	msg_head(frame, MSG_LOG, 0, 10);
	for (size_t n = 0; n < 40; n++)
		ck_assert_int_eq(
		    msg_check(frame, n, ROLE_AUTH, true, true, &id),
		    n == MSG_HEAD + 10 ? MSG_LOG : -1);
	msg_head(frame, MSG_SERVICES, 0, MSG_PAYLOAD_MAX);
	ck_assert_int_eq(msg_check(frame, MSG_MAX, ROLE_RELAY, true, true, &id),
	    MSG_SERVICES);
	msg_head(frame, MSG_SERVICES, 0, MSG_PAYLOAD_MAX + 1);
	ck_assert_int_eq(
	    msg_check(frame, MSG_MAX + 1, ROLE_RELAY, true, true, &id), -1);
}
END_TEST

START_TEST(conn_round_trip)
{
	struct msg_conn c = { .listener = 0x1234, .scheme = SCHEME_HTTPS };
	struct msg_conn got;
	uint8_t p[64];
	struct buf b;
	size_t n;

	ck_assert_int_eq(addr_parse_ip(&c.peer, "2001:db8::1"), 0);
	ck_assert_int_eq(addr_parse_ip(&c.local, "192.0.2.1"), 0);
	c.peer.port = 1;
	c.local.port = 65535;
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(msg_put_conn(&b, &c), 0);
	n = buf_used(&b);
	ck_assert_uint_eq(n + 1, msg_row(MSG_CONN)->min);
	buf_read(&b, p, n);
	ck_assert_int_eq(msg_get_conn(&b, &got), 0);
	ck_assert(buf_done(&b));
	ck_assert_uint_eq(got.listener, c.listener);
	ck_assert_uint_eq(got.scheme, c.scheme);
	ck_assert(addr_equal(&got.peer, &c.peer));
	ck_assert(addr_equal(&got.local, &c.local));
	for (size_t cut = 0; cut < n; cut++) {
		buf_read(&b, p, cut);
		ck_assert_int_eq(msg_get_conn(&b, &got), -1);
	}
	p[2] = SCHEME_COUNT;
	buf_read(&b, p, n);
	ck_assert_int_eq(msg_get_conn(&b, &got), -1);
}
END_TEST

START_TEST(boot_round_trip)
{
	struct msg_boot m = { .role = ROLE_TLS,
		.index = 65535,
		.log_level = 3,
		.privileged = true,
		.uid = UINT32_MAX,
		.gid = 1,
		.nofile = 1024 };
	struct msg_boot got;
	uint8_t p[512];
	struct buf b;
	size_t n;

	memset(m.chroot, 'c', _i == 0 ? 0 : sizeof(m.chroot) - 1);
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(msg_put_boot(&b, &m), 0);
	n = buf_used(&b);
	ck_assert_uint_ge(n, msg_row(MSG_BOOT)->min);
	ck_assert_uint_le(n, msg_row(MSG_BOOT)->max);
	buf_read(&b, p, n);
	ck_assert_int_eq(msg_get_boot(&b, &got), 0);
	ck_assert_int_eq(got.role, m.role);
	ck_assert_uint_eq(got.index, m.index);
	ck_assert_uint_eq(got.log_level, m.log_level);
	ck_assert_uint_eq(got.privileged, m.privileged);
	ck_assert_uint_eq(got.uid, m.uid);
	ck_assert_uint_eq(got.gid, m.gid);
	ck_assert_uint_eq(got.nofile, m.nofile);
	ck_assert_str_eq(got.chroot, m.chroot);
	for (size_t cut = 0; cut < n; cut++) {
		buf_read(&b, p, cut);
		ck_assert_int_eq(msg_get_boot(&b, &got), -1);
	}
	buf_read(&b, p, n + 1);
	ck_assert_int_eq(msg_get_boot(&b, &got), -1);
	p[4] = 2; /* privileged is yes or no */
	buf_read(&b, p, n);
	ck_assert_int_eq(msg_get_boot(&b, &got), -1);
	p[4] = 1;
	p[0] = ROLE_COUNT;
	buf_read(&b, p, n);
	ck_assert_int_eq(msg_get_boot(&b, &got), -1);
}
END_TEST

START_TEST(relay_conf_round_trip)
{
	struct msg_relay_conf m = { .head_max = 1,
		.idle_ms = 2,
		.tunnel_ms = 3,
		.head_ms = 4,
		.handshake_ms = 5,
		.drain_ms = 6,
		.forwarded = true,
		.one_way = true,
		.ntrusted = MSG_TRUSTED_MAX };
	struct msg_relay_conf got;
	uint8_t p[4096];
	struct buf b;
	size_t n;

	memset(m.mux_header, 'h', sizeof(m.mux_header) - 1);
	for (int i = 0; i < MSG_TRUSTED_MAX; i++)
		ck_assert_int_eq(
		    addr_block_parse(&m.trusted[i], "2001:db8::/32"), 0);
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(msg_put_relay_conf(&b, &m), 0);
	n = buf_used(&b);
	ck_assert_uint_le(n, msg_row(MSG_RELAY_CONF)->max);
	buf_read(&b, p, n);
	ck_assert_int_eq(msg_get_relay_conf(&b, &got), 0);
	ck_assert_uint_eq(got.head_max, 1);
	ck_assert_uint_eq(got.drain_ms, 6);
	ck_assert(got.forwarded && got.one_way);
	ck_assert_str_eq(got.mux_header, m.mux_header);
	ck_assert_uint_eq(got.ntrusted, MSG_TRUSTED_MAX);
	ck_assert_uint_eq(got.trusted[MSG_TRUSTED_MAX - 1].bits, 32);
	for (size_t cut = 0; cut < n; cut++) {
		buf_read(&b, p, cut);
		ck_assert_int_eq(msg_get_relay_conf(&b, &got), -1);
	}
	/* One block more than there is room for. */
	p[25 + sizeof(m.mux_header)]++;
	buf_read(&b, p, n + 20);
	ck_assert_int_eq(msg_get_relay_conf(&b, &got), -1);
}
END_TEST

START_TEST(names_and_texts)
{
	for (int i = 0; i <= ROLE_COUNT; i++)
		ck_assert_ptr_nonnull(role_name((enum role)i));
	for (int i = 0; i <= END_COUNT; i++)
		ck_assert_ptr_nonnull(msg_end_text((enum msg_end)i));
}
END_TEST

START_TEST(first_length)
{
	uint8_t p[MSG_HEAD + 20] = { 0 };

	msg_head(p, MSG_ASK, 7, 5);
	for (size_t n = 0; n < MSG_HEAD + 5; n++)
		ck_assert_uint_eq(msg_length(p, n), 0);
	for (size_t n = MSG_HEAD + 5; n <= sizeof(p); n++)
		ck_assert_uint_eq(msg_length(p, n), MSG_HEAD + 5);
	msg_head(p, MSG_PONG, 0, 0);
	ck_assert_uint_eq(msg_length(p, MSG_HEAD), MSG_HEAD);
	msg_head(p, MSG_ASK, 0, 0xffffff);
	ck_assert_uint_eq(msg_length(p, sizeof(p)), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("msg");
	TCase *t = tcase_create("msg");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, rows, MSG_BOOT, MSG_TYPES);
	tcase_add_loop_test(t, types_that_are_none, 0, 256);
	tcase_add_test(t, first_length);
	tcase_add_test(t, length_is_exact);
	tcase_add_test(t, conn_round_trip);
	tcase_add_loop_test(t, boot_round_trip, 0, 2);
	tcase_add_test(t, relay_conf_round_trip);
	tcase_add_test(t, names_and_texts);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
