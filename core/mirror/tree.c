/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tree.c - the mailboxes of an account as a tree of folders
 *
 * Each level of a hierarchical name is a folder, whether the server lists it or not.
 * The numbers of folders and of their messages come from digests of names, so that
 * they are the same the next time; those that collide take the next free number.
 * Folders that are gone stay in memory, since their pointers may be held.
 */
#include "mirror-private.h"

#include <string.h>

/* Deeper levels become one name; a path must end somewhere. */
#define DEPTH_MAX   64
/* A server that lists more than this is not listing mailboxes. */
#define FOLDERS_MAX 200000
/* So long, in seconds, what is known of a mailbox stays when it is not listed: lists have errors.
 */
#define GONE_KEPT   (30 * 24 * 3600)

/* 31 bits of a digest, not 0. */
static guint32
number_of (const char *text, gsize size, guint32 salt)
{
  guint8 digest[32];
  gsize length = sizeof digest;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (sum, (const guchar *) text, (gssize) size);
  g_checksum_update (sum, (const guchar *) &salt, sizeof salt);
  g_checksum_get_digest (sum, digest, &length);
  guint32 number =
      ((guint32) digest[0] << 24 | (guint32) digest[1] << 16 | (guint32) digest[2] << 8 | digest[3])
      & 0x7fffffff;
  return number != 0 ? number : 1;
}

static guint32
free_number (GHashTable *table, guint32 number)
{
  while (g_hash_table_contains (table, GUINT_TO_POINTER (number)))
    number = number == 0x7fffffff ? 1 : number + 1;
  return number;
}

guint32
rack_tree_new_row (RackFolder *folder, guint32 uid_validity)
{
  RackMirror *mirror = folder->mirror;
  guint32 row = number_of (folder->mailbox, strlen (folder->mailbox), uid_validity);
  pthread_mutex_lock (&mirror->tree);
  row = free_number (mirror->rows, row);
  g_hash_table_insert (mirror->rows, GUINT_TO_POINTER (row), folder);
  pthread_mutex_unlock (&mirror->tree);
  return row;
}

void
rack_tree_drop_row (RackMirror *mirror, guint32 row)
{
  pthread_mutex_lock (&mirror->tree);
  g_hash_table_remove (mirror->rows, GUINT_TO_POINTER (row));
  pthread_mutex_unlock (&mirror->tree);
}

