/* Who the workers are: names to uids, and uids that nobody has. */
#include "common/sys/user.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define RANGE (USER_UNUSED_MAX - USER_UNUSED_MIN + 1)
#define STATUS_HEAD 4096 /* the Uid line is among the first of a status */

int
user_find(const char *name, struct user *u)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (pw->pw_uid == 0 || pw->pw_gid == 0) {
		errno = EPERM;
		return -1;
	}
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	u->made_up = false;
	return 0;
}

static void
mark(bool taken[static RANGE], unsigned id)
{
	if (id >= USER_UNUSED_MIN && id <= USER_UNUSED_MAX)
		taken[id - USER_UNUSED_MIN] = true;
}

/* Mark the four numbers behind "Uid:" or "Gid:" in a process's status. */
static void
mark_ids(bool taken[static RANGE], const char *status, const char *field)
{
	const char *line = strstr(status, field);
	unsigned id[4];

	if (line == NULL ||
	    sscanf(line + strlen(field), "%u %u %u %u", &id[0], &id[1], &id[2],
		&id[3]) != 4)
		return;
	for (size_t i = 0; i < 4; i++)
		mark(taken, id[i]);
}

/*
 * Mark what processes run as. By their status: who owns /proc/PID says
 * nothing, root does for those that are not dumpable, as our workers are.
 */
static void
mark_processes(bool taken[static RANGE])
{
	char path[300], status[STATUS_HEAD + 1];
	struct dirent *d;
	size_t n;
	FILE *f;
	DIR *proc;

	proc = opendir("/proc");
	if (proc == NULL)
		return;
	while ((d = readdir(proc)) != NULL) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/status", d->d_name);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		n = fread(status, 1, STATUS_HEAD, f);
		fclose(f);
		status[n] = '\0';
		mark_ids(taken, status, "\nUid:");
		mark_ids(taken, status, "\nGid:");
	}
	closedir(proc);
}

/* FNV-1a: any spread will do, it only says where to begin. */
static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static int
choose(const char *name, const struct user *others, size_t n, struct user *u)
{
	bool taken[RANGE] = { false };
	uint32_t start = hash(name) % RANGE;
	uid_t id;

	mark_processes(taken);
	for (size_t i = 0; i < n; i++) {
		mark(taken, others[i].uid);
		mark(taken, others[i].gid);
	}
	for (uint32_t i = 0; i < RANGE; i++) {
		if (taken[(start + i) % RANGE])
			continue;
		id = USER_UNUSED_MIN + (start + i) % RANGE;
		if (getpwuid(id) != NULL || getgrgid(id) != NULL)
			continue;
		u->uid = id;
		u->gid = id;
		u->made_up = true;
		return 0;
	}
	errno = ENOSPC;
	return -1;
}

int
user_find_or_choose(
    const char *name, const struct user *others, size_t n, struct user *u)
{
	if (user_find(name, u) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	return choose(name, others, n, u);
}
