/* What a worker is told. */
#include "master/boot.h"

#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/fetch/setup.h"
#include "master/check.h"
#include "master/edge.h"
#include "master/vouch.h"
#include "master/handshake.h"
#include "master/tls.h"
#include "master/udp_ports.h"
#include "master/workers.h"

#define GUARD_NOFILE 64 /* descriptors that keys and auth may have */
#define MORE_NOFILE                                               \
	512 /* fetch and log: connections; a socket of each relay \
	     */
#define RELAYS_PER_EDGE 4

static enum realm
realm_of(enum role role)
{
	if (role == ROLE_KEYS || role == ROLE_SIGN)
		return REALM_KEYS;
	if (role == ROLE_AUTH)
		return REALM_AUTH;
	if (role == ROLE_FETCH)
		return REALM_FETCH;
	if (role == ROLE_REPORT)
		return REALM_LOG;
	return REALM_NETWORK;
}

static void
send_boot(struct worker *w)
{
	struct master *m = w->master;
	enum realm realm = realm_of(w->role);
	struct msg_boot boot = { .role = w->role,
		.index = (uint16_t)w->index,
		.log_level = (uint8_t)log_get_level(),
		.privileged = m->privileged,
		.nofile = (uint32_t)m->nofile };
	uint8_t payload[512];
	struct buf b;

	if (realm != REALM_NETWORK)
		boot.nofile = realm == REALM_FETCH || realm == REALM_LOG
		    ? MORE_NOFILE
		    : GUARD_NOFILE;
	if (m->privileged) {
		boot.uid = m->uids.uid[realm];
		boot.gid = m->uids.gid[realm];
		strcpy(boot.chroot, m->jail);
	}
	buf_write(&b, payload, sizeof(payload));
	msg_put_boot(&b, &boot);
	worker_send(w, MSG_BOOT, 0, payload, buf_used(&b));
}

static uint32_t
clamp(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void
send_edge_conf(struct worker *w)
{
	struct master *m = w->master;
	size_t max = m->nofile < EDGE_CONNS_MAX ? m->nofile : EDGE_CONNS_MAX;
	uint8_t payload[128];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, clamp(m->conf.head_max));
	buf_put_u32(&b, clamp(m->conf.timeouts.head));
	buf_put_cstr8(&b, m->conf.mux_header);
	buf_put_u32(&b, (uint32_t)max);
	worker_send(w, MSG_EDGE_CONF, 0, payload, buf_used(&b));
}

static void
send_relay_conf(struct worker *w)
{
	const struct server_conf *c = &w->master->conf;
	struct msg_relay_conf conf = { .head_max = clamp(c->head_max),
		.idle_ms = clamp(c->timeouts.idle),
		.tunnel_ms = clamp(c->timeouts.tunnel),
		.head_ms = clamp(c->timeouts.head),
		.handshake_ms = clamp(handshake_time(w->master)),
		.drain_ms = clamp(c->timeouts.drain),
		.forwarded = c->forwarded,
		.one_way = c->timeout_unidirectional,
		.ntrusted = (uint8_t)c->trusted.n };
	uint8_t payload[4096];
	struct buf b;

	strcpy(conf.mux_header, c->mux_header);
	for (size_t i = 0; i < c->trusted.n; i++)
		conf.trusted[i] = c->trusted.v[i];
	buf_write(&b, payload, sizeof(payload));
	msg_put_relay_conf(&b, &conf);
	worker_send(w, MSG_RELAY_CONF, 0, payload, buf_used(&b));
}

static void
send_udp_conf(struct worker *w)
{
	const struct server_conf *c = &w->master->conf;
	uint8_t payload[4096];
	struct buf b;

	buf_write(&b, payload, sizeof(payload));
	buf_put_u32(&b, clamp(c->sources));
	buf_put_u8(&b, (uint8_t)c->trusted.n);
	for (size_t i = 0; i < c->trusted.n; i++)
		addr_block_put(&b, &c->trusted.v[i]);
	worker_send(w, MSG_UDP_CONF, 0, payload, buf_used(&b));
}

/* Each of two relays sees what the other has moved: see counters.h. */
static void
introduce(void *arg, struct worker *other)
{
	struct worker *w = arg;

	if (other == w || other->role != ROLE_RELAY || other->inherited)
		return;
	if (other->counters_fd != -1)
		worker_send_copy(
		    w, MSG_PEER, other->index, NULL, 0, other->counters_fd);
	if (w->counters_fd != -1)
		worker_send_copy(
		    other, MSG_PEER, w->index, NULL, 0, w->counters_fd);
}

static int
send_counters(struct worker *w)
{
	int fd;

	if ((w->counters = counters_new(&fd)) == NULL) {
		log_warn("cannot make counters");
		return -1;
	}
	if ((w->counters_fd = counters_share(fd)) == -1)
		log_warn("relays cannot keep a speed limit together");
	workers_each(w->master->workers, introduce, w);
	worker_send_fd(w, MSG_COUNTERS, 0, NULL, 0, fd);
	return 0;
}

