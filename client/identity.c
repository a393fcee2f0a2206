/* As whom a client logs in: codecs. */
#include "client/identity.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/crypto/record.h"

int
identity_put(struct buf *b, const struct identity *i)
{
	buf_put_u8(b, i->number);
	buf_put_u8(b, i->method);
	buf_put_u8(b, i->cipher);
	buf_put(b, i->instance, sizeof(i->instance));
	buf_put_cstr8(b, i->id);
	if (i->method == LOGIN_KEY)
		return buf_put(b, i->key, sizeof(i->key));
	return buf_put_cstr8(b, i->secret);
}

int
identity_get(struct buf *b, struct identity *i)
{
	memset(i, 0, sizeof(*i));
	buf_get_u8(b, &i->number);
	buf_get_u8(b, &i->method);
	buf_get_u8(b, &i->cipher);
	buf_get(b, i->instance, sizeof(i->instance));
	buf_get_cstr8(b, i->id, sizeof(i->id));
	if (i->method == LOGIN_KEY)
		buf_get(b, i->key, sizeof(i->key));
	else if (i->method == LOGIN_SECRET)
		buf_get_cstr8(b, i->secret, sizeof(i->secret));
	else
		return -1;
	if (i->number >= IDENTITY_MAX ||
	    (i->cipher > RECORD_AES256_GCM &&
		i->cipher != IDENTITY_CIPHER_AUTO))
		return -1;
	return buf_done(b) ? 0 : -1;
}

int
identity_start_put(struct buf *b, const struct identity_start *s)
{
	buf_put_u8(b, s->transport);
	buf_put_str8(b, s->exporter, s->exporter_len);
	buf_put_str8(b, s->preface, s->preface_len);
	buf_put_u8(b, s->identity);
	buf_put_u8(b, s->plain);
	return names_put(b, &s->asked);
}

int
identity_start_get(struct buf *b, struct identity_start *s)
{
	const char *exporter = NULL, *preface = NULL;
	uint8_t plain = 0;

	memset(s, 0, sizeof(*s));
	buf_get_u8(b, &s->transport);
	buf_get_str8(b, &exporter, &s->exporter_len);
	buf_get_str8(b, &preface, &s->preface_len);
	buf_get_u8(b, &s->identity);
	buf_get_u8(b, &plain);
	names_get(b, &s->asked);
	if (!buf_done(b) || plain > 1)
		return -1;
	s->exporter = (const uint8_t *)exporter;
	s->preface = (const uint8_t *)preface;
	s->plain = plain;
	return 0;
}
