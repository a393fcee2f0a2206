/*
 * Configuration by table: each key is a row that says its path, its type, its
 * default, its bounds and where its value lies. One loader fills any struct
 * from a libconfig tree and overriding options; pack.h carries it elsewhere.
 *
 * Precedence: an option (-o) beats the file, the file beats the default. A
 * key that no row has is a fault, and so is everything that is not exactly
 * what its row allows.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libconfig.h>

#include "common/conf/faults.h"
#include "common/conf/lists.h"

#define SCHEMA_KEYS_MAX 128  /* rows of one schema */
#define SCHEMA_WHOLE 1000000 /* of a SCHEMA_SHARE: 1 */
#define SCHEMA_TEXT_MAX 1023 /* bytes of a string of a list */
#define SCHEMA_PATH_MAX 128  /* bytes of a key's full path */

/* What a row accepts, and the type of the field that it fills. */
enum schema_type {
	SCHEMA_STRING,	 /* char *; at least min and at most max bytes */
	SCHEMA_BOOL,	 /* bool */
	SCHEMA_INT,	 /* uint64_t, min to max */
	SCHEMA_DURATION, /* uint64_t, ms: "30s", or 0; min to max */
	SCHEMA_SIZE,	 /* uint64_t, bytes: "16K", or a number; min to max */
	SCHEMA_SHARE,	 /* uint64_t, millionths: 0 to 1, as 0.25 */
	SCHEMA_CHOICE,	 /* uint64_t: which of the words in `choices` */
	/* char *: NULL for false, "" for true, else at most max bytes */
	SCHEMA_FLAG_OR_STRING,
	/* Lists of at most max elements; one value will do without a list. */
	SCHEMA_ADDRS,	/* struct addr_list; a number is a port */
	SCHEMA_BLOCKS,	/* struct block_list */
	SCHEMA_STRINGS, /* struct str_list; 1 to SCHEMA_TEXT_MAX bytes each */
	SCHEMA_GROUPS,	/* a list of the structs that `sub` describes */
};

/* Where a value stands, for faults: any part may be absent. */
struct schema_place {
	struct faults *faults;
	const char *file;
	unsigned int line;
	const char *key; /* its path, as "users[0]" */
	size_t index;	 /* of an element in its list */
};

struct schema {
	const struct schema_key *keys;
	size_t n;    /* at most SCHEMA_KEYS_MAX */
	size_t size; /* of the struct */
	size_t set;  /* offset of its uint64_t of flags */
	/*
	 * Called for an element of a list of groups after its keys are in, to
	 * check what no single row can, and to derive.
	 */
	void (*finish)(void *element, const struct schema_place *at);
};

struct schema_key {
	const char *path; /* dotted; NULL: only packed, never read */
	enum schema_type type;
	size_t offset;
	const char *preset; /* the default, as -o takes it; NULL: all zero */
	uint64_t min, max;
	uint64_t flag;	/* set in the struct if the key was given; or 0 */
	bool secret;	/* never packed */
	bool always;	/* a string that is never NULL once all is loaded */
	bool lowercase; /* strings: fold before `check` */
	bool number;	/* SCHEMA_STRING: a whole number will do as well */
	const char *const *choices; /* SCHEMA_CHOICE: ends with NULL */
	/* Strings, each of a list too: NULL, or what was expected. */
	const char *(*check)(const char *value);
	const struct schema *sub; /* SCHEMA_GROUPS */
};

/* What schema_load() takes the values from. */
struct schema_input {
	const config_setting_t *group; /* of the file; NULL: none */
	const char *file;	       /* its name, for faults */
	bool unlined; /* it is no file but an option: it has no lines */
	const char *const *options; /* "key=value" */
	size_t noptions;
	const char *source; /* the options' name, for faults: "-o" */
	const char *prefix; /* of every key, for faults: "users[0]", or NULL */
	bool append;	    /* options of a list add up; else the last wins */
	const char *const *ignore; /* keys of the file that something else
				      beats: ends with NULL; or NULL */
};

/*
 * Fill the struct at `to`, whose bytes before do not matter. Adds a fault for
 * everything that is wrong and goes on; the struct is to be freed with
 * schema_free() in any case.
 */
void schema_load(const struct schema *s, void *to,
    const struct schema_input *in, struct faults *f);

/*
 * Wipe the strings (some are secrets) and free all that the rows of the
 * schema own; the fields are zero afterwards.
 */
void schema_free(const struct schema *s, void *from);

/*
 * Where the value of a key stands that was loaded from `in`: an option, a line
 * of the file, or nowhere (then `file` is NULL). For faults of checks that no
 * row can make; key must outlive the result.
 */
struct schema_place schema_locate(
    const struct schema_input *in, const char *key, struct faults *f);

/*
 * Make the path that a key has, or its default, absolute (paths.h). A fault if
 * there is none, or it has more than `max` bytes.
 */
void schema_path(char **path, const char *key, size_t max,
    const struct schema_input *in, struct faults *f);

/* Add a fault about `key` below a place: "users[0].id" for "id". */
void schema_fault(const struct schema_place *at, const char *key,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
