/* Log lines, the access log's records, files that are moved aside, the writer.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/logline.h"
#include "common/ipc/access.h"
#include "common/ipc/msg.h"
#include "common/sys/logfile.h"
#include "worker/report/writer.h"

#define DAY UINT64_C(86400000)

static char dir[] = "/tmp/check_report.XXXXXX";
static char path[256];

static void
setup(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
}

static void
teardown(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

/* The content of FILE.n, or "-". */
static const char *
content(unsigned n)
{
	static char text[65536];
	char name[300];
	ssize_t got;
	int fd;

	snprintf(name, sizeof(name), n == 0 ? "%s" : "%s.%u", path, n);
	if ((fd = open(name, O_RDONLY)) == -1)
		return "-";
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got < 0 ? 0 : got] = '\0';
	return text;
}

/* ---- lines ---- */

START_TEST(one_line)
{
	char out[LOGLINE_MAX];
	struct logline l = { .ms = UINT64_C(1764000000007),
		.level = LOG_LEVEL_WARN,
		.name = "ptpd",
		.pid = 12,
		.text = "a \"b\" \\x" };

	ck_assert_uint_eq(logline_format(out, &l, false), strlen(out));
	ck_assert_str_eq(
	    out, "2025-11-24T16:00:00.007Z ptpd[12]: warn: a \"b\" \\x\n");
	logline_format(out, &l, true);
	ck_assert_str_eq(out,
	    "{\"time\":\"2025-11-24T16:00:00.007Z\",\"level\":\"warn\","
	    "\"msg\":\"a \\\"b\\\" \\\\x\",\"program\":\"ptpd\",\"pid\":12}\n");
	l.role = "relay";
	l.index = 3;
	l.role_pid = 14;
	logline_format(out, &l, false);
	ck_assert_str_eq(out,
	    "2025-11-24T16:00:00.007Z ptpd[12]: warn: relay 3 (pid 14): "
	    "a \"b\" \\x\n");
	logline_format(out, &l, true);
	ck_assert_ptr_nonnull(
	    strstr(out, ",\"pid\":14,\"role\":\"relay\",\"index\":3}\n"));
	l.index = -1;
	logline_format(out, &l, false);
	ck_assert_ptr_nonnull(strstr(out, " relay (pid 14): a "));
}
END_TEST

