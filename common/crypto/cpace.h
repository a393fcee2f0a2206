/*
 * CPACE-RISTR255-SHA512, initiator and responder with explicit confirmation
 * (draft-irtf-cfrg-cpace): both sides prove that they know the same secret,
 * and whoever does not know it learns nothing but whether one guess was
 * right. Over libsodium; sodium_init() must have been called.
 *
 *	initiator			responder
 *	cpace_start	--- Ya --->	cpace_respond
 *	cpace_finish	<-- Yb, Tb --
 *			--- Ta --->	cpace_confirm
 *
 * struct cpace holds secrets: keep it in guarded memory. It is wiped by the
 * call that ends the exchange, well or not.
 */
#ifndef CPACE_H
#define CPACE_H

#include <stddef.h>
#include <stdint.h>

#define CPACE_POINT 32 /* bytes of Ya and Yb */
#define CPACE_TAG 64   /* bytes of Ta and Tb */
#define CPACE_KEY 64   /* bytes of the session key */
#define CPACE_SCALAR 32

#define CPACE_ID_MAX 63 /* bytes of an id: one DNS label */
#define CPACE_CI_MAX (1 + CPACE_ID_MAX + 2 * (1 + 32))

/* What both sides put in; a pair of NULL and 0 is the empty string. */
struct cpace_input {
	const void *secret; /* PRS */
	size_t secret_len;
	const void *ci; /* channel identifier, see cpace_ci */
	size_t ci_len;
	const void *sid; /* session id */
	size_t sid_len;
	const void *ada; /* the initiator's associated data, ADa */
	size_t ada_len;
	const void *adb; /* the responder's, ADb */
	size_t adb_len;
};

struct cpace {
	uint8_t scalar[CPACE_SCALAR];
	uint8_t ya[CPACE_POINT];
	uint8_t yb[CPACE_POINT];
	uint8_t isk[CPACE_KEY];
	uint8_t ta[CPACE_TAG];
	uint8_t tb[CPACE_TAG];
	int phase;
};

/*
 * The channel identifier of a login: lv_cat(id, client's static public key,
 * server's), written into ci. Returns its length, or 0 if the id is empty or
 * longer than CPACE_ID_MAX.
 */
size_t cpace_ci(uint8_t ci[CPACE_CI_MAX], const char *id,
    const uint8_t client[32], const uint8_t server[32]);

/*
 * Initiator, first step: draw a scalar and write Ya. ada and adb of *in are
 * not looked at. scalar is ours if a test prescribes it; NULL draws one, and
 * nothing but a test may pass anything else. Returns 0. -1 with EBADMSG (the
 * generator is the neutral element: no input is known to do that).
 */
int cpace_start(struct cpace *c, const struct cpace_input *in,
    const uint8_t *scalar, uint8_t ya[CPACE_POINT]);

/*
 * Initiator, second step: check the responder's yb and tb, and write our
 * confirmation ta and the session key isk (NULL: not wanted), only on
 * success. *in has sid, ada and adb; its secret and ci are not looked at.
 * Returns 0. -1 with EBADMSG: yb is no point, or tb is wrong (the responder
 * does not know the secret); EINVAL: not started. *c is wiped either way.
 */
int cpace_finish(struct cpace *c, const struct cpace_input *in,
    const uint8_t yb[CPACE_POINT], const uint8_t tb[CPACE_TAG],
    uint8_t ta[CPACE_TAG], uint8_t *isk);

/*
 * Responder: answer ya with yb and our confirmation tb, with all of *in.
 * scalar as in cpace_start. Returns 0. -1 with EBADMSG: ya is no point; *c is
 * then wiped.
 */
int cpace_respond(struct cpace *c, const struct cpace_input *in,
    const uint8_t *scalar, const uint8_t ya[CPACE_POINT],
    uint8_t yb[CPACE_POINT], uint8_t tb[CPACE_TAG]);

/*
 * Responder, last step: does ta prove that the initiator knows the secret?
 * Returns 0 and writes the session key isk (NULL: not wanted). -1 with
 * EBADMSG: no; EINVAL: nothing to confirm. *c is wiped either way, so that
 * one exchange is one guess.
 */
int cpace_confirm(struct cpace *c, const uint8_t ta[CPACE_TAG], uint8_t *isk);

void cpace_wipe(struct cpace *c);

#endif
