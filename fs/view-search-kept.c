/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-search-kept.c - the queries that are kept, in a file
 *
 * $XDG_STATE_HOME/mailrack/ACCOUNT/searches has one on each line. It is small, and
 * written whole under another name that then takes its place.
 */
#include "search.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define LIMIT 1000

struct SearchKept
{
  pthread_mutex_t mutex;
  char *directory;
  GPtrArray *names; /* owned */
};

static char *
path_of (const SearchKept *kept)
{
  return g_build_filename (kept->directory, "searches", NULL);
}

static void
load (SearchKept *kept)
{
  g_autofree char *path = path_of (kept);
  g_autofree char *text = NULL;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && kept->names->len < LIMIT; i++)
    if (lines[i][0] != '\0' && strlen (lines[i]) <= 255 && strchr (lines[i], '/') == NULL)
      g_ptr_array_add (kept->names, g_strdup (lines[i]));
}

SearchKept *
search_kept_new (RackMirror *mirror)
{
  SearchKept *kept = g_new0 (SearchKept, 1);
  g_autofree char *identity = rack_account_identity (rack_mirror_account (mirror));
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, identity, -1);
  digest[32] = '\0';
  pthread_mutex_init (&kept->mutex, NULL);
  kept->directory = g_build_filename (g_get_user_state_dir (), "mailrack", digest, NULL);
  kept->names = g_ptr_array_new_with_free_func (g_free);
  load (kept);
  return kept;
}

void
search_kept_free (SearchKept *kept)
{
  g_ptr_array_unref (kept->names);
  g_free (kept->directory);
  pthread_mutex_destroy (&kept->mutex);
  g_free (kept);
}

/* With the mutex held. */
static gboolean
find (SearchKept *kept, const char *name, guint *at)
{
  return g_ptr_array_find_with_equal_func (kept->names, name, g_str_equal, at);
}

gboolean
search_kept_has (SearchKept *kept, const char *name)
{
  pthread_mutex_lock (&kept->mutex);
  gboolean has = find (kept, name, NULL);
  pthread_mutex_unlock (&kept->mutex);
  return has;
}

char **
search_kept_names (SearchKept *kept)
{
  pthread_mutex_lock (&kept->mutex);
  char **names = g_new0 (char *, kept->names->len + 1);
  for (guint i = 0; i < kept->names->len; i++)
    names[i] = g_strdup (kept->names->pdata[i]);
  pthread_mutex_unlock (&kept->mutex);
  return names;
}

/* With the mutex held. */
static int
save (SearchKept *kept)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *path = path_of (kept);
  for (guint i = 0; i < kept->names->len; i++)
    g_string_append_printf (text, "%s\n", (const char *) kept->names->pdata[i]);
  if (g_mkdir_with_parents (kept->directory, 0700) != 0
      || !g_file_set_contents_full (path, text->str, (gssize) text->len,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, NULL))
    return EIO;
  return 0;
}

int
search_kept_add (SearchKept *kept, const char *name)
{
  int problem;
  pthread_mutex_lock (&kept->mutex);
  if (find (kept, name, NULL))
    problem = EEXIST;
  else if (kept->names->len >= LIMIT)
    problem = ENOSPC;
  else
    {
      g_ptr_array_add (kept->names, g_strdup (name));
      problem = save (kept);
      if (problem != 0)
        g_ptr_array_remove_index (kept->names, kept->names->len - 1);
    }
  pthread_mutex_unlock (&kept->mutex);
  return problem;
}

int
search_kept_remove (SearchKept *kept, const char *name)
{
  guint at;
  int problem = ENOENT;
  pthread_mutex_lock (&kept->mutex);
  if (find (kept, name, &at))
    {
      char *gone = g_ptr_array_steal_index (kept->names, at);
      problem = save (kept);
      if (problem != 0)
        g_ptr_array_insert (kept->names, (gint) at, gone);
      else
        g_free (gone);
    }
  pthread_mutex_unlock (&kept->mutex);
  return problem;
}
