/* The records of a state file. */
#include "master/state_records.h"

#include <string.h>

#include "master/listeners.h"

static void
put_fd(struct buf *b, int fd)
{
	buf_put_u32(b, fd == -1 ? UINT32_MAX : (uint32_t)fd);
}

static void
get_fd(struct buf *b, int *fd)
{
	uint32_t v = UINT32_MAX;

	buf_get_u32(b, &v);
	*fd = v > INT32_MAX ? -1 : (int)v;
}

static void
get_bool(struct buf *b, bool *v)
{
	uint8_t byte = 0;

	buf_get_u8(b, &byte);
	*v = byte != 0;
}

static int
done(const struct buf *b)
{
	return buf_done(b) ? 0 : -1;
}

/* Append what b holds, if it fitted. */
static void
append(struct state_writer *w, enum state_type type, const struct buf *b,
    const uint8_t *space)
{
	/* Too long a record makes the whole fail, as it must. */
	state_append(
	    w, type, space, buf_ok(b) ? buf_used(b) : STATE_RECORD_MAX + 1);
}

void
state_put_head(struct state_writer *w, const struct state_head *r)
{
	uint8_t space[STATE_PATH + 1024];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u32(&b, STATE_VERSION);
	put_fd(&b, r->args_fd);
	put_fd(&b, r->cwd_fd);
	put_fd(&b, r->exe_fd);
	put_fd(&b, r->ctl_fd);
	put_fd(&b, r->call_fd);
	put_fd(&b, r->certs_fd);
	put_fd(&b, r->keys_fd);
	buf_put_u64(&b, r->started);
	buf_put_u32(&b, r->exe_uid);
	buf_put_u32(&b, r->exe_dir_uid);
	buf_put_cstr16(&b, r->exe_path);
	buf_put_u8(&b, r->any_client);
	buf_put_u8(&b, r->privileged);
	buf_put_u8(&b, r->feed_usable);
	buf_put_u32(&b, r->feed_generation);
	for (size_t i = 0; i < REALMS; i++) {
		buf_put_u32(&b, r->uids.uid[i]);
		buf_put_u32(&b, r->uids.gid[i]);
	}
	buf_put_cstr8(&b, r->jail);
	buf_put(&b, r->host_public, sizeof(r->host_public));
	buf_put_cstr8(&b, r->socket);
	append(w, STATE_HEAD, &b, space);
}

int
state_get_head(struct state_head *r, struct buf *b)
{
	uint32_t version = 0;

	if (buf_get_u32(b, &version) == -1 || version != STATE_VERSION)
		return -1;
	get_fd(b, &r->args_fd);
	get_fd(b, &r->cwd_fd);
	get_fd(b, &r->exe_fd);
	get_fd(b, &r->ctl_fd);
	get_fd(b, &r->call_fd);
	get_fd(b, &r->certs_fd);
	get_fd(b, &r->keys_fd);
	buf_get_u64(b, &r->started);
	buf_get_u32(b, &r->exe_uid);
	buf_get_u32(b, &r->exe_dir_uid);
	buf_get_cstr16(b, r->exe_path, sizeof(r->exe_path));
	get_bool(b, &r->any_client);
	get_bool(b, &r->privileged);
	get_bool(b, &r->feed_usable);
	buf_get_u32(b, &r->feed_generation);
	for (size_t i = 0; i < REALMS; i++) {
		buf_get_u32(b, &r->uids.uid[i]);
		buf_get_u32(b, &r->uids.gid[i]);
	}
	buf_get_cstr8(b, r->jail, sizeof(r->jail));
	buf_get(b, r->host_public, sizeof(r->host_public));
	buf_get_cstr8(b, r->socket, sizeof(r->socket));
	return done(b);
}

void
state_put_listener(struct state_writer *w, const struct state_listener *r)
{
	uint8_t space[64];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u8(&b, r->kind);
	addr_put(&b, &r->asked);
	buf_put_u16(&b, r->number);
	put_fd(&b, r->fd);
	append(w, STATE_LISTENER, &b, space);
}

