/*
 * One value of a configuration: checked by its row, put into its field.
 */
#ifndef SETTING_H
#define SETTING_H

#include <libconfig.h>

#include "common/conf/schema.h"

/*
 * Replace the field of the row in the struct at `to` by the setting's value;
 * append to it instead if `append` and it is a list. On a fault the field
 * keeps what it had, or a part of the list. `at` is where the setting stands.
 */
void setting_put(const struct schema_key *k, void *to,
    const config_setting_t *setting, bool append,
    const struct schema_place *at);

/*
 * Whether a row takes a literal of this libconfig type as it is. If not, an
 * option's text counts as a string.
 */
bool setting_fits(const struct schema_key *k, int type);

#endif
