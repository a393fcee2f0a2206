/*
 * Which public ports a client may open (limits.tcp, limits.udp): ranges, each
 * with how many ports of it may be open at a time.
 */
#ifndef PORT_RULES_H
#define PORT_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "common/tunnel/services.h"

struct schema_place;

#define PORT_RULES_MAX 32	   /* of one user */
#define PORT_RULES_CLIENT_MAX 1024 /* ports of a client, whatever they say */
#define PORT_RULES_TEXT 256

struct port_rule {
	uint64_t set;	      /* which keys were given */
	char *range;	      /* as it is written: "1024-65535", "2222" */
	uint64_t number;      /* ports of one client at a time; 0: any */
	uint64_t first, last; /* the range taken apart, 1 to 65535 */
};

struct port_rule_list {
	struct port_rule *v; /* at most PORT_RULES_MAX */
	size_t n;
};

/* How many ports of a client count for each rule. All zero: none. */
struct port_use {
	uint64_t n[PORT_RULES_MAX];
	uint64_t all;
};

/* schema.finish of a rule: take the range apart. */
void port_rules_finish(void *rule, const struct schema_place *at);

/*
 * Count one more port, for the narrowest rule that has room for it, so that
 * the wider ones keep theirs. GRANT_OK; GRANT_PORT_RULE: no range has this
 * port; GRANT_PORT_NUMBER: those that have it are full, or there are too many
 * in all, and nothing changes.
 */
enum grant port_rules_take(
    const struct port_rule_list *l, struct port_use *use, uint16_t port);

/*
 * dst, of PORT_RULES_TEXT bytes: the rules as they are written, for the log:
 * "7000-7003 number 2, 7100 number 1", or "none". Too many are cut short.
 */
const char *port_rules_text(
    char dst[PORT_RULES_TEXT], const struct port_rule_list *l);

/*
 * The lowest port from `from` on that could be taken now, or 0 if there is
 * none.
 */
uint16_t port_rules_next(
    const struct port_rule_list *l, const struct port_use *use, uint16_t from);

#endif
