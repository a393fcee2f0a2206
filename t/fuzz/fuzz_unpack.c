/* Frames of a configuration as a hijacked parser would send them: one frame
 * behind another, each with a length of two bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "master/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_id(void *c, const char *label)
{
	return server_conf_user(c, label) != NULL;
}

/* Use all that the master would. */
static void
use(struct server_conf *c)
{
	const struct conf_user *u = server_conf_user(c, "id1");
	struct limits l = server_conf_limits(c, u);

	if (strlen(c->host_key) == 0 || strlen(c->socket) == 0 ||
	    strlen(c->user) == 0 || strlen(c->chroot) == 0 ||
	    strlen(c->mux_header) == 0 || c->listen_http.n == 0)
		abort();
	limits_allow_prefix(&l, "web");
	server_conf_name_taken("id1", "id1-web-x", true, is_id, c);
	server_conf_any_client(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server_conf c;
	struct server_conf_decoder *d = server_conf_decoder_new(&c);
	int rc = 0;

	if (d == NULL)
		abort();
	while (rc == 0 && size >= 2) {
		size_t n = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		rc = server_conf_decode(d, data, n);
		data += n;
		size -= n;
	}
	if (rc == 1)
		use(&c);
	server_conf_decoder_free(d);
	server_conf_free(&c);
	return 0;
}
