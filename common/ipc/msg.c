/* The message table. */
#include "common/ipc/msg.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/crypto/signing.h"
#include "common/tunnel/names.h"

#define R(role) (1u << (ROLE_##role))
#define EVERY ((1u << ROLE_COUNT) - 1)
#define MOVERS (R(RELAY) | R(ENGINE)) /* who carries handshakes */
#define PROVERS (R(KEYS) | R(PROOF))  /* who makes them */
#define EDGES (R(HTTP) | R(SNI))      /* who peeks */
#define CONN_SIZE 41
#define ANY MSG_PAYLOAD_MAX
#define BLOB_MAX 1024
#define NAME_MAX8 256 /* a str8 at its longest */

/* name, min, max, down, up, fd, booting */
static const struct msg_row rows[MSG_TYPES] = {
	[MSG_BOOT] = { "BOOT", 17, 512, EVERY, 0, false, true },
	[MSG_READY] = { "READY", 4, 4, 0, EVERY, false, true },
	[MSG_LOG] = { "LOG", 1, 1024, 0, EVERY, false, true },
	[MSG_LEVEL] = { "LEVEL", 1, 1, EVERY, 0, false, true },
	[MSG_PING] = { "PING", 0, 0, EVERY, 0, false, false },
	[MSG_PONG] = { "PONG", 0, 0, 0, EVERY, false, false },
	[MSG_DRAIN] = { "DRAIN", 0, 0, EVERY, 0, false, false },
	[MSG_DRAINED] = { "DRAINED", 0, 0, 0, EVERY, false, false },
	[MSG_EXIT] = { "EXIT", 0, 0, EVERY, 0, false, true },
	[MSG_FULL] = { "FULL", 0, 0, 0, EVERY, false, false },
	[MSG_ROOM] = { "ROOM", 0, 0, 0, EVERY, false, false },

	[MSG_EDGE_CONF] = { "EDGE_CONF", 13, 80, EDGES, 0, false, true },
	[MSG_CONN] = { "CONN", CONN_SIZE + 1, CONN_SIZE + 1, EDGES | R(TLS), 0,
	    true, false },
	[MSG_ORIGIN] = { "ORIGIN", 2, 2 + 2 * ADDR_WIRE, 0, EDGES | R(TLS),
	    false, false },
	[MSG_VERDICT] = { "VERDICT", 2, 1 + NAME_MAX8, 0, EDGES, false, false },
	[MSG_NOROUTE] = { "NOROUTE", 6 + ADDR_WIRE, 6 + ADDR_WIRE, EDGES, 0,
	    true, false },
	[MSG_CLOSED] = { "CLOSED", 17, 17, 0, EDGES | R(RELAY) | R(TLS), false,
	    false },

	[MSG_RELAY_CONF] = { "RELAY_CONF", 28, 4096, R(RELAY), 0, false, true },
	[MSG_COUNTERS] = { "COUNTERS", 0, 0, R(RELAY), 0, true, true },
	[MSG_TUNNEL] = { "TUNNEL", CONN_SIZE + 4, CONN_SIZE + 20, R(RELAY), 0,
	    true, false },
	[MSG_PEER] = { "PEER", 0, 0, R(RELAY), 0, true, true },
	[MSG_CLIENT] = { "CLIENT", 25, 24 + NAME_MAX8, R(RELAY), 0, false,
	    false },
	[MSG_LIMITS] = { "LIMITS", 21, 21, R(RELAY), 0, false, false },
	[MSG_ATTACHED] = { "ATTACHED", 8, 8, 0, R(RELAY), false, false },
	[MSG_TICKET] = { "TICKET", 24, 24, 0, R(RELAY), false, false },
	[MSG_SERVICES] = { "SERVICES", 14, ANY, 0, R(RELAY), false, false },
	[MSG_GRANTED] = { "GRANTED", 14, ANY, R(RELAY), 0, false, false },
	[MSG_PROBE] = { "PROBE", 8, 8, R(RELAY), 0, false, false },
	[MSG_ALIVE] = { "ALIVE", 9, 9, 0, R(RELAY), false, false },
	[MSG_KICK] = { "KICK", 10, 9 + NAME_MAX8, R(RELAY), 0, false, false },

	[MSG_USER] = { "USER", CONN_SIZE + 14, CONN_SIZE + 13 + NAME_MAX8,
	    R(RELAY), 0, true, false },
	[MSG_ASK] = { "ASK", 1, NAME_MAX8, 0, R(RELAY), false, false },
	[MSG_ASK_SAME] = { "ASK_SAME", 10, 10, R(RELAY), 0, false, false },
	[MSG_ASK_FD] = { "ASK_FD", 0, 0, R(RELAY), 0, true, false },
	[MSG_ASK_NO] = { "ASK_NO", 2, 2, R(RELAY), 0, false, false },
	[MSG_BAR] = { "BAR", 1, 1, R(RELAY), 0, false, false },

	[MSG_API_CONN] = { "API_CONN", 0, 0, R(API), 0, true, false },
	[MSG_QUERY] = { "QUERY", 1, 1, 0, R(API), false, false },
	[MSG_QUERY_FD] = { "QUERY_FD", 0, 0, R(API), 0, true, false },
	[MSG_STATUS_USER] = { "STATUS_USER", 2, 400, R(AUTH), 0, false, true },
	[MSG_UDP_CONF] = { "UDP_CONF", 5, 4096, R(UDP), 0, false, true },
	[MSG_UDP_SERVICE] = { "UDP_SERVICE", 4, 4, R(UDP), 0, true, false },
	[MSG_UDP_PORT] = { "UDP_PORT", ADDR_WIRE, ADDR_WIRE, R(UDP), 0, true,
	    false },
	[MSG_UDP_GONE] = { "UDP_GONE", 2, 2, R(UDP), 0, false, false },
	[MSG_UDP_LOST] = { "UDP_LOST", 0, 0, 0, R(UDP), false, false },
	[MSG_UDP_DROPS] = { "UDP_DROPS", 8, 8, 0, R(UDP), false, false },
	[MSG_UDP_FLOWS] = { "UDP_FLOWS", 10, 10, R(RELAY), 0, true, false },

	[MSG_SHOW] = { "SHOW", 1, 1, MOVERS, 0, false, false },
	[MSG_ROW] = { "ROW", 0, 4096, 0, MOVERS, false, false },

	[MSG_HS_START] = { "HS_START", 3, 1024, PROVERS, 0, false, false },
	[MSG_HS_IN] = { "HS_IN", 1, BLOB_MAX, PROVERS, MOVERS, false, false },
	[MSG_HS_OUT] = { "HS_OUT", 1, BLOB_MAX, MOVERS, PROVERS, false, false },
	[MSG_HS_LOGIN] = { "HS_LOGIN", 147, 1200, R(AUTH), R(KEYS), false,
	    false },
	[MSG_HS_LOCKED] = { "HS_LOCKED", 0, 0, R(AUTH), 0, false, false },
	[MSG_HS_MORE] = { "HS_MORE", 1, BLOB_MAX, R(AUTH), R(KEYS), false,
	    false },
	[MSG_HS_REPLY] = { "HS_REPLY", 1, BLOB_MAX, R(KEYS), R(AUTH), false,
	    false },
	[MSG_HS_GRANT] = { "HS_GRANT", 20, 20 + NAME_MAX8 + NAMES_BYTES, 0,
	    R(AUTH), false, false },
	[MSG_HS_FINISH] = { "HS_FINISH", 2, BLOB_MAX, R(KEYS), 0, false,
	    false },
	[MSG_HS_KEYS] = { "HS_KEYS", 97, 97, MOVERS, PROVERS, false, false },
	[MSG_HS_FAIL] = { "HS_FAIL", 1, 80, EVERY, EVERY, false, false },

	[MSG_HOST_KEY] = { "HOST_KEY", 32, 32, R(KEYS), 0, false, true },
	[MSG_USERS] = { "USERS", 0, 0, R(AUTH), 0, true, true },
	[MSG_USERS_OK] = { "USERS_OK", 4, 4, 0, R(AUTH), false, false },
	[MSG_USERS_USE] = { "USERS_USE", 0, 0, R(AUTH), 0, false, false },
	[MSG_AUTH_CONF] = { "AUTH_CONF", 1, 1, R(AUTH), 0, false, true },
	[MSG_RELEASE] = { "RELEASE", 2, 64, R(AUTH), 0, false, false },

	[MSG_VOUCH] = { "VOUCH", 8, 1024, R(FETCH), R(AUTH), false, false },
	[MSG_VOUCHED] = { "VOUCHED", 6, 6 + NAMES_BYTES, R(AUTH), R(FETCH),
	    false, false },
	[MSG_VOUCH_LOST] = { "VOUCH_LOST", 0, 0, R(AUTH), 0, false, false },
	[MSG_FETCH_CONF] = { "FETCH_CONF", 12, 4096, R(FETCH), 0, false, true },
	[MSG_LOG_FILE] = { "LOG_FILE", 17, 17, R(REPORT), 0, true, false },
	[MSG_LOG_FULL] = { "LOG_FULL", 0, 0, 0, R(REPORT), false, false },
	[MSG_LINE] = { "LINE", 23, 1200, R(REPORT), 0, false, false },
	[MSG_ACCESS] = { "ACCESS", 0, 0, R(REPORT) | R(RELAY), 0, true, false },
	[MSG_EVENT] = { "EVENT", 23, 1200, R(FETCH), 0, false, false },
	[MSG_FETCH_CA] = { "FETCH_CA", 0, 0, R(FETCH), 0, true, true },

	[MSG_ENGINE_CONF] = { "ENGINE_CONF", 1, ANY, R(ENGINE), 0, false,
	    true },
	[MSG_DIAL] = { "DIAL", 7, 128, 0, R(ENGINE), false, false },
	[MSG_DIALED] = { "DIALED", 0, 0, R(ENGINE), 0, true, false },
	[MSG_DIAL_NO] = { "DIAL_NO", 4, 4, R(ENGINE), 0, false, false },
	[MSG_WANT] = { "WANT", 1, 1, 0, R(ENGINE), false, false },
	[MSG_LINK] = { "LINK", 1, 1, R(ENGINE), 0, true, false },
	[MSG_LINK_END] = { "LINK_END", 2, 1 + NAME_MAX8, 0, R(ENGINE), false,
	    false },
	[MSG_AWAY] = { "AWAY", 2, 1 + NAME_MAX8, 0, R(ENGINE), false, false },
	[MSG_IDENTITY] = { "IDENTITY", 1, 2048, R(PROOF), 0, false, true },
	[MSG_SERVER_KEY] = { "SERVER_KEY", 32, 32, 0, R(PROOF), false, false },
	[MSG_TRUST] = { "TRUST", 1, 1, R(PROOF), 0, false, false },
	[MSG_OFFER] = { "OFFER", 6, ANY, R(ENGINE), 0, false, true },
	[MSG_ANSWER] = { "ANSWER", 6, ANY, 0, R(ENGINE), false, false },
	[MSG_LOOKUP] = { "LOOKUP", 3, 2 + NAME_MAX8, R(RESOLVE), 0, false,
	    false },
	[MSG_FOUND] = { "FOUND", 1, 4096, 0, R(RESOLVE), false, false },
	[MSG_TLS_CONF] = { "TLS_CONF", 4, 512, R(LOCAL_TLS), 0, true, true },
	[MSG_TLS_CONN] = { "TLS_CONN", 2, 2, R(LOCAL_TLS), 0, true, false },
	[MSG_TLS_PLAIN] = { "TLS_PLAIN", 0, 0, R(LOCAL_TLS) | R(TLS), 0, true,
	    false },
	[MSG_TLS_RULES] = { "TLS_RULES", 16, 16, R(TLS), 0, false, true },
	[MSG_TLS_CERTS] = { "TLS_CERTS", 4, 4, R(TLS), 0, true, true },
	[MSG_TLS_TICKETS] = { "TLS_TICKETS", MSG_TICKET_KEY,
	    MSG_TICKET_KEYS_MAX *MSG_TICKET_KEY, R(TLS), 0, false, true },
	[MSG_TLS_KEYS] = { "TLS_KEYS", 4, 4, R(SIGN), 0, true, true },
	[MSG_TLS_SIGNER] = { "TLS_SIGNER", 0, 0, R(TLS) | R(SIGN), 0, true,
	    false },
	[MSG_HANDSHAKED] = { "HANDSHAKED", 6,
	    3 + 2 * NAME_MAX8 + 1 + MSG_EXPORTER, 0, R(TLS), false, false },
	[MSG_TLS_NO] = { "TLS_NO", 0, 0, R(TLS), 0, false, false },
	[MSG_SIGN] = { "SIGN", 19, 18 + SIGNING_CONTENT_MAX, R(SIGN), 0, false,
	    false },
	[MSG_SIGNED] = { "SIGNED", 0, SIGNING_SIGNATURE_MAX, R(TLS), 0, false,
	    false },
};