/* The one moment at which the master has the private key in its memory. */
static int
send_host_key(struct worker *w)
{
	struct master *m = w->master;
	uint8_t secret[KEYTEXT_KEY], public[KEYTEXT_KEY];
	int ret = 0;

	if (hostkey_load(m->conf.host_key, false, secret, public) == -1)
		return -1;
	if (sodium_memcmp(public, m->host_public, sizeof(public)) != 0) {
		log_error("host_key: %s has changed; clients would refuse us: "
			  "start ptpd anew if that is meant",
		    m->conf.host_key);
		ret = -1;
	} else {
		worker_send(w, MSG_HOST_KEY, 0, secret, sizeof(secret));
	}
	sodium_memzero(secret, sizeof(secret));
	return ret;
}

static void
send_auth_conf(struct worker *w)
{
	const struct master *m = w->master;
	uint8_t bits = (uint8_t)((m->any_client ? AUTH_CONF_ANY : 0) |
	    (vouch_configured(m) ? AUTH_CONF_API : 0));

	worker_send(w, MSG_AUTH_CONF, 0, &bits, 1);
}

static void
send_fetch_conf(struct worker *w)
{
	const struct server_conf *c = &w->master->conf;
	struct msg_fetch_conf conf = { .auth_ms = clamp(c->auth_timeout) };
	uint8_t payload[4096];
	struct buf b;

	if (c->auth_url != NULL)
		strcpy(conf.auth_url, c->auth_url);
	setup_events(&conf, &c->sentry);
	buf_write(&b, payload, sizeof(payload));
	msg_put_fetch_conf(&b, &conf);
	worker_send(w, MSG_FETCH_CONF, 0, payload, buf_used(&b));
	vouch_send_ca(w->master, w);
}

static void
send_rows(struct worker *w)
{
	switch (w->role) {
	case ROLE_HTTP:
	case ROLE_SNI:
		send_edge_conf(w);
		break;
	case ROLE_RELAY:
		send_relay_conf(w);
		break;
	case ROLE_AUTH:
		send_auth_conf(w);
		if (w->master->conf.listen_api.n > 0)
			check_introduce(w->master->check, w);
		break;
	case ROLE_FETCH:
		send_fetch_conf(w);
		break;
	case ROLE_TLS:
		tls_send_rules(w);
		break;
	case ROLE_UDP:
		send_udp_conf(w);
		break;
	default:
		break;
	}
}

int
boot_worker(struct worker *w)
{
	send_boot(w);
	send_rows(w);
	if (w->role == ROLE_RELAY)
		return send_counters(w);
	if (w->role == ROLE_KEYS)
		return send_host_key(w);
	if (w->role == ROLE_TLS || w->role == ROLE_SIGN)
		tls_boot(w);
	return 0;
}

static void
reconfigure(void *arg, struct worker *w)
{
	uint8_t level = (uint8_t)log_get_level();

	(void)arg;
	if (w->inherited)
		return;
	send_rows(w);
	worker_send(w, MSG_LEVEL, 0, &level, 1);
}

void
boot_reconfigure(struct master *m)
{
	workers_each(m->workers, reconfigure, NULL);
}

/* How many workers of a role this configuration wants. */
static unsigned
count(const struct master *m, enum role role)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t relays = m->conf.workers;

	if (relays == 0)
		relays = cpus > 0 ? (uint64_t)cpus : 1;
	if (relays > WORKERS_RELAY_MAX)
		relays = WORKERS_RELAY_MAX;
	switch (role) {
	case ROLE_RELAY:
		return (unsigned)relays;
	case ROLE_SNI:
		if (m->conf.listen_sni.n == 0)
			return 0;
		/* FALLTHROUGH */
	case ROLE_HTTP:
		return (unsigned)(relays + RELAYS_PER_EDGE - 1) /
		    RELAYS_PER_EDGE;
	case ROLE_TLS:
	case ROLE_SIGN: /* a pair each */
		return tls_is_on(m) ? (unsigned)relays : 0;
	case ROLE_FETCH:
		return vouch_configured(m) || m->conf.sentry.dsn != NULL;
	case ROLE_REPORT:
		return m->conf.log_file != NULL;
	case ROLE_UDP:
		return udp_ports_wanted(m);
	case ROLE_KEYS:
	case ROLE_AUTH:
		return 1;
	case ROLE_API:
		return m->conf.listen_api.n > 0;
	default:
		return 0;
	}
}

void
boot_want(struct master *m)
{
	for (int role = 0; role < ROLE_ENGINE; role++)
		workers_want(
		    m->workers, (enum role)role, count(m, (enum role)role));
}
