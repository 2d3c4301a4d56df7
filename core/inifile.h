/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * inifile.h - an INI file as text: sections, keys, values, lines
 *
 * Knows the grammar alone. What the keys mean, inheritance from DEFAULT and
 * interpolation are config.h's. */
#pragma once

#include <mailrack/mailrack-plugin.h>

/* Longest value, and longest file, in bytes. */
#define RACK_INI_VALUE_MAX (64 * 1024)
#define RACK_INI_FILE_MAX  (4 * 1024 * 1024)

typedef struct
{
  char *key;         /* lower case */
  RackSecret *value; /* verbatim, without the blanks around it; lines joined by "\n" */
  guint line;        /* of the key, from 1 */
  guint last_line;   /* of the last line that continues it; line when there is none */
} RackIniEntry;

typedef struct
{
  char *name;
  guint line;
  GPtrArray *entries; /* element-type RackIniEntry, in the file's order */
} RackIniSection;

typedef struct
{
  GPtrArray *sections; /* element-type RackIniSection, in the file's order */
} RackIni;

/* Reads data, which is not changed. file is for messages. Returns: (owned), or NULL with
 * RACK_ERROR_CONFIG: broken lines, duplicate sections and keys, text that is not UTF-8. */
RackIni *rack_ini_parse (const char *data, gsize size, const char *file, GError **error);
void rack_ini_free (RackIni *ini);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackIni, rack_ini_free)

/* NULL when there is none. Section names are exact, keys in lower case. */
const RackIniSection *rack_ini_section (const RackIni *ini, const char *name);
const RackIniEntry *rack_ini_entry (const RackIniSection *section, const char *key);
