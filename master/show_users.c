/* `ptpctl show users`: who may log in, and what each may have. */
#include "master/show_users.h"

#include "master/clients.h"
#include "master/limits.h"
#include "master/holdings.h"
#include "master/sessions.h"

struct walk {
	struct master *m;
	struct ctl_call *call;
};

/* What it has now, and at most (0: any number). */
static void
put_figures(struct ctl_row *row, const struct walk *walk,
    const struct client *client, const struct limits *l)
{
	ctl_row_num(row, "tunnels", client != NULL ? client->tunnels : 0);
	ctl_row_num(row, "tunnels_most", l->tunnels);
	ctl_row_num(row, "streams", client != NULL ? client->users : 0);
	ctl_row_num(row, "streams_most", l->streams);
	ctl_row_num(row, "names",
	    client != NULL ? holdings_names(walk->m, client, NULL) : 0);
	ctl_row_num(row, "names_most", l->hosts_number);
	ctl_row_num(row, "speed", l->speed);
}

static void
put_user(struct walk *walk, const char *id, const char *method, bool configured)
{
	const struct client *client = clients_find(walk->m->clients, id);
	const struct conf_user *user =
	    configured ? server_conf_user(&walk->m->conf, id) : NULL;
	struct limits l = server_conf_limits(&walk->m->conf, user);
	struct ctl_row row;

	ctl_row_begin(&row);
	ctl_row_str(&row, "id", id);
	ctl_row_str(&row, "method", method);
	ctl_row_bool(&row, "held", client != NULL && client->held);
	ctl_row_str(
	    &row, "state", client != NULL ? sessions_state(client) : "away");
	put_figures(&row, walk, client, &l);
	ctl_row(walk->call, &row);
}

/* Those that came without being configured. */
static void
put_stranger(void *arg, void *value)
{
	struct walk *walk = arg;
	const struct client *client = value;

	if (server_conf_user(&walk->m->conf, client->id) != NULL)
		return;
	if (client->held)
		put_user(walk, client->id, "first secret", false);
	else if (client->vouched)
		put_user(walk, client->id, "auth.url", false);
}

void
show_users(struct master *m, struct ctl_call *call)
{
	static const char *const methods[] = { [VERIFIER_SECRET] = "secret",
		[VERIFIER_PUBKEY] = "key",
		[VERIFIER_HASH] = "secret_hash" };
	const struct conf_user_list *users = &m->conf.users;
	struct walk walk = { m, call };

	for (size_t i = 0; i < users->n; i++)
		put_user(
		    &walk, users->v[i].id, methods[users->v[i].method], true);
	clients_each(m->clients, put_stranger, &walk);
}
