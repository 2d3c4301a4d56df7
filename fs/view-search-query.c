/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-search-query.c - what a name in .search asks for
 *
 * A name is a query with what names cannot hold escaped: "%2F" is "/", "%25" is "%". It
 * may begin with in:MAILBOX, also several times, which says where to look; the library
 * understands the rest (rack_search_parse()).
 */
#include "search.h"

#include <string.h>

#define CHILDREN 64

static gboolean invalid (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
invalid (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID, message);
  return FALSE;
}

/* Returns: (owned) the query, or NULL with error set. */
static char *
unescape (const char *name, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (const char *p = name; *p != '\0'; p++)
    {
      int high = *p == '%' ? g_ascii_xdigit_value (p[1]) : -1;
      int low = high >= 0 ? g_ascii_xdigit_value (p[2]) : -1;
      if (low >= 0)
        p += 2;
      g_string_append_c (text, low >= 0 ? (char) (high * 16 + low) : *p);
    }
  gboolean ok = strlen (text->str) == text->len && g_utf8_validate (text->str, -1, NULL);
  for (gsize i = 0; ok && i < text->len; i++)
    ok = !g_ascii_iscntrl (text->str[i]);
  if (ok)
    return g_string_free (g_steal_pointer (&text), FALSE);
  invalid (error, "a query is UTF-8 without control characters");
  return NULL;
}

/* ---- Where ----------------------------------------------------------------------------- */

static void
add_all (RackFolder *folder, GPtrArray *folders)
{
  RackFolder *children[CHILDREN];
  RackFolderFacts facts;
  guint32 last = 0;
  guint n;
  do
    {
      n = rack_folder_children (folder, last, children, CHILDREN);
      for (guint i = 0; i < n; i++)
        {
          rack_folder_facts (children[i], &facts);
          last = facts.id;
          if (facts.selectable)
            g_ptr_array_add (folders, children[i]);
          add_all (children[i], folders);
        }
    }
  while (n == CHILDREN);
}

static gboolean
has_flags (RackFolder *folder, RackListFlags flags)
{
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  return (facts.flags & flags) != 0;
}

/* Whether folder is that mailbox or below it. */
static gboolean
is_within (RackFolder *folder, const char *mailbox)
{
  for (; folder != NULL; folder = rack_folder_parent (folder))
    {
      const char *name = rack_folder_mailbox (folder);
      gboolean inbox = g_ascii_strcasecmp (name, "INBOX") == 0;
      if (inbox ? g_ascii_strcasecmp (name, mailbox) == 0 : strcmp (name, mailbox) == 0)
        return TRUE;
    }
  return FALSE;
}

/* Wherever mail is that nobody threw away. A mailbox of everything (\All) has that by itself, and
 * every message once. */
static void
choose_usual (const GPtrArray *all, GPtrArray *chosen)
{
  for (guint i = 0; i < all->len; i++)
    if (has_flags (all->pdata[i], RACK_LIST_ALL))
      g_ptr_array_add (chosen, all->pdata[i]);
  if (chosen->len > 0)
    return;
  for (guint i = 0; i < all->len; i++)
    if (!has_flags (all->pdata[i],
                    RACK_LIST_JUNK | RACK_LIST_TRASH | RACK_LIST_FLAGGED | RACK_LIST_IMPORTANT))
      g_ptr_array_add (chosen, all->pdata[i]);
}

static gboolean
choose_named (const GPtrArray *all, const char *mailbox, GPtrArray *chosen, GError **error)
{
  gboolean any = strcmp (mailbox, "anywhere") == 0, found = any;
  for (guint i = 0; i < all->len; i++)
    if (any || is_within (all->pdata[i], mailbox))
      {
        found = TRUE;
        if (!g_ptr_array_find (chosen, all->pdata[i], NULL))
          g_ptr_array_add (chosen, all->pdata[i]);
      }
  return found || invalid (error, "in:%s: there is no such mailbox", mailbox);
}

/* Takes in:MAILBOX or in:"MAILBOX" from the front of text. Returns: (owned) or NULL. */
static char *
take_mailbox (const char **text)
{
  const char *at = *text + strspn (*text, " ");
  if (!g_str_has_prefix (at, "in:"))
    return NULL;
  at += strlen ("in:");
  gboolean quoted = *at == '"';
  at += quoted;
  g_autoptr (GString) mailbox = g_string_new (NULL);
  for (; *at != '\0' && *at != (quoted ? '"' : ' '); at++)
    {
      if (quoted && *at == '\\' && at[1] != '\0')
        at++;
      g_string_append_c (mailbox, *at);
    }
  *text = at + (quoted && *at == '"');
  return g_string_free (g_steal_pointer (&mailbox), FALSE);
}

/* ---- The whole ---------------------------------------------------------------------------- */

gboolean
search_query_parse (RackMirror *mirror, const char *name, SearchQuery *query, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  g_autofree char *text = unescape (name, error);
  const char *rest = text;
  char *mailbox;
  gboolean ok = text != NULL, named = FALSE;

  query->criteria = NULL;
  query->folders = g_ptr_array_new ();
  add_all (rack_mirror_root (mirror), all);
  while (ok && (mailbox = take_mailbox (&rest)) != NULL)
    {
      ok = choose_named (all, mailbox, query->folders, error);
      named = TRUE;
      g_free (mailbox);
    }
  if (ok && !named)
    choose_usual (all, query->folders);
  if (ok)
    query->criteria = rack_search_parse (rest, error);
  if (query->criteria != NULL)
    return TRUE;
  search_query_clear (query);
  return FALSE;
}

void
search_query_clear (SearchQuery *query)
{
  g_clear_pointer (&query->criteria, rack_criteria_free);
  g_clear_pointer (&query->folders, g_ptr_array_unref);
}
