/* The control socket's place in the file system. */
#ifndef CTL_LISTEN_H
#define CTL_LISTEN_H

/*
 * Bind and listen on `path` (mode 0600; a socket that nobody serves any more
 * is replaced). The caller keeps the descriptor. -1 with errno: EADDRINUSE if
 * somebody serves it, EEXIST if it is no socket.
 */
int ctl_listen(const char *path);

#endif
