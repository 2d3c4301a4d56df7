/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plugin-search.c - where plugins are found, and which files may be loaded
 *
 * A plugin is code that runs as the user before anything of it can be checked, so the file
 * and the directory it really lies in must be safe from others. */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core-config.h"
#include "params.h"
#include "plugin.h"

#define PREFIX "mailrack-"
#define SUFFIX ".so"

const char *
rack_plugin_kind_name (RackPluginKind kind)
{
  return kind == RACK_PLUGIN_AUTH ? "auth" : "transport";
}

/* ---- Directories -------------------------------------------------------- */

/* The library's own build directory, when it is running from there: where it lies is compared,
 * so that an installed library never looks into a build tree. Returns: (owned) or NULL. */
static char *
build_directory (void)
{
  Dl_info info;

  if (dladdr ((const void *) rack_plugin_directories, &info) == 0 || info.dli_fname == NULL)
    return NULL;
  g_autofree char *library = realpath (info.dli_fname, NULL);
  g_autofree char *built = realpath (RACK_BUILD_ROOT "/core", NULL);
  if (library == NULL || built == NULL)
    return NULL;
  g_autofree char *directory = g_path_get_dirname (library);
  return strcmp (directory, built) == 0 ? g_build_filename (RACK_BUILD_ROOT, "plugins", NULL)
                                        : NULL;
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* In a build tree each plugin has a directory of its own. */
static void
add_build_directories (GPtrArray *directories, const char *root)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autoptr (GDir) dir = g_dir_open (root, 0, NULL);
  const char *name;

  g_ptr_array_add (directories, g_strdup (root));
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (root, name, NULL);

      if (!g_str_has_suffix (name, ".p") && g_file_test (path, G_FILE_TEST_IS_DIR))
        g_ptr_array_add (found, g_steal_pointer (&path));
    }
  g_ptr_array_sort (found, compare_strings);
  for (guint i = 0; i < found->len; i++)
    g_ptr_array_add (directories, g_ptr_array_index (found, i));
}

GPtrArray *
rack_plugin_directories (void)
{
  GPtrArray *directories = g_ptr_array_new_with_free_func (g_free);
  const char *path = getauxval (AT_SECURE) == 0 ? g_getenv ("MAILRACK_PLUGIN_PATH") : NULL;
  g_auto (GStrv) named = g_strsplit (path != NULL ? path : "", ":", -1);
  g_autofree char *build = build_directory ();

  for (gsize i = 0; named[i] != NULL; i++)
    if (*named[i] != '\0')
      g_ptr_array_add (directories, g_strdup (named[i]));
  if (build != NULL)
    add_build_directories (directories, build);
  g_ptr_array_add (directories, g_strdup (RACK_PLUGIN_DIR));
  return directories;
}

/* ---- Files -------------------------------------------------------------- */

static gboolean
is_name (const char *name, gsize size)
{
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_islower (name[i]) && !g_ascii_isdigit (name[i]) && name[i] != '-')
      return FALSE;
  return size > 0 && size <= 64;
}

gboolean
rack_plugin_file_name (const char *path, RackPluginKind *kind, const char **name, gsize *size)
{
  const char *slash = strrchr (path, '/');
  const char *p = slash != NULL ? slash + 1 : path;

  if (!g_str_has_prefix (p, PREFIX) || !g_str_has_suffix (p, SUFFIX))
    return FALSE;
  p += strlen (PREFIX);
  if (g_str_has_prefix (p, "auth-"))
    *kind = RACK_PLUGIN_AUTH;
  else if (g_str_has_prefix (p, "transport-"))
    *kind = RACK_PLUGIN_TRANSPORT;
  else
    return FALSE;
  p += strlen (rack_plugin_kind_name (*kind)) + 1;
  if (strlen (p) <= strlen (SUFFIX) || !is_name (p, strlen (p) - strlen (SUFFIX)))
    return FALSE;
  if (name != NULL)
    *name = p;
  if (size != NULL)
    *size = strlen (p) - strlen (SUFFIX);
  return TRUE;
}

