/* The clients, each as a card of the page: who, under which names, how much. */
#ifndef CARDS_H
#define CARDS_H

#include "worker/report/rows.h"
#include "worker/report/text_out.h"

#define CARDS_MAX 60	   /* those who moved most; the others are counted */
#define CARDS_NAMES_MAX 12 /* of one client; the others are counted */

void cards_put(struct text_out *out, const struct answers *a);

#endif
