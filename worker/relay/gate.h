/*
 * Who may use a service: its `basic`, its token, and where its users may come
 * from. Pure functions of what the client has offered, and of a request.
 *
 * A credential is parsed once, from the one field that may hold it, and what
 * was parsed is what is compared. What comes twice is refused, never chosen
 * from. A token is for us, so the fields that held it do not go on; `basic`
 * is the service's as well, and does.
 */
#ifndef GATE_RULES_H
#define GATE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/http/head.h"
#include "common/ipc/msg.h"
#include "common/tunnel/services.h"

/* Fields that end here, whoever the service is: they are for proxies. */
#define GATE_DROP \
	(HEAD_BIT(HEAD_ID_X_PTP_TOKEN) | HEAD_BIT(HEAD_ID_PROXY_AUTHORIZATION))

/* What becomes of a request. */
struct gate_verdict {
	int status;	    /* 0: it may pass; else of the answer */
	const char *text;   /* of the answer; NULL: the usual one */
	const char *fields; /* field lines of the answer; NULL: none */
	uint32_t drop;	    /* HEAD_BIT of ids that do not go on */
};

/*
 * Whether a request may go to that service of the client `id`; a CONNECT is
 * asked for all that follows it. `user` is where it comes from, as of
 * gate_user().
 */
struct gate_verdict gate_request(const struct service *sv, const char *id,
    const struct addr *user, const struct head *h);

/*
 * Whether a user without requests may reach that service: through its port or
 * by server name. There is nothing that a token could come in.
 */
bool gate_stream(const struct service *sv, const struct addr *user);

/*
 * Where a request comes from: its peer or, if that is in http.trusted, the
 * last address in X-Forwarded-For that is not. Family ADDR_ANY if that is no
 * address; no list allows it.
 */
struct addr gate_user(const struct msg_relay_conf *conf,
    const struct addr *peer, const struct head *h);

#endif
