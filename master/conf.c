/* The server's configuration: loaded, sent to the master, asked. */
#include "master/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/conf/paths.h"
#include "common/conf/source.h"
#include "common/conf/unpack.h"
#include "master/conf_schema.h"
#include "master/conf_tls.h"
#include "master/conf_users.h"
#include "master/regexes.h"

#define SOCKET_MAX 107 /* bytes of a path in sun_path */

struct server_conf_decoder {
	struct server_conf *c;
	struct unpack *unpack;
};

/* Fill in the paths that depend on who we are, and make all absolute. */
static void
complete_paths(
    struct server_conf *c, const struct schema_input *in, struct faults *f)
{
	if (c->host_key == NULL)
		c->host_key =
		    paths_state("/var/db/ptpd/host_key", "ptpd", "host_key");
	if (c->socket == NULL)
		c->socket =
		    paths_runtime("/run/ptpd.sock", "ptpd", "ptpd.sock");
	schema_path(&c->host_key, "host_key", CONF_PATH_MAX, in, f);
	schema_path(&c->socket, "socket", SOCKET_MAX, in, f);
	if (c->users_file != NULL)
		schema_path(&c->users_file, "users_file", CONF_PATH_MAX, in, f);
	if (c->log_file != NULL)
		schema_path(&c->log_file, "log.file", CONF_PATH_MAX, in, f);
	if (c->auth_ca != NULL)
		schema_path(&c->auth_ca, "auth.ca", CONF_PATH_MAX, in, f);
}

/* Whether there is any listener. */
static bool
listens(const struct server_conf *c)
{
	return c->listen_http.n + c->listen_http_redirect.n + c->listen_sni.n +
	    c->listen_tls.n >
	    0;
}

/* Whether a socket can be bound to only one of them. */
static bool
overlap(const struct addr *a, const struct addr *b)
{
	return a->port != 0 && a->port == b->port &&
	    (a->family == ADDR_ANY || b->family == ADDR_ANY ||
		addr_equal(a, b));
}

/* The first of the first n of a list that a overlaps. NULL: none. */
static const struct addr *
overlapping(const struct addr_list *l, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++) {
		if (overlap(&l->v[i], a))
			return &l->v[i];
	}
	return NULL;
}

/* Each port is for one kind of listener, and is there once. */
static void
check_ports(const struct server_conf *c, const struct schema_input *in,
    struct faults *f)
{
	const struct {
		const char *key;
		const struct addr_list *list;
	} kinds[] = {
		{ "listen.http", &c->listen_http },
		{ "listen.http_redirect", &c->listen_http_redirect },
		{ "listen.tls", &c->listen_tls },
		{ "listen.sni", &c->listen_sni },
		{ "listen.api", &c->listen_api },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct schema_place at = schema_locate(in, kinds[i].key, f);
		const struct addr *other = NULL;
		char text[ADDR_TEXT];

		for (size_t n = 0; n < kinds[i].list->n; n++) {
			for (size_t k = 0; other == NULL && k <= i; k++) {
				other = overlapping(kinds[k].list,
				    k == i ? n : kinds[k].list->n,
				    &kinds[i].list->v[n]);
				if (other != NULL)
					schema_fault(&at, NULL,
					    "expected each port once: %s has "
					    "%s too",
					    kinds[k].key,
					    addr_format(text, other));
			}
		}
	}
}

/* What no single row can tell. */
static void
check_whole(struct server_conf *c, struct faults *f)
{
	bool told = (c->set & CONF_SET_LISTEN) != 0 && f->errors > 0;

	if (!listens(c) && !told)
		faults_add(f, NULL, 0, "listen.http",
		    "nothing to listen on: add listen.http = \"80\" (or -o "
		    "listen.http=8080)");
	/* The check has allowed a final dot. */
	if (c->domain != NULL) {
		size_t n = strlen(c->domain);

		if (c->domain[n - 1] == '.')
			c->domain[n - 1] = '\0';
	}
}

static int
compile_list(struct regexes *t, const struct str_list *rules)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (regexes_add(t, rules->v[i]) == -1)
			return -1;
	}
	return 0;
}

/* Compile all rules on names. -1: no memory, or one that is none. */
static int
compile_regexes(struct server_conf *c)
{
	if ((c->regexes = regexes_new()) == NULL ||
	    compile_list(c->regexes, &c->limits.hosts_regex) == -1)
		return -1;
	for (size_t i = 0; i < c->users.n; i++) {
		const struct limits *l = &c->users.v[i].limits;

		if (compile_list(c->regexes, &l->hosts_regex) == -1)
			return -1;
	}
	return 0;
}

int
server_conf_load(
    struct server_conf *c, const struct conf_args *args, struct faults *f)
{
	struct schema_input in = { .file = args->file,
		.options = args->options,
		.noptions = args->noptions,
		.source = "-o" };
	config_t cfg;

	memset(c, 0, sizeof(*c));
	if (source_file(&cfg, args->file, args->named, f) != -1) {
		in.group = config_root_setting(&cfg);
		schema_load(&conf_schema, c, &in, f);
		complete_paths(c, &in, f);
		conf_users_merge(c, args, &in, f);
		conf_tls_complete(c, &in, f);
		check_ports(c, &in, f);
		check_whole(c, f);
	}
	source_free(&cfg);
	if (f->errors == 0 && compile_regexes(c) == -1)
		faults_add(f, NULL, 0, "hosts.regex", "%s", strerror(errno));
	if (f->errors == 0)
		return 0;
	server_conf_free(c);
	return -1;
}

