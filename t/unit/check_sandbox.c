/*
 * Unit test of the sandbox: what the kernel says of a process inside, what is
 * reported as missing, and that libraries live on in there.
 */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <libconfig.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/crypto/record.h"
#include "common/sys/jail.h"
#include "common/sys/sandbox_landlock.h"
#include "t/unit/inside.h"

/* Write to a file: fails, and does not kill. */
static int
do_write_file(void)
{
	return write(pair[1], "x", 1) == 1 ? 0 : errno;
}

static const char *const paths[] = { "/", ".", "..", "../../../../etc/passwd",
	"/etc/passwd", "/etc/shadow", "/proc/self/mem", "/proc/self/exe",
	"/proc/1/mem", "/dev/null", "/dev/mem", "/dev/urandom", "/tmp",
	"/var/log", "/root", "/home", "/usr/bin/env", "/sys", "/run",
	"/var/empty" };

#define PATHS (sizeof(paths) / sizeof(paths[0]))

/* Number of paths that could be opened, in whatever way. */
static int
do_open_paths(void)
{
	int opened = 0;

	for (size_t i = 0; i < PATHS; i++)
		if (open(paths[i], O_RDONLY) != -1 ||
		    open(paths[i], O_PATH) != -1 ||
		    openat(AT_FDCWD, paths[i], O_RDONLY | O_DIRECTORY) != -1)
			opened++;
	return opened;
}

START_TEST(no_role_but_resolve_opens_a_path)
{
	if (_i == SANDBOX_RESOLVE)
		return;
	for (int privileged = 0; privileged <= is_root(); privileged++)
		ck_assert_int_eq(outcome(inside((enum sandbox_role)_i,
				     privileged, do_open_paths)),
		    0);
}
END_TEST

/* The filter lets it open: Landlock decides. */
static int
do_read_files(void)
{
	return open("/etc/passwd", O_RDONLY) != -1 &&
		open("/proc/self/status", O_RDONLY) == -1 &&
		open("/tmp", O_RDONLY) == -1 && errno == EACCES
	    ? 0
	    : 1;
}

START_TEST(resolve_reads_what_it_needs)
{
	unsigned missing = 0;

	/* Asked in a process of its own: it is for good. */
	if (outcome(inside(SANDBOX_RESOLVE, is_root(), do_read_files)) == 0)
		return;
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(sandbox_landlock(SANDBOX_EDGE, &missing), 0);
	ck_assert_msg(missing & SANDBOX_NO_LANDLOCK, "Landlock is not used");
}
END_TEST

/* The first number behind "Field:" in a status, in the base it is written. */
static unsigned long
field(const char *status, const char *name, int base)
{
	const char *line = strstr(status, name);

	ck_assert_msg(line != NULL, "no %s", name);
	return strtoul(line + strlen(name), NULL, base);
}

static void
check_status(pid_t pid, bool privileged)
{
	static const char *const caps[] = {
		"CapPrm:", "CapEff:", "CapInh:", "CapAmb:", "CapBnd:"
	};
	char path[64], status[8192];
	const char *uids;
	unsigned id[4];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	n = fread(status, 1, sizeof(status) - 1, f);
	fclose(f);
	status[n] = '\0';
	for (size_t i = 0; i < 4 + (size_t)privileged; i++)
		ck_assert_msg(
		    field(status, caps[i], 16) == 0, "%s is not 0", caps[i]);
	ck_assert_uint_eq(field(status, "NoNewPrivs:", 10), 1);
	ck_assert_uint_eq(field(status, "Seccomp:", 10), 2);
	uids = strstr(status, "\nUid:");
	ck_assert_int_eq(
	    sscanf(uids, "\nUid: %u %u %u %u", &id[0], &id[1], &id[2], &id[3]),
	    4);
	for (size_t i = 0; i < 4; i++)
		if (is_root())
			ck_assert_uint_eq(id[i], TEST_UID);
	if (privileged)
		ck_assert_ptr_nonnull(strstr(status, "\nGroups:\t \n"));
}

/* Chroot, and not dumpable: its /proc entries are root's. */
static void
check_proc(pid_t pid, bool privileged, bool chrooted)
{
	char path[64], root[256];
	struct stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	if (!privileged || !chrooted)
		return;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	n = readlink(path, root, sizeof(root) - 1);
	ck_assert_int_gt(n, 0);
	root[n] = '\0';
	ck_assert_str_eq(root, jail);
}

