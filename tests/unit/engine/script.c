/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * script.c - dialogues as they are read; the contract is in script.h */
#include "script.h"

#include <string.h>

static const struct
{
  const char *word;
  StepKind kind;
} words[] = {
  { "about", STEP_ABOUT },
  { "timeout", STEP_OPTION },
  { "idle-refresh", STEP_OPTION },
  { "preauth", STEP_OPTION },
  { "disabled", STEP_OPTION },
  { "inline", STEP_OPTION },
  { "unparsed", STEP_OPTION },
  { "streamed", STEP_OPTION },
  { "preface", STEP_OPTION },
  { "correlated", STEP_OPTION },
  { "S", STEP_SERVER },
  { "S+", STEP_SERVER_TOGETHER },
  { "S-raw", STEP_SERVER_RAW },
  { "S-fill", STEP_SERVER_FILL },
  { "C", STEP_CLIENT },
  { "C-raw", STEP_CLIENT_RAW },
  { "C-blanks", STEP_CLIENT_BLANKS },
  { "C-none", STEP_CLIENT_NONE },
  { "E", STEP_EVENT },
  { "submit", STEP_SUBMIT },
  { "detach", STEP_DETACH },
  { "kick", STEP_KICK },
  { "give-up", STEP_GIVE_UP },
  { "answer", STEP_ANSWER },
  { "upgraded", STEP_UPGRADED },
  { "want-idle", STEP_WANT_IDLE },
  { "probe", STEP_PROBE },
  { "blocked", STEP_BLOCKED },
  { "time", STEP_TIME },
  { "fails", STEP_FAILS },
  { "eof", STEP_EOF },
  { "phase", STEP_PHASE },
  { "selected", STEP_SELECTED },
  { "read-only", STEP_READ_ONLY },
  { "uid-validity", STEP_UID_VALIDITY },
  { "capabilities", STEP_CAPABILITIES },
  { "deadline", STEP_DEADLINE },
  { "in-idle", STEP_IN_IDLE },
  { "quiet", STEP_QUIET },
  { "counts", STEP_COUNTS },
};

static void
clear_step (gpointer data)
{
  g_free (((Step *) data)->text);
}

void
script_free (Script *script)
{
  if (script == NULL)
    return;
  g_array_free (script->steps, TRUE);
  g_free (script->path);
  g_free (script);
}

GString *
script_unescape (const char *text, gsize size)
{
  static const char from[] = "rnt0\\\"", to[] = "\r\n\t\0\\\"";
  GString *octets = g_string_new (NULL);

  for (gsize i = 0; i < size; i++)
    {
      const char *known =
          text[i] == '\\' && i + 1 < size ? memchr (from, text[i + 1], sizeof from - 1) : NULL;
      if (known != NULL)
        {
          g_string_append_c (octets, to[known - from]);
          i++;
        }
      else if (text[i] == '\\' && i + 3 < size && text[i + 1] == 'x')
        {
          g_string_append_c (octets, (char) (g_ascii_xdigit_value (text[i + 2]) * 16
                                             + g_ascii_xdigit_value (text[i + 3])));
          i += 3;
        }
      else
        g_string_append_c (octets, text[i]);
    }
  return octets;
}

static gboolean
add_line (Script *script, const char *line, guint number, GError **error)
{
  const char *colon = strchr (line, ':');

  if (*line == '\0' || *line == '#')
    return TRUE;
  for (gsize i = 0; colon != NULL && i < G_N_ELEMENTS (words); i++)
    if (strlen (words[i].word) == (gsize) (colon - line)
        && strncmp (words[i].word, line, (gsize) (colon - line)) == 0)
      {
        const char *text = colon[1] == ' ' ? colon + 2 : colon + 1;
        StepKind kind = words[i].kind;
        Step step = { kind,
                      kind == STEP_OPTION ? g_strconcat (words[i].word, " ", text, NULL)
                                          : g_strdup (text),
                      number };
        g_array_append_val (script->steps, step);
        return TRUE;
      }
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s:%u: not a step: %s", script->path,
               number, line);
  return FALSE;
}

Script *
script_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  Script *script;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  script = g_new0 (Script, 1);
  script->path = g_strdup (path);
  script->steps = g_array_new (FALSE, TRUE, sizeof (Step));
  g_array_set_clear_func (script->steps, clear_step);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!add_line (script, lines[i], i + 1, error))
      {
        script_free (script);
        return NULL;
      }
  return script;
}
