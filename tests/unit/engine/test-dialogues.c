/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-dialogues.c - the golden dialogues of tests/dialogues/engine
 *
 * Each is played whole, octet by octet, and cut in two at every octet, with the same
 * outcome each time. The directory, or single files, are the arguments. */
#include "player.h"

#include <string.h>

static void
check (gboolean ok, GError *error)
{
  if (ok)
    return;
  g_test_message ("%s", error->message);
  g_printerr ("%s\n", error->message);
  g_test_fail ();
  g_error_free (error);
}

static void
play_whole (gconstpointer data)
{
  GError *error = NULL;
  gboolean ok = play (data, PLAY_WHOLE, 0, NULL, &error);

  check (ok, error);
}

static void
play_octets (gconstpointer data)
{
  GError *error = NULL;
  gboolean ok = play (data, PLAY_OCTETS, 0, NULL, &error);

  check (ok, error);
}

static void
play_cut (gconstpointer data)
{
  GError *error = NULL;
  gsize octets = 0;
  gboolean ok = play (data, PLAY_WHOLE, 0, &octets, &error);

  for (gsize cut = 1; cut < octets && ok; cut++)
    ok = play (data, PLAY_CUT, cut, NULL, &error);
  check (ok, error);
}

static void
add_test (const char *name, const char *how, const Script *script, GTestDataFunc function)
{
  g_autofree char *path = g_strdup_printf ("/engine/%s/%s", name, how);

  g_test_add_data_func (path, script, function);
}

static void
add_dialogue (const char *path, GPtrArray *scripts)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (path);
  Script *script = script_load (path, &error);

  if (script == NULL)
    g_error ("%s", error->message);
  g_ptr_array_add (scripts, script);
  name[strlen (name) - strlen (".txt")] = '\0';
  add_test (name, "whole", script, play_whole);
  add_test (name, "octets", script, play_octets);
  add_test (name, "cut", script, play_cut);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static void
add_directory (const char *path, GPtrArray *scripts)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".txt"))
      g_ptr_array_add (files, g_build_filename (path, name, NULL));
  g_ptr_array_sort (files, compare);
  for (guint i = 0; i < files->len; i++)
    add_dialogue (g_ptr_array_index (files, i), scripts);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) scripts = g_ptr_array_new_with_free_func ((GDestroyNotify) script_free);

  g_test_init (&argc, &argv, NULL);
  for (int i = 1; i < argc; i++)
    if (g_str_has_suffix (argv[i], ".txt"))
      add_dialogue (argv[i], scripts);
    else
      add_directory (argv[i], scripts);
  if (scripts->len == 0)
    g_error ("no dialogues given");
  return g_test_run ();
}
