/* Bytes of a test vector, written in hex. */
#ifndef HEX_H
#define HEX_H

#include <check.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

/* Write the bytes of hex into out[cap]; returns how many they are. */
static inline size_t
hex(uint8_t *out, size_t cap, const char *text)
{
	size_t n;

	ck_assert_int_eq(
	    sodium_hex2bin(out, cap, text, strlen(text), NULL, &n, NULL), 0);
	return n;
}

/* The n bytes at p are those of hex. */
static inline void
hex_eq(const uint8_t *p, size_t n, const char *text)
{
	uint8_t want[4096];

	ck_assert_uint_eq(n, hex(want, sizeof(want), text));
	ck_assert_mem_eq(p, want, n);
}

#endif