START_TEST(longest_line)
{
	char out[LOGLINE_MAX], text[LOG_LINE_MAX];
	struct logline l = { .name = "ptpd", .pid = 1, .text = text };
	size_t n;

	memset(text, 1, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	n = logline_format(out, &l, true);
	ck_assert_str_eq(out + n - 2, "}\n");
	n = logline_format(out, &l, false);
	ck_assert_int_eq(out[n - 1], '\n');
}
END_TEST

/* ---- the access log ---- */

static const struct access record = { .ms = UINT64_C(1764000000007),
	.scheme = SCHEME_HTTP,
	.status = 200,
	.took = 5,
	.up = 10,
	.down = 4096,
	.client = "id1",
	.name = "web.example.com" };

START_TEST(access_record)
{
	char out[ACCESS_LINE_MAX];
	uint8_t p[ACCESS_MAX];
	struct access a = record, back;
	struct buf b;
	size_t n;

	addr_parse_ip(&a.peer, "192.0.2.7");
	a.peer.port = 99;
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(access_put(&b, &a), 0);
	n = buf_used(&b);
	for (size_t cut = 0; cut < n; cut++) {
		buf_read(&b, p, cut);
		ck_assert_int_eq(access_get(&b, &back), -1);
	}
	buf_read(&b, p, n);
	ck_assert_int_eq(access_get(&b, &back), 0);
	ck_assert(buf_done(&b));
	ck_assert_uint_eq(
	    access_format(out, &back, "ptpd", false), strlen(out));
	ck_assert_str_eq(out,
	    "2025-11-24T16:00:00.007Z ptpd: info: access: peer 192.0.2.7:99 "
	    "scheme http name web.example.com client id1 status 200 up 10 down "
	    "4096 ms 5\n");
	access_format(out, &back, "ptpd", true);
	ck_assert_str_eq(out,
	    "{\"time\":\"2025-11-24T16:00:00.007Z\",\"level\":\"info\","
	    "\"msg\":\"access\",\"program\":\"ptpd\","
	    "\"peer\":\"192.0.2.7:99\",\"scheme\":\"http\","
	    "\"name\":\"web.example.com\",\"client\":\"id1\",\"status\":200,"
	    "\"up\":10,\"down\":4096,\"ms\":5}\n");
}
END_TEST

START_TEST(largest_access_record)
{
	char out[ACCESS_LINE_MAX];
	uint8_t p[ACCESS_MAX];
	struct access a = record, back;
	struct buf b;

	addr_parse_ip(&a.peer, "2001:db8:1111:2222:3333:4444:5555:6666");
	memset(a.client, 'a', sizeof(a.client) - 1);
	memset(a.name, '"', sizeof(a.name) - 1);
	a.up = a.down = a.ms = UINT64_MAX / 2;
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(access_put(&b, &a), 0);
	buf_read(&b, p, buf_used(&b));
	ck_assert_int_eq(access_get(&b, &back), 0);
	ck_assert_uint_gt(access_format(out, &back, "ptpd", true), 500);
	ck_assert_uint_gt(access_format(out, &back, "ptpd", false), 400);
}
END_TEST

/* Loop: what a relay that has been taken over might put into a line. */
START_TEST(hostile_access_record)
{
	uint8_t p[ACCESS_MAX];
	struct access a = record;
	struct buf b;

	switch (_i) {
	case 0:
		strcpy(a.name, "a\nb");
		break;
	case 1:
		strcpy(a.client, "a b");
		break;
	case 2:
		strcpy(a.name, "\xc3\xa4");
		break;
	case 3:
		a.scheme = SCHEME_COUNT;
		break;
	default:
		a.status = 1000;
	}
	buf_write(&b, p, sizeof(p));
	ck_assert_int_eq(access_put(&b, &a), 0);
	buf_read(&b, p, buf_used(&b));
	ck_assert_int_eq(access_get(&b, &a), -1);
}
END_TEST

/* ---- files ---- */

static void
put(const struct logfile *f, const char *text)
{
	ck_assert_int_eq(write(f->fd, text, strlen(text)), (int)strlen(text));
}

START_TEST(moved_aside)
{
	struct logfile f = { .path = path, .count = 3, .fd = -1 };
	uint64_t now = logline_now();

	ck_assert_int_eq(logfile_open(&f, now), 0);
	ck_assert(f.regular);
	/* Nothing in it: nothing moves. */
	ck_assert_int_eq(logfile_rotate(&f, now), 0);
	ck_assert_str_eq(content(1), "-");
	for (int i = 0; i < 5; i++) {
		char text[2] = { (char)('a' + i), '\0' };

		put(&f, text);
		ck_assert_uint_eq(logfile_size(&f), 1);
		ck_assert_int_eq(logfile_rotate(&f, now), 0);
	}
	put(&f, "f");
	ck_assert_str_eq(content(0), "f");
	ck_assert_str_eq(content(1), "e");
	ck_assert_str_eq(content(2), "d");
	ck_assert_str_eq(content(3), "-");
	/* Fewer from now on: the rest goes, too. */
	f.count = 1;
	ck_assert_int_eq(logfile_rotate(&f, now), 0);
	ck_assert_str_eq(content(0), "");
	ck_assert_str_eq(content(1), "-");
	ck_assert_str_eq(content(2), "-");
	logfile_close(&f);
}
END_TEST

START_TEST(day_is_over)
{
	struct logfile f = { .path = path, .count = 3, .fd = -1 };
	uint64_t now = logline_now();
	struct timespec yesterday[2];

	ck_assert_int_eq(logfile_open(&f, now), 0);
	ck_assert(!logfile_is_old(&f, now));
	ck_assert(logfile_is_old(&f, now + DAY));
	/* Empty: its day begins anew. */
	ck_assert_int_eq(logfile_rotate(&f, now + DAY), 0);
	ck_assert(!logfile_is_old(&f, now + DAY));
	put(&f, "x");
	ck_assert_int_eq(logfile_rotate(&f, now + 2 * DAY), 0);
	ck_assert_str_eq(content(1), "x");
	/* What another run has left is of the day of its last line. */
	put(&f, "y");
	yesterday[0].tv_sec = yesterday[1].tv_sec =
	    (time_t)((now - DAY) / 1000);
	yesterday[0].tv_nsec = yesterday[1].tv_nsec = 0;
	ck_assert_int_eq(futimens(f.fd, yesterday), 0);
	ck_assert_int_eq(logfile_open(&f, now), 0);
	ck_assert(logfile_is_old(&f, now));
	logfile_close(&f);
}
END_TEST

START_TEST(no_file)
{
	struct logfile f = { .path = "/dev/null", .count = 3, .fd = -1 };

	ck_assert_int_eq(logfile_open(&f, 0), 0);
	ck_assert(!f.regular && !logfile_is_old(&f, 5 * DAY));
	f.path = dir;
	ck_assert_int_eq(logfile_open(&f, 0), -1);
	ck_assert_int_ne(f.fd, -1); /* the one before goes on */
	f.path = "/nonexistent/log";
	ck_assert_int_eq(logfile_open(&f, 0), -1);
	ck_assert_int_eq(errno, ENOENT);
	logfile_close(&f);
}
END_TEST

/* ---- the writer ---- */

static unsigned full;

static void
on_full(void *arg)
{
	(void)arg;
	full++;
}

static void
on_failed(void *arg, int err)
{
	(void)arg;
	(void)err;
}

static size_t
on_say(void *arg, char *dst, size_t size, uint64_t lost, int err)
{
	(void)arg;
	return (size_t)snprintf(
	    dst, size, "[%llu %d]\n", (unsigned long long)lost, err);
}

static const struct writer_ops ops = { on_full, on_failed, on_say };

static int
open_log(void)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
}

