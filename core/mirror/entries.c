/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * entries.c - what is asked about the messages of a folder
 *
 * Answered from memory and the disk; nothing here waits for the server. Answers are
 * copied out under the folder's mutex, so that nobody holds anything of the index while
 * it changes; names are read from the store after that, and what went meanwhile is
 * left out.
 */
#include "mirror-private.h"

#include <string.h>

G_STATIC_ASSERT (RACK_ENTRY_NAME_SIZE > RACK_NAME_MESSAGE_MAX);

void
rack_base_fill (const RackBase *base, RackEntry *entry)
{
  entry->base_space = base != NULL ? base->space : 0;
  rack_name_copy (base != NULL ? base->name : "", entry->base, sizeof entry->base);
}

/* With the folder's mutex held. */
static void
fill_entry (const RackFolder *folder, const RackRecord *record, gboolean trusted, RackEntry *entry)
{
  entry->uid = record->uid;
  entry->flags = record->flags;
  entry->keywords = record->keywords;
  entry->forwarded = (record->bits & RACK_RECORD_FORWARDED) != 0;
  entry->exact = (record->bits & RACK_RECORD_EXACT) != 0;
  entry->dependable = entry->exact || trusted;
  entry->corrected = (record->bits & RACK_RECORD_CORRECTED) != 0;
  /* A guess of 0 would keep tools from reading at all. */
  entry->size = !entry->exact && record->size == 0 ? 1 : record->size;
  entry->date = record->date;
  entry->name[0] = '\0';
  rack_base_fill (rack_overlay_base_of (&folder->overlay, record->uid), entry);
  entry->number = rack_overlay_number_of (&folder->overlay, record->uid);
}

static gboolean
find (RackFolder *folder, guint32 uid, RackEntry *entry, guint32 *row)
{
  gboolean trusted = rack_mirror_trusts_sizes (folder->mirror);
  pthread_mutex_lock (&folder->mutex);
  const RackRecord *record = rack_index_find (&folder->index, uid);
  if (record != NULL)
    fill_entry (folder, record, trusted, entry);
  *row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  return record != NULL;
}

void
rack_folder_given_names (RackFolder *folder, guint32 row, RackEntry *entries, guint n)
{
  pthread_mutex_lock (&folder->mutex);
  for (guint i = 0; i < n && folder->row == row && folder->overlay.names.by_uid != NULL; i++)
    {
      const char *name = rack_overlay_name_of (&folder->overlay, entries[i].uid);
      if (name != NULL)
        rack_name_copy (name, entries[i].name, sizeof entries[i].name);
    }
  pthread_mutex_unlock (&folder->mutex);
}

/* Names of n entries of a row; those that went meanwhile are taken out. Returns: how many stay. */
static guint
add_names (RackFolder *folder, guint32 row, RackEntry *entries, guint n)
{
  RackMirror *mirror = folder->mirror;
  guint kept = 0;
  rack_folder_given_names (folder, row, entries, n);
  gboolean named =
      rack_mirror_names (mirror) && rack_store_names (mirror->store, row, entries, n, NULL);
  for (guint i = 0; i < n; i++)
    {
      RackEntry now;
      guint32 row_now;
      if (entries[i].name[0] == '\0')
        {
          if (named && (!find (folder, entries[i].uid, &now, &row_now) || row_now != row))
            continue;
          /* names = uid, or a disk that cannot be read: a listing must be whole. */
          rack_name_uid (entries[i].uid, entries[i].name);
        }
      if (kept != i)
        entries[kept] = entries[i];
      kept++;
    }
  return kept;
}

gboolean
rack_folder_stat (RackFolder *folder, guint32 uid, RackEntry *entry)
{
  guint32 row;
  return find (folder, uid, entry, &row);
}

gboolean
rack_folder_find (RackFolder *folder, guint32 uid, RackEntry *entry)
{
  guint32 row;
  return find (folder, uid, entry, &row) && add_names (folder, row, entry, 1) == 1;
}

gboolean
rack_folder_find_name (RackFolder *folder, const char *name, RackEntry *entry)
{
  pthread_mutex_lock (&folder->mutex);
  guint32 uid = rack_overlay_uid_of (&folder->overlay, name);
  pthread_mutex_unlock (&folder->mutex);
  if (uid == 0)
    uid = rack_name_parse_uid (name);
  return uid != 0 && rack_folder_find (folder, uid, entry) && strcmp (entry->name, name) == 0;
}

static guint
copy_entries (RackFolder *folder, guint32 after, RackEntry *entries, guint n, guint32 *row)
{
  gboolean trusted = rack_mirror_trusts_sizes (folder->mirror);
  guint found = 0;
  if (after == G_MAXUINT32)
    return 0;
  pthread_mutex_lock (&folder->mutex);
  folder->touched = g_get_monotonic_time ();
  folder->early |= !folder->complete;
  guint at = rack_index_position (&folder->index, after + 1);
  for (; at < folder->index.n && found < n; at++)
    fill_entry (folder, &folder->index.records[at], trusted, &entries[found++]);
  *row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  return found;
}

guint
rack_folder_stat_entries (RackFolder *folder, guint32 after, RackEntry *entries, guint n)
{
  guint32 row;
  return copy_entries (folder, after, entries, n, &row);
}

guint
rack_folder_entries (RackFolder *folder, guint32 after, RackEntry *entries, guint n)
{
  for (;;)
    {
      guint32 row;
      guint found = copy_entries (folder, after, entries, n, &row);
      if (found == 0)
        return 0;
      after = entries[found - 1].uid;
      found = add_names (folder, row, entries, found);
      if (found > 0)
        return found;
    }
}

/* ---- What listings do not need ------------------------------------------------------ */

char **
rack_folder_keywords (RackFolder *folder, guint32 uid)
{
  g_autofree char *text = NULL;
  pthread_mutex_lock (&folder->mutex);
  const RackRecord *record = rack_index_find (&folder->index, uid);
  gboolean found = record != NULL;
  guint32 row = folder->row;
  if (found)
    text = g_strdup (rack_keywords_text (&folder->keywords, record->keywords));
  pthread_mutex_unlock (&folder->mutex);
  if (!found)
    return NULL;
  if (text == NULL)
    text = rack_store_keywords (folder->mirror->store, row, uid);
  return text != NULL && *text != '\0' ? g_strsplit (text, " ", -1) : g_new0 (char *, 1);
}

void
rack_details_clear (RackDetails *details)
{
  g_free (details->sender_name);
  g_free (details->sender_address);
  g_free (details->subject);
  g_free (details->message_id);
  g_free (details->in_reply_to);
  g_free (details->email_id);
  g_free (details->thread_id);
  memset (details, 0, sizeof *details);
}

gboolean
rack_folder_details (RackFolder *folder, guint32 uid, RackDetails *details)
{
  memset (details, 0, sizeof *details);
  if (uid == 0 || rack_folder_list_details (folder, uid - 1, details, 1) == 0)
    return FALSE;
  if (details->uid == uid)
    return TRUE;
  rack_details_clear (details);
  return FALSE;
}

guint
rack_folder_list_details (RackFolder *folder, guint32 after, RackDetails *details, guint n)
{
  pthread_mutex_lock (&folder->mutex);
  folder->touched = g_get_monotonic_time ();
  guint32 row = folder->row;
  pthread_mutex_unlock (&folder->mutex);
  return row != 0 ? rack_store_details (folder->mirror->store, row, after, details, n, NULL) : 0;
}
