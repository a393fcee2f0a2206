/*
 * The control protocol: what ptpctl says to a running ptpd or ptp, and what
 * they answer. Packets on a SOCK_SEQPACKET socket in the file system, so that
 * each is whole or not there.
 *
 *   request  count u8, then that many arguments str16 ("show" "clients")
 *   answer   any number of packets, each with its type first:
 *            SHAPE  shape u8: how the rows that follow are to be shown
 *            ROW    fields to the end: name str8, kind u8, value str16
 *            DONE   nothing: the end, all went well
 *            ERROR  text: the end, the daemon refused
 *
 * The daemon's side is ctl_server.h. A row is also the payload of MSG_ROW.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define CTL_PACKET_MAX 16384 /* bytes of a packet */
#define CTL_ARGS_MAX 40	     /* arguments of a request */
#define CTL_ARG_MAX 1024     /* bytes of one, with terminator */
#define CTL_FIELDS_MAX 24    /* fields of a row */

enum ctl_type { CTL_SHAPE = 1, CTL_ROW, CTL_DONE, CTL_ERROR };

enum ctl_shape {
	CTL_LIST = 1, /* rows of one kind: a table, or a list of objects */
	CTL_OBJECT,   /* one row: "name: value" lines, or one object */
	CTL_VALUE     /* one row of one field: its value alone */
};

enum ctl_kind { CTL_STRING = 1, CTL_NUMBER, CTL_BOOL, CTL_NULL };

/* A field as it was received: views into the packet, not terminated. */
struct ctl_field {
	const char *name, *value;
	size_t namelen, len;
	enum ctl_kind kind;
};

/* A row that is being built; begin with ctl_row_begin(). */
struct ctl_row {
	struct buf b;
	uint8_t space[4096];
};

void ctl_row_begin(struct ctl_row *r);

/*
 * Add one field. A string must be printable (text_escape() for a peer's);
 * NULL becomes null. What does not fit makes the row fail as a whole.
 */
void ctl_row_str(struct ctl_row *r, const char *name, const char *value);
void ctl_row_num(struct ctl_row *r, const char *name, uint64_t value);
void ctl_row_bool(struct ctl_row *r, const char *name, bool value);

/* The finished fields and their length in *n, or NULL if they did not fit. */
const uint8_t *ctl_row_end(struct ctl_row *r, size_t *n);

/*
 * Take the next field of a row, whose rest is b. Returns 1, 0 at the end, -1
 * if it is malformed: a number that is none, an unknown kind.
 */
int ctl_row_next(struct buf *b, struct ctl_field *f);

/* Whether n bytes are a well-formed row of at most CTL_FIELDS_MAX fields. */
bool ctl_row_ok(const void *p, size_t n);

/* Encode a request; its length, or 0 if it does not fit CTL_PACKET_MAX. */
size_t ctl_request_put(
    uint8_t out[CTL_PACKET_MAX], size_t argc, char *const argv[]);

/* A request taken apart; the strings are terminated. */
struct ctl_request {
	size_t argc;
	char *argv[CTL_ARGS_MAX + 1]; /* NULL after the last */
	char space[CTL_PACKET_MAX + CTL_ARGS_MAX];
};

/* Decode n bytes. 0, or -1 if malformed or without any argument. */
int ctl_request_get(struct ctl_request *r, const void *p, size_t n);

/*
 * ptpctl's side: connect to the socket at `path` and send a request. Returns
 * the blocking descriptor to read answers from, or -1 with errno.
 */
int ctl_connect(const char *path, size_t argc, char *const argv[]);

#endif
