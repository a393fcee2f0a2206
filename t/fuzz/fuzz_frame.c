/*
 * Heads of the tunnel's frames. The first byte says which side sends; the
 * rest is read as one head behind another. What passes is in its bounds, and
 * writes itself again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/tunnel/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t exact[FRAME_HEAD], again[FRAME_HEAD];
	struct frame f;

	for (size_t i = 1; i + FRAME_HEAD <= n; i += FRAME_HEAD) {
		memcpy(exact, data + i, FRAME_HEAD);
		if (frame_parse(&f, exact, data[0] % 2 == 1) == -1)
			continue;
		if (f.n > FRAME_PAYLOAD_MAX || f.type == 0 ||
		    f.type >= FRAME_TYPES ||
		    strcmp(frame_name(f.type), "?") == 0)
			abort();
		frame_head(again, f.stream, f.type, f.n);
		if (memcmp(again, exact, FRAME_HEAD) != 0)
			abort();
	}
	return 0;
}
