/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tree-changes.c - mailboxes are made, renamed and removed
 *
 * These are rare, and whoever asks waits for the server. When the answer is lost the list of
 * mailboxes says what happened.
 */
#include "outbox.h"
#include "send.h"

#include <string.h>

/* So many names are tried in the trash. */
#define TRASH_TRIES 100

#define SPECIAL                                                                                    \
  (RACK_LIST_ALL | RACK_LIST_ARCHIVE | RACK_LIST_DRAFTS | RACK_LIST_FLAGGED | RACK_LIST_JUNK       \
   | RACK_LIST_SENT | RACK_LIST_TRASH | RACK_LIST_IMPORTANT)

/* ---- Names ---------------------------------------------------------------------------------- */

/* The mailbox that name stands for below parent. Returns: (owned) */
static char *
mailbox_name (RackFolder *parent, const char *name, GError **error)
{
  RackMirror *mirror = parent->mirror;
  gboolean root = parent->parent == NULL;
  char separator = (char) g_atomic_int_get (&mirror->separator);
  g_autofree char *component = rack_name_directory_parse (name, root);
  if (component == NULL || *component == '\0')
    g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "\"%s\" cannot be a mailbox", name);
  else if (separator != '\0' && strchr (component, separator) != NULL)
    g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                 "\"%s\" cannot be a mailbox: \"%c\" separates levels on this server", name,
                 separator);
  else if (!root && separator == '\0')
    g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                 "%s: the server has no mailboxes within mailboxes", parent->mailbox);
  else if (!root)
    return g_strdup_printf ("%s%c%s", parent->mailbox, separator, component);
  else
    return g_steal_pointer (&component);
  return NULL;
}

/* *there: whether the server lists it. */
static gboolean
is_listed (RackMirror *mirror, const char *mailbox, gboolean *there, GCancellable *cancellable,
           GError **error)
{
  g_autoptr (GPtrArray) list =
      rack_account_list (mirror->account, "*", RACK_LIST_ALL_NAMESPACES, cancellable, error);
  if (list == NULL)
    return FALSE;
  *there = FALSE;
  for (guint i = 0; i < list->len && !*there; i++)
    {
      const RackMailboxInfo *info = list->pdata[i];
      *there = strcmp (info->name, mailbox) == 0 && !(info->flags & RACK_LIST_NONEXISTENT);
    }
  return TRUE;
}

/* Whether an error leaves open what happened. */
static gboolean
is_open (const GError *problem)
{
  return g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNKNOWN_OUTCOME)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_CLOSED)
         || g_error_matches (problem, RACK_ERROR, RACK_ERROR_NETWORK);
}

static gboolean
rename_mailbox (RackMirror *mirror, const char *from, const char *to, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean there = FALSE;
  if (rack_account_rename (mirror->account, from, to, cancellable, &problem))
    return TRUE;
  if (is_open (problem) && is_listed (mirror, to, &there, cancellable, NULL) && there
      && is_listed (mirror, from, &there, cancellable, NULL) && !there)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* ---- Make --------------------------------------------------------------------------------- */

static gboolean
create (RackMirror *mirror, const char *mailbox, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean there = FALSE;
  if (rack_account_create (mirror->account, mailbox, cancellable, &problem))
    return TRUE;
  if (is_open (problem))
    {
      if (!is_listed (mirror, mailbox, &there, cancellable, NULL))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
      return there || rack_account_create (mirror->account, mailbox, cancellable, error);
    }
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

gboolean
rack_folder_make (RackFolder *parent, const char *name, RackFolder **folder,
                  GCancellable *cancellable, GError **error)
{
  RackMirror *mirror = parent->mirror;
  if (!rack_folder_may_change (parent, error))
    return FALSE;
  if (rack_folder_child (parent, name) != NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_EXISTS, "%s is there already", name);
      return FALSE;
    }
  g_autofree char *mailbox = mailbox_name (parent, name, error);
  if (mailbox == NULL || !create (mirror, mailbox, cancellable, error))
    return FALSE;
  /* A server may not let it be subscribed; it is there all the same. */
  rack_account_subscribe (mirror->account, mailbox, TRUE, cancellable, NULL);
  if (!rack_tree_refresh (mirror, error))
    return FALSE;
  *folder = rack_folder_child (parent, name);
  if (*folder != NULL)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL,
               "%s was made, but the server does not list it", mailbox);
  return FALSE;
}

