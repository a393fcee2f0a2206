/* The client's configuration: loaded and completed. */
#include "client/conf.h"

#include <stdlib.h>
#include <string.h>

#include "client/conf_schema.h"
#include "client/conf_servers.h"
#include "client/conf_services.h"
#include "common/conf/paths.h"
#include "common/conf/source.h"

/* A key that an argument sets as well as -o: one of them came in vain. */
static void
refuse_option(const struct schema_input *in, const char *key,
    const char *argument, struct faults *f)
{
	struct schema_place at = schema_locate(in, key, f);

	if (at.file != NULL && at.line == 0)
		schema_fault(&at, NULL, "expected not beside %s", argument);
}

/* Fill in the paths that depend on who we are, and make all absolute. */
static void
complete_paths(
    struct client_conf *c, const struct schema_input *in, struct faults *f)
{
	if (c->known_servers == NULL)
		c->known_servers = paths_state(
		    "/var/db/ptp/known_servers", "ptp", "known_servers");
	if (c->socket == NULL)
		c->socket = paths_runtime("/run/ptp.sock", "ptp", "ptp.sock");
	schema_path(&c->known_servers, "known_servers", CONF_PATH_MAX, in, f);
	schema_path(&c->socket, "socket", CONF_SOCKET_MAX, in, f);
	if (c->log_file != NULL)
		schema_path(&c->log_file, "log.file", CONF_PATH_MAX, in, f);
	if (c->key != NULL)
		schema_path(&c->key, "key", CONF_PATH_MAX, in, f);
	if (c->secret_file != NULL)
		schema_path(
		    &c->secret_file, "secret_file", CONF_PATH_MAX, in, f);
}

/* What no single row can tell. */
static void
check_whole(
    struct client_conf *c, const struct schema_input *in, struct faults *f)
{
	struct schema_place at = schema_locate(in, "tunnel.idle", f);
	bool faulty = f->errors > 0;

	if (c->server.n == 0 && !(faulty && (c->set & CLIENT_SET_SERVER) != 0))
		faults_add(f, NULL, 0, "server",
		    "no server: add server = \"tcp://id:secret@host:port\" "
		    "(or -s tcp://id:secret@host:port)");
	if (c->services.n == 0 &&
	    !(faulty && (c->set & CLIENT_SET_SERVICES) != 0))
		faults_add(f, NULL, 0, "services",
		    "no service: add services = ( { local = "
		    "\"http://127.0.0.1:80\"; } ) (or http://127.0.0.1:80 on "
		    "the command line)");
	if (c->idle > c->connections)
		schema_fault(&at, NULL, "expected at most tunnel.connections");
	if (f->errors == 0) {
		conf_services_check_unique(&c->services, f);
		conf_servers_fill(c, in, f);
	}
}

/* All that comes after the file is parsed. */
static void
load(struct client_conf *c, const struct conf_args *args,
    const config_setting_t *root, struct faults *f)
{
	const char *ignore[3] = { NULL };
	size_t n = 0;
	struct schema_input in = { .group = root,
		.file = args->file,
		.options = args->options,
		.noptions = args->noptions,
		.source = "-o",
		.ignore = ignore };

	if (args->nservers > 0)
		ignore[n++] = "server";
	if (args->nservices > 0)
		ignore[n++] = "services";
	schema_load(&conf_schema_client, c, &in, f);
	if (args->nservers > 0) {
		refuse_option(&in, "server", "-s", f);
		c->set |= CLIENT_SET_SERVER;
		conf_servers_arguments(c, args->servers, args->nservers, f);
	}
	if (args->nservices > 0) {
		refuse_option(
		    &in, "services", "services of the command line", f);
		c->set |= CLIENT_SET_SERVICES;
		conf_services_operands(
		    &c->services, args->services, args->nservices, f);
	}
	complete_paths(c, &in, f);
	check_whole(c, &in, f);
}

int
client_conf_load(
    struct client_conf *c, const struct conf_args *args, struct faults *f)
{
	config_t cfg;

	memset(c, 0, sizeof(*c));
	if (source_file(&cfg, args->file, args->named, f) != -1)
		load(c, args, config_root_setting(&cfg), f);
	source_free(&cfg);
	if (f->errors == 0)
		return 0;
	client_conf_free(c);
	return -1;
}

void
client_conf_free(struct client_conf *c)
{
	for (size_t i = 0; i < c->nservers; i++)
		server_addr_wipe(&c->servers[i]);
	free(c->servers);
	schema_free(&conf_schema_client, c);
	memset(c, 0, sizeof(*c));
}
