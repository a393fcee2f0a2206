/* Unit test of the tunnel: what a hostile peer may send, and what it gets. */
#include "t/unit/ends.h"

#include "common/base/buf.h"

#define SPACE 65536

static struct ends x;

/* Bytes that are being put together. */
struct raw {
	uint8_t p[SPACE];
	size_t n;
};

static void
frame(struct raw *r, uint32_t stream, uint8_t type, const void *p, size_t n)
{
	ck_assert_uint_le(r->n + FRAME_HEAD + n, SPACE);
	frame_head(r->p + r->n, stream, type, n);
	if (n > 0)
		memcpy(r->p + r->n + FRAME_HEAD, p, n);
	r->n += FRAME_HEAD + n;
}

/* OPEN as a server sends it. */
static void
open_frame(struct raw *r, uint32_t stream, uint32_t window)
{
	uint8_t payload[64];
	struct buf b;
	const struct addr none = { 0 };

	buf_write(&b, payload, sizeof(payload));
	buf_put_u16(&b, 7);
	buf_put_u8(&b, 0);
	addr_put(&b, &none);
	addr_put(&b, &none);
	buf_put_u32(&b, window);
	frame(r, stream, FRAME_OPEN, payload, buf_used(&b));
}

static void
credit_frame(struct raw *r, uint32_t stream, uint32_t n)
{
	uint8_t payload[4];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, n);
	frame(r, stream, FRAME_CREDIT, payload, sizeof(payload));
}

static const uint8_t zeros[FRAME_PAYLOAD_MAX + 1];

/* Each writes what is sent after a good OPEN of stream 2. */
static void
data_never_opened(struct raw *r)
{
	frame(r, 4, FRAME_DATA, zeros, 1);
}

static void
data_of_odd_stream(struct raw *r)
{
	frame(r, 1, FRAME_DATA, zeros, 1);
}

static void
data_beyond_credit(struct raw *r)
{
	frame(r, 2, FRAME_DATA, zeros, 16360);
	frame(r, 2, FRAME_DATA, zeros, 16360);
	frame(r, 2, FRAME_DATA, zeros, TUNNEL_WINDOW - 2 * 16360 + 1);
}

static void
data_empty(struct raw *r)
{
	frame(r, 2, FRAME_DATA, zeros, 0);
}

static void
data_too_long(struct raw *r)
{
	frame(r, 2, FRAME_DATA, zeros, FRAME_PAYLOAD_MAX + 1);
}

static void
data_after_fin(struct raw *r)
{
	frame(r, 2, FRAME_FIN, NULL, 0);
	frame(r, 2, FRAME_DATA, zeros, 1);
}

static void
fin_twice(struct raw *r)
{
	frame(r, 2, FRAME_FIN, NULL, 0);
	frame(r, 2, FRAME_FIN, NULL, 0);
}

static void
credit_of_zero(struct raw *r)
{
	credit_frame(r, 2, 0);
}

static void
credit_above_bound(struct raw *r)
{
	credit_frame(r, 2, TUNNEL_CREDIT_MAX - TUNNEL_WINDOW + 1);
}

static void
credit_that_wraps(struct raw *r)
{
	credit_frame(r, 2, UINT32_MAX);
}

static void
open_twice(struct raw *r)
{
	open_frame(r, 2, TUNNEL_WINDOW);
}

static void
open_backwards(struct raw *r)
{
	open_frame(r, 10, TUNNEL_WINDOW);
	open_frame(r, 8, TUNNEL_WINDOW);
}

static void
open_odd(struct raw *r)
{
	open_frame(r, 5, TUNNEL_WINDOW);
}

static void
open_with_wild_credit(struct raw *r)
{
	open_frame(r, 4, TUNNEL_CREDIT_MAX + 1);
}

static void
open_short(struct raw *r)
{
	frame(r, 4, FRAME_OPEN, zeros, 44);
}

static void
open_of_bad_address(struct raw *r)
{
	uint8_t payload[45];

	memset(payload, 0xff, sizeof(payload));
	frame(r, 4, FRAME_OPEN, payload, sizeof(payload));
}

static void
opened_by_server(struct raw *r)
{
	frame(r, 2, FRAME_OPENED, NULL, 0);
}

static void
services_by_server(struct raw *r)
{
	frame(r, 0, FRAME_SERVICES, zeros, 6);
}

