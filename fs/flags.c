/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flags.c - the flags of messages as text
 */
#include "flags.h"

static const struct
{
  RackFlags flag;
  const char *name;
} known[] = {
  { RACK_FLAG_SEEN, "\\Seen" },       { RACK_FLAG_ANSWERED, "\\Answered" },
  { RACK_FLAG_FLAGGED, "\\Flagged" }, { RACK_FLAG_DELETED, "\\Deleted" },
  { RACK_FLAG_DRAFT, "\\Draft" },
};

RackFlags
flag_by_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_ascii_strcasecmp (known[i].name, name) == 0)
      return known[i].flag;
  return 0;
}

char **
flag_names (RackFlags flags)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (flags & known[i].flag)
      g_strv_builder_add (names, known[i].name);
  return g_strv_builder_end (names);
}

char **
keyword_names (RackFolder *folder, const RackEntry *entry)
{
  char **keywords = entry->keywords != 0 ? rack_folder_keywords (folder, entry->uid) : NULL;
  return keywords != NULL ? keywords : g_new0 (char *, 1);
}

char **
flag_and_keyword_names (RackFolder *folder, const RackEntry *entry)
{
  g_auto (GStrv) flags = flag_names (entry->flags);
  g_auto (GStrv) keywords = keyword_names (folder, entry);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_strv_builder_addv (names, (const char **) flags);
  g_strv_builder_addv (names, (const char **) keywords);
  return g_strv_builder_end (names);
}
