/* A line of the log between processes. */
#include "common/ipc/line.h"

#include <stdint.h>

#include "common/base/buf.h"

#define NO_INDEX UINT16_MAX

int
line_put(struct buf *b, const struct logline *l)
{
	buf_put_u64(b, l->ms);
	buf_put_u8(b, (uint8_t)l->level);
	buf_put_cstr8(b, l->name);
	buf_put_u32(b, (uint32_t)l->pid);
	buf_put_cstr8(b, l->role != NULL ? l->role : "");
	buf_put_u16(b, l->index < 0 ? NO_INDEX : (uint16_t)l->index);
	buf_put_u32(b, (uint32_t)l->role_pid);
	return buf_put_cstr16(b, l->text);
}

int
line_get(struct buf *b, struct line *line)
{
	struct logline *l = &line->l;
	uint32_t pid = 0, role_pid = 0;
	uint16_t index = 0;
	uint8_t level = 0;

	buf_get_u64(b, &l->ms);
	buf_get_u8(b, &level);
	buf_get_cstr8(b, line->name, sizeof(line->name));
	buf_get_u32(b, &pid);
	buf_get_cstr8(b, line->role, sizeof(line->role));
	buf_get_u16(b, &index);
	buf_get_u32(b, &role_pid);
	buf_get_cstr16(b, line->text, sizeof(line->text));
	if (!buf_done(b) || level >= LOG_LEVEL_DISABLE)
		return -1;
	l->level = (enum log_level)level;
	l->name = line->name;
	l->pid = (long)pid;
	l->role = line->role[0] != '\0' ? line->role : NULL;
	l->index = index == NO_INDEX ? -1 : index;
	l->role_pid = (long)role_pid;
	l->text = line->text;
	return 0;
}