static void
unknown_type(struct raw *r)
{
	frame(r, 0, FRAME_TYPES, NULL, 0);
}

static void
type_zero(struct raw *r)
{
	frame(r, 2, 0, NULL, 0);
}

static void
ping_with_stream(struct raw *r)
{
	frame(r, 2, FRAME_PING, zeros, 8);
}

static void
data_without_stream(struct raw *r)
{
	frame(r, 0, FRAME_DATA, zeros, 8);
}

static void
ping_short(struct raw *r)
{
	frame(r, 0, FRAME_PING, zeros, 7);
}

static void
reset_long(struct raw *r)
{
	frame(r, 2, FRAME_RESET, zeros, 2);
}

/* These are allowed. */
static void
nothing_more(struct raw *r)
{
	(void)r;
}

static void
pong_unasked(struct raw *r)
{
	frame(r, 0, FRAME_PONG, zeros, 8);
}

static void
all_credit_used(struct raw *r)
{
	frame(r, 2, FRAME_DATA, zeros, 16360);
	frame(r, 2, FRAME_DATA, zeros, 16360);
	frame(r, 2, FRAME_DATA, zeros, TUNNEL_WINDOW - 2 * 16360);
}

static void
late_frames_of_a_closed_stream(struct raw *r)
{
	uint8_t reason = RESET_ABORT;

	frame(r, 2, FRAME_RESET, &reason, 1);
	frame(r, 2, FRAME_DATA, zeros, 100);
	frame(r, 2, FRAME_FIN, NULL, 0);
	frame(r, 2, FRAME_RESET, &reason, 1);
	credit_frame(r, 2, 0);
}

static void
reset_of_unknown_reason(struct raw *r)
{
	uint8_t reason = 0xee;

	frame(r, 2, FRAME_RESET, &reason, 1);
}

static void
most_credit(struct raw *r)
{
	credit_frame(r, 2, TUNNEL_CREDIT_MAX - TUNNEL_WINDOW);
}

static void
numbers_with_holes(struct raw *r)
{
	open_frame(r, 1000, 1);
	open_frame(r, UINT32_MAX - 1, 1);
	frame(r, 500, FRAME_DATA, zeros, 1); /* closed, as far as we know */
}

static const struct {
	const char *what;
	void (*make)(struct raw *r);
	bool deadly;
} cases[] = {
	{ "DATA of a stream that was never opened", data_never_opened, true },
	{ "DATA of a client's stream", data_of_odd_stream, true },
	{ "DATA beyond credit", data_beyond_credit, true },
	{ "empty DATA", data_empty, true },
	{ "DATA longer than any frame", data_too_long, true },
	{ "DATA after FIN", data_after_fin, true },
	{ "FIN twice", fin_twice, true },
	{ "CREDIT of 0", credit_of_zero, true },
	{ "CREDIT above the bound", credit_above_bound, true },
	{ "CREDIT that wraps around", credit_that_wraps, true },
	{ "OPEN twice", open_twice, true },
	{ "OPEN of a lower number", open_backwards, true },
	{ "OPEN of an odd number", open_odd, true },
	{ "OPEN with credit above the bound", open_with_wild_credit, true },
	{ "OPEN too short", open_short, true },
	{ "OPEN with no address", open_of_bad_address, true },
	{ "OPENED by the server", opened_by_server, true },
	{ "SERVICES by the server", services_by_server, true },
	{ "an unknown type", unknown_type, true },
	{ "type 0", type_zero, true },
	{ "PING of a stream", ping_with_stream, true },
	{ "DATA of no stream", data_without_stream, true },
	{ "PING too short", ping_short, true },
	{ "RESET too long", reset_long, true },
	{ "nothing", nothing_more, false },
	{ "PONG that nobody asked for", pong_unasked, false },
	{ "DATA up to the credit", all_credit_used, false },
	{ "late frames", late_frames_of_a_closed_stream, false },
	{ "RESET for a reason that we do not know", reset_of_unknown_reason,
	    false },
	{ "CREDIT up to the bound", most_credit, false },
	{ "numbers with holes", numbers_with_holes, false },
};

#define CASES (int)(sizeof(cases) / sizeof(cases[0]))

/* Flows of these tests take any byte. */
static void
take_any(void *owner, const struct iovec *iov, int n, size_t total)
{
	(void)owner;
	(void)iov;
	(void)n;
	(void)total; /* and give no credit back */
}

