/* Certificates and their keys, while a configuration is parsed. */
#include "master/certs.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto/bundle.h"
#include "common/sys/proc.h"
#include "master/conf_tls.h"

#define PROGRAM "ptpd-certs"
#define CERTS_FD 3 /* where the program expects the files */
#define KEYS_FD 4
#define SAYS_MAX 65536 /* bytes of its faults */

void
certs_none(struct certs_files *f)
{
	f->certs = f->keys = -1;
}

void
certs_close(struct certs_files *f)
{
	if (f->certs != -1)
		close(f->certs);
	if (f->keys != -1)
		close(f->keys);
	certs_none(f);
}

int
certs_open(struct certs_files *f)
{
	int e;

	f->keys = -1;
	f->certs = memfd_create("ptp-certs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (f->certs != -1)
		f->keys =
		    memfd_create("ptp-keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (f->keys != -1)
		return 0;
	e = errno;
	certs_close(f);
	errno = e;
	return -1;
}

uint32_t
certs_size(int fd)
{
	struct stat st;

	return fd == -1 || fstat(fd, &st) == -1 ? 0 : (uint32_t)st.st_size;
}

int
certs_seal(struct certs_files *f)
{
	const int seals =
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	if (certs_size(f->certs) == 0 || certs_size(f->keys) == 0) {
		certs_close(f);
		return 0;
	}
	/* A map that shrinks would kill its reader by SIGBUS. */
	if (fcntl(f->certs, F_ADD_SEALS, seals) == -1 ||
	    fcntl(f->keys, F_ADD_SEALS, seals) == -1)
		return -1;
	return 0;
}

/* ---- what the program is asked ---- */

static void
put(int fd, const char *s, bool *ok)
{
	size_t n = strlen(s) + 1;

	*ok = *ok && write(fd, s, n) == (ssize_t)n;
}

static void
put_pair(int fd, const char *name, const char *cert, const char *key, bool *ok)
{
	put(fd, name, ok);
	put(fd, cert, ok);
	put(fd, key, ok);
}

/* The question, in a memory file. -1 with errno. */
static int
write_question(const struct server_conf *c)
{
	int fd = memfd_create("ptp-question", MFD_CLOEXEC);
	bool ok = fd != -1;

	put(fd, c->tls_min == CONF_TLS_13 ? "1" : "0", &ok);
	/* Without tls.cert the first of the others is the default too. */
	if (c->tls_pair.cert != NULL)
		put_pair(fd, "", c->tls_pair.cert, c->tls_pair.key, &ok);
	else if (c->tls_hosts.n > 0)
		put_pair(
		    fd, "", c->tls_hosts.v[0].cert, c->tls_hosts.v[0].key, &ok);
	else
		put_pair(fd, "", c->api_pair.cert, c->api_pair.key, &ok);
	for (size_t i = 0; i < c->tls_hosts.n; i++)
		put_pair(fd, c->tls_hosts.v[i].name, c->tls_hosts.v[i].cert,
		    c->tls_hosts.v[i].key, &ok);
	if (c->api_pair.cert != NULL)
		put_pair(
		    fd, BUNDLE_API, c->api_pair.cert, c->api_pair.key, &ok);
	if (ok && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

/* In the child. Returns only if it fails. */
static void
become(const char *path, int question, int says, const struct certs_files *to)
{
	char title[] = PROGRAM, var[] = "PATH=/usr/bin:/bin";
	char *argv[] = { title, NULL }, *env[] = { var, NULL };
	int in = fcntl(question, F_DUPFD_CLOEXEC, KEYS_FD + 1);
	int out = fcntl(says, F_DUPFD_CLOEXEC, KEYS_FD + 1);
	int certs = fcntl(to->certs, F_DUPFD_CLOEXEC, KEYS_FD + 1);
	int keys = fcntl(to->keys, F_DUPFD_CLOEXEC, KEYS_FD + 1);

	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    dup2(certs, CERTS_FD) == -1 || dup2(keys, KEYS_FD) == -1)
		return;
	execve(path, argv, env);
}

/* Run it; what it says goes to text[SAYS_MAX]. Its status, or -1 and errno. */
static int
run(const char *path, int question, const struct certs_files *to, char *text)
{
	int says[2], status = -1;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe2(says, O_CLOEXEC) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		become(path, question, says[1], to);
		_exit(127);
	}
	close(says[1]);
	while (pid != -1 && n < SAYS_MAX - 1 &&
	    (got = read(says[0], text + n, SAYS_MAX - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(says[0]);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

/* ---- what it answers ---- */

/* One line: NUMBER TAB cert|key|warning TAB TEXT. */
static void
take_line(const struct server_conf *c, char *line, struct faults *f)
{
	size_t number = strtoul(line, NULL, 10);
	char *what = strchr(line, '\t'), *text, key[64];
	const struct conf_tls_host *h = NULL;
	const struct conf_pair *own = &c->tls_pair;
	bool of_key;

	if (what == NULL || (text = strchr(what + 1, '\t')) == NULL ||
	    number > c->tls_hosts.n + 1)
		return;
	what++;
	*text++ = '\0';
	of_key = strcmp(what, "key") == 0;
	if (number > c->tls_hosts.n)
		own = &c->api_pair;
	else if (number > 0)
		h = &c->tls_hosts.v[number - 1];
	else if (own->cert == NULL)
		return; /* it is one of the others, and will be told there */
	if (h != NULL)
		snprintf(key, sizeof(key), "tls.hosts[%zu].%s", h->index,
		    of_key ? "key" : "cert");
	else
		snprintf(key, sizeof(key), "%s.%s",
		    own == &c->api_pair ? "api" : "tls",
		    of_key ? "key" : "cert");
	(strcmp(what, "warning") == 0 ? faults_warn : faults_add)(f,
	    h != NULL ? h->file : own->at[of_key].file,
	    h != NULL ? h->line : own->at[of_key].line, key, "%s: %s",
	    of_key ? (h != NULL ? h->key : own->key)
		   : (h != NULL ? h->cert : own->cert),
	    text);
}

void
certs_load(
    const struct server_conf *c, const struct certs_files *to, struct faults *f)
{
	char path[PATH_MAX], *text = NULL, *line, *save;
	size_t before = f->errors;
	int question = -1, status = -1;

	if (!conf_tls_wanted(c) && c->api_pair.cert == NULL)
		return;
	if (proc_libexec(PROGRAM, path, sizeof(path)) == 0 &&
	    (text = malloc(SAYS_MAX)) != NULL &&
	    (question = write_question(c)) != -1)
		status = run(path, question, to, text);
	if (question != -1)
		close(question);
	if (status == -1 || status > 1)
		faults_add(
		    f, NULL, 0, "tls.cert", "%s could not be run", PROGRAM);
	else
		for (line = strtok_r(text, "\n", &save); line != NULL;
		    line = strtok_r(NULL, "\n", &save))
			take_line(c, line, f);
	if (status == 1 && f->errors == before)
		faults_add(f, NULL, 0, "tls.cert",
		    "the certificates could not be read");
	free(text);
}
