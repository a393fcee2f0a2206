/* What a parent does for its process of role `fetch`. */
#include "common/fetch/setup.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/logline.h"
#include "common/conf/schema.h"

void
setup_filter(struct setup_filter *f, const struct sentry_conf *c)
{
	enum log_level level;

	memset(f, 0, sizeof(*f));
	if (c->dsn == NULL)
		return;
	f->share = c->sample_rate;
	for (size_t i = 0; i < c->level.n; i++)
		if (log_level_parse(c->level.v[i], &level) == 0)
			f->levels |= 1u << level;
	if (c->level.n == 0)
		f->levels = 1u << LOG_LEVEL_ERROR | 1u << LOG_LEVEL_FATAL;
}

bool
setup_is_event(struct setup_filter *f, const struct logline *l)
{
	uint64_t second = l->ms / 1000;

	if ((f->levels & 1u << l->level) == 0 ||
	    (l->role != NULL && strcmp(l->role, role_name(ROLE_FETCH)) == 0) ||
	    randombytes_uniform(SCHEMA_WHOLE) >= f->share)
		return false;
	if (second != f->second)
		f->lines = 0;
	f->second = second;
	return ++f->lines <= SETUP_RATE;
}

static void
put(char *dst, const char *s)
{
	if (s != NULL)
		snprintf(dst, MSG_WORD_MAX + 1, "%s", s);
}

void
setup_events(struct msg_fetch_conf *m, const struct sentry_conf *c)
{
	if (c->dsn == NULL)
		return;
	snprintf(m->dsn, sizeof(m->dsn), "%s", c->dsn);
	put(m->release, c->release != NULL ? c->release : "ptp@" PTP_VERSION);
	put(m->environment, c->environment);
	put(m->server_name, c->server_name);
	if (c->server_name == NULL &&
	    gethostname(m->server_name, sizeof(m->server_name) - 1) == -1)
		m->server_name[0] = '\0';
	m->debug = c->debug;
}

int
setup_open_ca(void)
{
	/* Where systems keep them; the first is used. */
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/cert.pem",
	};
	int fd = -1;

	for (size_t i = 0; fd == -1 && i < sizeof(bundles) / sizeof(bundles[0]);
	    i++)
		fd = open(bundles[i], O_RDONLY | O_CLOEXEC);
	return fd;
}