void
server_conf_free(struct server_conf *c)
{
	schema_free(&conf_schema, c);
	regexes_free(c->regexes);
	memset(c, 0, sizeof(*c));
}

int
server_conf_encode(const struct server_conf *c, pack_emit emit, void *arg)
{
	return pack_struct(&conf_schema, c, emit, arg);
}

/* Begin a frame of verifiers: how many there are in all. */
static void
begin_verifiers(struct buf *b, uint8_t *frame, size_t total)
{
	buf_write(b, frame, PACK_FRAME_MAX);
	buf_put_u32(b, (uint32_t)total);
}

int
server_conf_encode_verifiers(
    const struct server_conf *c, pack_emit emit, void *arg)
{
	uint8_t frame[PACK_FRAME_MAX];
	struct verifier v;
	struct buf b, before;
	int rc = 0;

	begin_verifiers(&b, frame, c->users.n);
	for (size_t i = 0; i < c->users.n && rc == 0; i++) {
		conf_users_verifier(&c->users.v[i], &v);
		before = b;
		if (verifier_put(&b, &v) == 0)
			continue;
		rc = emit(arg, frame, buf_used(&before));
		begin_verifiers(&b, frame, c->users.n);
		if (rc == 0)
			rc = verifier_put(&b, &v);
	}
	if (rc == 0)
		rc = emit(arg, frame, buf_used(&b));
	explicit_bzero(&v, sizeof(v));
	explicit_bzero(frame, sizeof(frame));
	return rc;
}

struct server_conf_decoder *
server_conf_decoder_new(struct server_conf *c)
{
	struct server_conf_decoder *d = calloc(1, sizeof(*d));

	memset(c, 0, sizeof(*c));
	if (d == NULL)
		return NULL;
	d->c = c;
	d->unpack = unpack_new(&conf_schema, c);
	if (d->unpack == NULL) {
		free(d);
		return NULL;
	}
	return d;
}

/* What server_conf_load() promises beyond the rows. */
static bool
is_whole(const struct server_conf *c)
{
	for (size_t i = 1; i < c->users.n; i++) {
		if (strcmp(c->users.v[i - 1].id, c->users.v[i].id) >= 0)
			return false;
	}
	return listens(c) && c->host_key[0] == '/' && c->socket[0] == '/';
}

int
server_conf_decode(struct server_conf_decoder *d, const void *frame, size_t n)
{
	int rc = unpack_frame(d->unpack, frame, n);

	if (rc == 1 && (!is_whole(d->c) || compile_regexes(d->c) == -1))
		return -1;
	return rc;
}

void
server_conf_decoder_free(struct server_conf_decoder *d)
{
	if (d == NULL)
		return;
	unpack_free(d->unpack);
	free(d);
}

static int
against_id(const void *id, const void *user)
{
	return strcmp(id, ((const struct conf_user *)user)->id);
}

const struct conf_user *
server_conf_user(const struct server_conf *c, const char *id)
{
	if (c->users.n == 0)
		return NULL;
	return bsearch(
	    id, c->users.v, c->users.n, sizeof(c->users.v[0]), against_id);
}

struct limits
server_conf_limits(const struct server_conf *c, const struct conf_user *u)
{
	struct limits l = c->limits;

	l.regexes = c->regexes;
	if (u == NULL)
		return l;
	if ((u->set & USER_SET_TUNNELS) != 0)
		l.tunnels = u->limits.tunnels;
	if ((u->set & USER_SET_SPEED) != 0)
		l.speed = u->limits.speed;
	if ((u->set & USER_SET_STREAMS) != 0)
		l.streams = u->limits.streams;
	if ((u->set & USER_SET_HOSTS_NUMBER) != 0)
		l.hosts_number = u->limits.hosts_number;
	if ((u->set & USER_SET_HOSTS_REGEX) != 0)
		l.hosts_regex = u->limits.hosts_regex;
	if ((u->set & USER_SET_HOSTS_WITH_ID) != 0)
		l.hosts_with_id = u->limits.hosts_with_id;
	if ((u->set & USER_SET_TCP) != 0)
		l.tcp = u->limits.tcp;
	if ((u->set & USER_SET_UDP) != 0)
		l.udp = u->limits.udp;
	return l;
}

bool
server_conf_any_client(const struct server_conf *c)
{
	if ((c->set & CONF_SET_ANY_CLIENT) != 0)
		return c->allow_any_client;
	return (c->set & (CONF_SET_USERS | CONF_SET_AUTH_URL)) == 0;
}

bool
server_conf_name_taken(const char *id, const char *label, bool with_id,
    bool (*is_id)(void *arg, const char *label), void *arg)
{
	char owner[TEXT_LABEL_MAX + 1];
	size_t n = strlen(label), own = strlen(id);

	if (n > TEXT_LABEL_MAX || strcmp(label, id) == 0)
		return false;
	if (is_id(arg, label))
		return true;
	/*
	 * a-b-c of `a` could be taken for c of `a-b`: the longest id that the
	 * label begins with owns it.
	 */
	for (size_t i = own + 1; with_id && i < n; i++) {
		if (label[i] != '-')
			continue;
		memcpy(owner, label, i);
		owner[i] = '\0';
		if (is_id(arg, owner))
			return true;
	}
	return false;
}

bool
limits_allow_prefix(const struct limits *l, const char *prefix)
{
	bool match = l->hosts_regex.n == 0;

	for (size_t i = 0; i < l->hosts_regex.n && !match; i++)
		match = regexes_match(l->regexes, l->hosts_regex.v[i], prefix);
	return match;
}
