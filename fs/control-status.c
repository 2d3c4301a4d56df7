/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control-status.c - .mailrack/status: how the mount is, for people
 *
 * The text is made when the file is opened, so that one reading is of one moment.
 */
#include "announce.h"
#include "control.h"
#include "pages.h"
#include "search.h"

#include <string.h>

/* Those of this file and of the directory it is in, which are there while it is read. */
#define OWN_NODES 2

static double
getattr (Node *node, struct stat *out)
{
  out->st_mode &= ~(mode_t) 0222;
  return TIMEOUT_UNWATCHED;
}

char *
control_safe (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) out = g_string_new (NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gboolean control = g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT
                         || g_unichar_type (c) == G_UNICODE_LINE_SEPARATOR
                         || g_unichar_type (c) == G_UNICODE_PARAGRAPH_SEPARATOR;
      g_string_append_unichar (out, control ? '?' : c);
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
control_moment (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
  return g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ");
}

static void
add_state (Mount *mount, GString *text)
{
  g_auto (RackMirrorState) state = { 0 };
  rack_mirror_state (mount->mirror, &state);
  g_autofree char *since = control_moment (state.since);
  g_string_append_printf (text, "state: %s since %s%s\n", state.offline ? "offline" : "online",
                          since, state.held ? ", as ctl was told" : "");
  if (state.error == NULL)
    g_string_append (text, "last error: none\n");
  else
    {
      g_autofree char *error = control_safe (state.error);
      g_autofree char *when = control_moment (state.error_time);
      g_string_append_printf (text, "last error: %s %s\n", when, error);
    }
  if (state.unkept != NULL)
    {
      g_autofree char *unkept = control_safe (state.unkept);
      g_string_append_printf (text, "not kept: %s\n", unkept);
    }
  pthread_mutex_lock (&mount->mutex);
  g_autofree char *problem = mount->ctl_problem != NULL ? control_safe (mount->ctl_problem) : NULL;
  pthread_mutex_unlock (&mount->mutex);
  if (problem != NULL)
    g_string_append_printf (text, "last command: %s\n", problem);
}

static void
add_figures (Mount *mount, GString *text)
{
  RackMirrorFigures figures;
  rack_mirror_figures (mount->mirror, &figures);
  g_string_append_printf (text, "cached octets: %" G_GUINT64_FORMAT, figures.cached);
  if (mount->cache_limit > 0)
    g_string_append_printf (text, " of %" G_GINT64_FORMAT, mount->cache_limit << 20);
  g_string_append_printf (text,
                          "\nmessages fetched: %" G_GUINT64_FORMAT
                          "\nmessages fetched ahead: %" G_GUINT64_FORMAT
                          "\noctets fetched: %" G_GUINT64_FORMAT
                          "\nmessages put into the page cache: %" G_GUINT64_FORMAT
                          "\nlooks at mailboxes: %" G_GUINT64_FORMAT "\n",
                          figures.bodies, figures.read_ahead, figures.body_octets,
                          pages_count (mount->pages), figures.syncs);
  g_string_append_printf (text, "sizes the server gives: %s\n",
                          figures.trusted ? "proved right" : "not trusted");
  g_autofree char *announced = announcer_describe (mount->announcer);
  g_string_append_printf (text, "announced by inotify: %s\n", announced);
  guint nodes = nodes_count (mount->nodes);
  g_autofree char *refused = searches_refusal (mount->searches);
  g_string_append_printf (text, "search refused last: %s\n", refused != NULL ? refused : "none");
  g_string_append_printf (text, "nodes: %u\n", nodes - MIN (nodes, OWN_NODES));
}

static void
add_mailbox (RackFolder *folder, const RackFolderFacts *facts, GString *text)
{
  g_autofree char *name = control_safe (rack_folder_mailbox (folder));
  g_string_append_printf (text, "mailbox %s: %u", name, facts->messages);
  if (facts->complete)
    g_string_append_printf (text, " messages, %s\n", facts->pushed ? "pushed" : "polled");
  else if (facts->expected > 0)
    g_string_append_printf (
        text, " of %u messages (%u%%)\n", facts->expected,
        (guint) (100ULL * MIN (facts->messages, facts->expected) / facts->expected));
  else
    g_string_append (text, " messages so far\n");
}

/* Those that were opened; of the others nothing is known. */
static void
add_mailboxes (RackFolder *root, GString *text)
{
  for (RackFolder *folder = root; folder != NULL; folder = control_next_folder (folder))
    {
      RackFolderFacts facts;
      rack_folder_facts (folder, &facts);
      if (facts.row != 0)
        add_mailbox (folder, &facts, text);
    }
}

static int
open_status (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  Mount *mount = node->mount;
  GString *text = g_string_new (NULL);
  g_autofree char *label = control_safe (mount->label);
  g_string_append_printf (text, "account: %s\n", label);
  add_state (mount, text);
  control_queue_describe (mount, text);
  add_figures (mount, text);
  add_mailboxes (rack_mirror_root (mount->mirror), text);
  fi->direct_io = 1;
  *handle = text;
  return 0;
}

static int
read_status (Node *node, gpointer handle, gsize size, off_t offset, int flags,
             GCancellable *cancellable, NodeOctets *out)
{
  const GString *text = handle;
  gsize from = MIN ((guint64) offset, text->len);
  out->size = MIN (size, text->len - from);
  out->memory = g_memdup2 (text->str + from, out->size);
  return 0;
}

static void
release (Node *node, gpointer handle)
{
  g_string_free (handle, TRUE);
}

const NodeOps control_status_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .open = open_status,
  .read = read_status,
  .release = release,
};
