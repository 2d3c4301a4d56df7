/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pull.c - everything of a mailbox into the mirror, as a program that reads in order does it
 *   pull CONFIG MAILBOX */
#include "meter.h"

#include <mailrack/mailrack-mirror.h>

static gboolean
read_one (RackFolder *folder, guint32 row, guint32 uid, guint64 *octets, GError **error)
{
  guint64 size;
  g_autoptr (RackBody) body = rack_folder_body (folder, row, uid);
  rack_body_want (body);
  if (!rack_body_wait_size (body, &size, NULL, error)
      || !rack_body_wait (body, G_MAXUINT64, NULL, error))
    return FALSE;
  *octets += size;
  return TRUE;
}

static gboolean
read_all (RackFolder *folder, guint64 *n, guint64 *octets, GError **error)
{
  RackFolderFacts facts;
  RackEntry entries[64];
  guint32 after = 0;
  guint found;
  rack_folder_facts (folder, &facts);
  while ((found = rack_folder_entries (folder, after, entries, G_N_ELEMENTS (entries))) > 0)
    {
      for (guint i = 0; i < found; i++)
        if (!read_one (folder, facts.row, entries[i].uid, octets, error))
          return FALSE;
      *n += found;
      after = entries[found - 1].uid;
    }
  return TRUE;
}

static gboolean
run (char **argv, GError **error)
{
  RackMirrorOptions options = { .watches = 1, .poll = 600000 };
  guint64 n = 0, octets = 0;
  double cpu = meter_cpu (), start = meter_now ();
  g_autoptr (RackConfig) config = rack_config_load (argv[1], error);
  g_autoptr (RackAccount) account =
      config != NULL ? rack_account_new (config, NULL, NULL, error) : NULL;
  if (account == NULL)
    return FALSE;
  g_autoptr (RackMirror) mirror = rack_mirror_open (account, &options, NULL, error);
  if (mirror == NULL)
    return FALSE;
  RackFolder *folder = rack_folder_child (rack_mirror_root (mirror), argv[2]);
  if (!rack_folder_wait (folder, NULL, error))
    return FALSE;
  double listed = meter_now ();
  if (!read_all (folder, &n, &octets, error))
    return FALSE;
  double end = meter_now ();
  RackMirrorFigures figures;
  rack_mirror_figures (mirror, &figures);
  printf ("listed in %.2f s, read in %.2f s: %" G_GUINT64_FORMAT " on demand, %" G_GUINT64_FORMAT
          " ahead\n",
          listed - start, end - listed, figures.bodies, figures.read_ahead);
  /* Closing makes it durable. */
  g_clear_pointer (&mirror, rack_mirror_close);
  meter_print (meter_now () - start, meter_cpu () - cpu, n, octets, 0);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc != 3)
    return 64;
  if (run (argv, &error))
    return 0;
  g_printerr ("pull: %s\n", error->message);
  return 1;
}
