/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * driver.c - runs a fuzz target over kept files, without libFuzzer
 *
 * Arguments are files and folders of files. A finding ends the program as it ends
 * the fuzzer: by an assertion or a sanitizer. */
#include "fuzz.h"

#include <stdlib.h>

static guint
run_file (const char *path)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &error))
    g_error ("%s", error->message);
  /* Exactly as large as the file, so that a read beyond the end is seen. */
  g_autofree uint8_t *exact = g_memdup2 (data, MAX (size, 1));
  LLVMFuzzerTestOneInput (exact, size);
  return 1;
}

static guint
run_folder (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;
  guint n = 0;

  if (folder == NULL)
    return run_file (path);
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      n += run_file (file);
    }
  return n;
}

int
main (int argc, char **argv)
{
  guint n = 0;

  for (int i = 1; i < argc; i++)
    n += run_folder (argv[i]);
  g_print ("%u files\n", n);
  return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE; /* an empty corpus tests nothing */
}