/* Loop: roles. The kernel's own view of a process inside. */
START_TEST(kernel_says_no_privilege)
{
	unsigned missing;
	bool chrooted = _i != SANDBOX_RESOLVE;
	int status;
	char c;
	pid_t pid;

	for (int privileged = 0; privileged <= is_root(); privileged++) {
		pid = fork();
		if (pid == 0) {
			enter((enum sandbox_role)_i, privileged, &missing);
			if (write(pair[0], "", 1) != 1)
				_exit(1);
			/* Until the parent has looked. */
			_exit(read(pair[0], &c, 1) == 1 ? 0 : 2);
		}
		ck_assert_int_eq(read(pair[1], &c, 1), 1);
		check_status(pid, privileged);
		check_proc(pid, privileged, chrooted);
		ck_assert_int_eq(write(pair[1], "", 1), 1);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

/* Landlock alone, for the day that a filter has a hole. */
static int
do_landlock(enum sandbox_role role)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	unsigned missing = 0;
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    sandbox_landlock(role, &missing) == -1)
		return EXIT_NOT_IN;
	if (missing & SANDBOX_NO_LANDLOCK)
		return 0;
	if (open("/proc/self/status", O_RDONLY) != -1 || errno != EACCES)
		return 1;
	if (open("/tmp/landlock", O_WRONLY | O_CREAT, 0600) != -1 ||
	    errno != EACCES)
		return 2;
	fd = open("/etc/passwd", O_RDONLY);
	if ((fd != -1) != (role == SANDBOX_RESOLVE))
		return 3;
	if (open("/etc/passwd", O_WRONLY) != -1)
		return 4;
	if (!(missing & SANDBOX_NO_SCOPE) && kill(getppid(), 0) != -1)
		return 5;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != -1)
		return 6;
	if (role != SANDBOX_RESOLVE && role != SANDBOX_FETCH &&
	    !(missing & SANDBOX_NO_SCOPE) && errno != EACCES)
		return 7;
	return 0;
}

START_TEST(landlock_denies_by_itself)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(do_landlock((enum sandbox_role)_i));
	ck_assert_int_eq(outcome(wait_for(pid)), 0);
}
END_TEST

static void
tick(evutil_socket_t fd, short what, void *arg)
{
	int *ticks = arg;

	(void)fd;
	(void)what;
	(*ticks)++;
}

/* Loop: roles. An event base made before lives on inside. */
START_TEST(event_loop_runs_inside)
{
	struct timeval soon = { 0, 1000 };
	struct event_base *base;
	struct event *timer, *in;
	unsigned missing;
	int ticks = 0;
	pid_t pid = fork();

	if (pid == 0) {
		base = event_base_new();
		enter((enum sandbox_role)_i, is_root(), &missing);
		timer = evtimer_new(base, tick, &ticks);
		evtimer_add(timer, &soon);
		in = event_new(base, pair[1], EV_READ, tick, &ticks);
		event_add(in, NULL);
		if (write(pair[0], "x", 1) != 1)
			_exit(1);
		event_base_dispatch(base);
		event_free(timer);
		event_free(in);
		event_base_free(base);
		_exit(ticks == 2 ? 0 : 2);
	}
	ck_assert_int_eq(outcome(wait_for(pid)), 0);
}
END_TEST

/* A sealed record that opens again, in guarded memory; both ciphers. */
static int
do_records(void)
{
	uint8_t p[RECORD_HEAD + RECORD_PLAIN_MAX + RECORD_TAG] = { 0 };
	static const uint8_t key[RECORD_KEY];
	struct record *in, *out;
	ssize_t n;

	for (int c = RECORD_CHACHA20_POLY1305; c <= RECORD_AES256_GCM; c++) {
		out = record_new((enum record_cipher)c, key);
		in = record_new((enum record_cipher)c, key);
		if (out == NULL || in == NULL)
			return 1;
		n = record_seal(out, p, 1000);
		if (n == -1 || record_open(in, p, (size_t)n) != 1000)
			return 2;
		record_free(out);
		record_free(in);
	}
	return 0;
}

START_TEST(records_are_sealed_inside)
{
	ck_assert_int_eq(record_init(), 0);
	for (int privileged = 0; privileged <= is_root(); privileged++) {
		ck_assert_int_eq(
		    outcome(inside(SANDBOX_RELAY, privileged, do_records)), 0);
		ck_assert_int_eq(
		    outcome(inside(SANDBOX_ENGINE, privileged, do_records)), 0);
	}
}
END_TEST

