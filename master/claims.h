/*
 * What a name that a client asks for amounts to, by the rules of PROTOCOL.md
 * section 4 alone; who holds it now is another question (naming.h).
 */
#ifndef CLAIMS_H
#define CLAIMS_H

#include <stdbool.h>

#include "common/base/text.h"
#include "common/tunnel/services.h"
#include "master/conf.h"
#include "master/routes.h"

struct claim {
	enum route_kind kind;
	char name[TEXT_NAME_MAX + 1]; /* of the route */
	char host[TEXT_NAME_MAX + 1]; /* under which users reach it */
	bool own; /* the client's id: not counted, taken from others */
};

/* What the rules depend on. */
struct claim_rules {
	const char *id; /* who asks */
	const struct limits *limits;
	const char *domain; /* NULL: none */
	/* Whether a label is a configured or held id. */
	bool (*is_id)(void *arg, const char *label);
	void *arg;
};

/*
 * Judge one asked name ("" means the id; lower case, valid). GRANT_OK and
 * *claim, or why not: GRANT_RULE, GRANT_RESERVED.
 */
enum grant claim_judge(
    struct claim *claim, const struct claim_rules *rules, const char *asked);

#endif
