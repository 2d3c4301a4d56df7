/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * repl-history.c - the lines of this and earlier sessions: $XDG_STATE_HOME/mailrack/history
 *
 * Each line is appended when it was run, so that several shells lose none of each other's. A call
 * over several lines is one entry, whose further lines begin with a space in the file: lines that
 * begin with one themselves are not kept. */
#include "repl-private.h"

#include <errno.h>
#include <fcntl.h>
#include <readline/history.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES_MAX 5000
/* The file is cut when it has this many more, so that not every start writes it. */
#define SLACK       1000
#define FILE_MAX    (16 * 1024 * 1024)

/* ---- What is kept -----------------------------------------------------------------------------
 */

/* "password = ..." and c.login(...), however they are written; IMAP's commands by raw. */
static gboolean
may_hold_secret (const char *line)
{
  static GRegex *pattern;

  if (pattern == NULL)
    pattern = g_regex_new ("^\\s*raw\\s+(login|authenticate)\\b"
                           "|login\\s*\\(|authenticat\\w*\\s*\\("
                           "|\\w*(passw|secret|token|credential)\\w*\\s*[=:]",
                           G_REGEX_CASELESS | G_REGEX_MULTILINE, 0, NULL);
  return g_regex_match (pattern, line, 0, NULL);
}

static gboolean
is_kept (const char *line)
{
  if (*line == '\0' || *line == ' ' || may_hold_secret (line))
    return FALSE;
  const HIST_ENTRY *last =
      history_length > 0 ? history_get (history_base + history_length - 1) : NULL;
  return last == NULL || strcmp (last->line, line) != 0;
}

/* ---- The file ---------------------------------------------------------------------------------
 */

static char *
file_path (void)
{
  g_autofree char *directory = g_build_filename (g_get_user_state_dir (), "mailrack", NULL);

  g_mkdir_with_parents (directory, 0700);
  return g_build_filename (directory, "history", NULL);
}

/* Opens the file for this shell alone; who cuts it puts another in its place, so it is looked at
 * again once it is locked. -1: there is no history on the disk. */
static int
open_locked (const char *path)
{
  for (guint i = 0; i < 10; i++)
    {
      struct stat opened, there;
      int file = open (path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
      if (file < 0)
        return -1;
      if (fstat (file, &opened) != 0 || !S_ISREG (opened.st_mode) || flock (file, LOCK_EX) != 0)
        {
          close (file);
          return -1;
        }
      if (opened.st_mode & 077)
        fchmod (file, 0600);
      if (stat (path, &there) == 0 && there.st_ino == opened.st_ino
          && there.st_dev == opened.st_dev)
        return file;
      close (file);
    }
  return -1;
}

/* All of it, or as much as a history can be. Returns: (owned) */
static char *
read_all (int file)
{
  GString *text = g_string_new (NULL);
  char piece[16384];
  ssize_t n;

  while (text->len < FILE_MAX && (n = read (file, piece, sizeof piece)) > 0)
    g_string_append_len (text, piece, n);
  return g_string_free (text, FALSE);
}

/* Where the entries of a file begin, the last ENTRIES_MAX of them. Returns: (owned) pointers into
 * text, whose line ends become NUL where an entry ends. */
static GPtrArray *
divide (char *text, guint *left_out)
{
  GPtrArray *entries = g_ptr_array_new ();

  for (char *at = text; *at != '\0';)
    {
      char *end = at + strcspn (at, "\n");
      gboolean last = *end == '\0';
      if (*at == ' ' && entries->len > 0)
        at[-1] = '\n'; /* goes on with the one before; its space is taken out later */
      else if (end > at)
        g_ptr_array_add (entries, at);
      *end = '\0';
      at = last ? end : end + 1;
    }
  *left_out = entries->len > ENTRIES_MAX ? entries->len - ENTRIES_MAX : 0;
  if (*left_out > 0)
    g_ptr_array_remove_range (entries, 0, *left_out);
  return entries;
}

static void
replace_text (char *text, const char *from, const char *to, GString *out)
{
  g_auto (GStrv) parts = g_strsplit (text, from, -1);
  g_autofree char *joined = g_strjoinv (to, parts);

  g_string_append (out, joined);
}

/* Puts another file with these entries in its place. The lock that is held is the old one's. */
static void
rewrite (const char *path, const GPtrArray *entries)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; i < entries->len; i++)
    {
      g_string_append (all, g_ptr_array_index (entries, i));
      g_string_append_c (all, '\n');
    }
  g_file_set_contents_full (path, all->str, (gssize) all->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                            NULL);
}

void
history_begin (void)
{
  g_autofree char *path = file_path ();
  guint left_out;

  using_history ();
  stifle_history (ENTRIES_MAX);
  int file = open_locked (path);
  if (file < 0)
    return;
  g_autofree char *text = read_all (file);
  g_autoptr (GPtrArray) entries = divide (text, &left_out);
  if (left_out > SLACK)
    rewrite (path, entries);
  close (file);
  for (guint i = 0; i < entries->len; i++)
    {
      g_autoptr (GString) line = g_string_new (NULL);
      replace_text (g_ptr_array_index (entries, i), "\n ", "\n", line);
      add_history (line->str);
    }
}

void
history_keep (const char *line)
{
  if (!is_kept (line))
    return;
  add_history (line);
  g_autofree char *path = file_path ();
  g_autoptr (GString) text = g_string_new (NULL);
  replace_text ((char *) line, "\n", "\n ", text);
  g_string_append_c (text, '\n');
  int file = open_locked (path);
  if (file < 0)
    return;
  if (write (file, text->str, text->len) < 0)
    g_debug ("history: %s", g_strerror (errno)); /* a full disk costs the line alone */
  close (file);
}