/* ---- Unmake ------------------------------------------------------------------------------- */

static gboolean
is_empty (RackFolder *folder, GCancellable *cancellable, GError **error)
{
  RackFolderFacts facts;
  RackLocal *local = NULL;
  rack_folder_facts (folder, &facts);
  gboolean empty = facts.children == 0;
  for (guint space = 0; empty && space < 8; space++)
    if (rack_local_list (folder, space, NULL, 0, &local, 1) > 0)
      {
        rack_local_unref (local);
        empty = FALSE;
      }
  if (empty && facts.selectable)
    {
      /* No STATUS: of a mailbox that the connection has selected it says how it was then. */
      g_autoptr (RackMailbox) mailbox =
          rack_mailbox_open (folder->mirror->account, folder->mailbox, TRUE, cancellable, error);
      RackSet *set =
          mailbox != NULL ? rack_mailbox_search (mailbox, "ALL", cancellable, error) : NULL;
      if (set == NULL)
        return FALSE;
      empty = rack_set_count (set) == 0;
      rack_set_free (set);
    }
  if (!empty)
    g_set_error (error, RACK_ERROR, RACK_ERROR_BUSY, "%s is not empty", folder->mailbox);
  return empty;
}

/* Out of the way first, so that nothing can be delivered to it, and only then for good. *moved:
 * (owned) what it is called then; NULL: the server does not want it moved. FALSE: what became of
 * it is not known, or it cannot be done just now; nothing else may be done to it. */
static gboolean
move_away (RackFolder *folder, RackFolder *trash, char **moved, GCancellable *cancellable,
           GError **error)
{
  RackMirror *mirror = folder->mirror;
  char separator = (char) g_atomic_int_get (&mirror->separator);
  const char *last = strrchr (folder->mailbox, separator);
  last = separator != '\0' && last != NULL ? last + 1 : folder->mailbox;
  for (guint i = 0; i < TRASH_TRIES && separator != '\0'; i++)
    {
      g_autoptr (GError) problem = NULL;
      g_autofree char *to =
          i == 0 ? g_strdup_printf ("%s%c%s", trash->mailbox, separator, last)
                 : g_strdup_printf ("%s%c%s %u", trash->mailbox, separator, last, i + 1);
      if (rename_mailbox (mirror, folder->mailbox, to, cancellable, &problem))
        {
          *moved = g_steal_pointer (&to);
          return TRUE;
        }
      if (is_open (problem) || g_error_matches (problem, RACK_ERROR, RACK_ERROR_BUSY))
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
      if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_EXISTS))
        return TRUE;
    }
  return TRUE;
}

static gboolean
delete_mailbox (RackMirror *mirror, const char *mailbox, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean there = TRUE;
  if (rack_account_delete (mirror->account, mailbox, cancellable, &problem))
    return TRUE;
  if (is_open (problem) && is_listed (mirror, mailbox, &there, cancellable, NULL))
    return !there || rack_account_delete (mirror->account, mailbox, cancellable, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static gboolean
unmake (RackFolder *folder, GCancellable *cancellable, GError **error)
{
  RackMirror *mirror = folder->mirror;
  RackFolder *trash = rack_outbox_trash (mirror);
  g_autofree char *moved = NULL;
  if (trash != NULL && !move_away (folder, trash, &moved, cancellable, error))
    return FALSE;
  if (moved == NULL)
    return delete_mailbox (mirror, folder->mailbox, cancellable, error);
  RackMailboxInfo *info = rack_account_status (mirror->account, moved, cancellable, NULL);
  gboolean empty = info != NULL && info->messages == 0;
  if (info != NULL)
    rack_mailbox_info_free (info);
  /* What came in the last moment stays in the trash. */
  if (empty)
    delete_mailbox (mirror, moved, cancellable, NULL);
  return TRUE;
}

gboolean
rack_folder_unmake (RackFolder *folder, GCancellable *cancellable, GError **error)
{
  RackMirror *mirror = folder->mirror;
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  if (!rack_folder_may_change (folder, error))
    return FALSE;
  if (folder->parent == NULL || (facts.flags & SPECIAL) || strcmp (folder->mailbox, "INBOX") == 0
      || folder == rack_outbox_trash (mirror))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                   "%s has a special use and is not removed", folder->mailbox);
      return FALSE;
    }
  if (!rack_outbox_drain (mirror, cancellable, error) || !is_empty (folder, cancellable, error)
      || !unmake (folder, cancellable, error))
    return FALSE;
  rack_account_subscribe (mirror->account, folder->mailbox, FALSE, cancellable, NULL);
  return rack_tree_refresh (mirror, error);
}

