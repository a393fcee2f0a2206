/* The external check: question and answer. */
#include "worker/fetch/question.h"

#include <jansson.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/jsontext.h"

int
question_get(struct question *q, const uint8_t *p, size_t n)
{
	struct buf b;

	memset(q, 0, sizeof(*q));
	buf_read(&b, p, n);
	buf_get_u32(&b, &q->number);
	buf_get_cstr8(&b, q->id, sizeof(q->id));
	buf_get_cstr8(&b, q->secret, sizeof(q->secret));
	names_get(&b, &q->asked);
	return buf_done(&b) ? 0 : -1;
}

size_t
question_body(char *dst, const struct question *q)
{
	char name[TEXT_NAME_MAX + 1];
	struct jsontext j;

	if (!jsontext_is_utf8(q->secret, strlen(q->secret)))
		return 0;
	jsontext_init(&j, dst, QUESTION_BODY_MAX);
	jsontext_raw(&j, "{\"networkClientId\":");
	jsontext_string(&j, q->id, strlen(q->id));
	jsontext_raw(&j, ",\"networkSecretKey\":");
	jsontext_string(&j, q->secret, strlen(q->secret));
	jsontext_raw(&j, ",\"appletTokens\":[");
	for (size_t i = 0; names_at(&q->asked, i, name) == 0; i++) {
		if (i > 0)
			jsontext_raw(&j, ",");
		jsontext_string(&j, name, strlen(name));
	}
	jsontext_raw(&j, "]}");
	return j.full ? 0 : j.n;
}

/* Keep of the asked names those in the list. -1: it is no list of strings. */
static int
allow(const struct question *q, const json_t *list, struct names *allowed)
{
	const char *name;
	size_t i;
	const json_t *v;

	if (list == NULL)
		return 0;
	if (!json_is_array(list))
		return -1;
	json_array_foreach(list, i, v)
	{
		if ((name = json_string_value(v)) == NULL)
			return -1;
		if (names_have(&q->asked, name))
			names_add(allowed, name);
	}
	return 0;
}

static enum vouch
judge(const struct question *q, const json_t *answer, struct names *allowed,
    const char **why)
{
	const json_t *result = json_object_get(answer, "result");

	if (json_is_false(result))
		return VOUCH_NO;
	if (!json_is_true(result)) {
		*why = "\"result\" is neither true nor false";
		return VOUCH_DOWN;
	}
	if (allow(q, json_object_get(answer, "appletTokens"), allowed) == 0)
		return VOUCH_YES;
	memset(allowed, 0, sizeof(*allowed));
	*why = "\"appletTokens\" is no list of strings";
	return VOUCH_DOWN;
}

enum vouch
question_verdict(const struct question *q, long status, const char *body,
    size_t n, struct names *allowed, const char **why)
{
	enum vouch verdict;
	json_error_t error;
	json_t *answer;

	memset(allowed, 0, sizeof(*allowed));
	*why = "";
	if (status == 401 || status == 403)
		return VOUCH_NO;
	if (status != 200) {
		*why = "it is not a 200";
		return VOUCH_DOWN;
	}
	answer = json_loadb(body, n, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(answer)) {
		json_decref(answer);
		*why = "it is no JSON object";
		return VOUCH_DOWN;
	}
	verdict = judge(q, answer, allowed, why);
	json_decref(answer);
	return verdict;
}