static guint
child_position (RackFolder *parent, guint32 id)
{
  guint low = 0, high = parent->children->len;
  while (low < high)
    {
      guint middle = (low + high) / 2;
      if (((RackFolder *) parent->children->pdata[middle])->id < id)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
put_below (RackFolder *parent, RackFolder *folder)
{
  g_ptr_array_insert (parent->children, (gint) child_position (parent, folder->id), folder);
  g_hash_table_insert (parent->by_name, folder->directory, folder);
}

/* ---- From the store ------------------------------------------------------------- */

/* Below it only what rack_name_directory() would give may be reached. */
static gboolean
is_component (const char *directory)
{
  return *directory != '\0' && strlen (directory) <= RACK_NAME_DIRECTORY_MAX
         && strchr (directory, '/') == NULL && strcmp (directory, ".") != 0
         && strcmp (directory, "..") != 0 && g_utf8_validate (directory, -1, NULL);
}

static void
load_folder (const RackStoreFolder *from, gpointer data)
{
  RackMirror *mirror = data;
  RackFolder *parent = g_hash_table_lookup (mirror->ids, GUINT_TO_POINTER (from->parent));
  if (parent == NULL || !is_component (from->directory)
      || g_hash_table_contains (mirror->ids, GUINT_TO_POINTER (from->id))
      || g_hash_table_contains (parent->by_name, from->directory))
    return;
  RackFolder *folder = rack_folder_new (mirror, parent, from->id, g_strdup (from->mailbox),
                                        g_strdup (from->directory));
  folder->flags = from->flags;
  folder->gone = from->gone != 0 || parent->gone;
  folder->gone_since = from->gone;
  folder->selectable = from->selectable && !folder->gone;
  g_hash_table_insert (mirror->ids, GUINT_TO_POINTER (from->id), folder);
  if (!folder->gone)
    put_below (parent, folder);
}

static void
load_box (const RackStoreBox *box, gpointer data)
{
  RackMirror *mirror = data;
  RackFolder *folder = g_hash_table_lookup (mirror->ids, GUINT_TO_POINTER (box->folder));
  if (folder == NULL || folder == mirror->root)
    return;
  folder->box = *box;
  folder->changed = box->changed;
  folder->flags_changed = box->flags_changed;
  g_hash_table_insert (mirror->rows, GUINT_TO_POINTER (box->row), folder);
}

gboolean
rack_tree_load (RackMirror *mirror, GError **error)
{
  /* Nobody else has the mirror yet; there are no threads. */
  gint64 long_ago = g_get_real_time () / G_USEC_PER_SEC - GONE_KEPT;
  return rack_store_forget_gone (mirror->store, long_ago, error)
         && rack_store_each_folder (mirror->store, load_folder, mirror, error)
         && rack_store_each_box (mirror->store, load_box, mirror, error);
}

/* With the tree's mutex held; mailboxes that changed go to the store. */
static void
save_folder (GArray *rows, const RackFolder *folder)
{
  if (folder->parent == NULL)
    return;
  RackStoreFolder row = {
    .id = folder->id,
    .parent = folder->parent->id,
    .mailbox = folder->mailbox,
    .directory = folder->directory,
    .flags = folder->flags,
    .selectable = folder->selectable,
    .gone = folder->gone_since,
  };
  g_array_append_val (rows, row);
}

/* ---- From a list of names to folders; with the tree's mutex held ----------- */

/* One list being applied. */
typedef struct
{
  RackMirror *mirror;
  guint generation;
  GHashTable *touched; /* RackFolder -> GPtrArray of directory names that came or went */
  GPtrArray *dropped;  /* of RackFolder: not selectable any more */
  GHashTable *rows;    /* of RackFolder: the store does not know them so */
  GPtrArray *allowed;  /* of RackFolder: their rights are others now */
} Refresh;

static void
note_row (Refresh *refresh, RackFolder *folder)
{
  g_hash_table_add (refresh->rows, folder);
}

static void
note_change (Refresh *refresh, RackFolder *parent, RackFolder *child)
{
  GPtrArray *names = g_hash_table_lookup (refresh->touched, parent);
  if (names == NULL)
    {
      names = g_ptr_array_new ();
      g_hash_table_insert (refresh->touched, parent, names);
    }
  g_ptr_array_add (names, child->directory);
}

static void
attach (Refresh *refresh, RackFolder *parent, RackFolder *folder)
{
  put_below (parent, folder);
  folder->gone = FALSE;
  folder->gone_since = 0;
  note_row (refresh, folder);
  note_change (refresh, parent, folder);
}

static void
detach (Refresh *refresh, RackFolder *folder)
{
  RackFolder *parent = folder->parent;
  g_ptr_array_remove_index (parent->children, child_position (parent, folder->id));
  g_hash_table_remove (parent->by_name, folder->directory);
  folder->gone = TRUE;
  folder->gone_since = g_get_real_time () / G_USEC_PER_SEC;
  note_change (refresh, parent, folder);
  note_row (refresh, folder);
  if (folder->selectable)
    g_ptr_array_add (refresh->dropped, folder);
  folder->selectable = FALSE;
}

/* The folder below parent whose whole name is mailbox and whose last level is component. */
static RackFolder *
level (Refresh *refresh, RackFolder *parent, const char *mailbox, gsize size, const char *component,
       gsize component_size)
{
  RackMirror *mirror = refresh->mirror;
  char *directory =
      rack_name_directory (component, (gssize) component_size, parent == mirror->root);
  RackFolder *folder = g_hash_table_lookup (parent->by_name, directory);
  if (folder == NULL)
    {
      guint32 id = number_of (mailbox, size, 0);
      /* One that was here before is the same again. */
      folder = g_hash_table_lookup (mirror->ids, GUINT_TO_POINTER (id));
      if (folder == NULL || folder->parent != parent || strcmp (folder->directory, directory) != 0)
        {
          if (g_hash_table_size (mirror->ids) >= FOLDERS_MAX)
            {
              g_free (directory);
              return NULL;
            }
          id = free_number (mirror->ids, id);
          folder = rack_folder_new (mirror, parent, id, g_strndup (mailbox, size),
                                    g_steal_pointer (&directory));
          g_hash_table_insert (mirror->ids, GUINT_TO_POINTER (id), folder);
        }
      attach (refresh, parent, folder);
    }
  g_free (directory);
  folder->generation = refresh->generation;
  return folder;
}

/* INBOX is one mailbox in any case (RFC 9051 section 5.1). */
static const char *
canonical (const char *name)
{
  return g_ascii_strcasecmp (name, "INBOX") == 0 ? "INBOX" : name;
}

static void
apply_info (Refresh *refresh, const RackMailboxInfo *info)
{
  const char *name = canonical (info->name);
  gsize size = strlen (name);
  char separator = info->separator;
  if (separator != '\0')
    g_atomic_int_set (&refresh->mirror->separator, separator);
  /* "Foo/" is how some servers list a name that only has children. */
  if (separator != '\0' && size > 1 && name[size - 1] == separator)
    size--;
  if (size == 0)
    return;
  RackFolder *folder = refresh->mirror->root;
  gsize begin = 0;
  for (guint depth = 1; folder != NULL; depth++)
    {
      const char *cut = separator != '\0' && depth < DEPTH_MAX
                            ? memchr (name + begin, separator, size - begin)
                            : NULL;
      gsize end = cut != NULL ? (gsize) (cut - name) : size;
      folder = level (refresh, folder, name, end, name + begin, end - begin);
      if (cut == NULL)
        break;
      begin = end + 1;
    }
  if (folder == NULL)
    return;
  gboolean selectable = !(info->flags & (RACK_LIST_NOSELECT | RACK_LIST_NONEXISTENT));
  if (folder->selectable && !selectable)
    g_ptr_array_add (refresh->dropped, folder);
  if (folder->selectable != selectable || folder->flags != info->flags)
    note_row (refresh, folder);
  folder->flags = info->flags;
  folder->selectable = selectable;
  folder->listed = refresh->generation;
  if (info->has_rights && rack_limits_take_listed (folder, info->rights))
    g_ptr_array_add (refresh->allowed, folder);
}

/* The mailboxes that are to be shown. Returns: (owned) */
static GPtrArray *
ask_list (RackMirror *mirror, GError **error)
{
  RackListOptions options = RACK_LIST_ALL_NAMESPACES | RACK_LIST_WITH_RIGHTS;
  if (mirror->options.subscribed)
    options |= RACK_LIST_ONLY_SUBSCRIBED;
  GPtrArray *list = rack_account_list (mirror->account, "*", options, mirror->cancellable, error);
  if (list == NULL || !mirror->options.subscribed)
    return list;
  gboolean inbox = FALSE;
  for (guint i = list->len; i-- > 0;)
    {
      const RackMailboxInfo *info = list->pdata[i];
      inbox |= strcmp (canonical (info->name), "INBOX") == 0;
      /* A subscription outlives its mailbox. */
      if (info->flags & RACK_LIST_NONEXISTENT)
        g_ptr_array_remove_index (list, i);
    }
  if (inbox)
    return list;
  g_autoptr (GPtrArray) always =
      rack_account_list (mirror->account, "INBOX", 0, mirror->cancellable, error);
  if (always == NULL)
    {
      g_ptr_array_unref (list);
      return NULL;
    }
  g_ptr_array_extend_and_steal (list, g_steal_pointer (&always));
  return list;
}

static void
sweep (Refresh *refresh, RackFolder *folder)
{
  for (guint i = folder->children->len; i-- > 0;)
    {
      RackFolder *child = folder->children->pdata[i];
      sweep (refresh, child);
      if (child->generation != refresh->generation)
        detach (refresh, child);
      else if (child->selectable && child->listed != refresh->generation)
        {
          child->selectable = FALSE;
          child->flags = 0;
          note_row (refresh, child);
          g_ptr_array_add (refresh->dropped, child);
        }
    }
}

/* The store can do without until the next list: then it is told all of them. */
static void
save_folders (RackMirror *mirror, GHashTable *changed)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (RackStoreFolder));
  GHashTableIter iter;
  gpointer key, value;
  pthread_mutex_lock (&mirror->tree);
  g_hash_table_iter_init (&iter, mirror->unsaved ? mirror->ids : changed);
  while (g_hash_table_iter_next (&iter, &key, &value))
    save_folder (rows, mirror->unsaved ? value : key);
  mirror->unsaved = FALSE;
  pthread_mutex_unlock (&mirror->tree);
  if (rack_store_put_folders (mirror->store, (const RackStoreFolder *) rows->data, rows->len, NULL))
    return;
  pthread_mutex_lock (&mirror->tree);
  mirror->unsaved = TRUE;
  pthread_mutex_unlock (&mirror->tree);
}

