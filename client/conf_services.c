/* The services of a client's configuration. */
#include "client/conf_services.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/conf_ports.h"
#include "client/conf_schema.h"
#include "client/gates.h"
#include "common/base/service_name.h"
#include "common/conf/checks.h"
#include "common/conf/hostport.h"
#include "common/conf/paths.h"
#include "common/http/host.h"
#include "common/http/name.h"

#define OPERAND_KEYS_MAX 64 /* key=value of one operand */

static const struct {
	const char *prefix;
	enum local_scheme scheme;
	uint16_t port;
} schemes[] = {
	{ "http://", LOCAL_HTTP, 80 },
	{ "https://", LOCAL_HTTPS, 443 },
	{ "tcp://", LOCAL_TCP, 0 },
	{ "tls://", LOCAL_TLS, 443 },
	{ "unix:", LOCAL_UNIX, 0 },
	{ "udp://", LOCAL_UDP, 0 },
};

#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

const char *
conf_services_check_name(const char *name)
{
	char text[TEXT_NAME_MAX + 1];
	struct addr ip;

	if (service_name_parse(text, name, strlen(name)) != -1)
		return NULL;
	if (addr_parse_ip(&ip, name) == 0)
		return "expected a virtual address with its port, as "
		       "\"192.168.1.1:3000\"";
	return "expected a prefix as \"web\", a full name as "
	       "\"www.example.com\", a wildcard as \"*.example.org\" or a "
	       "virtual address as \"192.168.1.1:3000\"";
}

const char *
conf_services_check_host(const char *host)
{
	if (host[0] == '\0' || host_valid(host, strlen(host)))
		return NULL;
	return "expected true, false or a host, maybe with port";
}

const char *
conf_services_check_remove(const char *name)
{
	static const char *const kept[] = { "host", "content-length",
		"transfer-encoding" };
	char folded[NAME_KNOWN_MAX];
	size_t n = 0;

	for (; n < sizeof(folded) - 1 && name[n] != '\0'; n++)
		folded[n] = name_folded[(uint8_t)name[n]];
	folded[n] = '\0';
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (strcmp(folded, kept[i]) == 0)
			return "expected a field that a request can do without";
	}
	return checks_header(name);
}

/* Replace a string that *s owns. */
static const char *
replace(char **s, const char *by)
{
	char *copy = strdup(by);

	if (copy == NULL)
		return strerror(ENOMEM);
	free(*s);
	*s = copy;
	return NULL;
}

static const char *
take_unix(struct client_service *s, const char *path)
{
	if (path[0] != '/' || strlen(path) > CONF_SOCKET_MAX)
		return "expected unix: and an absolute path of at most 107 "
		       "bytes";
	strcpy(s->local.path, path);
	return NULL;
}

/* "host[:port]", and maybe one "/", which is dropped. */
static const char *
take_host(struct client_service *s, const char *text, uint16_t usual)
{
	size_t n = strlen(text);
	const char *expected;

	if (n > 0 && text[n - 1] == '/')
		s->local_text[strlen(s->local_text) - 1] = '\0';
	if (strchr(text, '/') != NULL)
		return "expected a host and port without a path";
	expected = hostport_parse(
	    s->local.host, &s->local.port, usual, text, strlen(text));
	if (expected == NULL && s->local.port == 0)
		expected = "expected a port, as tcp://127.0.0.1:22";
	return expected;
}

/* Take local_text apart; a bare port is made a whole address. */
static const char *
take_local(struct client_service *s)
{
	char whole[32];
	uint16_t port;

	if (addr_parse_port(&port, s->local_text) == 0 && port != 0) {
		snprintf(whole, sizeof(whole), "http://127.0.0.1:%u", port);
		if (replace(&s->local_text, whole) != NULL)
			return strerror(ENOMEM);
	}
	for (size_t i = 0; i < SCHEMES; i++) {
		size_t n = strlen(schemes[i].prefix);

		if (strncmp(s->local_text, schemes[i].prefix, n) != 0)
			continue;
		s->local.scheme = schemes[i].scheme;
		if (schemes[i].scheme == LOCAL_UNIX)
			return take_unix(s, s->local_text + n);
		return take_host(s, s->local_text + n, schemes[i].port);
	}
	return "expected http://host:port, https://host:port, tls://host:port, "
	       "tcp://host:port, udp://host:port, unix:/path or a port";
}

