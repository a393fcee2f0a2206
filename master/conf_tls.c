/* What a server's configuration says of certificates. */
#include "master/conf_tls.h"

#include <errno.h>
#include <string.h>

#include "common/conf/paths.h"

/* As text_name() has the names that users ask for. */
static void
fold(char *name)
{
	size_t n = strlen(name);

	if (n > 1 && name[n - 1] == '.')
		name[n - 1] = '\0';
}

void
conf_tls_finish(void *host, const struct schema_place *at)
{
	struct conf_tls_host *h = host;

	h->file = at->file;
	h->line = at->line;
	h->index = at->index;
	if (h->name != NULL)
		fold(h->name);
	if ((h->set & CONF_TLS_NAME) == 0)
		schema_fault(at, "name", "expected a server name");
	if ((h->set & CONF_TLS_CERT) == 0)
		schema_fault(at, "cert", "expected a path");
	else if (paths_absolute(&h->cert) == -1)
		schema_fault(at, "cert", "%s", strerror(errno));
	if ((h->set & CONF_TLS_KEY) == 0)
		schema_fault(at, "key", "expected a path");
	else if (paths_absolute(&h->key) == -1)
		schema_fault(at, "key", "%s", strerror(errno));
}

/* tls.cert or tls.key, and where it stands. */
static void
complete(struct server_conf *c, char **path, bool of_key,
    const struct schema_input *in, struct faults *f)
{
	struct schema_place at =
	    schema_locate(in, of_key ? "tls.key" : "tls.cert", f);

	c->tls_at[of_key].file = at.file;
	c->tls_at[of_key].line = at.line;
	if (*path != NULL && paths_absolute(path) == -1)
		schema_fault(&at, NULL, "%s", strerror(errno));
}

static void
check_names(const struct server_conf *c, struct faults *f)
{
	const struct conf_tls_host *v = c->tls_hosts.v;

	for (size_t i = 1; i < c->tls_hosts.n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (v[i].name != NULL && v[j].name != NULL &&
			    strcmp(v[i].name, v[j].name) == 0)
				faults_add(f, v[i].file, v[i].line, "tls.hosts",
				    "expected each name once: \"%s\" is there "
				    "twice",
				    v[i].name);
		}
	}
}

void
conf_tls_complete(
    struct server_conf *c, const struct schema_input *in, struct faults *f)
{
	struct schema_place at = schema_locate(in, "listen.tls", f);

	complete(c, &c->tls_cert, false, in, f);
	complete(c, &c->tls_key, true, in, f);
	if (c->tls_cert != NULL && c->tls_key == NULL)
		faults_add(f, c->tls_at[0].file, c->tls_at[0].line, "tls.key",
		    "expected the path of tls.cert's key");
	if (c->tls_key != NULL && c->tls_cert == NULL)
		faults_add(f, c->tls_at[1].file, c->tls_at[1].line, "tls.cert",
		    "expected the path of tls.key's certificate");
	if (c->listen_tls.n > 0 && !conf_tls_wanted(c))
		schema_fault(&at, NULL,
		    "expected tls.cert and tls.key, or tls.hosts, with it");
	check_names(c, f);
}

bool
conf_tls_wanted(const struct server_conf *c)
{
	return c->tls_cert != NULL || c->tls_hosts.n > 0;
}
