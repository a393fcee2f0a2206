/* The prologue of a client's Noise handshake. */
#include "common/tunnel/prologue.h"

#include "common/base/buf.h"

static const char label[4] = { 'p', 't', 'p', '1' };

size_t
prologue_make(uint8_t out[PROLOGUE_MAX], const uint8_t *preface, size_t n,
    uint8_t transport, const void *exporter, size_t exporter_len)
{
	struct preface f;
	struct buf b;

	if (n == 0 || n > PREFACE_MAX || transport >= TRANSPORT_COUNT ||
	    exporter_len > PROLOGUE_EXPORTER_MAX ||
	    preface_parse(&f, preface, n) != (int)n)
		return 0;
	buf_write(&b, out, PROLOGUE_MAX);
	buf_put(&b, label, sizeof(label));
	buf_put(&b, preface, n);
	buf_put_u8(&b, transport);
	if (buf_put(&b, exporter, exporter_len) == -1)
		return 0;
	return buf_used(&b);
}
