/*
 * A request of any kind at gates of every kind: without the secrets it comes
 * through none that is closed, and where it comes from is its peer, what a
 * trusted peer said, or nowhere.
 */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/relay/gate.h"

#define ID "id1"
#define EVERY_FLAG 8 /* combinations of private, basic, edits */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody guesses these. */
static struct service
service(unsigned what)
{
	static uint8_t secret[32];
	struct service sv = { .index = 1, .kind = SERVICE_HTTP };

	if (secret[0] == 0) {
		randombytes_buf(secret, sizeof(secret));
		secret[0] |= 1;
	}
	if (what & 1)
		sv.flags |= SERVICE_PRIVATE;
	if (what & 2)
		sv.flags |= SERVICE_EDITS;
	sv.has_basic = (what & 4) != 0;
	sv.has_token = (what & 1) != 0;
	memcpy(sv.token, secret, sizeof(sv.token));
	memcpy(sv.basic, secret, sizeof(sv.basic));
	return sv;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_relay_conf conf = { .ntrusted = 1 };
	struct addr peer, user;
	struct head h;

	if (sodium_init() == -1 ||
	    addr_block_parse(&conf.trusted[0], "10.0.0.0/8") == -1 ||
	    addr_parse_ip(&peer, "10.0.0.1") == -1)
		abort();
	if (head_parse_request(&h, (const char *)data, size, HEAD_MAX) <= 0)
		return 0;
	user = gate_user(&conf, &peer, &h);
	if (user.port != 0)
		abort();
	for (unsigned what = 0; what < EVERY_FLAG; what++) {
		struct service sv = service(what);
		struct gate_verdict v = gate_request(&sv, ID, &user, &h);
		bool connect = h.kind == HEAD_METHOD_CONNECT;

		if (v.status == 0 && (sv.has_basic || sv.has_token))
			abort();
		if (v.status == 0 && connect && (what & 2))
			abort();
		if (v.status == 0 && !connect &&
		    (v.drop & GATE_DROP) != GATE_DROP)
			abort();
		if ((v.status == 401) == connect && v.status == 401)
			abort();
	}
	return 0;
}