/* rewrite_host = true means the host of local. */
static const char *
complete_rewrite(struct client_service *s)
{
	char host[HOSTPORT_TEXT];
	bool https = s->local.scheme == LOCAL_HTTPS;

	if (s->rewrite_host == NULL || s->rewrite_host[0] != '\0')
		return NULL;
	if (s->local.scheme == LOCAL_UNIX)
		return replace(&s->rewrite_host, "localhost");
	return replace(&s->rewrite_host,
	    hostport_format(
		host, s->local.host, s->local.port, https ? 443 : 80));
}

/* Bring the names, which are valid, into their one form. */
static const char *
complete_names(struct client_service *s)
{
	char form[TEXT_NAME_MAX + 1];
	const char *fault = NULL;

	for (size_t i = 0; i < s->names.n && fault == NULL; i++) {
		const char *name = s->names.v[i];

		if (service_name_parse(form, name, strlen(name)) != -1)
			fault = replace(&s->names.v[i], form);
	}
	return fault;
}

/* Where nobody sees a request, nothing can be done about requests. */
static void
check_passed(const struct client_service *s, const struct schema_place *at)
{
	const char *key = NULL;

	if (s->local.scheme != LOCAL_TLS)
		return;
	if (s->rewrite_host != NULL)
		key = "rewrite_host";
	else if (s->remove_headers.n > 0)
		key = "remove_headers";
	else if (s->basic != NULL)
		key = "basic";
	if (key != NULL)
		schema_fault(
		    at, key, "expected a local of http:// or https:// with it");
}

bool
conf_services_apart(
    const struct client_service *a, const struct client_service *b)
{
	return (a->local.scheme == LOCAL_TLS) != (b->local.scheme == LOCAL_TLS);
}

void
conf_services_finish(void *service, const struct schema_place *at)
{
	struct client_service *s = service;
	const char *expected = NULL;

	s->file = at->file;
	s->line = at->line;
	if ((s->set & CLIENT_SERVICE_LOCAL) == 0)
		expected = "expected what to serve, as \"http://127.0.0.1:80\"";
	else if (s->local_text != NULL)
		expected = take_local(s);
	if (expected != NULL) {
		schema_fault(at, "local", "%s", expected);
		return;
	}
	expected = complete_names(s);
	if (expected != NULL)
		schema_fault(at, "name", "%s", expected);
	expected = complete_rewrite(s);
	if (expected != NULL)
		schema_fault(at, "rewrite_host", "%s", expected);
	if (s->local.scheme == LOCAL_UDP &&
	    (s->set & CLIENT_SERVICE_TIMEOUT) == 0)
		s->timeout = CLIENT_UDP_TIMEOUT;
	conf_ports_finish(s, at);
	check_passed(s, at);
	gates_finish(s, at);
	if (s->tls_ca != NULL && paths_absolute(&s->tls_ca) == -1)
		schema_fault(at, "tls_ca", "%s", strerror(errno));
}

/* Split a copy of an operand at its commas. Returns how many pieces. */
static size_t
split(char *text, const char **piece, size_t max)
{
	size_t n = 0;
	char *next;

	for (char *p = text; p != NULL && n < max; p = next) {
		next = strchr(p, ',');
		if (next != NULL)
			*next++ = '\0';
		piece[n++] = p;
	}
	return n;
}

