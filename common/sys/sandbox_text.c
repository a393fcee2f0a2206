/*
 * What is missing, in words: apart from the sandbox, so that a parent which
 * only speaks of it needs no libseccomp.
 */
#include <stdio.h>

#include "common/sys/sandbox.h"

char *
sandbox_missing_text(char *dst, size_t size, unsigned missing)
{
	static const char *const words[] = { "chroot", "a user id of its own",
		"Landlock", "Landlock's scopes" };
	size_t used = 0;
	int n;

	snprintf(dst, size, "nothing");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((missing & (1u << i)) == 0)
			continue;
		n = snprintf(dst + used, size - used, "%s%s",
		    used == 0 ? "" : ", ", words[i]);
		if (n < 0 || (size_t)n >= size - used)
			break;
		used += (size_t)n;
	}
	return dst;
}
