/*
 * What streams may make this process hold: credit that is granted, used or
 * not, until the bytes have left for good. A budget bounds one client; one
 * above it bounds all clients together. All zero but for the limit is a valid
 * one without a parent.
 *
 * Above half of the limit new streams get less, and none grows. At the limit
 * the stream whose reader has stalled longest has to go.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct stream;
struct tunnel_budget;

#define BUDGET_STALL_MS 1000 /* who has taken nothing for so long may go */

/* The place of a stream among those with bytes that nobody has taken yet. */
struct budget_stall {
	struct budget_stall *next, *prev; /* both NULL and not first: none */
	uint32_t since_ms;		  /* its last progress, modulo 2^32 */
	bool in;
};

struct tunnel_budget {
	uint64_t limit, used;		   /* bytes */
	struct budget_stall *first, *last; /* the longest stalled is first */
	struct tunnel_budget *parent;	   /* NULL: none */
	struct tunnel_budget *children;
	struct tunnel_budget *next, **prev; /* among its parent's */
};

/* A budget below `parent`, which may be NULL. */
void budget_init(
    struct tunnel_budget *b, uint64_t limit, struct tunnel_budget *parent);

/* Nothing of it may be in use any more. */
void budget_end(struct tunnel_budget *b);

/* Take n bytes, here and above. False: there are not so many. */
bool budget_take(struct tunnel_budget *b, uint64_t n);
void budget_give(struct tunnel_budget *b, uint64_t n);

/* More than half is in use, here or above. */
bool budget_is_short(const struct tunnel_budget *b);

/* The window of a new stream, of at most `usual` bytes. */
uint32_t budget_window(const struct tunnel_budget *b, uint32_t usual);

/* It holds bytes, and its reader has just moved, or not begun. */
void budget_stalled(
    struct tunnel_budget *b, struct budget_stall *s, uint64_t now_us);

/* Its reader has taken all there is; or it ends. */
void budget_moved(struct tunnel_budget *b, struct budget_stall *s);

/*
 * Who has to go so that there is room for n bytes: the longest stalled of this
 * budget; or, if the one above is the one that is used up, of the child there
 * that uses most and has any. NULL: nobody has stalled for long enough.
 */
struct budget_stall *budget_victim(
    const struct tunnel_budget *b, uint64_t n, uint64_t now_us);

#endif
