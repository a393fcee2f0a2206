/* What handshake.c and handshake_frames.c share, and nobody else. */
#ifndef HANDSHAKE_IMPL_H
#define HANDSHAKE_IMPL_H

#include "master/handshake.h"
#include "master/sources.h"
#include "master/waits.h"

/* How far one is: bits of handshake.progress, kept over a restart. */
#define HANDSHAKE_STARTED 0x01u /* keys knows of it */
#define HANDSHAKE_JUDGED 0x02u	/* auth knows of it, and has not decided */
#define HANDSHAKE_PROVING 0x04u /* auth has answered: to go now is to fail */
#define HANDSHAKE_GRANTED 0x08u /* auth and login.c have let it in */
#define HANDSHAKE_KEYED 0x10u	/* the relay has keys: one more blob is due */
#define HANDSHAKE_TOLD 0x20u	/* its failure is logged */
#define HANDSHAKE_ASKED 0x40u	/* fetch has been asked, and not answered */

struct handshake {
	struct conn *conn;
	struct source *source;
	struct wait wait;
	unsigned progress;
	TAILQ_ENTRY(handshake) link;
};

/* Forget it; its connection stays. */
void handshake_end(struct handshakes *t, struct handshake *h);

/* Give it up: everybody is told, the relay closes. */
void handshake_fail(
    struct master *m, struct handshake *h, enum login_code code);

/*
 * The same, but by keys, once all that is for the client is on its way. whom:
 * the id, as far as it is known, for the log.
 */
void handshake_end_by_keys(struct master *m, struct handshake *h,
    enum login_code code, const char *whom);

/* Tell keys and auth, as far as they know of it, that it is over. */
void handshake_tell_guards(
    struct master *m, struct handshake *h, enum login_code code);

/* One line, the first time. */
void handshake_log_refusal(
    struct handshake *h, enum login_code code, const char *whom);

/* Its source has failed too often; a failure more for its source. */
bool handshake_is_locked(const struct master *m, struct handshake *h);
void handshake_count_failure(
    const struct master *m, struct handshake *h, enum login_code code);

#endif