/* libconfig, locale and numbers included, and a fault in what it reads. */
static int
do_configuration(void)
{
	config_t c;
	double d;

	config_init(&c);
	if (config_read_string(&c, "a = { b = 1.5; c = ( 1, \"x\" ); };") !=
	    CONFIG_TRUE)
		return 1;
	if (config_lookup_float(&c, "a.b", &d) != CONFIG_TRUE)
		return 2;
	if (config_read_string(&c, "a = ; }") != CONFIG_FALSE ||
	    config_error_line(&c) != 1)
		return 3;
	config_destroy(&c);
	return 0;
}

START_TEST(configuration_is_parsed_inside)
{
	for (int privileged = 0; privileged <= is_root(); privileged++)
		ck_assert_int_eq(
		    outcome(inside(SANDBOX_CONF, privileged, do_configuration)),
		    0);
}
END_TEST

/*
 * Answer every DNS query at fd with 192.0.2.7, or with nothing if it is not
 * for an A record, until killed.
 */
static _Noreturn void
serve_dns(int fd)
{
	static const unsigned char answer[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0,
		60, 0, 4, 192, 0, 2, 7 };
	unsigned char m[512];
	struct sockaddr_in from;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, m, sizeof(m) - sizeof(answer), 0,
		    (struct sockaddr *)&from, &len);
		if (n < 17)
			_exit(1);
		m[2] |= 0x80; /* an answer */
		m[3] = 0x80;
		m[11] = 0; /* no additional records */
		if (m[n - 3] == 1) {
			m[7] = 1;
			memcpy(m + n, answer, sizeof(answer));
			n += (ssize_t)sizeof(answer);
		}
		sendto(fd, m, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

/* localhost is in a file, the other name with our server. */
static int
do_resolve(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *res;
	struct sockaddr_in sin;

	if (getaddrinfo("localhost", "80", &hints, &res) != 0)
		return 1;
	freeaddrinfo(res);
	if (getaddrinfo("ptp.example", "80", &hints, &res) != 0)
		return 2;
	memcpy(&sin, res->ai_addr, sizeof(sin));
	freeaddrinfo(res);
	return sin.sin_addr.s_addr == htonl(0xc0000207) ? 0 : 3;
}

START_TEST(resolver_resolves_inside)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	pid_t server;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	server = fork();
	if (server == 0)
		serve_dns(fd);
	ck_assert_int_eq(res_init(), 0);
	_res.nscount = 1;
	_res.nsaddr_list[0] = sin;
	/* Whatever resolv.conf says: serve_dns() knows plain questions. */
	_res.options = RES_INIT | RES_RECURSE;
	_res.retrans = RES_MAXRETRANS; /* seconds */
	_res.retry = RES_DFLRETRY;
	for (int privileged = 0; privileged <= is_root(); privileged++)
		ck_assert_int_eq(
		    outcome(inside(SANDBOX_RESOLVE, privileged, do_resolve)),
		    0);
	kill(server, SIGKILL);
	ck_assert_int_eq(waitpid(server, NULL, 0), server);
}
END_TEST

/* A stderr that is a file must not kill (RLIMIT_FSIZE, SIGXFSZ). */
START_TEST(writing_to_a_file_fails_alone)
{
	char path[] = "/tmp/check_sandbox_file.XXXXXX";
	int fd = mkstemp(path), got;

	ck_assert_int_ne(fd, -1);
	unlink(path);
	close(pair[1]);
	pair[1] = fd;
	got = outcome(inside(SANDBOX_EDGE, is_root(), do_write_file));
	/* Under ASan, whose reports go there, writing is allowed. */
	ck_assert(got == EFBIG || got == 0);
#ifndef __SANITIZE_ADDRESS__
#ifndef __clang__
	ck_assert_int_eq(got, EFBIG);
#endif
#endif
}
END_TEST

