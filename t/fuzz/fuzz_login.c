/*
 * Login messages of all kinds from a peer that has got through Noise. The
 * first byte picks the kind; what is understood writes itself again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/tunnel/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
same(const uint8_t *p, size_t n, const uint8_t *again, size_t len)
{
	if (n != len || memcmp(p, again, n) != 0)
		abort();
}

static void
check_login(const uint8_t *p, size_t n)
{
	uint8_t again[LOGIN_MAX];
	struct login l;

	if (login_get(&l, p, n) == -1)
		return;
	if (memchr(l.id, '\0', sizeof(l.id)) == NULL || l.id[0] == '\0' ||
	    memchr(l.version, '\0', sizeof(l.version)) == NULL ||
	    memchr(l.secret, '\0', sizeof(l.secret)) == NULL)
		abort();
	same(p, n, again, login_put(again, &l));
}

static void
check_hello(const uint8_t *p, size_t n)
{
	uint8_t again[LOGIN_MAX];
	struct login_hello h;

	if (login_hello_get(&h, p, n) == 0)
		same(p, n, again, login_hello_put(again, &h));
}

static void
check_msg(const uint8_t *p, size_t n)
{
	uint8_t again[LOGIN_MAX];
	struct login_msg m;

	if (login_msg_get(&m, p, n) == 0)
		same(p, n, again, login_msg_put(again, &m));
}

static void
check_case(const uint8_t *p, size_t n)
{
	uint8_t again[2048];
	struct login_case c;
	size_t len;

	if (login_case_get(&c, p, n) == -1)
		return;
	check_login(c.login, c.n);
	if (login_case_put(again, sizeof(again), &len, &c) == 0)
		same(p, n, again, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const kinds[])(const uint8_t *p, size_t n) = {
		check_login,
		check_hello,
		check_msg,
		check_case,
	};
	uint8_t *p;

	if (n == 0)
		return 0;
	p = malloc(n);
	memcpy(p, data + 1, n - 1);
	kinds[data[0] % 4](p, n - 1);
	free(p);
	return 0;
}
