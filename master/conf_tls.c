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

/* The path of a pair's certificate or key, and where it stands. */
static void
complete(struct conf_pair *p, char **path, bool of_key, const char *name,
    const struct schema_input *in, struct faults *f)
{
	struct schema_place at = schema_locate(in, name, f);

	p->at[of_key].file = at.file;
	p->at[of_key].line = at.line;
	if (*path != NULL && paths_absolute(path) == -1)
		schema_fault(&at, NULL, "%s", strerror(errno));
}

/* Neither goes without the other. */
static void
complete_pair(struct conf_pair *p, const char *cert, const char *key,
    const struct schema_input *in, struct faults *f)
{
	complete(p, &p->cert, false, cert, in, f);
	complete(p, &p->key, true, key, in, f);
	if (p->cert != NULL && p->key == NULL)
		faults_add(f, p->at[0].file, p->at[0].line, key,
		    "expected the path of %s's key", cert);
	if (p->key != NULL && p->cert == NULL)
		faults_add(f, p->at[1].file, p->at[1].line, cert,
		    "expected the path of %s's certificate", key);
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

	complete_pair(&c->tls_pair, "tls.cert", "tls.key", in, f);
	complete_pair(&c->api_pair, "api.cert", "api.key", in, f);
	if (c->listen_tls.n > 0 && !conf_tls_wanted(c))
		schema_fault(&at, NULL,
		    "expected tls.cert and tls.key, or tls.hosts, with it");
	check_names(c, f);
}

bool
conf_tls_wanted(const struct server_conf *c)
{
	return c->tls_pair.cert != NULL || c->tls_hosts.n > 0;
}
