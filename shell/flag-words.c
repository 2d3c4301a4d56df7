/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flag-words.c - flags as people type them; see flag-words.h
 *
 * Any name that is none of the system's is a keyword, so that a slip makes one for good in many a
 * server. What is a slip more often than not is an error that says what to write. */
#include "flag-words.h"

#include <mailrack/mailrack.h>
#include <string.h>

static const char *const system_flags[] = {
  "Seen", "Answered", "Flagged", "Deleted", "Draft", NULL
};

/* Words of searches and of other programs. */
static const struct
{
  const char *word, *flag;
  gboolean opposite;
} slips[] = {
  { "read", "seen", FALSE },          { "unread", "seen", TRUE },
  { "unseen", "seen", TRUE },         { "new", "seen", TRUE },
  { "starred", "flagged", FALSE },    { "unstarred", "flagged", TRUE },
  { "unflagged", "flagged", TRUE },   { "replied", "answered", FALSE },
  { "unanswered", "answered", TRUE }, { "undeleted", "deleted", TRUE },
};

static const char *
system_flag (const char *name)
{
  for (gsize i = 0; system_flags[i] != NULL; i++)
    if (g_ascii_strcasecmp (name, system_flags[i]) == 0)
      return system_flags[i];
  return NULL;
}

/* RFC 9051 section 9: an atom. */
static gboolean
is_atom (const char *name)
{
  for (const char *at = name; *at != '\0'; at++)
    if (*at <= ' ' || *at >= 0x7f || strchr ("(){%*\"\\]", *at) != NULL)
      return FALSE;
  return *name != '\0';
}

/* sign: '+', '-', or '\0' where none is written. FALSE with error set: it is a slip. */
static gboolean
check_slip (const char *verb, const char *name, char sign, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (slips); i++)
    {
      if (g_ascii_strcasecmp (name, slips[i].word) != 0)
        continue;
      const char *flag = slips[i].flag;
      if (sign == '\0')
        g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                     "%s: there is no flag \"%s\": write %s%s", verb, name, flag,
                     slips[i].opposite ? ", or nothing, since this is the lack of it" : "");
      else
        g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                     "%s: there is no flag \"%s\": write %c%s; '%c%s' in quotes is a keyword", verb,
                     name, (sign == '+') == slips[i].opposite ? '-' : '+', flag, sign, name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
add_name (const char *verb, const char *name, gboolean quoted, char sign, GPtrArray *flags,
          GError **error)
{
  gboolean escaped = *name == '\\';
  const char *plain = name + escaped, *system = system_flag (plain);

  if (g_ascii_strcasecmp (plain, "Recent") == 0)
    g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "%s: \\Recent is set by the server alone",
                 verb);
  else if (!is_atom (plain) || (escaped && system == NULL))
    g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                 "%s: \"%s\" is no flag: they are seen, answered, flagged, deleted, draft, and "
                 "keywords of letters, digits and most signs, such as $Work",
                 verb, name);
  else if (quoted || check_slip (verb, plain, sign, error))
    {
      g_ptr_array_add (
          flags, g_strconcat (system != NULL ? "\\" : "", system != NULL ? system : plain, NULL));
      return TRUE;
    }
  return FALSE;
}

static gboolean
needs_sign (const char *verb, const char *name, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
               "%s: \"%s\": write +%s to set it, -%s to remove it", verb, name,
               *name != '\0' ? name : "seen", *name != '\0' ? name : "seen");
  return FALSE;
}

gboolean
flag_words_add (const char *verb, const CommandWord *word, gboolean signs, GPtrArray *flags,
                GPtrArray *removed, GError **error)
{
  g_auto (GStrv) names = g_strsplit_set (word->text, word->quoted && signs ? "" : ", ", -1);
  char sign = '\0';

  if (names[0] == NULL) /* of nothing there is no piece */
    return needs_sign (verb, "", error);
  for (guint i = 0; names[i] != NULL; i++)
    {
      const char *name = names[i];
      if (signs && (*name == '+' || *name == '-'))
        sign = *name++;
      if (*name == '\0' && i > 0)
        continue; /* "+seen," */
      if (signs && sign == '\0')
        return needs_sign (verb, name, error);
      if (signs && *name == '\0')
        return needs_sign (verb, "", error);
      if (!signs && *name == '+')
        name++;
      if (!add_name (verb, name, word->quoted, sign, sign == '-' ? removed : flags, error))
        return FALSE;
    }
  return TRUE;
}

char *
flag_words_join (const GPtrArray *flags)
{
  g_autoptr (GString) list = g_string_new ("(");

  for (guint i = 0; i < flags->len; i++)
    g_string_append_printf (list, "%s%s", i > 0 ? " " : "", (char *) flags->pdata[i]);
  g_string_append_c (list, ')');
  return g_string_free (g_steal_pointer (&list), FALSE);
}