const struct msg_row *
msg_row(uint8_t type)
{
	if (type >= MSG_TYPES || rows[type].name == NULL)
		return NULL;
	return &rows[type];
}

void
msg_head(uint8_t *p, uint8_t type, uint32_t id, size_t n)
{
	struct buf b;

	buf_write(&b, p, MSG_HEAD);
	buf_put_u32(&b, id);
	buf_put_u32(&b, (uint32_t)type << 24 | (uint32_t)n);
}

size_t
msg_length(const uint8_t *p, size_t n)
{
	uint32_t conn, word = 0;
	struct buf b;
	size_t len;

	buf_read(&b, p, n);
	if (buf_get_u32(&b, &conn) == -1 || buf_get_u32(&b, &word) == -1)
		return 0;
	len = word & 0xffffff;
	return len <= buf_left(&b) ? MSG_HEAD + len : 0;
}

int
msg_check(const uint8_t *p, size_t n, enum role role, bool up, bool ready,
    uint32_t *id)
{
	const struct msg_row *row;
	uint32_t conn, word;
	struct buf b;
	size_t len;

	buf_read(&b, p, n);
	if (n > MSG_MAX || buf_get_u32(&b, &conn) == -1 ||
	    buf_get_u32(&b, &word) == -1)
		return -1;
	len = word & 0xffffff;
	if ((row = msg_row((uint8_t)(word >> 24))) == NULL ||
	    len != buf_left(&b) || len < row->min || len > row->max)
		return -1;
	if (((up ? row->up : row->down) & (1u << role)) == 0 ||
	    (!ready && !row->booting))
		return -1;
	*id = conn;
	return (int)(word >> 24);
}

