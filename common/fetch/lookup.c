/* Names to addresses, in a child of its own. */
#include "common/fetch/lookup.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/addr.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/sys/helper.h"

struct name {
	char host[TEXT_NAME_MAX + 1]; /* empty: unused */
	char addrs[LOOKUP_TEXT];      /* empty: not known */
	uint64_t until;		      /* ms; then they are stale */
	bool asked;		      /* the child is at it */
};

struct lookup {
	int fd;
	struct event *readable;
	const struct lookup_ops *ops;
	void *arg;
	struct name names[LOOKUP_NAMES];
};

/* One answer: host, its terminator, 1 and addresses or 0 and why. */
#define ANSWER_MAX (TEXT_NAME_MAX + 2 + LOOKUP_TEXT)

/* ---- the child ---- */

/* The addresses of a list as one text. */
static void
put_addrs(char *dst, const struct addrinfo *list)
{
	char text[ADDR_TEXT];
	struct addr a;
	size_t n = 0;

	for (; list != NULL; list = list->ai_next) {
		if (addr_from_sockaddr(&a, list->ai_addr, list->ai_addrlen) ==
		    -1)
			continue;
		addr_format_ip(text, &a);
		if (n + strlen(text) + 2 > LOOKUP_TEXT)
			break;
		n += (size_t)sprintf(dst + n, "%s%s", n > 0 ? "," : "", text);
	}
}

/* Look a name up; the answer's length. */
static size_t
look_up(char *answer, const char *host)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	size_t n = strlen(host) + 1;
	char *text = answer + n + 1;
	int err;

	memcpy(answer, host, n);
	text[0] = '\0';
	if ((err = getaddrinfo(host, NULL, &hints, &list)) == 0) {
		put_addrs(text, list);
		freeaddrinfo(list);
	}
	answer[n] = text[0] != '\0';
	if (text[0] == '\0')
		snprintf(text, LOOKUP_TEXT, "%s",
		    err != 0 ? gai_strerror(err) : "it has no address");
	return n + 1 + strlen(text);
}

static void
serve(int fd)
{
	char host[TEXT_NAME_MAX + 1], answer[ANSWER_MAX + 1];
	ssize_t n;

	while ((n = recv(fd, host, sizeof(host) - 1, 0)) > 0) {
		host[n] = '\0';
		if (send(fd, answer, look_up(answer, host), MSG_NOSIGNAL) == -1)
			break;
	}
}

int
lookup_fork(const struct sandbox *box, int close_fd)
{
	return helper_fork(box, close_fd, serve);
}

/* ---- its parent ---- */

static struct name *
find(struct lookup *l, const char *host)
{
	for (size_t i = 0; i < LOOKUP_NAMES; i++)
		if (strcmp(l->names[i].host, host) == 0)
			return &l->names[i];
	return NULL;
}

/* What the child said: as look_up() made it. -1: malformed. */
static int
take(struct lookup *l, char *answer, size_t n)
{
	size_t hostlen = strnlen(answer, n);
	struct name *name;
	const char *text;

	if (hostlen + 2 > n)
		return -1;
	answer[n] = '\0';
	text = answer + hostlen + 2;
	if ((name = find(l, answer)) == NULL || !name->asked)
		return -1;
	if (answer[hostlen + 1] == 1) {
		if (strlen(text) >= sizeof(name->addrs) ||
		    text[strspn(text, "0123456789abcdef.:,")] != '\0')
			return -1;
		strcpy(name->addrs, text);
	}
	name->asked = false;
	name->until = clock_ms() + LOOKUP_FRESH_MS;
	if (name->addrs[0] != '\0')
		l->ops->found(l->arg, name->host, name->addrs, NULL);
	else
		l->ops->found(l->arg, name->host, NULL, text);
	return 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	char answer[ANSWER_MAX + 1];
	struct lookup *l = arg;
	ssize_t n;

	(void)what;
	n = recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && take(l, answer, (size_t)n) == 0)
		return;
	event_del(l->readable);
	l->ops->ended(l->arg);
}

struct lookup *
lookup_new(
    struct event_base *base, int fd, const struct lookup_ops *ops, void *arg)
{
	struct lookup *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->fd = fd;
	l->ops = ops;
	l->arg = arg;
	l->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, l);
	if (l->readable != NULL && event_add(l->readable, NULL) == 0)
		return l;
	if (l->readable != NULL)
		event_free(l->readable);
	free(l);
	return NULL;
}

void
lookup_free(struct lookup *l)
{
	if (l == NULL)
		return;
	event_free(l->readable);
	close(l->fd);
	free(l);
}

/* A place for one more: a free one, or the one that is stale the longest. */
static struct name *
make_room(struct lookup *l)
{
	struct name *oldest = NULL;

	for (size_t i = 0; i < LOOKUP_NAMES; i++) {
		struct name *name = &l->names[i];

		if (!name->asked &&
		    (oldest == NULL || name->until < oldest->until))
			oldest = name;
	}
	return oldest;
}

const char *
lookup_get(struct lookup *l, const char *host)
{
	size_t n = strlen(host);
	struct name *name = find(l, host);

	if (name != NULL && name->addrs[0] != '\0' && clock_ms() < name->until)
		return name->addrs;
	if (name != NULL && name->asked)
		return NULL;
	if (n == 0 || n > TEXT_NAME_MAX ||
	    (name == NULL && (name = make_room(l)) == NULL))
		return NULL; /* whoever waits has a deadline */
	strcpy(name->host, host);
	name->addrs[0] = '\0';
	name->asked =
	    send(l->fd, host, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n;
	return NULL;
}
