/* What a relay tells about its connections, for ptpctl. */
#ifndef SHOW_H
#define SHOW_H

#include "worker/relay/relay.h"

/* Answer MSG_SHOW: a MSG_ROW for each, then an empty one. */
void show_rows(struct relay *r, uint32_t request, uint8_t what);

#endif
