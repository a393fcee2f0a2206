/* The servers of a client's configuration. */
#include "client/conf_servers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/keyfile.h"
#include "common/conf/secret.h"
#include "common/crypto/keytext.h"

const char *
conf_servers_check(const char *address)
{
	struct server_addr a;
	const char *expected = server_addr_parse(&a, address);

	if (expected == NULL && a.scheme != SERVER_TCP)
		expected = "expected tcp:// (tls, ws, wss and udp are not in "
			   "this version)";
	server_addr_wipe(&a);
	return expected;
}

void
conf_servers_arguments(struct client_conf *c, const char *const *servers,
    size_t n, struct faults *f)
{
	const char *expected;
	char **slot;

	for (size_t i = 0; i < n; i++) {
		expected = conf_servers_check(servers[i]);
		if (expected != NULL) {
			faults_add(f, "-s", 0, NULL, "%s", expected);
			continue;
		}
		slot = c->server.n < CONF_SERVERS_MAX
		    ? lists_add(&c->server, sizeof(*slot))
		    : NULL;
		if (slot != NULL)
			*slot = strdup(servers[i]);
		if (slot == NULL || *slot == NULL)
			faults_add(f, "-s", 0, NULL,
			    "expected at most %d servers", CONF_SERVERS_MAX);
	}
}

/* Read the secret that the keys give, into dst; "" if there is none. 0 or -1.
 */
static int
read_secret(char dst[SECRET_MAX + 1], struct client_conf *c,
    const struct schema_input *in, struct faults *f)
{
	const char *key = c->secret_file != NULL ? "secret_file" : "secret";
	struct schema_place at = schema_locate(in, key, f);
	const char *fault = NULL;
	char why[SECRET_WHY];
	int given =
	    (c->secret != NULL) + (c->secret_file != NULL) + (c->key != NULL);

	dst[0] = '\0';
	if (given > 1) {
		fault = "expected only one of secret, secret_file, key";
	} else if (c->secret != NULL) {
		if (secret_resolve(&c->secret, why) == -1)
			fault = why;
		else
			memcpy(dst, c->secret, strlen(c->secret) + 1);
	} else if (c->secret_file != NULL) {
		fault = secret_read(dst, c->secret_file);
		if (fault != NULL)
			schema_fault(
			    &at, NULL, "%s: %s", c->secret_file, fault);
		return fault == NULL ? 0 : -1;
	}
	if (fault != NULL)
		schema_fault(&at, NULL, "%s", fault);
	return fault == NULL ? 0 : -1;
}

/* It is read when it is needed; that it can be is seen now. */
static void
check_key(
    struct client_conf *c, const struct schema_input *in, struct faults *f)
{
	struct schema_place at = schema_locate(in, "key", f);
	uint8_t key[KEYTEXT_KEY];
	char why[KEYFILE_WHY];

	if (c->key != NULL && keyfile_read(c->key, key, why) == -1)
		schema_fault(&at, NULL, "%s", why);
	explicit_bzero(key, sizeof(key));
}

/* The secret of an address may be a file's name. 0, or -1 and why. */
static int
resolve(struct server_addr *a, char why[SECRET_WHY])
{
	char *secret = strdup(a->secret);
	int ret;

	if (secret == NULL) {
		snprintf(why, SECRET_WHY, "%s", strerror(ENOMEM));
		return -1;
	}
	if ((ret = secret_resolve(&secret, why)) == 0)
		memcpy(a->secret, secret, strlen(secret) + 1);
	explicit_bzero(secret, strlen(secret));
	free(secret);
	return ret;
}

/* Who we are at this server, and who it is, from the keys. */
static const char *
complete(struct server_addr *a, const struct client_conf *c, const char *secret)
{
	if (a->id[0] == '\0' && c->id == NULL)
		return "no id: add id = \"...\", or write it into the "
		       "address, tcp://id:secret@host";
	if (a->id[0] == '\0')
		memcpy(a->id, c->id, strlen(c->id) + 1);
	if (a->secret[0] == '\0' && secret[0] == '\0' && c->key == NULL)
		return "no secret: add secret = \"...\", secret_file or key, "
		       "or write it into the address, tcp://id:secret@host";
	if (a->secret[0] == '\0')
		memcpy(a->secret, secret, strlen(secret) + 1);
	if (!a->has_key && c->server_key != NULL) {
		keytext_decode(a->key, c->server_key, strlen(c->server_key));
		a->has_key = true;
	}
	return NULL;
}

void
conf_servers_fill(
    struct client_conf *c, const struct schema_input *in, struct faults *f)
{
	struct schema_place at = schema_locate(in, "server", f);
	char secret[SECRET_MAX + 1], why[SECRET_WHY];
	const char *expected;

	if (read_secret(secret, c, in, f) == -1)
		return;
	check_key(c, in, f);
	c->servers = calloc(c->server.n, sizeof(*c->servers));
	c->nservers = c->servers == NULL ? 0 : c->server.n;
	for (size_t i = 0; i < c->nservers; i++) {
		expected = server_addr_parse(&c->servers[i], c->server.v[i]);
		if (expected == NULL && resolve(&c->servers[i], why) == -1)
			expected = why;
		if (expected == NULL)
			expected = complete(&c->servers[i], c, secret);
		if (expected != NULL)
			schema_fault(&at, NULL, "%s", expected);
		explicit_bzero(c->server.v[i], strlen(c->server.v[i]));
	}
	if (c->secret != NULL)
		explicit_bzero(c->secret, strlen(c->secret));
	explicit_bzero(secret, sizeof(secret));
}