static void
add_files (GPtrArray *files, const char *directory, gboolean misnamed)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;
  RackPluginKind kind;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, PREFIX) && g_str_has_suffix (name, SUFFIX)
        && rack_plugin_file_name (name, &kind, NULL, NULL) != misnamed)
      g_ptr_array_add (found, g_build_filename (directory, name, NULL));
  g_ptr_array_sort (found, compare_strings);
  for (guint i = 0; i < found->len; i++)
    g_ptr_array_add (files, g_ptr_array_index (found, i));
}

GPtrArray *
rack_plugin_files (gboolean misnamed)
{
  GPtrArray *files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) directories = rack_plugin_directories ();

  for (guint i = 0; i < directories->len; i++)
    add_files (files, g_ptr_array_index (directories, i), misnamed);
  return files;
}

char *
rack_plugin_find (RackPluginKind kind, const char *name, GError **error)
{
  const char *kind_name = rack_plugin_kind_name (kind);

  if (strchr (name, '/') != NULL)
    {
      char *path = rack_path_expand (name);
      return path != NULL ? path : g_strdup (name); /* the error says that it is not there */
    }
  if (!is_name (name, strlen (name)))
    {
      g_autofree char *shown = rack_text_escape (name, (gssize) strnlen (name, 64));
      g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN,
                   "\"%s\" is no name of a plugin (a-z, 0-9 and -), and no path (it has no \"/\")",
                   shown);
      return NULL;
    }

  g_autofree char *file = g_strconcat (PREFIX, kind_name, "-", name, SUFFIX, NULL);
  g_autoptr (GPtrArray) directories = rack_plugin_directories ();
  for (guint i = 0; i < directories->len; i++)
    {
      g_autofree char *path = g_build_filename (g_ptr_array_index (directories, i), file, NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return g_steal_pointer (&path);
    }

  g_ptr_array_add (directories, NULL);
  g_autofree char *searched = g_strjoinv (":", (char **) directories->pdata);
  g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN,
               "there is no %s plugin \"%s\": %s is not in %s; \"mailrack plugins\" lists those "
               "that are installed",
               kind_name, name, file, searched);
  return NULL;
}

/* ---- Whether it may be loaded -------------------------------------------- */

static gboolean
refuse (GError **error, const char *path, const char *why)
{
  g_autofree char *shown = rack_text_escape (path, -1);

  g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN, "%s: %s", shown, why);
  return FALSE;
}

/* The file, or the directory that it is in. */
static gboolean
check_owner (const char *path, const struct stat *status, GError **error)
{
  const char *what = S_ISDIR (status->st_mode) ? "no plugin in it is loaded" : "it is not loaded";

  if (status->st_uid != 0 && status->st_uid != geteuid ())
    {
      g_autofree char *why = g_strdup_printf ("belongs to somebody else than you or root, so %s: "
                                              "put a copy of your own into a directory of yours",
                                              what);
      return refuse (error, path, why);
    }
  if ((status->st_mode & 022) == 0)
    return TRUE;

  /* /tmp is for others to write to. */
  if (S_ISDIR (status->st_mode) && (status->st_mode & S_ISVTX) != 0)
    return refuse (error, path,
                   "others may change it, so no plugin in it is loaded: put the plugin into a "
                   "directory of your own");
  g_autofree char *quoted = g_shell_quote (path);
  g_autofree char *why =
      g_strdup_printf ("others may change it, so %s: run chmod go-w %s", what, quoted);
  return refuse (error, path, why);
}

char *
rack_plugin_check_file (const char *path, GError **error)
{
  struct stat status;
  g_autofree char *real = realpath (path, NULL);

  if (real == NULL || stat (real, &status) != 0)
    {
      refuse (error, path, g_strerror (errno));
      return NULL;
    }
  if (!S_ISREG (status.st_mode))
    {
      refuse (error, path, "is not a file");
      return NULL;
    }
  if (!check_owner (real, &status, error))
    return NULL;

  g_autofree char *directory = g_path_get_dirname (real);
  if (stat (directory, &status) != 0)
    {
      refuse (error, directory, g_strerror (errno));
      return NULL;
    }
  return check_owner (directory, &status, error) ? g_steal_pointer (&real) : NULL;
}