const char *
role_name(enum role role)
{
	static const char *const names[ROLE_COUNT] = { "http", "relay", "keys",
		"auth", "sni", "tls", "udp", "fetch", "log", "api", "sign",
		"engine", "proof", "resolve", "tls" };

	return role < ROLE_COUNT ? names[role] : "?";
}

const char *
msg_end_text(enum msg_end e)
{
	static const char *const texts[END_COUNT] = { "closed", "reset",
		"timed out", "refused", "garbage", "no descriptors",
		"other side lost", "over a limit" };

	return e < END_COUNT ? texts[e] : "?";
}

int
msg_put_conn(struct buf *b, const struct msg_conn *c)
{
	buf_put_u16(b, c->listener);
	buf_put_u8(b, c->scheme);
	addr_put(b, &c->peer);
	return addr_put(b, &c->local);
}

int
msg_get_conn(struct buf *b, struct msg_conn *c)
{
	buf_get_u16(b, &c->listener);
	buf_get_u8(b, &c->scheme);
	if (addr_get(b, &c->peer) == -1 || addr_get(b, &c->local) == -1)
		return -1;
	return c->scheme < SCHEME_COUNT ? 0 : -1;
}

int
msg_put_boot(struct buf *b, const struct msg_boot *m)
{
	buf_put_u8(b, (uint8_t)m->role);
	buf_put_u16(b, m->index);
	buf_put_u8(b, m->log_level);
	buf_put_u8(b, m->privileged);
	buf_put_u32(b, m->uid);
	buf_put_u32(b, m->gid);
	buf_put_u32(b, m->nofile);
	return buf_put_cstr8(b, m->chroot);
}

