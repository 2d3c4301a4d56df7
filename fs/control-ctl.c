/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control-ctl.c - .mailrack/ctl: what the mount can be told
 *
 * Each line that is written is a command:
 *
 *   sync [MAILBOX]   look at the mailbox again now, or at the list of mailboxes and all
 *                    that were opened; what is new appears by itself
 *   offline          give up all connections and ask the server nothing
 *   online           the opposite
 *   flush-cache      remove the octets of messages that are cached and not being read
 *   retry [ID]       try a change again that has failed (see .mailrack/failed), or all of them
 *   drop ID          give a change up: what it was about is as it was before
 *
 * A command that cannot be done is EINVAL to who wrote it, and status says why.
 */
#include "control.h"

#include <errno.h>
#include <string.h>

static double
getattr (Node *node, struct stat *out)
{
  out->st_mode = S_IFREG | (0222 & ~node->mount->umask);
  return TIMEOUT_KNOWN;
}

static int
open_ctl (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  fi->direct_io = 1;
  return 0;
}

static RackFolder *
find_mailbox (RackFolder *root, const char *name)
{
  RackFolder *folder = root;
  while (folder != NULL && strcmp (rack_folder_mailbox (folder), name) != 0)
    folder = control_next_folder (folder);
  return folder;
}

/* Returns: why not (owned), or NULL. */
static char *
sync_mailbox (Mount *mount, const char *name)
{
  RackFolderFacts facts;
  RackFolder *folder = find_mailbox (rack_mirror_root (mount->mirror), name);
  if (folder == NULL)
    return g_strdup_printf ("sync: there is no mailbox \"%s\"", name);
  rack_folder_facts (folder, &facts);
  if (!facts.selectable)
    return g_strdup_printf ("sync: \"%s\" holds no messages", name);
  rack_mirror_look (mount->mirror, folder);
  return NULL;
}

/* The same. */
static char *
run_command (Mount *mount, const char *line)
{
  if (strcmp (line, "sync") == 0)
    rack_mirror_look (mount->mirror, NULL);
  else if (g_str_has_prefix (line, "sync "))
    return sync_mailbox (mount, line + strlen ("sync "));
  else if (strcmp (line, "offline") == 0)
    rack_mirror_hold (mount->mirror, TRUE);
  else if (strcmp (line, "online") == 0)
    rack_mirror_hold (mount->mirror, FALSE);
  else if (strcmp (line, "flush-cache") == 0)
    rack_mirror_drop_bodies (mount->mirror);
  else if (strcmp (line, "retry") == 0)
    return control_queue_run (mount, "retry", "");
  else if (g_str_has_prefix (line, "retry "))
    return control_queue_run (mount, "retry", line + strlen ("retry "));
  else if (g_str_has_prefix (line, "drop "))
    return control_queue_run (mount, "drop", line + strlen ("drop "));
  else
    return g_strdup_printf ("\"%s\" is no command: sync [MAILBOX], offline, online, flush-cache, "
                            "retry [ID], drop ID",
                            line);
  return NULL;
}

static void
set_problem (Mount *mount, char *problem)
{
  pthread_mutex_lock (&mount->mutex);
  g_free (mount->ctl_problem);
  mount->ctl_problem = problem;
  pthread_mutex_unlock (&mount->mutex);
}

void
control_note_problem (Mount *mount, const char *problem)
{
  set_problem (mount, g_strdup (problem));
}

static int
write_ctl (Node *node, gpointer handle, const char *octets, gsize size, off_t offset,
           GCancellable *cancellable)
{
  /* Giving up connections takes a moment. */
  if (cancellable == NULL)
    return NODE_WAIT;
  g_autofree char *text = g_strndup (octets, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (*g_strstrip (lines[i]) == '\0')
        continue;
      char *problem = run_command (node->mount, lines[i]);
      set_problem (node->mount, problem);
      if (problem != NULL)
        return EINVAL;
    }
  return 0;
}

const NodeOps control_ctl_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .open = open_ctl,
  .write = write_ctl,
};