START_TEST(missing_protection_is_reported)
{
	char text[128];
	unsigned missing;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		enter(SANDBOX_EDGE, false, &missing);
		_exit((int)(missing & (SANDBOX_NO_CHROOT | SANDBOX_NO_UID)));
	}
	ck_assert_int_eq(
	    outcome(wait_for(pid)), SANDBOX_NO_CHROOT | SANDBOX_NO_UID);
	if (is_root()) {
		pid = fork();
		if (pid == 0) {
			enter(SANDBOX_EDGE, true, &missing);
			_exit((int)(missing &
			    (SANDBOX_NO_CHROOT | SANDBOX_NO_UID)));
		}
		ck_assert_int_eq(outcome(wait_for(pid)), 0);
	}
	ck_assert_str_eq(
	    sandbox_missing_text(text, sizeof(text), 0), "nothing");
	ck_assert_str_eq(sandbox_missing_text(text, sizeof(text),
			     SANDBOX_NO_CHROOT | SANDBOX_NO_LANDLOCK),
	    "chroot, Landlock");
	ck_assert_str_eq(sandbox_missing_text(text, 10, 15), "chroot, a");
}
END_TEST

/* Root is refused: as the uid to become, and as who one stays. */
START_TEST(root_stays_out)
{
	struct sandbox s = { .role = SANDBOX_EDGE,
		.privileged = true,
		.chroot = jail,
		.uid = 0,
		.gid = TEST_UID };
	unsigned missing = 77;
	pid_t pid;

	if (!is_root())
		return;
	for (int i = 0; i < 3; i++) {
		s.uid = i == 0 ? 0 : TEST_UID;
		s.gid = i == 1 ? 0 : TEST_UID;
		s.privileged = i != 2;
		pid = fork();
		if (pid == 0)
			_exit(sandbox_enter(&s, &missing) == -1 &&
				    errno == EPERM && missing == 77
				? 0
				: 1);
		ck_assert_int_eq(outcome(wait_for(pid)), 0);
	}
}
END_TEST

START_TEST(jail_must_be_safe)
{
	char dir[] = "/tmp/check_jail.XXXXXX", made[64];

	if (!is_root())
		return;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(made, sizeof(made), "%s/new", dir);
	ck_assert_int_eq(jail_make(made), 1);
	ck_assert_int_eq(jail_make(made), 0);
	ck_assert_int_eq(chmod(made, 0775), 0);
	ck_assert_int_eq(jail_make(made), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(jail_enter(made), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(chmod(made, 0755), 0);
	ck_assert_int_eq(chown(made, TEST_UID, 0), 0);
	ck_assert_int_eq(jail_enter(made), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(jail_make("/etc/passwd"), -1);
	ck_assert_int_eq(errno, ENOTDIR);
	ck_assert_int_eq(jail_make("/nonexistent/x"), -1);
	ck_assert_int_eq(errno, ENOENT);
	rmdir(made);
	rmdir(dir);
}
END_TEST

/* The middle of three dies: the innermost, sandboxed, goes with it. */
START_TEST(dies_with_its_parent)
{
	unsigned missing;
	int status;
	char c;
	pid_t middle = fork();

	if (middle == 0) {
		if (fork() == 0) {
			enter(SANDBOX_EDGE, is_root(), &missing);
			close(pair[1]);
			if (write(pair[0], "", 1) != 1)
				_exit(1);
			_exit(read(pair[0], &c, 1) == 1);
		}
		for (;;)
			pause();
	}
	close(pair[0]);
	ck_assert_int_eq(read(pair[1], &c, 1), 1);
	kill(middle, SIGKILL);
	ck_assert_int_eq(waitpid(middle, &status, 0), middle);
	ck_assert_int_eq(read(pair[1], &c, 1), 0); /* EOF: nobody holds it */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("inside");
	SRunner *r = srunner_create(s);
	int failed;

	if (mkdtemp(jail) == NULL || chmod(jail, 0555) == -1)
		return EXIT_FAILURE;
	if (!is_root())
		printf("# not root: only what a user can do is tested\n");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
	    t, no_role_but_resolve_opens_a_path, 0, SANDBOX_ROLES);
	tcase_add_test(t, resolve_reads_what_it_needs);
	tcase_add_loop_test(t, kernel_says_no_privilege, 0, SANDBOX_ROLES);
	tcase_add_loop_test(t, landlock_denies_by_itself, 0, SANDBOX_ROLES);
	tcase_add_loop_test(t, event_loop_runs_inside, 0, SANDBOX_ROLES);
	tcase_add_test(t, records_are_sealed_inside);
	tcase_add_test(t, configuration_is_parsed_inside);
	tcase_add_test(t, resolver_resolves_inside);
	tcase_add_test(t, writing_to_a_file_fails_alone);
	tcase_add_test(t, missing_protection_is_reported);
	tcase_add_test(t, root_stays_out);
	tcase_add_test(t, jail_must_be_safe);
	tcase_add_test(t, dies_with_its_parent);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	rmdir(jail);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