/* ---- Rename ------------------------------------------------------------------------------- */

/* What was said of one is said of the other. */
static void
take_over (RackMirror *mirror, RackFolder *from, RackFolder *to)
{
  RackOverlay overlay;
  pthread_mutex_lock (&from->mutex);
  overlay = from->overlay;
  rack_overlay_init (&from->overlay);
  pthread_mutex_unlock (&from->mutex);
  pthread_mutex_lock (&to->mutex);
  rack_overlay_clear (&to->overlay);
  to->overlay = overlay;
  pthread_mutex_unlock (&to->mutex);
  rack_locals_rehome (mirror->outbox, from, to);
}

/* The folder of a mailbox, or NULL. */
static RackFolder *
by_mailbox (RackMirror *mirror, const char *mailbox)
{
  GHashTableIter iter;
  gpointer one;
  RackFolder *found = NULL;
  pthread_mutex_lock (&mirror->tree);
  g_hash_table_iter_init (&iter, mirror->ids);
  while (found == NULL && g_hash_table_iter_next (&iter, NULL, &one))
    if (!((RackFolder *) one)->gone && strcmp (((RackFolder *) one)->mailbox, mailbox) == 0)
      found = one;
  pthread_mutex_unlock (&mirror->tree);
  return found;
}

/* Those that were the mailbox from or below it are another one now. */
static void
follow_renamed (RackMirror *mirror, const char *from, const char *to)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  gsize size = strlen (from);
  char separator = (char) g_atomic_int_get (&mirror->separator);
  GHashTableIter iter;
  gpointer one;
  pthread_mutex_lock (&mirror->tree);
  g_hash_table_iter_init (&iter, mirror->ids);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      const char *mailbox = ((RackFolder *) one)->mailbox;
      if (strncmp (mailbox, from, size) == 0
          && (mailbox[size] == '\0' || (separator != '\0' && mailbox[size] == separator)))
        g_ptr_array_add (all, one);
    }
  pthread_mutex_unlock (&mirror->tree);
  for (guint i = 0; i < all->len; i++)
    {
      RackFolder *before = all->pdata[i];
      g_autofree char *name = g_strconcat (to, before->mailbox + size, NULL);
      RackFolder *after = by_mailbox (mirror, name);
      rack_journal_rename (mirror->outbox->journal, before->mailbox, name, NULL);
      if (after != NULL && after != before)
        take_over (mirror, before, after);
    }
}

gboolean
rack_folder_rename (RackFolder *folder, RackFolder *parent, const char *name,
                    GCancellable *cancellable, GError **error)
{
  RackMirror *mirror = folder->mirror;
  RackFolderFacts facts;
  rack_folder_facts (folder, &facts);
  if (!rack_folder_may_change (folder, error) || !rack_folder_may_change (parent, error))
    return FALSE;
  if (folder->parent == NULL || (facts.flags & SPECIAL) || strcmp (folder->mailbox, "INBOX") == 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED,
                   "%s has a special use and keeps its name", folder->mailbox);
      return FALSE;
    }
  if (rack_folder_child (parent, name) != NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_EXISTS, "%s is there already", name);
      return FALSE;
    }
  g_autofree char *from = g_strdup (folder->mailbox);
  g_autofree char *to = mailbox_name (parent, name, error);
  if (to == NULL || !rack_outbox_drain (mirror, cancellable, error)
      || !rename_mailbox (mirror, from, to, cancellable, error)
      || !rack_tree_refresh (mirror, error))
    return FALSE;
  rack_account_subscribe (mirror->account, to, TRUE, cancellable, NULL);
  rack_account_subscribe (mirror->account, from, FALSE, cancellable, NULL);
  follow_renamed (mirror, from, to);
  return TRUE;
}
