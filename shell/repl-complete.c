/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * repl-complete.c - Tab: what complete.h finds, put into the line that is edited
 *
 * readline's own completion thinks in words and waits for keys inside of a key; this does not. */
#include "complete.h"
#include "repl-private.h"

#include "client.h"

#include <readline/readline.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A list of mailboxes as old as this (in seconds) will do. */
#define AGE            60
/* How long Tab waits for one, in milliseconds: where nothing is known, and where it is only old. */
#define WAIT_FOR_FIRST 3000
#define WAIT_FOR_NEWER 250

static Worker *asked;
static const GString *before;
static CompleteSources sources;
static int listed = -1; /* eventfd */

/* ---- What there is ----------------------------------------------------------------------------
 */

void
completion_listed (void)
{
  guint64 one = 1;

  if (listed >= 0 && write (listed, &one, sizeof one) < 0)
    return; /* it says so already */
}

/* Not for long, and not when a key or Ctrl-C wants something else. */
static void
wait_for_list (gboolean has_some)
{
  gint64 end = g_get_monotonic_time ()
               + (has_some ? WAIT_FOR_NEWER : WAIT_FOR_FIRST) * G_TIME_SPAN_MILLISECOND;
  guint64 dummy;

  while (worker_is_listing (asked))
    {
      gint64 left = (end - g_get_monotonic_time ()) / G_TIME_SPAN_MILLISECOND;
      if (left <= 0 || !signals_wait (listed, (int) left)
          || read (listed, &dummy, sizeof dummy) < 0)
        break;
    }
}

static void
free_mailbox (gpointer data)
{
  g_free (((CompleteMailbox *) data)->name);
  g_free (data);
}

static GPtrArray *
find_mailboxes (gpointer data)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (free_mailbox);
  gboolean asks = worker_list (asked, AGE);
  g_autoptr (GPtrArray) list = worker_mailboxes (asked);

  if (asks)
    {
      wait_for_list (list->len > 0);
      g_ptr_array_unref (list);
      list = worker_mailboxes (asked);
    }
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = g_ptr_array_index (list, i);
      if (info->flags & (RACK_LIST_NOSELECT | RACK_LIST_NONEXISTENT))
        continue;
      CompleteMailbox *mailbox = g_new (CompleteMailbox, 1);
      *mailbox = (CompleteMailbox){ g_strdup (info->name), info->separator };
      g_ptr_array_add (found, mailbox);
    }
  return found;
}

static GPtrArray *
find_flags (gpointer data)
{
  return worker_flags (asked);
}

static char **
find_aliases (gpointer data)
{
  const Shell *shell = data;
  GStrvBuilder *builder = g_strv_builder_new ();
  GHashTableIter iterator;
  gpointer name;

  if (shell->aliases != NULL)
    {
      g_hash_table_iter_init (&iterator, shell->aliases);
      while (g_hash_table_iter_next (&iterator, &name, NULL))
        g_strv_builder_add (builder, name);
    }
  char **names = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return names;
}

static const char *
find_meaning (const char *alias, gpointer data)
{
  const Shell *shell = data;

  return shell->aliases != NULL ? g_hash_table_lookup (shell->aliases, alias) : NULL;
}

/* ---- The line ---------------------------------------------------------------------------------
 */

/* In front of the line that is edited stands what a call began with. Returns: (owned) */
static char *
text_so_far (gsize *offset)
{
  g_autofree char *line = g_strndup (rl_line_buffer, (gsize) rl_point);

  *offset = before->len > 0 ? before->len + 1 : 0;
  return before->len > 0 ? g_strconcat (before->str, "\n", line, NULL) : g_steal_pointer (&line);
}

static void
replace (int start, const char *text)
{
  rl_begin_undo_group ();
  rl_delete_text (start, rl_point);
  rl_point = start;
  rl_insert_text (text);
  rl_end_undo_group ();
}

/* The only one there is: with what closes it, unless that stands there already. */
static void
take (int start, const Candidate *candidate)
{
  g_autoptr (GString) text = g_string_new (candidate->text);
  char next = rl_line_buffer[rl_point];
  char last = text->len > 0 ? text->str[text->len - 1] : '\0';

  if (next != '\0' && next == last && strchr ("'\"(=/", last) != NULL)
    g_string_truncate (text, text->len - 1);
  else if (candidate->follows != '\0' && next != candidate->follows)
    g_string_append_c (text, candidate->follows);
  replace (start, text->str);
}

static void
show (const Completion *completion)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();

  for (guint i = 0; i < completion->candidates->len; i++)
    g_ptr_array_add (texts, ((Candidate *) g_ptr_array_index (completion->candidates, i))->shown);
  screen_list (texts);
}

static int
on_tab (int count, int key)
{
  gsize offset;
  g_autofree char *text = text_so_far (&offset);
  g_auto (Completion) completion = { 0 };

  complete (&sources, text, &completion);
  if (completion.candidates->len == 0 || completion.start < offset)
    return rl_ding ();
  int start = (int) (completion.start - offset);
  if (completion.candidates->len == 1)
    take (start, g_ptr_array_index (completion.candidates, 0));
  else if (strcmp (completion.common, text + completion.start) != 0)
    replace (start, completion.common);
  else
    show (&completion);
  return 0;
}

static int
on_list (int count, int key)
{
  gsize offset;
  g_autofree char *text = text_so_far (&offset);
  g_auto (Completion) completion = { 0 };

  complete (&sources, text, &completion);
  if (completion.candidates->len == 0)
    return rl_ding ();
  show (&completion);
  return 0;
}

/* ---- From begin to end ------------------------------------------------------------------------
 */

void
completion_begin (Shell *shell, Worker *worker, const GString *unfinished)
{
  static LineContext context;

  context = shell_line_context (shell);
  asked = worker;
  before = unfinished;
  listed = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  sources = (CompleteSources){
    .line = &context,
    .interp = shell->interp,
    .parameters = client_parameters,
    .mailboxes = find_mailboxes,
    .flags = find_flags,
    .aliases = find_aliases,
    .meaning = find_meaning,
    .data = shell,
    .accounts = shell->accounts,
  };
  rl_bind_key_in_map ('\t', on_tab, emacs_standard_keymap);
  rl_bind_key_in_map ('\t', on_tab, vi_insertion_keymap);
  rl_bind_keyseq_in_map ("\\e?", on_list, emacs_standard_keymap);
  rl_bind_keyseq_in_map ("\\e=", on_list, emacs_standard_keymap);
}

void
completion_end (void)
{
  if (listed >= 0)
    close (listed);
  listed = -1;
}
