/* The keys of ptp.conf. */
#include "client/conf_schema.h"

#include "client/conf.h"
#include "client/conf_ports.h"
#include "client/conf_servers.h"
#include "client/conf_services.h"
#include "common/base/bucket.h"
#include "common/conf/checks.h"
#include "common/conf/dsn.h"
#include "common/conf/secret.h"
#include "common/net/proxy_header.h"
#include "common/ipc/msg.h"
#include "common/sys/logfile.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define URL_BYTES 511  /* of `local` */
#define HOST_BYTES 261 /* of "[host]:port" */
#define PORTS_BYTES 11 /* of "60000-60010" */

static const char *const levels[] = { "trace", "debug", "info", "warn", "error",
	"fatal", "disable", NULL };

/* In the order of enum client_cipher. */
static const char *const ciphers[] = { "auto", "chacha20-poly1305",
	"aes256-gcm", "none", NULL };

/* In the order of enum proxy_version. */
static const char *const proxies[] = { "none", "v1", "v2", NULL };
static const char *const formats[] = { "text", "json", NULL };

/* clang-format off */

#define AT(member) offsetof(struct client_service, member)

static const struct schema_key service_keys[] = {
	{ "local", SCHEMA_STRING, AT(local_text),
	    .min = 1, .max = URL_BYTES, .flag = CLIENT_SERVICE_LOCAL },
	{ "name", SCHEMA_STRINGS, AT(names),
	    .max = CONF_NAMES_MAX, .lowercase = true,
	    .check = conf_services_check_name },
	{ "port", SCHEMA_STRING, AT(ports),
	    .min = 1, .max = PORTS_BYTES, .number = true,
	    .check = conf_ports_check },
	{ "random", SCHEMA_BOOL, AT(random),
	    .preset = "false" },
	{ "tls", SCHEMA_BOOL, AT(tls),
	    .preset = "false" },
	{ "rewrite_host", SCHEMA_FLAG_OR_STRING, AT(rewrite_host),
	    .max = HOST_BYTES, .check = conf_services_check_host },
	{ "remove_headers", SCHEMA_STRINGS, AT(remove_headers),
	    .max = CONF_HEADERS_MAX, .check = conf_services_check_remove },
	{ "basic", SCHEMA_STRING, AT(basic),
	    .min = 1, .max = SECRET_MAX, .secret = true },
	{ "private", SCHEMA_BOOL, AT(private),
	    .preset = "false" },
	{ "token", SCHEMA_STRING, AT(token),
	    .min = 1, .max = SECRET_MAX, .secret = true },
	{ "allow_from", SCHEMA_BLOCKS, AT(allow_from),
	    .max = CONF_BLOCKS_MAX },
	{ "deny_from", SCHEMA_BLOCKS, AT(deny_from),
	    .max = CONF_BLOCKS_MAX },
	{ "timeout", SCHEMA_DURATION, AT(timeout),
	    .preset = "0", .max = CONF_TIMEOUT_MAX,
	    .flag = CLIENT_SERVICE_TIMEOUT },
	{ "speed", SCHEMA_SIZE, AT(speed),
	    .preset = "0", .max = BUCKET_RATE_MAX },
	{ "streams", SCHEMA_INT, AT(streams),
	    .preset = "0", .max = UINT32_MAX },
	{ "tls_ca", SCHEMA_STRING, AT(tls_ca),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "tls_name", SCHEMA_STRING, AT(tls_name),
	    .min = 1, .max = TEXT_NAME_MAX, .check = checks_host },
	{ "tls_insecure", SCHEMA_BOOL, AT(tls_insecure),
	    .preset = "false" },
	{ "proxy_protocol", SCHEMA_CHOICE, AT(proxy_protocol),
	    .preset = "none", .max = PROXY_V2, .choices = proxies },
};

#undef AT
#define AT(member) offsetof(struct client_conf, member)

static const struct schema_key keys[] = {
	{ "server", SCHEMA_STRINGS, AT(server),
	    .max = CONF_SERVERS_MAX, .flag = CLIENT_SET_SERVER,
	    .check = conf_servers_check },
	{ "server_key", SCHEMA_STRING, AT(server_key),
	    .min = 1, .max = 64, .check = checks_key },
	{ "known_servers", SCHEMA_STRING, AT(known_servers),
	    .min = 1, .max = CONF_PATH_MAX, .flag = CLIENT_SET_KNOWN_SERVERS },
	{ "id", SCHEMA_STRING, AT(id),
	    .min = 1, .max = TEXT_LABEL_MAX, .lowercase = true,
	    .check = checks_id },
	{ "secret", SCHEMA_STRING, AT(secret),
	    .min = 1, .max = SECRET_MAX, .secret = true },
	{ "secret_file", SCHEMA_STRING, AT(secret_file),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "key", SCHEMA_STRING, AT(key),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "tunnel.connections", SCHEMA_INT, AT(connections),
	    .preset = "3", .min = 1, .max = CONF_TUNNELS_MAX },
	{ "tunnel.idle", SCHEMA_INT, AT(idle),
	    .preset = "1", .min = 1, .max = CONF_TUNNELS_MAX },
	{ "tunnel.cipher", SCHEMA_CHOICE, AT(cipher),
	    .preset = "auto", .max = CLIENT_CIPHER_NONE, .choices = ciphers },
	{ "tunnel.congestion", SCHEMA_STRING, AT(congestion),
	    .preset = "bbr", .min = 1, .max = 15, .check = checks_word },
	{ "reconnect", SCHEMA_DURATION, AT(reconnect),
	    .preset = "1s", .min = 1, .max = 60000 },
	{ "timeout", SCHEMA_DURATION, AT(timeout),
	    .preset = "45s", .min = 1, .max = CONF_TIMEOUT_MAX },
	{ "services", SCHEMA_GROUPS, AT(services),
	    .max = CONF_SERVICES_MAX, .flag = CLIENT_SET_SERVICES,
	    .sub = &conf_schema_service },
	{ "socket", SCHEMA_STRING, AT(socket),
	    .min = 1, .max = CONF_SOCKET_MAX, .flag = CLIENT_SET_SOCKET },
	{ "user", SCHEMA_STRING, AT(user),
	    .preset = "_ptp", .min = 1, .max = 31, .flag = CLIENT_SET_USER,
	    .check = checks_word },
	{ "chroot", SCHEMA_STRING, AT(chroot),
	    .preset = "/var/empty", .min = 1, .max = 255,
	    .flag = CLIENT_SET_CHROOT, .check = checks_absolute },
	{ "log.file", SCHEMA_STRING, AT(log_file),
	    .min = 1, .max = CONF_PATH_MAX },
	{ "log.max_size", SCHEMA_SIZE, AT(log_max_size),
	    .preset = "512M", .max = LOGFILE_SIZE_MAX },
	{ "log.max_count", SCHEMA_INT, AT(log_max_count),
	    .preset = "7", .min = 1, .max = LOGFILE_COUNT_MAX },
	{ "log.format", SCHEMA_CHOICE, AT(log_format),
	    .preset = "text", .max = 1, .choices = formats },
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

const struct schema conf_schema_service = {
	.keys = service_keys,
	.n = ROWS(service_keys),
	.size = sizeof(struct client_service),
	.set = offsetof(struct client_service, set),
	.finish = conf_services_finish,
};

const struct schema conf_schema_client = {
	.keys = keys,
	.n = ROWS(keys),
	.size = sizeof(struct client_conf),
	.set = offsetof(struct client_conf, set),
};
