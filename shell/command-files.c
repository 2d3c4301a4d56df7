/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-files.c - messages to files and back: save, put
 *
 * A file appears whole or not at all, whatever ends the program meanwhile. */
#include "change.h"
#include "command-table.h"
#include "flag-words.h"
#include "listing.h"
#include "sets.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- save ---------------------------------------------------------------------------------------
 */

static gboolean
write_all (int fd, RackStr data)
{
  for (gsize at = 0; at < data.size;)
    {
      gssize n = write (fd, data.data + at, data.size - at);
      if (n < 0 && errno != EINTR)
        return FALSE;
      at += n > 0 ? (gsize) n : 0;
    }
  return TRUE;
}

static gboolean
save_error (const char *path, int number, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "save: %s: %s%s", path, g_strerror (number),
               number == EEXIST ? ", and is not overwritten; --overwrite does it" : "");
  return FALSE;
}

/* Under a name of its own first; link() never replaces a file, rename() does. */
static gboolean
save_one (const RackMessage *message, const char *directory, gboolean overwrite, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/%u.eml", directory, message->uid);
  g_autofree char *temporary =
      g_strdup_printf ("%s/.%u.eml.%d", directory, message->uid, getpid ());
  int fd = open (temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  gboolean ok = fd >= 0 && write_all (fd, message->sections[0].data);
  int saved = errno;

  if (fd < 0)
    return save_error (path, saved, error);
  if (close (fd) != 0 && ok)
    {
      ok = FALSE;
      saved = errno;
    }
  if (ok && (overwrite ? rename (temporary, path) : link (temporary, path)) != 0)
    {
      ok = FALSE;
      saved = errno;
    }
  if (!ok || !overwrite)
    unlink (temporary);
  return ok || save_error (path, saved, error);
}

/* One sync at the end: as safe as one for each file, and not a minute for ten thousand. */
static void
sync_directory (const char *directory)
{
  int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  syncfs (fd);
  close (fd);
}

static gboolean
save_all (Work *work, RackFetch *fetch, const char *directory, gboolean overwrite, GError **error)
{
  g_autoptr (GError) problem = NULL;
  const RackMessage *message;

  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->n_sections > 0 && message->sections[0].data.data != NULL
        && (!save_one (message, directory, overwrite, error) || !work_add (work, 1, error)))
      return FALSE;
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static void
tell_saved (Shell *shell, guint64 saved, const char *directory)
{
  static const OutputColumn columns[] = { { "saved", NULL, CELL_NUMBER, 0 },
                                          { "directory", NULL, CELL_TEXT, 0 },
                                          { NULL, NULL, CELL_TEXT, 0 } };

  if (shell_prints_text (shell))
    {
      fprintf (shell->out, "%" G_GUINT64_FORMAT " saved in %s\n", saved, directory);
      return;
    }
  g_autoptr (Output) output = shell_output (shell, columns, OUTPUT_SINGLE);
  output_number (output, saved);
  output_text (output, directory, -1);
  output_row (output);
  output_end (output);
}

SHELL_COMMAND (do_save)
{
  Shell *shell = session;
  const char *directory = call->n > 1 ? call->words[1].text : ".";
  g_autoptr (RackSet) set = sets_parse (shell, call->words, error);
  Work work;

  if (set == NULL)
    return FALSE;
  if (g_mkdir_with_parents (directory, 0700) != 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "save: %s: %s", directory, g_strerror (errno));
      return FALSE;
    }
  g_autoptr (RackFetch) fetch = listing_fetch (shell, set, "BODY.PEEK[]", error);
  if (fetch == NULL)
    return FALSE;
  work_begin (&work, shell, "save", "saved", MIN (rack_set_count (set), shell->messages));
  gboolean ok =
      save_all (&work, fetch, directory, command_option (call, "overwrite") != NULL, error);
  sync_directory (directory);
  if (!work_end (&work, ok, error))
    return FALSE;
  if (work.have == 0)
    return sets_none (shell, call->words, error);
  tell_saved (shell, work.have, directory);
  return TRUE;
}

/* ---- put ----------------------------------------------------------------------------------------
 */

/* Messages end their lines with CR LF (RFC 5322); files often with LF alone. */
static GBytes *
with_crlf (GBytes *octets)
{
  gsize size, bare = 0;
  const char *data = g_bytes_get_data (octets, &size);

  for (const char *at = data; (at = memchr (at, '\n', size - (gsize) (at - data))) != NULL; at++)
    bare += at == data || at[-1] != '\r';
  if (bare == 0)
    return g_bytes_ref (octets);
  char *fixed = g_malloc (size + bare), *to = fixed;
  for (gsize i = 0; i < size; i++)
    {
      if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))
        *to++ = '\r';
      *to++ = data[i];
    }
  return g_bytes_new_take (fixed, size + bare);
}

/* A pipe or a device has no size and perhaps no end, so only files will do. */
static GMappedFile *
map_file (const char *name, GError **error)
{
  int fd = open (name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  GMappedFile *file = NULL;
  struct stat status;

  if (fd < 0 || fstat (fd, &status) != 0)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_IO, g_strerror (errno));
  else if (!S_ISREG (status.st_mode))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_IO,
                         S_ISDIR (status.st_mode) ? g_strerror (EISDIR) : "this is no file");
  else
    file = g_mapped_file_new_from_fd (fd, FALSE, error);
  if (fd >= 0)
    close (fd);
  return file;
}