int
state_get_listener(struct state_listener *r, struct buf *b)
{
	buf_get_u8(b, &r->kind);
	addr_get(b, &r->asked);
	buf_get_u16(b, &r->number);
	get_fd(b, &r->fd);
	if (r->kind == 0 || r->kind >= LISTENER_KINDS)
		return -1;
	return done(b);
}

void
state_put_worker(struct state_writer *w, const struct state_worker *r)
{
	uint8_t space[64];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u8(&b, r->role);
	buf_put_u8(&b, r->state);
	buf_put_u16(&b, r->index);
	buf_put_u32(&b, r->pid);
	put_fd(&b, r->fd);
	buf_put_u8(&b, r->full);
	buf_put_u8(&b, r->posted);
	buf_put_u64(&b, r->started);
	append(w, STATE_WORKER, &b, space);
}

int
state_get_worker(struct state_worker *r, struct buf *b)
{
	buf_get_u8(b, &r->role);
	buf_get_u8(b, &r->state);
	buf_get_u16(b, &r->index);
	buf_get_u32(b, &r->pid);
	get_fd(b, &r->fd);
	get_bool(b, &r->full);
	get_bool(b, &r->posted);
	buf_get_u64(b, &r->started);
	return done(b) == 0 && r->role < ROLE_COUNT ? 0 : -1;
}

void
state_put_client(struct state_writer *w, const struct state_client *r)
{
	uint8_t space[160];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_cstr8(&b, r->id);
	buf_put_u32(&b, r->number);
	buf_put_u8(&b, r->held);
	buf_put_u8(&b, r->vouched);
	addr_put(&b, &r->held_from);
	buf_put_u64(&b, r->total);
	buf_put_u64(&b, r->up);
	buf_put_u64(&b, r->down);
	append(w, STATE_CLIENT, &b, space);
}

int
state_get_client(struct state_client *r, struct buf *b)
{
	buf_get_cstr8(b, r->id, sizeof(r->id));
	buf_get_u32(b, &r->number);
	get_bool(b, &r->held);
	get_bool(b, &r->vouched);
	addr_get(b, &r->held_from);
	buf_get_u64(b, &r->total);
	buf_get_u64(b, &r->up);
	buf_get_u64(b, &r->down);
	return done(b);
}

void
state_put_session(struct state_writer *w, const struct state_session *r)
{
	uint8_t space[STATE_RECORD_MAX];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u64(&b, r->generation);
	buf_put_cstr8(&b, r->id);
	buf_put_u8(&b, r->state);
	buf_put(&b, r->instance, sizeof(r->instance));
	buf_put_u32(&b, r->relay);
	buf_put_u64(&b, r->since);
	buf_put_u16(&b, r->port);
	buf_put_u8(&b, r->told);
	for (size_t i = 0; i < STATE_TICKETS; i++) {
		buf_put(&b, r->tickets[i].id, TICKET_ID);
		buf_put_u64(&b, r->tickets[i].issued);
	}
	buf_put_u8(&b, r->restricted);
	names_put(&b, &r->allowed);
	buf_put_str16(&b, r->offer, r->offer_len);
	append(w, STATE_SESSION, &b, space);
}

int
state_get_session(struct state_session *r, struct buf *b)
{
	const char *offer = NULL;

	buf_get_u64(b, &r->generation);
	buf_get_cstr8(b, r->id, sizeof(r->id));
	buf_get_u8(b, &r->state);
	buf_get(b, r->instance, sizeof(r->instance));
	buf_get_u32(b, &r->relay);
	buf_get_u64(b, &r->since);
	buf_get_u16(b, &r->port);
	get_bool(b, &r->told);
	for (size_t i = 0; i < STATE_TICKETS; i++) {
		buf_get(b, r->tickets[i].id, TICKET_ID);
		buf_get_u64(b, &r->tickets[i].issued);
	}
	get_bool(b, &r->restricted);
	names_get(b, &r->allowed);
	buf_get_str16(b, &offer, &r->offer_len);
	r->offer = (const uint8_t *)offer;
	return done(b);
}

void
state_put_route(struct state_writer *w, const struct state_route *r)
{
	uint8_t space[512];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u8(&b, r->table);
	buf_put_u8(&b, r->kind);
	buf_put_cstr8(&b, r->name);
	buf_put_cstr8(&b, r->id);
	buf_put_u64(&b, r->generation);
	buf_put_u16(&b, r->service);
	buf_put_u64(&b, r->since);
	buf_put_u8(&b, r->kept);
	append(w, STATE_ROUTE, &b, space);
}