static void
open_any(void *arg, struct stream *s, const struct tunnel_open *o)
{
	struct end *e = arg;
	struct flow *f = &e->flows[e->n++];

	(void)o;
	f->end = e;
	f->stream = s;
	f->to_send = NOTHING;
	stream_set_owner(s, f);
}

static void
fin_any(void *owner)
{
	(void)owner;
}

static const struct tunnel_ops any_ops = {
	.dgrams = on_dgrams,
	.dgrams_end = on_reset,
	.dgrams_opened = on_opened,
	.dgram_lost = on_lost,
	.open = open_any,
	.opened = on_opened,
	.data = take_any,
	.fin = fin_any,
	.reset = on_reset,
	.room = fin_any,
	.control = on_control,
	.ended = on_ended,
};

/* One end alone; the test plays the other on x.fds[1]. */
static void
alone(bool server, struct record *tx, struct record *rx)
{
	struct end *e = server ? &x.server : &x.client;

	ends_prepare(&x);
	ends_sockets(x.fds, 0);
	e->ends = &x;
	e->budget.limit = BUDGET;
	e->tunnel = tunnel_new(
	    x.turn, x.fds[0], server, tx, rx, &e->budget, &any_ops, e);
	ck_assert_ptr_nonnull(e->tunnel);
}

static void
play(const struct raw *r)
{
	ck_assert_int_eq(write(x.fds[1], r->p, r->n), (ssize_t)r->n);
	ends_turns(&x, 5);
}

static void
check_outcome(const struct end *e, bool deadly)
{
	if (!deadly) {
		ck_assert_ptr_nonnull(e->tunnel);
		return;
	}
	ck_assert_ptr_null(e->tunnel);
	ck_assert_str_ne(e->why, "");
	for (size_t i = 0; i < e->n; i++)
		ck_assert_ptr_null(e->flows[i].stream);
	ck_assert_uint_eq(e->budget.used, 0);
}

static void
clean_up(void)
{
	ends_free(&x);
	close(x.fds[1]);
}

START_TEST(client_against_server)
{
	struct raw r = { .n = 0 };

	alone(false, NULL, NULL);
	open_frame(&r, 2, TUNNEL_WINDOW);
	cases[_i].make(&r);
	play(&r);
	ck_assert_msg((x.client.tunnel == NULL) == cases[_i].deadly, "%s: %s",
	    cases[_i].what, x.client.why);
	check_outcome(&x.client, cases[_i].deadly);
	clean_up();
}
END_TEST

/* The same, a byte at a time: how bytes are cut changes nothing. */
START_TEST(client_against_slow_server)
{
	struct raw r = { .n = 0 };

	alone(false, NULL, NULL);
	open_frame(&r, 2, TUNNEL_WINDOW);
	cases[_i].make(&r);
	for (size_t i = 0; i < r.n && x.client.tunnel != NULL; i++) {
		ck_assert_int_eq(write(x.fds[1], r.p + i, 1), 1);
		if (i < 200 || i % 100 == 0 || i + 200 > r.n)
			ends_turns(&x, 1);
	}
	ends_turns(&x, 3);
	ck_assert_msg((x.client.tunnel == NULL) == cases[_i].deadly, "%s: %s",
	    cases[_i].what, x.client.why);
	clean_up();
}
END_TEST

/* Frames that only a server may send, and answers to nothing. */
static const struct {
	const char *what;
	uint32_t stream;
	uint8_t type;
	size_t n;
	bool deadly;
} client_cases[] = {
	{ "OPEN", 2, FRAME_OPEN, 45, true },
	{ "GRANTED", 0, FRAME_GRANTED, 6, true },
	{ "TICKET", 0, FRAME_TICKET, 20, true },
	{ "OPENED of nothing", 2, FRAME_OPENED, 0, true },
	{ "DATA of nothing", 2, FRAME_DATA, 1, true },
	{ "SERVICES too short", 0, FRAME_SERVICES, 5, true },
	{ "SERVICES", 0, FRAME_SERVICES, 6, false },
	{ "WANT", 0, FRAME_WANT, 1, false },
	{ "GOAWAY", 0, FRAME_GOAWAY, 6, false },
	{ "PING", 0, FRAME_PING, 8, false },
};

