/*
 * Certificates, or private keys, as they travel in a sealed memory file from
 * the program that has read them to those that use them.
 *
 *   certificates  "ptpc"  floor u8  count u16  then each:
 *                 name str8 (empty: the default)  depth u8  then each
 *                 certificate, the leaf first: u32 length, DER
 *   keys          "ptpk"  floor u8  count u16  then each: u32 length, DER
 *                 (PKCS #8)
 *
 * floor is 1 if nothing below TLS 1.3 is to be spoken.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/text.h"

#define BUNDLE_MAX (16u << 20) /* bytes of one */
#define BUNDLE_ENTRIES 258     /* tls.cert, those of tls.hosts, api.cert */
#define BUNDLE_DEPTH 8	       /* certificates of a chain */
#define BUNDLE_DER_MAX 65535   /* bytes of one certificate or key */
#define BUNDLE_HEAD 7	       /* bytes before the first entry */

/* The name of listen.api's own, which no server name can be. */
#define BUNDLE_API ":api"

enum bundle_kind { BUNDLE_CERTS, BUNDLE_KEYS };

/* One being read. */
struct bundle {
	enum bundle_kind kind;
	bool floor; /* TLS 1.3 at least */
	uint16_t left;
	struct buf b;
};

/* A piece of the bytes that are being read. */
struct bundle_der {
	const uint8_t *p;
	size_t n;
};

struct bundle_cert {
	char name[TEXT_NAME_MAX + 3]; /* "*." in front of the longest name */
	uint8_t depth;		      /* at least 1 */
	struct bundle_der chain[BUNDLE_DEPTH];
};

/* Read the n bytes at p, which must outlive it. 0, or -1 if malformed. */
int bundle_read(
    struct bundle *x, enum bundle_kind kind, const void *p, size_t n);

/* The next entry: 1; 0 behind the last; -1 if malformed. */
int bundle_cert(struct bundle *x, struct bundle_cert *c);
int bundle_key(struct bundle *x, struct bundle_der *key);

/* Write. Failures stay in b, as ever. */
void bundle_put_head(
    struct buf *b, enum bundle_kind kind, bool floor, uint16_t count);
void bundle_put_name(struct buf *b, const char *name, uint8_t depth);
void bundle_put_der(struct buf *b, const void *der, size_t n);

#endif