int
msg_get_boot(struct buf *b, struct msg_boot *m)
{
	uint8_t role = 0, privileged = 0;

	buf_get_u8(b, &role);
	buf_get_u16(b, &m->index);
	buf_get_u8(b, &m->log_level);
	buf_get_u8(b, &privileged);
	buf_get_u32(b, &m->uid);
	buf_get_u32(b, &m->gid);
	buf_get_u32(b, &m->nofile);
	buf_get_cstr8(b, m->chroot, sizeof(m->chroot));
	if (!buf_done(b) || role >= ROLE_COUNT || privileged > 1)
		return -1;
	m->role = (enum role)role;
	m->privileged = privileged;
	return 0;
}

int
msg_put_relay_conf(struct buf *b, const struct msg_relay_conf *m)
{
	buf_put_u32(b, m->head_max);
	buf_put_u32(b, m->idle_ms);
	buf_put_u32(b, m->tunnel_ms);
	buf_put_u32(b, m->head_ms);
	buf_put_u32(b, m->handshake_ms);
	buf_put_u32(b, m->drain_ms);
	buf_put_u8(b, m->forwarded);
	buf_put_u8(b, m->one_way);
	buf_put_cstr8(b, m->mux_header);
	buf_put_u8(b, m->ntrusted);
	for (size_t i = 0; i < m->ntrusted; i++)
		addr_block_put(b, &m->trusted[i]);
	return buf_ok(b) ? 0 : -1;
}

