/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flags.h - the flags of messages as text
 */
#pragma once

#include <mailrack/mailrack-mirror.h>

/* "\Seen" and so on, those that a message can keep, in one order. Returns: (owned) NULL-terminated
 */
char **flag_names (RackFlags flags);
/* The opposite, of one: 0 if it is none. */
RackFlags flag_by_name (const char *name);
/* Its keywords, ascending. Returns: (owned) NULL-terminated */
char **keyword_names (RackFolder *folder, const RackEntry *entry);
/* Both. Returns: (owned) NULL-terminated */
char **flag_and_keyword_names (RackFolder *folder, const RackEntry *entry);
