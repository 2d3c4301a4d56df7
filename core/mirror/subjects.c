/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * subjects.c - what a subject is without "Re:"
 *
 * Mail programs put these in front in their own language, some with a number
 * ("Re[2]:"), and again with every answer.
 */
#include "subjects.h"

#include <string.h>

static const char *const prefixes[] = { "re", "fwd",  "fw", "aw", "wg",  "sv",
                                        "vs", "antw", "tr", "rv", "ref", "odp" };

static const char *
skip_blanks (const char *text)
{
  while (*text == ' ' || *text == '\t')
    text++;
  return text;
}

/* Behind "Re:", or NULL. */
static const char *
skip_prefix (const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      gsize size = strlen (prefixes[i]);
      if (g_ascii_strncasecmp (text, prefixes[i], size) != 0)
        continue;
      const char *at = text + size;
      if (*at == '[' || *at == '(')
        {
          const char *end = at + 1;
          while (g_ascii_isdigit (*end))
            end++;
          if (end > at + 1 && *end == (*at == '[' ? ']' : ')'))
            at = end + 1;
        }
      at = skip_blanks (at);
      if (*at == ':')
        return skip_blanks (at + 1);
    }
  return NULL;
}

char *
rack_subject_base (const char *subject, gboolean *reply)
{
  const char *next;
  subject = skip_blanks (subject);
  *reply = FALSE;
  while ((next = skip_prefix (subject)) != NULL)
    {
      subject = next;
      *reply = TRUE;
    }
  char *base = g_strdup (subject);
  return g_strchomp (base);
}

char *
rack_subject_fold (const char *base)
{
  g_autofree char *folded = g_utf8_casefold (base, -1);
  char *out = folded;
  for (const char *p = folded; *p != '\0'; p++)
    if ((*p != ' ' && *p != '\t') || (out > folded && out[-1] != ' '))
      *out++ = *p == '\t' ? ' ' : *p;
  *out = '\0';
  return g_steal_pointer (&folded);
}
