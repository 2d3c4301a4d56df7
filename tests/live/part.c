/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * part.c - one part of a message, through the mirror
 *
 *   part CONFIG MAILBOX UID                 says what the message is made of
 *   part CONFIG MAILBOX UID SECTION FORM    the octets, on standard output; FORM is sent, decoded
 * or text */
#include <mailrack/mailrack-mirror.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static RackPartForm
form_of (const char *name)
{
  return strcmp (name, "sent") == 0   ? RACK_PART_AS_SENT
         : strcmp (name, "text") == 0 ? RACK_PART_TEXT
                                      : RACK_PART_DECODED;
}

static gboolean
list (RackFolder *folder, guint32 row, guint32 uid, GError **error)
{
  guint n;
  g_autoptr (RackParts) parts = rack_folder_parts (folder, row, uid, NULL, error);
  if (parts == NULL)
    return FALSE;
  const RackPartFacts *items = rack_parts_items (parts, &n);
  for (guint i = 0; i < n; i++)
    printf ("%u\t%s\t%s/%s\t%s\t%s\t%s\t%s\n", items[i].depth, items[i].section, items[i].type,
            items[i].subtype, items[i].charset != NULL ? items[i].charset : "", items[i].encoding,
            items[i].disposition != NULL ? items[i].disposition : "",
            items[i].name != NULL ? items[i].name : "");
  return TRUE;
}

static gboolean
copy (RackFolder *folder, guint32 row, guint32 uid, const char *section, RackPartForm form,
      GError **error)
{
  guint64 size, offset, total;
  g_autoptr (RackBody) body = rack_folder_part (folder, row, uid, section, form);
  if (!rack_body_wait_size (body, &size, NULL, error)
      || !rack_body_wait (body, G_MAXUINT64, NULL, error))
    return FALSE;
  int fd = rack_body_file (body, &offset, &total);
  g_autofree char *octets = g_malloc (size);
  g_assert_cmpuint (total, ==, size);
  g_assert_cmpint (pread (fd, octets, size, (off_t) offset), ==, (gssize) size);
  for (guint64 at = 0; at < size;)
    {
      gssize n = write (STDOUT_FILENO, octets + at, size - at);
      g_assert_cmpint (n, >, 0);
      at += (guint64) n;
    }
  return TRUE;
}

static gboolean
run (char **argv, int argc, GError **error)
{
  RackMirrorOptions options = { .watches = 1 };
  RackFolderFacts facts;
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
  rack_folder_facts (folder, &facts);
  guint32 uid = (guint32) g_ascii_strtoull (argv[3], NULL, 10);
  return argc < 6 ? list (folder, facts.row, uid, error)
                  : copy (folder, facts.row, uid, argv[4], form_of (argv[5]), error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc == 4 || argc == 6)
    {
      if (run (argv, argc, &error))
        return 0;
      g_printerr ("part: %s\n", error->message);
      return 1;
    }
  g_printerr ("usage: part CONFIG MAILBOX UID [SECTION FORM]\n");
  return 64;
}
