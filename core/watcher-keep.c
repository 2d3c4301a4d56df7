/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watcher-keep.c - what a watcher knows as a text, for another one to go on from
 *
 *   mailrack-watch 1 all bob@imap.example.org
 *   UIDVALIDITY UIDNEXT MODSEQ ABSENT ITEMS MESSAGES UIDNEXT UIDVALIDITY MODSEQ KNOWN GONE FRESH
 * NAME
 *
 * One line for each mailbox. ITEMS and the four behind it are what the server counted when it was
 * looked at last, so that nothing is asked of a mailbox in which nothing happened. KNOWN are the
 * UIDs it has, GONE those it had, FRESH those still to be told; "-" is none, and KNOWN "?" says
 * that it was never looked at: what is below UIDNEXT is known. The text is no secret and no
 * hostage: it is checked as if somebody else had written it. */
#include "watcher-private.h"

#include <string.h>

#define FIRST_LINE "mailrack-watch 1 "

/* ---- Writing ----------------------------------------------------------------------------------
 */

static void
append_set (GString *text, const RackSet *set)
{
  g_autofree char *string = rack_set_to_string (set);

  g_string_append_printf (text, " %s", *string != '\0' ? string : "-");
}

static void
append_sets (GString *text, const RackWatcherBox *box)
{
  g_autoptr (RackSet) gone = rack_set_copy (box->seen);

  rack_set_subtract (gone, box->known);
  append_set (text, box->known);
  append_set (text, gone);
  append_set (text, box->fresh);
}

static void
append_box (GString *text, const RackWatcherBox *box)
{
  g_autofree char *name = g_strescape (box->name, NULL);

  g_string_append_printf (text, "%u %u %" G_GUINT64_FORMAT " %d", box->state.uid_validity,
                          box->state.uid_next, box->state.highest_modseq, box->absent);
  g_string_append_printf (
      text,
      " %u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
      (guint) box->counted.status_items, box->counted.messages, box->counted.uid_next,
      box->counted.uid_validity, box->counted.highest_modseq);
  if (box->mailbox != NULL)
    append_sets (text, box);
  else
    g_string_append (text, " ? - -");
  g_string_append_printf (text, " %s\n", name);
}

char *
rack_watcher_save (RackWatcher *watcher)
{
  g_autoptr (GString) text = g_string_new (FIRST_LINE);

  if (!g_queue_is_empty (&watcher->events))
    return NULL;
  g_string_append_printf (text, "%s %s\n", watcher->names == NULL ? "all" : "named",
                          watcher->account->label);
  for (guint i = 0; i < watcher->boxes->len; i++)
    append_box (text, watcher->boxes->pdata[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

enum
{
  UID_VALIDITY,
  UID_NEXT,
  MODSEQ,
  ABSENT,
  ITEMS,
  COUNTED, /* four of them */
  KNOWN = COUNTED + 4,
  GONE,
  FRESH,
  NAME,
  N_WORDS,
};

/* "-" is none. FALSE: it is no set of UIDs. */
static gboolean
merge (RackSet *into, const char *word)
{
  if (strcmp (word, "-") == 0)
    return TRUE;
  g_autoptr (RackSet) set = rack_set_parse (word, NULL);
  if (set == NULL || strchr (word, '*') != NULL)
    return FALSE;
  rack_set_merge (into, set);
  return TRUE;
}

static gboolean
read_numbers (char *const *words, guint64 *numbers)
{
  for (guint i = 0; i < KNOWN; i++)
    {
      guint64 most = i == UID_VALIDITY || i == UID_NEXT || i == ITEMS ? G_MAXUINT32
                     : i == ABSENT                                    ? 1
                                                                      : G_MAXUINT64;
      if (!g_ascii_string_to_unsigned (words[i], 10, 0, most, &numbers[i], NULL))
        return FALSE;
    }
  return TRUE;
}

/* What was looked at before; NAME and numbers are there. */
static gboolean
read_known (RackWatcher *watcher, RackWatcherBox *box, char *const *words, const guint64 *numbers)
{
  box->counted = (RackMailboxInfo){ .status_items = (guint) numbers[ITEMS],
                                    .messages = numbers[COUNTED],
                                    .uid_next = numbers[COUNTED + 1],
                                    .uid_validity = numbers[COUNTED + 2],
                                    .highest_modseq = numbers[COUNTED + 3] };
  box->state.highest_modseq = numbers[MODSEQ];
  box->mailbox = rack_mailbox_bind (watcher->account, box->name, TRUE, box->state.uid_validity);
  if (!merge (box->known, words[KNOWN]) || !merge (box->seen, words[GONE])
      || !merge (box->fresh, words[FRESH]))
    return FALSE;
  rack_set_merge (box->seen, box->known);
  rack_set_intersect (box->fresh, box->known);
  return TRUE;
}

/* FALSE: it is no line of ours. */
static gboolean
read_box (RackWatcher *watcher, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", N_WORDS);
  guint64 numbers[KNOWN];

  if (g_strv_length (words) != N_WORDS || !read_numbers (words, numbers))
    return FALSE;
  g_autofree char *name = g_strcompress (words[NAME]);
  if (*name == '\0' || !g_utf8_validate (name, -1, NULL)
      || g_hash_table_contains (watcher->by_name, name))
    return FALSE;
  if (watcher->names != NULL && !rack_watcher_is_named (watcher, name))
    return TRUE; /* it is not asked for any more */
  RackWatcherBox *box = rack_watcher_add_box (watcher, name);
  box->absent = numbers[ABSENT] != 0;
  box->dirty = !box->absent;
  box->state.uid_validity = (guint32) numbers[UID_VALIDITY];
  box->state.uid_next = (guint32) numbers[UID_NEXT];
  if (strcmp (words[KNOWN], "?") == 0)
    return TRUE;
  box->dirty = FALSE; /* what the server counts now says whether it is */
  return box->state.uid_validity != 0 && read_known (watcher, box, words, numbers);
}

static gboolean
read_first (RackWatcher *watcher, const char *line, GError **error)
{
  gsize skip = strlen (FIRST_LINE);
  gboolean ours = g_str_has_prefix (line, FIRST_LINE);
  gboolean all = ours && g_str_has_prefix (line + skip, "all ");
  gboolean named = ours && g_str_has_prefix (line + skip, "named ");

  if (!all && !named)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INVALID,
                           "this is not the state of a watch, or that of another version");
      return FALSE;
    }
  const char *label = line + skip + strlen (all ? "all " : "named ");
  if (strcmp (label, watcher->account->label) != 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                   "this is the state of a watch of %s, not of %s", label, watcher->account->label);
      return FALSE;
    }
  watcher->knew_all = all;
  return TRUE;
}

gboolean
rack_watcher_restore (RackWatcher *watcher, const char *state, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (state, "\n", -1);

  if (!g_utf8_validate (state, -1, NULL) || lines[0] == NULL)
    return read_first (watcher, "", error);
  if (!read_first (watcher, lines[0], error))
    return FALSE;
  for (guint i = 1; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && !read_box (watcher, lines[i]))
      {
        g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                     "line %u of the state of this watch is broken", i + 1);
        return FALSE;
      }
  return TRUE;
}

void
rack_watcher_check_restored (RackWatcher *watcher)
{
  for (guint i = 0; i < watcher->boxes->len; i++)
    {
      RackWatcherBox *box = watcher->boxes->pdata[i];
      if (box->dirty && box->mailbox != NULL && box->now.uid_validity != 0
          && box->now.uid_validity != box->state.uid_validity)
        rack_watcher_forget (watcher, box);
    }
}
