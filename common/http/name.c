/* Names of header fields: their characters, and the ones that we know. */
#include "common/http/name.h"

#include <string.h>

/* clang-format off */
const char name_folded[256] = {
	['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&',
	['\''] = '\'', ['*'] = '*', ['+'] = '+', ['-'] = '-', ['.'] = '.',
	['^'] = '^', ['_'] = '-', ['`'] = '`', ['|'] = '|', ['~'] = '~',
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
	['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
	['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e',
	['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
	['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o',
	['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't',
	['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',
	['Z'] = 'z',
	['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e',
	['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j',
	['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
	['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
	['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y',
	['z'] = 'z',
};
/* clang-format on */

static enum head_id
when(const char *folded, size_t n, const char *name, enum head_id id)
{
	return memcmp(folded, name, n) == 0 ? id : HEAD_ID_OTHER;
}

/* Names of 17 bytes begin with three different letters but for these two. */
static enum head_id
of_17(const char *folded)
{
	enum head_id id;

	id = when(folded, 17, "transfer-encoding", HEAD_ID_TRANSFER_ENCODING);
	return id != HEAD_ID_OTHER
	    ? id
	    : when(folded, 17, "x-forwarded-proto", HEAD_ID_X_FORWARDED_PROTO);
}

static enum head_id
by_length(const char *f, size_t n)
{
	switch (n) {
	case 2:
		return when(f, n, "te", HEAD_ID_TE);
	case 4:
		return when(f, n, "host", HEAD_ID_HOST);
	case 6:
		return *f == 'a' ? when(f, n, "accept", HEAD_ID_ACCEPT)
				 : when(f, n, "expect", HEAD_ID_EXPECT);
	case 7:
		return *f == 'u' ? when(f, n, "upgrade", HEAD_ID_UPGRADE)
				 : when(f, n, "trailer", HEAD_ID_TRAILER);
	case 9:
		return *f == 'f' ? when(f, n, "forwarded", HEAD_ID_FORWARDED)
				 : when(f, n, "x-real-ip", HEAD_ID_X_REAL_IP);
	case 10:
		return *f == 'c' ? when(f, n, "connection", HEAD_ID_CONNECTION)
				 : when(f, n, "keep-alive", HEAD_ID_KEEP_ALIVE);
	case 11:
		return when(f, n, "x-ptp-token", HEAD_ID_X_PTP_TOKEN);
	case 13:
		return when(f, n, "authorization", HEAD_ID_AUTHORIZATION);
	case 14:
		return when(f, n, "content-length", HEAD_ID_CONTENT_LENGTH);
	case 15:
		return when(f, n, "x-forwarded-for", HEAD_ID_X_FORWARDED_FOR);
	case 16:
		return when(f, n, "x-forwarded-host", HEAD_ID_X_FORWARDED_HOST);
	case 17:
		return of_17(f);
	case 19:
		return when(
		    f, n, "proxy-authorization", HEAD_ID_PROXY_AUTHORIZATION);
	default:
		return HEAD_ID_OTHER;
	}
}

enum head_id
name_known(const char *folded, size_t n)
{
	static const char family[] = "x-forwarded-";
	enum head_id id = by_length(folded, n);

	if (id == HEAD_ID_OTHER && n >= sizeof(family) - 1 &&
	    memcmp(folded, family, sizeof(family) - 1) == 0)
		return HEAD_ID_X_FORWARDED_OTHER;
	return id;
}

int
name_twin(enum head_id id)
{
	if (id == HEAD_ID_CONTENT_LENGTH || id == HEAD_ID_TRANSFER_ENCODING)
		return -1;
	if (HEAD_BIT(id) & HEAD_FORWARDED_BITS)
		return HEAD_ID_FORWARDED_TWIN;
	return HEAD_ID_OTHER;
}

int
name_judge(const char *p, size_t n)
{
	char folded[NAME_KNOWN_MAX];

	if (n == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char c = name_folded[(unsigned char)p[i]];

		if (c == '\0')
			return -1;
		if (i < sizeof(folded))
			folded[i] = c;
	}
	return (int)name_known(folded, n);
}
