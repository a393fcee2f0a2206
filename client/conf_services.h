/*
 * The services of a client's configuration: what is local, under which names.
 */
#ifndef CONF_SERVICES_H
#define CONF_SERVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "client/conf.h"
#include "common/conf/schema.h"

/* Checks of rows: NULL, or what was expected. */
const char *conf_services_check_name(const char *name);
const char *conf_services_check_host(const char *host);
const char *conf_services_check_remove(const char *name);

/* Take a service as it was loaded apart (schema.finish). */
void conf_services_finish(void *service, const struct schema_place *at);

/*
 * Append the services of the command line to the list, each "LOCAL[,key=
 * value...]": LOCAL is a value of `local` or a bare port, keys of lists may
 * repeat.
 */
void conf_services_operands(struct client_service_list *list,
    const char *const *operands, size_t n, struct faults *f);

/*
 * No name may stand twice, and only one service may be without a name (it
 * has the id).
 */
void conf_services_check_unique(
    const struct client_service_list *list, struct faults *f);

/*
 * Whether two services may have the same name: one is called by server name
 * only (tls://), the other by Host.
 */
bool conf_services_apart(
    const struct client_service *a, const struct client_service *b);

#endif
