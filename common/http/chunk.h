/*
 * The chunked transfer coding (RFC 9112, 7.1): where a body in it ends.
 *
 * Strict byte by byte in what frames the data, wherever the bytes are cut;
 * the data itself is not looked at.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <stddef.h>
#include <stdint.h>

#define CHUNK_EXTENSION_MAX 256 /* bytes of one chunk's extensions */
#define CHUNK_NAME 20 /* bytes kept of a trailer's name: the longest known */

enum chunk_event {
	CHUNK_MORE, /* all bytes belong to the body, which goes on */
	CHUNK_END,  /* the first *len bytes end the body */
	CHUNK_BAD   /* the byte behind the first *len is wrong */
};

/* Embed it; look at it through the functions only. */
struct chunk {
	uint64_t left;	/* of this chunk's size or data */
	uint32_t count; /* bytes of this extension, or of all trailers */
	uint32_t max_trailers;
	uint8_t state;
	uint8_t digits;	  /* of this chunk's size so far */
	uint8_t name_len; /* of this trailer's name; CHUNK_NAME + 1: longer */
	char name[CHUNK_NAME];
};

/*
 * Begin a body. Its trailer section may have max_trailers bytes. A trailer
 * that would change what the head decided (framing, host, credentials,
 * forwarded fields, and their twins with "_") is refused.
 */
void chunk_begin(struct chunk *c, uint32_t max_trailers);

/* Walk over the n bytes at p; *len is how many of them are right. */
enum chunk_event chunk_step(
    struct chunk *c, const void *p, size_t n, size_t *len);

/* How many of the next bytes are surely data. */
uint64_t chunk_left(const struct chunk *c);

/* n of them (at most chunk_left()) were moved without chunk_step(). */
void chunk_skip(struct chunk *c, uint64_t n);

#endif
