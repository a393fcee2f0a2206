/* What ptpctl may ask of ptpd (INTERFACE.md section 4). */
#ifndef MASTER_CTL_H
#define MASTER_CTL_H

#include "master/master.h"

/* Serve the control socket. 0, or -1 after an error line. */
int ctl_open(struct master *m);

/* The same with a socket that is bound already; it is closed if that fails. */
int ctl_serve(struct master *m, int fd);

/* Stop serving it, remove its path. */
void ctl_close(struct master *m);

#endif