static void
learn_offers (RackMirror *mirror)
{
  static const struct
  {
    const char *name;
    RackOffers offers;
  } all[] = { { "CONDSTORE", RACK_OFFERS_CONDSTORE },
              { "QRESYNC", RACK_OFFERS_CONDSTORE },
              { "OBJECTID", RACK_OFFERS_OBJECTID } };
  RackOffers offers = RACK_OFFERS_KNOWN;
  if (g_atomic_int_get (&mirror->offers) != 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      gboolean has = FALSE;
      if (!rack_account_has (mirror->account, all[i].name, &has, mirror->cancellable, NULL))
        return;
      offers |= has ? all[i].offers : 0;
    }
  g_atomic_int_set (&mirror->offers, (gint) offers);
}

gboolean
rack_tree_refresh (RackMirror *mirror, GError **error)
{
  pthread_mutex_lock (&mirror->tree);
  guint64 asked = ++mirror->lists_asked;
  pthread_mutex_unlock (&mirror->tree);
  g_autoptr (GPtrArray) list = ask_list (mirror, error);
  if (list == NULL)
    return FALSE;
  learn_offers (mirror);
  g_autoptr (GHashTable) touched =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GPtrArray) dropped = g_ptr_array_new ();
  g_autoptr (GHashTable) changed = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) allowed = g_ptr_array_new ();

  pthread_mutex_lock (&mirror->tree);
  /* One that was asked later is known already. This one may be older than what was made or renamed
   * in between. */
  if (asked < mirror->list_applied)
    {
      pthread_mutex_unlock (&mirror->tree);
      return TRUE;
    }
  mirror->list_applied = asked;
  Refresh refresh = { mirror, mirror->root->generation + 1, touched, dropped, changed, allowed };
  mirror->root->generation = refresh.generation;
  for (guint i = 0; i < list->len; i++)
    apply_info (&refresh, list->pdata[i]);
  sweep (&refresh, mirror->root);
  pthread_mutex_unlock (&mirror->tree);

  save_folders (mirror, changed);
  for (guint i = 0; i < dropped->len; i++)
    rack_sync_drop (dropped->pdata[i], FALSE);
  for (guint i = 0; i < allowed->len; i++)
    rack_changes_push_bare (allowed->pdata[i], RACK_CHANGE_RIGHTS, 0);
  GHashTableIter iter;
  gpointer folder, names;
  g_hash_table_iter_init (&iter, touched);
  while (g_hash_table_iter_next (&iter, &folder, &names))
    {
      pthread_mutex_lock (&((RackFolder *) folder)->mutex);
      rack_folder_stamp (folder);
      pthread_mutex_unlock (&((RackFolder *) folder)->mutex);
      rack_changes_push_folders (mirror, folder, names);
    }
  return TRUE;
}

GPtrArray *
rack_tree_select (RackMirror *mirror, gboolean (*pass) (RackFolder *))
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  GPtrArray *selected = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer folder;
  pthread_mutex_lock (&mirror->tree);
  g_hash_table_iter_init (&iter, mirror->ids);
  while (g_hash_table_iter_next (&iter, NULL, &folder))
    if (((RackFolder *) folder)->selectable)
      g_ptr_array_add (all, folder);
  pthread_mutex_unlock (&mirror->tree);
  for (guint i = 0; i < all->len; i++)
    {
      RackFolder *one = all->pdata[i];
      pthread_mutex_lock (&one->mutex);
      gboolean passes = pass (one);
      pthread_mutex_unlock (&one->mutex);
      if (passes)
        g_ptr_array_add (selected, one);
    }
  return selected;
}

void
rack_tree_free (RackMirror *mirror)
{
  GHashTableIter iter;
  gpointer folder;
  g_hash_table_iter_init (&iter, mirror->ids);
  while (g_hash_table_iter_next (&iter, NULL, &folder))
    rack_folder_free (folder);
  g_hash_table_unref (mirror->ids);
  g_hash_table_unref (mirror->rows);
}
