/*
 * Bounded view of bytes: the only way that a message is taken apart or built.
 *
 * A struct buf never owns memory and never grows: it walks over the caller's
 * array. Getters and putters are all-or-nothing. The first that fails makes
 * the buffer fail for good ("sticky"), so that a decoder may read all its
 * fields and ask buf_ok() or buf_done() once. Integers are big endian.
 */
#ifndef BUF_H
#define BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *p;   /* next byte to get or put */
	uint8_t *end; /* one past the last byte */
	uint8_t *start;
	bool failed;
};

/* Read the n bytes at p. They must outlive b; b never writes to them. */
void buf_read(struct buf *b, const void *p, size_t n);

/* Write into the n bytes at p. */
void buf_write(struct buf *b, void *p, size_t n);

/* Bytes left to get, or room left to put; 0 after a failure. */
size_t buf_left(const struct buf *b);

/* Bytes got or put so far. */
size_t buf_used(const struct buf *b);

/* No getter or putter has failed. */
bool buf_ok(const struct buf *b);

/* Nothing failed and every byte was consumed: the message was well formed. */
bool buf_done(const struct buf *b);

/* Each returns 0, or -1 when fewer bytes are left; *v is then untouched. */
int buf_get_u8(struct buf *b, uint8_t *v);
int buf_get_u16(struct buf *b, uint16_t *v);
int buf_get_u32(struct buf *b, uint32_t *v);
int buf_get_u64(struct buf *b, uint64_t *v);
int buf_get(struct buf *b, void *v, size_t n);

/* Point *v at the next n bytes, without a copy. */
int buf_get_view(struct buf *b, const uint8_t **v, size_t n);

/* A string: u8 length, then that many bytes. *v is not terminated. */
int buf_get_str8(struct buf *b, const char **v, size_t *n);

/* The same with a u16 length. */
int buf_get_str16(struct buf *b, const char **v, size_t *n);

/*
 * The same copied and terminated into dst[size]. Fails if it does not fit or
 * holds a NUL.
 */
int buf_get_cstr8(struct buf *b, char *dst, size_t size);
int buf_get_cstr16(struct buf *b, char *dst, size_t size);

int buf_put_u8(struct buf *b, uint8_t v);
int buf_put_u16(struct buf *b, uint16_t v);
int buf_put_u32(struct buf *b, uint32_t v);
int buf_put_u64(struct buf *b, uint64_t v);
int buf_put(struct buf *b, const void *v, size_t n);

/* Fails if n is above 255, or 65535. */
int buf_put_str8(struct buf *b, const void *v, size_t n);
int buf_put_str16(struct buf *b, const void *v, size_t n);

/* Terminated strings by the same encodings. */
int buf_put_cstr8(struct buf *b, const char *v);
int buf_put_cstr16(struct buf *b, const char *v);

#endif