/* One "LOCAL[,key=value...]" into a zeroed service. */
static void
load_operand(struct client_service *s, const char *operand,
    const struct schema_place *at)
{
	const char *piece[OPERAND_KEYS_MAX + 2] = { "" };
	struct schema_input in = { .options = piece,
		.source = at->file,
		.prefix = at->key,
		.append = true };
	char *text, *local;

	if (asprintf(&text, "%s", operand) == -1) {
		schema_fault(at, NULL, "%s", strerror(ENOMEM));
		return;
	}
	in.noptions = split(text, piece, OPERAND_KEYS_MAX + 2);
	if (in.noptions > OPERAND_KEYS_MAX + 1)
		schema_fault(at, NULL, "expected fewer keys");
	else if (asprintf(&local, "local=%s", piece[0]) == -1)
		schema_fault(at, NULL, "%s", strerror(ENOMEM));
	else {
		piece[0] = local;
		schema_load(&conf_schema_service, s, &in, at->faults);
		conf_services_finish(s, at);
		free(local);
	}
	free(text);
}

void
conf_services_operands(struct client_service_list *list,
    const char *const *operands, size_t n, struct faults *f)
{
	/* Not the operand itself: a value in it may be a secret. */
	struct schema_place at = { .faults = f, .file = "command line" };
	struct client_service *s;
	char key[32];

	at.key = key;
	for (size_t i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "services[%zu]", i);
		s = i < CONF_SERVICES_MAX ? lists_add(list, sizeof(*s)) : NULL;
		if (s == NULL) {
			schema_fault(&at, NULL, "expected at most %d services",
			    CONF_SERVICES_MAX);
			return;
		}
		load_operand(s, operands[i], &at);
	}
}

/* Name j of a service, the empty one standing for the id; or NULL. */
static const char *
name_of(const struct client_service *s, size_t j)
{
	if (s->names.n == 0)
		return j == 0 && !conf_ports_is_raw(s) ? "" : NULL;
	return j < s->names.n ? s->names.v[j] : NULL;
}

/* Whether one of the first n names of a service is this. */
static bool
has_name(const struct client_service *s, size_t n, const char *name)
{
	const char *other;

	for (size_t j = 0; j < n; j++) {
		other = name_of(s, j);
		if (other == NULL)
			break;
		if (strcmp(name, other) == 0)
			return true;
	}
	return false;
}

/* Whether a service before i, or an earlier name of i, has name j of i. */
static bool
is_taken(const struct client_service_list *list, size_t i, size_t j)
{
	const char *name = name_of(&list->v[i], j);

	for (size_t k = 0; k < i; k++) {
		if (!conf_services_apart(&list->v[k], &list->v[i]) &&
		    has_name(&list->v[k], CONF_NAMES_MAX, name))
			return true;
	}
	return has_name(&list->v[i], j, name);
}

/* Say that name j of service i is there twice. */
static void
twice(const struct client_service *s, size_t i, size_t j, struct faults *f)
{
	struct schema_place at = {
		.faults = f, .file = s->file, .line = s->line
	};
	const char *name = name_of(s, j);
	char key[64];

	snprintf(key, sizeof(key), "services[%zu]", i);
	at.key = key;
	if (name[0] == '\0')
		schema_fault(&at, "name",
		    "expected a name: another service has the id already");
	else
		schema_fault(&at, "name",
		    "expected each name once: \"%s\" is there twice", name);
}

/* Say that service i asks for a port that another one before it asks for. */
static void
check_port(const struct client_service_list *list, size_t i, struct faults *f)
{
	const struct client_service *s = &list->v[i];
	struct schema_place at = {
		.faults = f, .file = s->file, .line = s->line
	};
	char key[64];

	for (size_t k = 0; k < i; k++) {
		if (!conf_ports_collide(&list->v[k], s))
			continue;
		snprintf(key, sizeof(key), "services[%zu]", i);
		at.key = key;
		schema_fault(&at, "port",
		    "expected each port once: services[%zu] has it too", k);
		return;
	}
}

void
conf_services_check_unique(
    const struct client_service_list *list, struct faults *f)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct client_service *s = &list->v[i];

		check_port(list, i, f);
		for (size_t j = 0; name_of(s, j) != NULL; j++) {
			if (is_taken(list, i, j))
				twice(s, i, j, f);
		}
	}
}
