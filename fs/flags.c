/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flags.c - the flags of messages as text
 */
#include "flags.h"

#include <string.h>

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

/* ---- As a text that was written ------------------------------------------------------------ */

#define BLANKS      " \t\r\n"
#define KEYWORD_MAX 200

/* An atom (RFC 9051 section 9). */
static gboolean
is_keyword (const char *word)
{
  for (const char *p = word; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p) || strchr ("(){%*\"\\]", *p) != NULL)
      return FALSE;
  return strlen (word) <= KEYWORD_MAX;
}

char *
flags_check (const char *text, gsize size)
{
  if (memchr (text, '\0', size) != NULL)
    return g_strdup ("flags: there is a NUL in what was written");
  g_auto (GStrv) words = g_strsplit_set (text, BLANKS, -1);
  for (guint i = 0; words[i] != NULL; i++)
    {
      const char *word = words[i];
      if (*word == '\\' && flag_by_name (word) == 0 && g_ascii_strcasecmp (word, "\\Recent") != 0)
        return g_strdup_printf ("flags: \"%s\" is none of \\Seen, \\Answered, \\Flagged, \\Deleted "
                                "and \\Draft",
                                word);
      if (*word != '\\' && !is_keyword (word))
        return g_strdup_printf ("flags: \"%s\" cannot be a keyword", word);
    }
  return NULL;
}

/* Those of a that are not in b: borrowed from a. */
static GPtrArray *
without (char **a, char **b)
{
  GPtrArray *out = g_ptr_array_new ();
  for (guint i = 0; a[i] != NULL; i++)
    if (*a[i] != '\0' && *a[i] != '\\' && !g_strv_contains ((const char *const *) b, a[i])
        && !g_ptr_array_find_with_equal_func (out, a[i], g_str_equal, NULL))
      g_ptr_array_add (out, a[i]);
  g_ptr_array_add (out, NULL);
  return out;
}

gboolean
flags_set (RackMirror *mirror, guint32 row, guint32 uid, const char *text, RackTicket *ticket,
           GError **error)
{
  const RackFlags kept = RACK_FLAG_RECENT | RACK_FLAG_KEYWORDS;
  g_auto (GStrv) words = g_strsplit_set (text, BLANKS, -1);
  RackFlags flags = 0;
  RackEntry entry;
  RackFolder *folder = rack_mirror_whereabouts (mirror, row, uid, &entry);
  if (folder == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_STALE, "flags: the message is gone");
      return FALSE;
    }
  for (guint i = 0; words[i] != NULL; i++)
    flags |= flag_by_name (words[i]);
  g_auto (GStrv) now = keyword_names (folder, &entry);
  g_autoptr (GPtrArray) add = without (words, now);
  g_autoptr (GPtrArray) remove = without (now, words);
  RackFlagChange change = { .add = flags & ~entry.flags,
                            .remove = entry.flags & ~flags & ~kept,
                            .add_keywords = (const char *const *) add->pdata,
                            .remove_keywords = (const char *const *) remove->pdata };
  if (change.add == 0 && change.remove == 0 && add->len == 1 && remove->len == 1)
    return TRUE;
  return rack_folder_set_flags (folder, row, uid, &change, ticket, error);
}