int
state_get_route(struct state_route *r, struct buf *b)
{
	buf_get_u8(b, &r->table);
	buf_get_u8(b, &r->kind);
	buf_get_cstr8(b, r->name, sizeof(r->name));
	buf_get_cstr8(b, r->id, sizeof(r->id));
	buf_get_u64(b, &r->generation);
	buf_get_u16(b, &r->service);
	buf_get_u64(b, &r->since);
	get_bool(b, &r->kept);
	return done(b);
}

void
state_put_port(struct state_writer *w, const struct state_port *r)
{
	uint8_t space[64];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u8(&b, r->way);
	buf_put_u16(&b, r->number);
	buf_put_u16(&b, r->asked);
	buf_put_u16(&b, r->service);
	buf_put_u64(&b, r->generation);
	buf_put_u64(&b, r->since);
	put_fd(&b, r->fd);
	append(w, STATE_PORT, &b, space);
}

int
state_get_port(struct state_port *r, struct buf *b)
{
	buf_get_u8(b, &r->way);
	buf_get_u16(b, &r->number);
	buf_get_u16(b, &r->asked);
	buf_get_u16(b, &r->service);
	buf_get_u64(b, &r->generation);
	buf_get_u64(b, &r->since);
	get_fd(b, &r->fd);
	if ((r->way != GRANT_WAY_TCP && r->way != GRANT_WAY_UDP) ||
	    r->number == 0)
		return -1;
	return done(b);
}

void
state_put_conn(struct state_writer *w, const struct state_conn *r)
{
	uint8_t space[640];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	buf_put_u32(&b, r->id);
	buf_put_u32(&b, r->parent);
	buf_put_u32(&b, r->reroutes);
	buf_put_u8(&b, r->state);
	buf_put_u8(&b, r->tries);
	buf_put_u8(&b, r->handshake);
	buf_put_u8(&b, r->rerouted);
	buf_put_u8(&b, r->kind);
	buf_put_u8(&b, r->proxied);
	put_fd(&b, r->fd);
	msg_put_conn(&b, &r->who);
	buf_put_u32(&b, r->worker);
	buf_put_u64(&b, r->generation);
	buf_put_cstr8(&b, r->client);
	buf_put_u64(&b, r->since);
	buf_put_u16(&b, r->service);
	buf_put_u16(&b, r->skip);
	buf_put_cstr8(&b, r->name);
	append(w, STATE_CONN, &b, space);
}

int
state_get_conn(struct state_conn *r, struct buf *b)
{
	buf_get_u32(b, &r->id);
	buf_get_u32(b, &r->parent);
	buf_get_u32(b, &r->reroutes);
	buf_get_u8(b, &r->state);
	buf_get_u8(b, &r->tries);
	buf_get_u8(b, &r->handshake);
	get_bool(b, &r->rerouted);
	buf_get_u8(b, &r->kind);
	get_bool(b, &r->proxied);
	get_fd(b, &r->fd);
	if (msg_get_conn(b, &r->who) == -1)
		return -1;
	buf_get_u32(b, &r->worker);
	buf_get_u64(b, &r->generation);
	buf_get_cstr8(b, r->client, sizeof(r->client));
	buf_get_u64(b, &r->since);
	buf_get_u16(b, &r->service);
	buf_get_u16(b, &r->skip);
	buf_get_cstr8(b, r->name, sizeof(r->name));
	if (r->kind >= LISTENER_KINDS)
		return -1;
	return done(b);
}

void
state_put_source(struct state_writer *w, const struct state_source *r)
{
	uint8_t space[64];
	struct buf b;

	buf_write(&b, space, sizeof(space));
	addr_put(&b, &r->block);
	buf_put_u64(&b, r->failures);
	buf_put_u64(&b, r->failed);
	append(w, STATE_SOURCE, &b, space);
}

int
state_get_source(struct state_source *r, struct buf *b)
{
	addr_get(b, &r->block);
	buf_get_u64(b, &r->failures);
	buf_get_u64(b, &r->failed);
	return done(b);
}