START_TEST(whole_lines_up_to_the_size)
{
	struct writer *w = writer_new(&ops, NULL);

	full = 0;
	writer_line(w, "early\n", 6);
	writer_flush(w);
	writer_open(w, open_log(), 0, 12);
	writer_line(w, "12345\n", 6);
	writer_line(w, "x\n", 2);
	ck_assert(writer_flush(w));
	ck_assert_uint_eq(full, 1);
	ck_assert_str_eq(content(0), "early\n12345\n");
	writer_line(w, "y\n", 2);
	ck_assert(writer_flush(w));
	ck_assert_uint_eq(full, 1); /* it has said so */
	unlink(path);
	writer_open(w, open_log(), 0, 12);
	ck_assert(!writer_flush(w));
	ck_assert_str_eq(content(0), "x\ny\n");
	/* A line that is longer than a file has one of its own. */
	writer_line(w, "a very long line\n", 17);
	writer_flush(w);
	ck_assert_uint_eq(full, 2);
	unlink(path);
	writer_open(w, open_log(), 0, 12);
	ck_assert(!writer_flush(w));
	ck_assert_str_eq(content(0), "a very long line\n");
	writer_free(w);
}
END_TEST

START_TEST(too_many_lines)
{
	struct writer *w = writer_new(&ops, NULL);
	char text[1000];
	unsigned n = 0;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	/* No file yet. */
	for (; n < 2 * WRITER_BUFFER / sizeof(text); n++)
		writer_line(w, text, sizeof(text));
	writer_open(w, open_log(), 0, 0);
	ck_assert(!writer_flush(w));
	writer_lost(w, 5);
	writer_line(w, "end\n", 4);
	ck_assert(!writer_flush(w));
	writer_free(w);
	/* The line after the loss says how much it was. */
	snprintf(text, sizeof(text),
	    "cd %.200s && tail -n 2 log > log.1 && mv log.1 log", dir);
	ck_assert_int_eq(system(text), 0);
	n -= (WRITER_BUFFER - 512) / 1000;
	snprintf(text, sizeof(text), "[%u 0]\nend\n", n + 5);
	ck_assert_str_eq(content(0), text);
}
END_TEST

START_TEST(full_disk)
{
	struct writer *w = writer_new(&ops, NULL);
	int fd = open("/dev/full", O_WRONLY);

	ck_assert_int_ne(fd, -1);
	writer_open(w, fd, 0, 0);
	for (int i = 0; i < 3; i++) {
		writer_line(w, "lost\n", 5);
		ck_assert(!writer_flush(w));
	}
	writer_open(w, open_log(), 0, 0);
	writer_line(w, "there\n", 6);
	ck_assert(!writer_flush(w));
	ck_assert_str_eq(content(0), "[3 28]\nthere\n");
	writer_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report");
	TCase *t = tcase_create("report");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_line);
	tcase_add_test(t, longest_line);
	tcase_add_test(t, access_record);
	tcase_add_test(t, largest_access_record);
	tcase_add_loop_test(t, hostile_access_record, 0, 5);
	tcase_add_test(t, moved_aside);
	tcase_add_test(t, day_is_over);
	tcase_add_test(t, no_file);
	tcase_add_test(t, whole_lines_up_to_the_size);
	tcase_add_test(t, too_many_lines);
	tcase_add_test(t, full_disk);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
