/* Frames of the tunnel. */
#include "common/tunnel/frame.h"

#include "common/base/buf.h"
#include "common/tunnel/services.h"

enum { CLIENT = 1, SERVER = 2, BOTH = 3 };

static const struct {
	const char *name;
	uint32_t min, max;
	uint8_t from;
	bool stream; /* belongs to a stream, so its number is not 0 */
} table[FRAME_TYPES] = {
	[FRAME_OPEN] = { "OPEN", 45, 45, SERVER, true },
	[FRAME_OPENED] = { "OPENED", 0, 0, CLIENT, true },
	[FRAME_DATA] = { "DATA", 1, FRAME_PAYLOAD_MAX, BOTH, true },
	[FRAME_FIN] = { "FIN", 0, 0, BOTH, true },
	[FRAME_RESET] = { "RESET", 1, 1, BOTH, true },
	[FRAME_CREDIT] = { "CREDIT", 4, 4, BOTH, true },
	[FRAME_SERVICES] = { "SERVICES", 6, SERVICES_BYTES, CLIENT, false },
	[FRAME_GRANTED] = { "GRANTED", 6, FRAME_PAYLOAD_MAX, SERVER, false },
	[FRAME_PING] = { "PING", 8, 8, BOTH, false },
	[FRAME_PONG] = { "PONG", 8, 8, BOTH, false },
	[FRAME_GOAWAY] = { "GOAWAY", 6, 5 + 256, BOTH, false },
	[FRAME_WANT] = { "WANT", 1, 1, CLIENT, false },
	[FRAME_TICKET] = { "TICKET", 20, 20, SERVER, false },
	[FRAME_DGRAM] = { "DGRAM", 0, FRAME_PAYLOAD_MAX, BOTH, true },
	[FRAME_DGRAM_PART] = { "DGRAM_PART", 1, FRAME_PAYLOAD_MAX, BOTH, true },
};

int
frame_parse(struct frame *f, const uint8_t *p, bool from_server)
{
	uint32_t stream = 0, word = 0;
	uint8_t type;
	struct buf b;

	buf_read(&b, p, FRAME_HEAD);
	buf_get_u32(&b, &stream);
	buf_get_u32(&b, &word);
	type = (uint8_t)(word >> 24);
	word &= 0xffffff;
	if (type >= FRAME_TYPES || table[type].name == NULL ||
	    (table[type].from & (from_server ? SERVER : CLIENT)) == 0 ||
	    word < table[type].min || word > table[type].max ||
	    table[type].stream != (stream != 0))
		return -1;
	f->stream = stream;
	f->type = type;
	f->n = word;
	return 0;
}

void
frame_head(uint8_t *p, uint32_t stream, uint8_t type, size_t n)
{
	struct buf b;

	buf_write(&b, p, FRAME_HEAD);
	buf_put_u32(&b, stream);
	buf_put_u32(&b, (uint32_t)type << 24 | (uint32_t)n);
}

const char *
frame_name(uint8_t type)
{
	return type < FRAME_TYPES && table[type].name != NULL ? table[type].name
							      : "?";
}

const char *
reset_text(enum reset reason)
{
	static const char *const texts[RESET_CODES] = {
		[RESET_ABORT] = "connection reset",
		[RESET_REFUSED] = "the local service refused the connection",
		[RESET_UNREACHABLE] = "the local service cannot be reached",
		[RESET_TIMEOUT] = "the local service did not answer in time",
		[RESET_LIMIT] = "over a limit",
		[RESET_PROTOCOL] = "the local service broke the protocol",
		[RESET_GONE] = "the tunnel has ended",
		[RESET_NO_SERVICE] = "no such service",
	};

	return reason > 0 && reason < RESET_CODES ? texts[reason] : "reset";
}

const char *
goaway_text(enum goaway reason)
{
	static const char *const texts[GOAWAY_CODES] = {
		[GOAWAY_DRAIN] = "the server restarts",
		[GOAWAY_STOP] = "the server stops",
		[GOAWAY_REPLACED] = "replaced by another process of this id",
		[GOAWAY_KICKED] = "kicked by the operator",
		[GOAWAY_ABUSE] = "the protocol was broken",
		[GOAWAY_REMOVED] = "the user was removed",
	};

	return reason > 0 && reason < GOAWAY_CODES ? texts[reason] : "goaway";
}
