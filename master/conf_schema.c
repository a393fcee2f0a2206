/* The keys of ptpd.conf. */
#include "master/conf_schema.h"

#include "common/base/bucket.h"
#include "common/conf/checks.h"
#include "common/conf/dsn.h"
#include "common/conf/secret.h"
#include "common/ipc/msg.h"
#include "common/sys/logfile.h"
#include "master/conf_tls.h"
#include "master/conf_users.h"

#define NUMBER_MAX UINT32_MAX /* counts that have no bound of their own */
#define PORTS_MAX 65535
#define PORT_RANGE_MAX 11 /* bytes of "1024-65535" at its longest */
#define SOCKET_BYTES 107  /* of sun_path, without its terminator */
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static const char *const levels[] = { "trace", "debug", "info", "warn", "error",
	"fatal", "disable", NULL };

static const char *const formats[] = { "text", "json", NULL };
static const char *const tls_versions[] = { "1.2", "1.3", NULL };

/* clang-format off */

#define AT(member) offsetof(struct port_rule, member)

static const struct schema_key port_rule_keys[] = {
	{ "range", SCHEMA_STRING, AT(range),
	    .min = 1, .max = PORT_RANGE_MAX, .always = true },
	{ "number", SCHEMA_INT, AT(number),
	    .preset = "1", .max = PORTS_MAX },
	/* Derived, so that they travel. */
	{ NULL, SCHEMA_INT, AT(first), .min = 1, .max = PORTS_MAX },
	{ NULL, SCHEMA_INT, AT(last), .min = 1, .max = PORTS_MAX },
};

#undef AT
#define AT(member) offsetof(struct conf_user, member)

static const struct schema_key user_keys[] = {
	{ "id", SCHEMA_STRING, AT(id),
	    .min = 1, .max = 63, .flag = USER_SET_ID, .always = true,
	    .lowercase = true, .check = checks_id },
	{ "secret", SCHEMA_STRING, AT(secret),
	    .min = 1, .max = SECRET_MAX, .flag = USER_SET_SECRET, .secret = true },
	{ "key", SCHEMA_STRING, AT(key),
	    .min = 1, .max = 64, .flag = USER_SET_KEY, .secret = true, .check = checks_key },
	{ "secret_hash", SCHEMA_STRING, AT(secret_hash),
	    .min = 1, .max = VERIFIER_HASH_MAX, .flag = USER_SET_HASH, .secret = true,
	    .check = checks_hash },
	{ "tunnels", SCHEMA_INT, AT(limits.tunnels),
	    .min = 1, .max = CONF_TUNNELS_MAX, .flag = USER_SET_TUNNELS },
	{ "streams", SCHEMA_INT, AT(limits.streams),
	    .max = NUMBER_MAX, .flag = USER_SET_STREAMS },
	{ "speed", SCHEMA_SIZE, AT(limits.speed),
	    .max = BUCKET_RATE_MAX, .flag = USER_SET_SPEED },
	{ "hosts.number", SCHEMA_INT, AT(limits.hosts_number),
	    .max = NUMBER_MAX, .flag = USER_SET_HOSTS_NUMBER },
	{ "hosts.regex", SCHEMA_STRINGS, AT(limits.hosts_regex),
	    .max = CONF_REGEX_MAX, .flag = USER_SET_HOSTS_REGEX,
	    .check = checks_regex },
	{ "hosts.with_id", SCHEMA_BOOL, AT(limits.hosts_with_id),
	    .flag = USER_SET_HOSTS_WITH_ID },
	{ "tcp", SCHEMA_GROUPS, AT(limits.tcp),
	    .max = PORT_RULES_MAX, .flag = USER_SET_TCP,
	    .sub = &conf_schema_port_rule },
	{ "udp", SCHEMA_GROUPS, AT(limits.udp),
	    .max = PORT_RULES_MAX, .flag = USER_SET_UDP,
	    .sub = &conf_schema_port_rule },
	/* Derived, so that it travels. */
	{ NULL, SCHEMA_INT, AT(method),
	    .min = VERIFIER_SECRET, .max = VERIFIER_HASH },
};

#undef AT
#define AT(member) offsetof(struct conf_users_file, member)

static const struct schema_key users_file_keys[] = {
	{ "users", SCHEMA_GROUPS, AT(users),
	    .max = VERIFIER_MAX, .sub = &conf_schema_user },
};

