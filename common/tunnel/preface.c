/* The preface: a client's first bytes. */
#include "common/tunnel/preface.h"

#include <errno.h>
#include <string.h>

static const uint8_t magic[4] = { 0x8e, 'p', 't', 'p' };

/* Where the fields lie. */
enum { AT_MIN = 4, AT_MAX, AT_KIND, AT_FLAGS, AT_TICKET };

static int
bad(int err)
{
	errno = err;
	return -1;
}

int
preface_parse(struct preface *f, const uint8_t *p, size_t n)
{
	size_t have = n < sizeof(magic) ? n : sizeof(magic);
	size_t need;

	if (memcmp(p, magic, have) != 0)
		return bad(EPROTO);
	if (n < PREFACE_BASE)
		return 0;
	if (p[AT_MIN] > p[AT_MAX])
		return bad(EPROTO);
	if (p[AT_MIN] > PREFACE_VERSION || p[AT_MAX] < PREFACE_VERSION)
		return bad(EPROTONOSUPPORT);
	if (p[AT_KIND] != PREFACE_SESSION && p[AT_KIND] != PREFACE_TICKET)
		return bad(EPROTO);
	if ((p[AT_FLAGS] & ~PREFACE_UNBOUND) != 0)
		return bad(EPROTO);
	need = p[AT_KIND] == PREFACE_TICKET ? PREFACE_MAX : PREFACE_BASE;
	if (n < need)
		return 0;
	f->min = p[AT_MIN];
	f->max = p[AT_MAX];
	f->kind = p[AT_KIND];
	f->flags = p[AT_FLAGS];
	memset(f->ticket, 0, sizeof(f->ticket));
	if (f->kind == PREFACE_TICKET)
		memcpy(f->ticket, p + AT_TICKET, TICKET_ID);
	return (int)need;
}

size_t
preface_make(uint8_t *p, const struct preface *f)
{
	memcpy(p, magic, sizeof(magic));
	p[AT_MIN] = f->min;
	p[AT_MAX] = f->max;
	p[AT_KIND] = f->kind;
	p[AT_FLAGS] = f->flags;
	if (f->kind != PREFACE_TICKET)
		return PREFACE_BASE;
	memcpy(p + AT_TICKET, f->ticket, TICKET_ID);
	return PREFACE_MAX;
}

void
preface_range(uint8_t *p)
{
	memcpy(p, magic, sizeof(magic));
	p[AT_MIN] = p[AT_MAX] = PREFACE_VERSION;
}