int
msg_get_relay_conf(struct buf *b, struct msg_relay_conf *m)
{
	uint8_t forwarded = 0, one_way = 0;

	buf_get_u32(b, &m->head_max);
	buf_get_u32(b, &m->idle_ms);
	buf_get_u32(b, &m->tunnel_ms);
	buf_get_u32(b, &m->head_ms);
	buf_get_u32(b, &m->handshake_ms);
	buf_get_u32(b, &m->drain_ms);
	buf_get_u8(b, &forwarded);
	buf_get_u8(b, &one_way);
	buf_get_cstr8(b, m->mux_header, sizeof(m->mux_header));
	if (buf_get_u8(b, &m->ntrusted) == -1 || forwarded > 1 || one_way > 1 ||
	    m->ntrusted > MSG_TRUSTED_MAX)
		return -1;
	m->forwarded = forwarded;
	m->one_way = one_way;
	for (size_t i = 0; i < m->ntrusted; i++)
		addr_block_get(b, &m->trusted[i]);
	return buf_done(b) ? 0 : -1;
}

int
msg_put_fetch_conf(struct buf *b, const struct msg_fetch_conf *m)
{
	buf_put_cstr16(b, m->auth_url);
	buf_put_u32(b, m->auth_ms);
	buf_put_cstr16(b, m->dsn);
	buf_put_cstr8(b, m->release);
	buf_put_cstr8(b, m->environment);
	buf_put_cstr8(b, m->server_name);
	return buf_put_u8(b, m->debug);
}

int
msg_get_fetch_conf(struct buf *b, struct msg_fetch_conf *m)
{
	uint8_t debug = 0;

	buf_get_cstr16(b, m->auth_url, sizeof(m->auth_url));
	buf_get_u32(b, &m->auth_ms);
	buf_get_cstr16(b, m->dsn, sizeof(m->dsn));
	buf_get_cstr8(b, m->release, sizeof(m->release));
	buf_get_cstr8(b, m->environment, sizeof(m->environment));
	buf_get_cstr8(b, m->server_name, sizeof(m->server_name));
	buf_get_u8(b, &debug);
	m->debug = debug == 1;
	return buf_done(b) && debug <= 1 ? 0 : -1;
}
