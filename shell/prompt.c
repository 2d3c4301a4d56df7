/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * prompt.c - the text of the prompt, with or without colours */
#include "prompt.h"

#include "safe-text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fewer columns than this of a mailbox' name say nothing. */
#define NAME_MIN 12

/* What a colour means is said by the text too. */
#define ACCOUNT "1;32"
#define MAILBOX "1;34"
#define FRESH   "1;33"
#define FAINT   "2"

static void
add (GString *prompt, const char *text, const char *style, gboolean colour)
{
  if (*text == '\0')
    return;
  if (colour)
    g_string_append_printf (prompt, "\001\033[%sm\002%s\001\033[m\002", style, text);
  else
    g_string_append (prompt, text);
}

/* At most so many columns, with "…" in place of the rest. Returns: (owned) safe text */
static char *
cut (const char *name, guint columns)
{
  g_autofree char *safe = safe_text_dup (name, -1, SAFE_TEXT_LINE);

  if (safe_text_columns (safe) <= columns)
    return g_steal_pointer (&safe);
  GString *cell = g_string_new (NULL);
  safe_text_append_cell (cell, safe, columns);
  return g_string_free (cell, FALSE);
}

char *
prompt_text (const char *name, const WorkerFacts *facts, guint columns, gboolean colour)
{
  g_autofree char *account = cut (name, MAX (columns / 3, NAME_MIN));
  g_autofree char *mailbox =
      facts->mailbox != NULL ? cut (facts->mailbox, MAX (columns / 3, NAME_MIN)) : NULL;
  g_autofree char *fresh = facts->fresh > 0
                               ? g_strdup_printf ("%" G_GUINT64_FORMAT " new", facts->fresh)
                               : g_strdup ("");
  GString *prompt = g_string_new (NULL);

  add (prompt, account, ACCOUNT, colour);
  if (!facts->connected)
    add (prompt, " (not connected)", FRESH, colour);
  else if (mailbox != NULL)
    {
      g_string_append_c (prompt, ':');
      add (prompt, mailbox, MAILBOX, colour);
      g_string_append_printf (prompt, " (%" G_GUINT64_FORMAT, facts->messages);
      if (facts->fresh > 0)
        g_string_append (prompt, ", ");
      add (prompt, fresh, FRESH, colour);
      g_string_append (prompt, facts->read_only ? ", read-only)" : ")");
    }
  g_string_append (prompt, "> ");
  return g_string_free (prompt, FALSE);
}

char *
prompt_more (gboolean colour)
{
  GString *prompt = g_string_new (NULL);

  add (prompt, "...", FAINT, colour);
  g_string_append_c (prompt, ' ');
  return g_string_free (prompt, FALSE);
}

gboolean
prompt_wants_colour (void)
{
  const char *none = getenv ("NO_COLOR"), *terminal = getenv ("TERM");

  return (none == NULL || *none == '\0') && terminal != NULL && strcmp (terminal, "dumb") != 0
         && isatty (STDOUT_FILENO);
}
