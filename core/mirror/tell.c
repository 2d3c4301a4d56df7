/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tell.c - what a person may tell the mirror: look again, be offline, drop the cache
 */
#include "mirror-private.h"

/* With its mutex held. */
static gboolean
was_opened (RackFolder *folder)
{
  return folder->loaded && folder->complete;
}

void
rack_mirror_look (RackMirror *mirror, RackFolder *folder)
{
  if (folder != NULL)
    {
      rack_sync_request (folder, RACK_WANT_SYNC);
      return;
    }
  rack_watchers_probe (mirror);
  g_autoptr (GPtrArray) folders = rack_tree_select (mirror, was_opened);
  for (guint i = 0; i < folders->len; i++)
    rack_sync_request (folders->pdata[i], RACK_WANT_CHECK);
}

void
rack_mirror_hold (RackMirror *mirror, gboolean held)
{
  if (!rack_online_hold (mirror, held))
    return;
  if (!held)
    {
      rack_mirror_look (mirror, NULL);
      return;
    }
  rack_watchers_stop_all (mirror);
  rack_reports_stop (mirror->reports);
  rack_account_disconnect (mirror->account);
}

guint64
rack_mirror_drop_bodies (RackMirror *mirror)
{
  return rack_bodies_drop (mirror->bodies);
}

RackAccount *
rack_mirror_account (RackMirror *mirror)
{
  return mirror->account;
}