/* Why these octets are not one message, or NULL. No line of a header begins with "From ", but
 * every message in an mbox does. */
static const char *
what_is_wrong (GBytes *octets)
{
  gsize size;
  const char *data = g_bytes_get_data (octets, &size);

  if (size == 0)
    return "the file is empty";
  if (size >= 5 && memcmp (data, "From ", 5) == 0)
    return "this is an mbox, not a message; without its lines that begin with \"From \" its "
           "messages can be put one by one";
  return NULL;
}

static GBytes *
read_file (const char *path, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *name = g_str_has_prefix (path, "~/")
                              ? g_build_filename (g_get_home_dir (), path + 2, NULL)
                              : g_strdup (path);
  g_autoptr (GMappedFile) file = map_file (name, &problem);

  if (file == NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "put: %s: %s", path, problem->message);
      return NULL;
    }
  g_autoptr (GBytes) octets = g_mapped_file_get_bytes (file);
  const char *wrong = what_is_wrong (octets);
  if (wrong == NULL)
    return with_crlf (octets);
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "put: %s: %s", path, wrong);
  return NULL;
}

/* Returns: (owned) "(\\Seen \\Flagged)", or NULL with error set. */
static char *
parse_flags (const char *text, GError **error)
{
  g_autofree char *copy = g_strdup (text);
  const CommandWord word = { .text = copy };
  g_autoptr (GPtrArray) flags = g_ptr_array_new_with_free_func (g_free);

  return flag_words_add ("put", &word, FALSE, flags, NULL, error) ? flag_words_join (flags) : NULL;
}

/* What is sent in one command, where the server takes several messages (MULTIAPPEND). */
#define GROUP_FILES  100
#define GROUP_OCTETS (4 << 20)

typedef struct
{
  Shell *shell;
  const char *mailbox, *flags;
  RackCommand *command; /* NULL: nothing is waiting */
  guint n;
  gsize octets;
} Group;

static gboolean
send_group (Group *group, Work *work, GError **error)
{
  RackCommand *command = g_steal_pointer (&group->command);
  guint n = group->n;

  group->n = 0;
  group->octets = 0;
  return command == NULL
         || (change_send_to (group->shell, group->mailbox, command, error)
             && work_add (work, n, error));
}

static gboolean
put_one (Group *group, const char *path, GError **error)
{
  g_autoptr (GBytes) octets = read_file (path, error);

  if (octets == NULL)
    return FALSE;
  if (group->command == NULL)
    {
      group->command = rack_command_new ("APPEND");
      rack_command_mailbox (group->command, group->mailbox);
    }
  if (group->flags != NULL)
    rack_command_raw (group->command, group->flags);
  rack_command_literal (group->command, octets);
  group->n++;
  group->octets += g_bytes_get_size (octets);
  return TRUE;
}

static gboolean
put_all (Work *work, GPtrArray *paths, const char *mailbox, const char *flags, GError **error)
{
  Group group = { .shell = work->shell, .mailbox = mailbox, .flags = flags };
  guint most = rack_session_has (work->shell->session, "MULTIAPPEND") ? GROUP_FILES : 1;
  gboolean ok = TRUE;

  for (guint i = 0; i < paths->len && ok; i++)
    {
      ok = put_one (&group, g_ptr_array_index (paths, i), error);
      if (ok && (group.n >= most || group.octets >= GROUP_OCTETS))
        ok = send_group (&group, work, error);
    }
  if (ok)
    return send_group (&group, work, error);
  g_clear_pointer (&group.command, rack_command_free);
  return FALSE;
}

/* "*.eml" is what there is of that name; in quotes it is just a name. */
static gboolean
add_paths (GPtrArray *paths, const CommandWord *word, GError **error)
{
  glob_t found = { 0 };

  if (word->quoted || strpbrk (word->text, "*?[") == NULL)
    {
      g_ptr_array_add (paths, g_strdup (word->text));
      return TRUE;
    }
  int result = glob (word->text, GLOB_TILDE, NULL, &found);
  for (gsize i = 0; result == 0 && i < found.gl_pathc; i++)
    g_ptr_array_add (paths, g_strdup (found.gl_pathv[i]));
  globfree (&found);
  if (result == 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "put: no file is called %s", word->text);
  return FALSE;
}

SHELL_COMMAND (do_put)
{
  Shell *shell = session;
  const char *named = command_option (call, "mailbox"), *given = command_option (call, "flags");
  g_autofree char *flags = given != NULL ? parse_flags (given, error) : NULL;
  g_autofree char *mailbox = NULL;
  Work work;

  if ((given != NULL && flags == NULL) || (named == NULL && !sets_need_mailbox (shell, error)))
    return FALSE;
  mailbox = g_strdup (named != NULL ? named : shell->mailbox);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < call->n; i++)
    if (!add_paths (paths, &call->words[i], error))
      return FALSE;
  work_begin (&work, shell, "put", "stored", paths->len);
  return work_end (&work, put_all (&work, paths, mailbox, flags, error), error);
}
