/*
 * Internet addresses: as text, as sockaddr, on our channels, and as blocks.
 *
 * An address has one form only: an IPv4-mapped IPv6 address (::ffff:a.b.c.d)
 * becomes IPv4 wherever it comes in, and unused bytes are zero. So equal
 * addresses are equal bytes, and an IPv4 rule cannot be passed by in IPv6.
 * Scopes (fe80::1%eth0) are not kept.
 */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct buf;

/* The values are those on the wire. */
enum addr_family { ADDR_ANY = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

#define ADDR_WIRE 19 /* bytes of addr_put() */
#define ADDR_TEXT 56 /* bytes of any address as text, with terminator */

struct addr {
	uint8_t family; /* enum addr_family; ADDR_ANY: every local address, or
			   none at all */
	uint16_t port;
	uint8_t ip[16]; /* network order; IPv4 in the first four */
};

/* A block of addresses (CIDR); net.port is 0. */
struct addr_block {
	struct addr net; /* bits beyond the prefix are zero */
	uint8_t bits;	 /* of the prefix, by its own family */
};

/*
 * Parse where to listen: "80", ":80", "*:80" (ADDR_ANY: IPv6 and IPv4),
 * "127.0.0.1:80", "[::1]:80". The port is decimal, 0 to 65535. Returns 0, or
 * -1 with *a untouched.
 */
int addr_parse_listen(struct addr *a, const char *s);

/* Parse a bare IPv4 or IPv6 address, "127.0.0.1" or "::1"; the port is 0. */
int addr_parse_ip(struct addr *a, const char *s);

/* Parse a decimal port, 0 to 65535, no sign, no leading zeros. 0 or -1. */
int addr_parse_port(uint16_t *port, const char *s);

/*
 * Write "1.2.3.4:80", "[::1]:80" or "*:80" to dst[ADDR_TEXT]. Returns dst.
 */
char *addr_format(char dst[ADDR_TEXT], const struct addr *a);

/* The same without port: "1.2.3.4", "::1", "*". */
char *addr_format_ip(char dst[ADDR_TEXT], const struct addr *a);

/*
 * Take an address from a sockaddr of n bytes. A family other than AF_INET and
 * AF_INET6, or too few bytes: -1 and *a untouched.
 */
int addr_from_sockaddr(struct addr *a, const struct sockaddr *sa, socklen_t n);

/*
 * Write it as sockaddr and return its length. ADDR_ANY becomes [::], to be
 * bound with IPV6_V6ONLY off.
 */
socklen_t addr_to_sockaddr(struct sockaddr_storage *ss, const struct addr *a);

/* Same family, address and port. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* Less than, equal to, greater than 0, as memcmp: a total order. */
int addr_compare(const struct addr *a, const struct addr *b);

/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);

/*
 * The block that counts as one source: the address itself for IPv4, its /64
 * for IPv6, port 0. What limits and lockouts are counted by.
 */
struct addr addr_source(const struct addr *a);

/* ADDR_WIRE bytes: family u8, address 16, port u16. 0, or -1 if no room. */
int addr_put(struct buf *b, const struct addr *a);

/*
 * The same back; -1 (and b has failed) if it is short or not in the one form
 * that addr_put() writes.
 */
int addr_get(struct buf *b, struct addr *a);

/*
 * Parse "10.0.0.0/8", "2001:db8::/32", or an address alone (the block of
 * it). Bits beyond the prefix are cleared. Returns 0, or -1.
 */
int addr_block_parse(struct addr_block *k, const char *s);

/* Whether the address lies in the block; ports do not matter. */
bool addr_block_has(const struct addr_block *k, const struct addr *a);

/* Whether it lies in any of the n blocks. */
bool addr_blocks_have(
    const struct addr_block *k, size_t n, const struct addr *a);

/* A block on the wire: addr, bits u8. The getter checks like addr_get(). */
int addr_block_put(struct buf *b, const struct addr_block *k);
int addr_block_get(struct buf *b, struct addr_block *k);

#endif