#undef AT
#define AT(member) offsetof(struct conf_tls_host, member)

static const struct schema_key tls_host_keys[] = {
	{ "name", SCHEMA_STRING, AT(name),
	    .min = 1, .max = TEXT_NAME_MAX, .flag = CONF_TLS_NAME,
	    .always = true, .lowercase = true, .check = checks_server_name },
	{ "cert", SCHEMA_STRING, AT(cert),
	    .min = 1, .max = CONF_PATH_MAX, .flag = CONF_TLS_CERT,
	    .always = true },
	{ "key", SCHEMA_STRING, AT(key),
	    .min = 1, .max = CONF_PATH_MAX, .flag = CONF_TLS_KEY,
	    .always = true },
};

#undef AT
#define AT(member) offsetof(struct server_conf, member)

static const struct schema_key keys[] = {
	{ "user", SCHEMA_STRING, AT(user),
	    .preset = "_ptpd", .min = 1, .max = 31, .flag = CONF_SET_USER,
	    .always = true, .check = checks_word },
	{ "chroot", SCHEMA_STRING, AT(chroot),
	    .preset = "/var/empty", .min = 1, .max = 255,
	    .flag = CONF_SET_CHROOT, .always = true,
	    .check = checks_absolute },
	{ "host_key", SCHEMA_STRING, AT(host_key),
	    .min = 1, .max = CONF_PATH_MAX, .flag = CONF_SET_HOST_KEY,
	    .always = true },
	{ "socket", SCHEMA_STRING, AT(socket),
	    .min = 1, .max = SOCKET_BYTES, .flag = CONF_SET_SOCKET,
	    .always = true },
	{ "workers", SCHEMA_INT, AT(workers),
	    .preset = "0", .max = CONF_WORKERS_MAX },
	{ "listen.http_redirect", SCHEMA_ADDRS, AT(listen_http_redirect),
	    .max = CONF_LISTEN_MAX, .flag = CONF_SET_LISTEN },
	{ "listen.http", SCHEMA_ADDRS, AT(listen_http),
	    .max = CONF_LISTEN_MAX, .flag = CONF_SET_LISTEN },
	{ "listen.sni", SCHEMA_ADDRS, AT(listen_sni),
	    .max = CONF_LISTEN_MAX, .flag = CONF_SET_LISTEN },
	{ "access.http_redirect.proxy", SCHEMA_BLOCKS, AT(access_http_redirect.proxy),
	    .max = CONF_ACCESS_MAX },
	{ "access.http_redirect.allow", SCHEMA_BLOCKS, AT(access_http_redirect.allow),
	    .max = CONF_ACCESS_MAX },
	{ "access.http_redirect.deny", SCHEMA_BLOCKS, AT(access_http_redirect.deny),
	    .max = CONF_ACCESS_MAX },
	{ "access.http.proxy", SCHEMA_BLOCKS, AT(access_http.proxy),
	    .max = CONF_ACCESS_MAX },
	{ "access.http.allow", SCHEMA_BLOCKS, AT(access_http.allow),
	    .max = CONF_ACCESS_MAX },
	{ "access.http.deny", SCHEMA_BLOCKS, AT(access_http.deny),
	    .max = CONF_ACCESS_MAX },
	{ "access.sni.proxy", SCHEMA_BLOCKS, AT(access_sni.proxy),
	    .max = CONF_ACCESS_MAX },
	{ "access.sni.allow", SCHEMA_BLOCKS, AT(access_sni.allow),
	    .max = CONF_ACCESS_MAX },
	{ "access.sni.deny", SCHEMA_BLOCKS, AT(access_sni.deny),
	    .max = CONF_ACCESS_MAX },
	{ "listen.api", SCHEMA_ADDRS, AT(listen_api),
	    .max = CONF_LISTEN_MAX },
	{ "api.cert", SCHEMA_STRING, AT(api_pair.cert),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "api.key", SCHEMA_STRING, AT(api_pair.key),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "access.api.allow", SCHEMA_BLOCKS, AT(access_api.allow),
	    .max = CONF_ACCESS_MAX },
	{ "access.api.deny", SCHEMA_BLOCKS, AT(access_api.deny),
	    .max = CONF_ACCESS_MAX },
	{ "listen.tls", SCHEMA_ADDRS, AT(listen_tls),
	    .max = CONF_LISTEN_MAX, .flag = CONF_SET_LISTEN },
	{ "access.tls.proxy", SCHEMA_BLOCKS, AT(access_tls.proxy),
	    .max = CONF_ACCESS_MAX },
	{ "access.tls.allow", SCHEMA_BLOCKS, AT(access_tls.allow),
	    .max = CONF_ACCESS_MAX },
	{ "access.tls.deny", SCHEMA_BLOCKS, AT(access_tls.deny),
	    .max = CONF_ACCESS_MAX },
	{ "tls.cert", SCHEMA_STRING, AT(tls_pair.cert),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "tls.key", SCHEMA_STRING, AT(tls_pair.key),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "tls.min", SCHEMA_CHOICE, AT(tls_min),
	    .preset = "1.2", .max = CONF_TLS_13, .choices = tls_versions },
	{ "tls.hosts", SCHEMA_GROUPS, AT(tls_hosts),
	    .max = CONF_TLS_HOSTS_MAX, .sub = &conf_schema_tls_host },
	{ "domain", SCHEMA_STRING, AT(domain),
	    .min = 1, .max = TEXT_NAME_MAX, .lowercase = true,
	    .check = checks_domain },
	{ "users", SCHEMA_GROUPS, AT(users),
	    .max = VERIFIER_MAX, .flag = CONF_SET_USERS,
	    .sub = &conf_schema_user },
	{ "users_file", SCHEMA_STRING, AT(users_file),
	    .min = 1, .max = CONF_PATH_MAX, .flag = CONF_SET_USERS },
	{ "allow_any_client", SCHEMA_BOOL, AT(allow_any_client),
	    .flag = CONF_SET_ANY_CLIENT },
	{ "auth.url", SCHEMA_STRING, AT(auth_url),
	    .min = 1, .max = MSG_URL_MAX, .flag = CONF_SET_AUTH_URL,
	    .check = checks_url },
	{ "auth.ca", SCHEMA_STRING, AT(auth_ca),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "auth.timeout", SCHEMA_DURATION, AT(auth_timeout),
	    .preset = "10s", .min = 100, .max = CONF_AUTH_TIMEOUT_MAX },
	{ "limits.tunnels", SCHEMA_INT, AT(limits.tunnels),
	    .preset = "10", .min = 1, .max = CONF_TUNNELS_MAX },
	{ "limits.streams", SCHEMA_INT, AT(limits.streams),
	    .preset = "0", .max = NUMBER_MAX },
	{ "limits.speed", SCHEMA_SIZE, AT(limits.speed),
	    .preset = "0", .max = BUCKET_RATE_MAX },
	{ "limits.sources", SCHEMA_INT, AT(sources),
	    .preset = "0", .max = NUMBER_MAX },
	{ "limits.hosts.number", SCHEMA_INT, AT(limits.hosts_number),
	    .preset = "0", .max = NUMBER_MAX },
	{ "limits.hosts.regex", SCHEMA_STRINGS, AT(limits.hosts_regex),
	    .max = CONF_REGEX_MAX, .check = checks_regex },
	{ "limits.hosts.with_id", SCHEMA_BOOL, AT(limits.hosts_with_id),
	    .preset = "false" },
	{ "limits.tcp", SCHEMA_GROUPS, AT(limits.tcp),
	    .max = PORT_RULES_MAX, .sub = &conf_schema_port_rule },
	{ "limits.udp", SCHEMA_GROUPS, AT(limits.udp),
	    .max = PORT_RULES_MAX, .sub = &conf_schema_port_rule },
	{ "http.mux_header", SCHEMA_STRING, AT(mux_header),
	    .preset = "Host", .min = 1, .max = CONF_HEADER_MAX, .always = true,
	    .check = checks_header },
	{ "http.forwarded", SCHEMA_BOOL, AT(forwarded),
	    .preset = "true" },
	{ "http.trusted", SCHEMA_BLOCKS, AT(trusted),
	    .max = CONF_TRUSTED_MAX },
	{ "http.head_max", SCHEMA_SIZE, AT(head_max),
	    .preset = "16K", .min = CONF_HEAD_LEAST, .max = CONF_HEAD_MOST },
	{ "timeouts.handshake", SCHEMA_DURATION, AT(timeouts.handshake),
	    .preset = "10s", .max = CONF_TIMEOUT_MAX },
	{ "timeouts.head", SCHEMA_DURATION, AT(timeouts.head),
	    .preset = "10s", .max = CONF_TIMEOUT_MAX },
	{ "timeouts.idle", SCHEMA_DURATION, AT(timeouts.idle),
	    .preset = "0", .max = CONF_TIMEOUT_MAX },
	{ "timeouts.tunnel", SCHEMA_DURATION, AT(timeouts.tunnel),
	    .preset = "90s", .max = CONF_TIMEOUT_MAX },
	{ "timeouts.drain", SCHEMA_DURATION, AT(timeouts.drain),
	    .preset = "300s", .max = CONF_TIMEOUT_MAX },
	{ "timeouts.park", SCHEMA_DURATION, AT(timeouts.park),
	    .preset = "5s", .max = CONF_TIMEOUT_MAX },
	{ "timeout_unidirectional", SCHEMA_BOOL, AT(timeout_unidirectional),
	    .preset = "false" },
	{ "lockout.tries", SCHEMA_INT, AT(lockout.tries),
	    .preset = "3", .max = NUMBER_MAX },
	{ "lockout.time", SCHEMA_DURATION, AT(lockout.time),
	    .preset = "5m", .max = CONF_TIMEOUT_MAX },
	{ "log.file", SCHEMA_STRING, AT(log_file),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "log.max_size", SCHEMA_SIZE, AT(log_max_size),
	    .preset = "512M", .max = LOGFILE_SIZE_MAX },
	{ "log.max_count", SCHEMA_INT, AT(log_max_count),
	    .preset = "7", .min = 1, .max = LOGFILE_COUNT_MAX },
	{ "log.format", SCHEMA_CHOICE, AT(log_format),
	    .preset = "text", .max = 1, .choices = formats },
	{ "log.access", SCHEMA_BOOL, AT(log_access),
	    .preset = "true" },
	{ "sentry.dsn", SCHEMA_STRING, AT(sentry.dsn),
	    .min = 1, .max = DSN_MAX, .check = checks_dsn },
	{ "sentry.level", SCHEMA_STRINGS, AT(sentry.level),
	    .max = LOG_LEVEL_DISABLE, .check = checks_level },
	{ "sentry.sample_rate", SCHEMA_SHARE, AT(sentry.sample_rate),
	    .preset = "1", .max = SCHEMA_WHOLE },
	{ "sentry.release", SCHEMA_STRING, AT(sentry.release),
	    .min = 1, .max = MSG_WORD_MAX },
	{ "sentry.environment", SCHEMA_STRING, AT(sentry.environment),
	    .min = 1, .max = MSG_WORD_MAX },
	{ "sentry.server_name", SCHEMA_STRING, AT(sentry.server_name),
	    .min = 1, .max = MSG_WORD_MAX },
	{ "sentry.debug", SCHEMA_BOOL, AT(sentry.debug),
	    .preset = "false" },
	{ "log.level", SCHEMA_CHOICE, AT(log_level),
	    .preset = "info", .max = LOG_LEVEL_DISABLE, .choices = levels },
};

/* clang-format on */

const struct schema conf_schema_port_rule = {
	.keys = port_rule_keys,
	.n = ROWS(port_rule_keys),
	.size = sizeof(struct port_rule),
	.set = offsetof(struct port_rule, set),
	.finish = port_rules_finish,
};

const struct schema conf_schema_user = {
	.keys = user_keys,
	.n = ROWS(user_keys),
	.size = sizeof(struct conf_user),
	.set = offsetof(struct conf_user, set),
	.finish = conf_users_finish,
};

const struct schema conf_schema_tls_host = {
	.keys = tls_host_keys,
	.n = ROWS(tls_host_keys),
	.size = sizeof(struct conf_tls_host),
	.set = offsetof(struct conf_tls_host, set),
	.finish = conf_tls_finish,
};

const struct schema conf_schema_users = {
	.keys = users_file_keys,
	.n = ROWS(users_file_keys),
	.size = sizeof(struct conf_users_file),
	.set = offsetof(struct conf_users_file, set),
};

const struct schema conf_schema = {
	.keys = keys,
	.n = ROWS(keys),
	.size = sizeof(struct server_conf),
	.set = offsetof(struct server_conf, set),
};
