/* Tickets of a session, for its further tunnels. */
#include <sodium.h>
#include <string.h>

#include "common/base/buf.h"
#include "worker/relay/session.h"

/* Issue one ticket: the key is derived at both ends, its number is sent. */
void
session_ticket_issue(struct link *l)
{
	struct session *s = l->session;
	uint64_t now = turn_now(s->relay->turn);
	struct session_ticket *t = NULL;
	uint8_t payload[24];
	struct buf b;

	for (size_t i = 0; i < SESSION_TICKETS && t == NULL; i++) {
		if (s->tickets[i].until <= now)
			t = &s->tickets[i];
	}
	if (t == NULL)
		return;
	directory_remove_ticket(&s->relay->directory, t); /* expired */
	randombytes_buf(t->id, sizeof(t->id));
	t->session = s;
	directory_add_ticket(&s->relay->directory, t);
	ticket_next(s->root, t->key);
	t->until = now + SESSION_TICKET_LIFE;
	buf_write(&b, payload, sizeof(payload));
	buf_put_u64(&b, s->generation);
	buf_put(&b, t->id, sizeof(t->id));
	chan_send(s->relay->chan, MSG_TICKET, 0, payload, buf_used(&b), -1);
	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, s->ticket_number++);
	buf_put(&b, t->id, sizeof(t->id));
	tunnel_control(l->tunnel, FRAME_TICKET, payload, buf_used(&b));
}

struct session *
session_ticket_take(
    struct relay *r, const uint8_t id[TICKET_ID], uint8_t key[TICKET_KEY])
{
	struct session_ticket *t = directory_find_ticket(&r->directory, id);
	struct session *s;

	if (t == NULL || t->until <= turn_now(r->turn))
		return NULL;
	memcpy(key, t->key, TICKET_KEY);
	s = t->session;
	directory_remove_ticket(&r->directory, t);
	sodium_memzero(t, sizeof(*t));
	return s;
}
