/*
 * The catalog: the services that are published, from the configuration and
 * from `ptpctl add`. Each has a number that it keeps while it is there.
 */
#ifndef CATALOG_H
#define CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "client/conf.h"
#include "client/parent.h"
#include "common/tunnel/names.h"

struct buf;
struct grant_row;
struct target;

struct entry {
	TAILQ_ENTRY(entry) link;
	uint16_t index;
	bool added; /* by ptpctl: stays over a reload */
	struct source *source;
	const struct client_service *conf; /* in there */
	struct target *target;		   /* locals.h */
	struct grant_row *rows;		   /* grants.h */
	size_t nrows;
};

TAILQ_HEAD(entries, entry);

struct catalog {
	struct parent *parent;
	struct entries entries;
	size_t count;
	uint16_t next;		     /* the number to give next */
	uint32_t serial;	     /* of what the server was told last */
	char id[TEXT_LABEL_MAX + 1]; /* who we are there; empty: not known */
};

/* An empty one. NULL: no memory. */
struct catalog *catalog_new(struct parent *p);
void catalog_free(struct catalog *c);

/*
 * Publish the services of a configuration instead of those of the one before;
 * what has not changed keeps its number and connections. The engine and the
 * server are told. 0, or -1 and why: nothing has changed.
 */
int catalog_load(struct catalog *c, struct source *s, const char **why);

/* Publish these as well. As above. */
int catalog_add(struct catalog *c, struct source *s, const char **why);

/*
 * Give up what is at that local address or has that name. How many those
 * were.
 */
size_t catalog_remove(struct catalog *c, const char *what);

/* Give up those that are the same as one of s. How many those were. */
size_t catalog_remove_same(struct catalog *c, const struct source *s);

/* Tell a fresh engine everything, or all of them the list anew. */
void catalog_boot(const struct catalog *c);
void catalog_offer(struct catalog *c);

/*
 * We are `id` at the server that is told next: what it is told of secrets
 * depends on that.
 */
void catalog_identify(struct catalog *c, const char *id);

/*
 * The names of all services, as many as fit: what the client asks for at a
 * plain login, before the server is told the services.
 */
void catalog_names(const struct catalog *c, struct names *names);

struct entry *catalog_find(const struct catalog *c, uint16_t index);

#endif