START_TEST(server_against_client)
{
	struct raw r = { .n = 0 };

	alone(true, NULL, NULL);
	frame(&r, client_cases[_i].stream, client_cases[_i].type, zeros,
	    client_cases[_i].n);
	play(&r);
	ck_assert_msg((x.server.tunnel == NULL) == client_cases[_i].deadly,
	    "%s: %s", client_cases[_i].what, x.server.why);
	clean_up();
}
END_TEST

/* What may go wrong with records: how they are spoilt. */
static const struct {
	const char *what;
	size_t at;	/* byte to change */
	uint8_t change; /* by exclusive or */
	size_t cut;	/* bytes left out at the end */
	bool deadly;
} spoils[] = {
	{ "as it is", 0, 0, 0, false },
	{ "a bit of the tag", 20, 1, 0, true },
	{ "a bit of the data", 5, 0x80, 0, true },
	{ "the length, longer than any", 0, 0xff, 0, true },
	{ "the length, one too short", 1, 0x3f, 0, true },
	{ "the length, two too long: more is awaited", 1, 2, 0, false },
	{ "not yet whole", 0, 0, 1, false },
};

START_TEST(spoilt_records)
{
	struct record *mine;
	struct raw r = { .n = RECORD_HEAD };
	ssize_t n;

	alone(false, ends_record(RECORD_AES256_GCM, 1),
	    ends_record(RECORD_AES256_GCM, 2));
	ck_assert_ptr_nonnull(mine = ends_record(RECORD_AES256_GCM, 2));
	frame(&r, 0, FRAME_PING, zeros, 8);
	n = record_seal(mine, r.p, r.n - RECORD_HEAD);
	ck_assert_int_gt(n, 0);
	r.n = (size_t)n;
	r.p[spoils[_i].at] ^= spoils[_i].change;
	r.n -= spoils[_i].cut;
	play(&r);
	ck_assert_msg((x.client.tunnel == NULL) == spoils[_i].deadly, "%s: %s",
	    spoils[_i].what, x.client.why);
	record_free(mine);
	clean_up();
}
END_TEST

START_TEST(replayed_record)
{
	struct record *mine;
	struct raw r = { .n = RECORD_HEAD };
	ssize_t n;

	alone(false, ends_record(RECORD_CHACHA20_POLY1305, 1),
	    ends_record(RECORD_CHACHA20_POLY1305, 2));
	mine = ends_record(RECORD_CHACHA20_POLY1305, 2);
	frame(&r, 0, FRAME_PING, zeros, 8);
	ck_assert_int_gt(n = record_seal(mine, r.p, r.n - RECORD_HEAD), 0);
	r.n = (size_t)n;
	play(&r);
	ck_assert_ptr_nonnull(x.client.tunnel);
	play(&r);
	ck_assert_ptr_null(x.client.tunnel);
	record_free(mine);
	clean_up();
}
END_TEST

START_TEST(frame_across_records)
{
	struct record *mine;
	struct raw r = { .n = 0 };
	uint8_t out[256];
	ssize_t n;

	alone(false, ends_record(RECORD_AES256_GCM, 1),
	    ends_record(RECORD_AES256_GCM, 2));
	mine = ends_record(RECORD_AES256_GCM, 2);
	frame(&r, 0, FRAME_PING, zeros, 8);
	memcpy(out + RECORD_HEAD, r.p, 10);
	ck_assert_int_gt(n = record_seal(mine, out, 10), 0);
	ck_assert_int_eq(write(x.fds[1], out, (size_t)n), n);
	ends_turns(&x, 5);
	ck_assert_ptr_null(x.client.tunnel);
	record_free(mine);
	clean_up();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tunnel_hostile");
	TCase *t = tcase_create("a peer that breaks the rules");
	SRunner *r = srunner_create(s);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() == -1 || record_init() == -1)
		return EXIT_FAILURE;
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, client_against_server, 0, CASES);
	tcase_add_loop_test(t, client_against_slow_server, 0, CASES);
	tcase_add_loop_test(t, server_against_client, 0,
	    (int)(sizeof(client_cases) / sizeof(client_cases[0])));
	tcase_add_loop_test(
	    t, spoilt_records, 0, (int)(sizeof(spoils) / sizeof(spoils[0])));
	tcase_add_test(t, replayed_record);
	tcase_add_test(t, frame_across_records);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
