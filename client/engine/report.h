/* What an engine tells about its tunnels and streams. */
#ifndef REPORT_H
#define REPORT_H

#include "client/engine/engine.h"

/* Answer a MSG_SHOW: rows, and an empty one. */
void report_rows(struct engine *e, uint32_t request, uint8_t what);

#endif
