/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * settings.c - the settings of a session and their table; see settings.h */
#include "settings.h"

#include "eval-error.h"

#include <string.h>

#define AT(field) G_STRUCT_OFFSET (Settings, field)

static const char *const formats[] = { "table", "json", "jsonl", "csv", "raw", NULL };
static const char *const headings[] = { "auto", "on", "off", NULL };
static const char *const switches[] = { "on", "off", NULL };
static const char *const pagers[] = { "less -FRX", "more", "off", NULL };

const Setting setting_table[] = {
  { "confirm", SETTING_NUMBER, AT (confirm), "20",
    "Ask before more messages than this are removed; 0 never asks", NULL, COMPLETE_NOTHING, 0,
    G_MAXUINT32 },
  { "errexit", SETTING_SWITCH, AT (errexit), "on",
    "A script that is read by source stops at its first error", switches, COMPLETE_WORDS, 0, 0 },
  { "headings", SETTING_CHOICE, AT (headings), "auto", "Titles over tables; auto: on a terminal",
    headings, COMPLETE_WORDS, 0, 0 },
  { "listing", SETTING_NUMBER, AT (listing), "50", "How many messages ls shows by itself", NULL,
    COMPLETE_NOTHING, 1, G_MAXUINT32 },
  { "news", SETTING_SWITCH, AT (news), "off",
    "In a coprocess, say what happens in the mailbox in lines that begin with *", switches,
    COMPLETE_WORDS, 0, 0 },
  { "notices", SETTING_SWITCH, AT (notices), "on", "Announce new mail at the prompt", switches,
    COMPLETE_WORDS, 0, 0 },
  { "output", SETTING_CHOICE, AT (output), "table", "How results are printed", formats,
    COMPLETE_WORDS, 0, 0 },
  { "pager", SETTING_TEXT, AT (pager), "less -FRX",
    "What long output goes through on a terminal; off: nothing", pagers, COMPLETE_WORDS, 0, 0 },
  { "timing", SETTING_SWITCH, AT (timing), "off", "Say of each command what time does", switches,
    COMPLETE_WORDS, 0, 0 },
  { "trash", SETTING_TEXT, AT (trash), "",
    "The mailbox rm moves to; empty: the one the server names", NULL, COMPLETE_MAILBOX, 0, 0 },
  { "width", SETTING_NUMBER, AT (width), "0", "Columns of tables; 0: the terminal's", NULL,
    COMPLETE_NOTHING, 20, 10000 },
  { NULL, SETTING_TEXT, 0, NULL, NULL, NULL, COMPLETE_NOTHING, 0, 0 },
};

const Setting *
setting_find (const char *name)
{
  for (const Setting *at = setting_table; at->name != NULL; at++)
    if (strcmp (at->name, name) == 0)
      return at;
  return NULL;
}

static gboolean
value_error (const Setting *setting, const char *value, const char *wanted, GError **error)
{
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "set: %s cannot be \"%s\": it is %s",
               setting->name, value, wanted);
  return FALSE;
}

static gboolean
set_choice (const Setting *setting, int *field, const char *value, GError **error)
{
  for (int i = 0; setting->values[i] != NULL; i++)
    if (g_ascii_strcasecmp (setting->values[i], value) == 0)
      {
        *field = i;
        return TRUE;
      }
  g_autofree char *wanted = g_strjoinv (", ", (char **) setting->values);
  return value_error (setting, value, wanted, error);
}

static gboolean
set_switch (const Setting *setting, gboolean *field, const char *value, GError **error)
{
  static const char *const yes[] = { "on", "yes", "true", "1", NULL };
  static const char *const no[] = { "off", "no", "false", "0", NULL };
  g_autofree char *lower = g_ascii_strdown (value, -1);

  if (!g_strv_contains (yes, lower) && !g_strv_contains (no, lower))
    return value_error (setting, value, "on or off", error);
  *field = g_strv_contains (yes, lower);
  return TRUE;
}

/* "set width 0" is what it is at first, though no width. */
static gboolean
set_number (const Setting *setting, guint64 *field, const char *value, GError **error)
{
  gboolean or_none = setting->least > 0 && strcmp (setting->first, "0") == 0;
  g_autofree char *wanted =
      g_strdup_printf ("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "%s",
                       setting->least, setting->most, or_none ? ", or 0" : "");
  guint64 number;

  if (!g_ascii_string_to_unsigned (value, 10, 0, setting->most, &number, NULL)
      || (number < setting->least && !(or_none && number == 0)))
    return value_error (setting, value, wanted, error);
  *field = number;
  return TRUE;
}

/* Whether the shell will find what the command begins with, as far as that can be told. */
static gboolean
is_command (const char *text)
{
  const char *const end = text + strcspn (text, " \t");
  g_autofree char *name = g_strndup (text, (gsize) (end - text));

  if (strpbrk (name, "=$`'\"\\~;&|(){}<>*?[") != NULL)
    return TRUE;
  g_autofree char *path = g_find_program_in_path (name);
  return path != NULL;
}

static gboolean
set_text (const Setting *setting, char **field, const char *value, GError **error)
{
  if (strcmp (value, "off") == 0)
    value = "";
  if (!g_utf8_validate (value, -1, NULL) || strpbrk (value, "\r\n") != NULL)
    return value_error (setting, value, "a text of one line", error);
  if (setting->offset == AT (pager) && *value != '\0' && !is_command (value))
    return value_error (setting, value, "a command that is there, or off", error);
  g_free (*field);
  *field = g_strdup (value);
  return TRUE;
}

gboolean
settings_set (Settings *settings, const char *name, const char *value, GError **error)
{
  const Setting *setting = setting_find (name);
  gpointer field = setting != NULL ? (char *) settings + setting->offset : NULL;

  if (setting == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_NAME,
                   "set: there is no setting \"%s\"; \"set\" shows them all", name);
      return FALSE;
    }
  switch (setting->kind)
    {
    case SETTING_CHOICE:
      return set_choice (setting, field, value, error);
    case SETTING_SWITCH:
      return set_switch (setting, field, value, error);
    case SETTING_NUMBER:
      return set_number (setting, field, value, error);
    case SETTING_TEXT:
      return set_text (setting, field, value, error);
    }
  return FALSE;
}

char *
settings_get (const Settings *settings, const Setting *setting)
{
  gconstpointer field = (const char *) settings + setting->offset;

  switch (setting->kind)
    {
    case SETTING_CHOICE:
      return g_strdup (setting->values[*(const int *) field]);
    case SETTING_SWITCH:
      return g_strdup (*(const gboolean *) field ? "on" : "off");
    case SETTING_NUMBER:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, *(const guint64 *) field);
    case SETTING_TEXT:
      return g_strdup (*(char *const *) field);
    }
  return NULL;
}

void
settings_init (Settings *settings)
{
  *settings = (Settings){ 0 };
  for (const Setting *at = setting_table; at->name != NULL; at++)
    if (!settings_set (settings, at->name, at->first, NULL))
      settings_set (settings, at->name, "off", NULL); /* the pager is not installed */
}

void
settings_clear (Settings *settings)
{
  for (const Setting *at = setting_table; at->name != NULL; at++)
    if (at->kind == SETTING_TEXT)
      g_clear_pointer ((char **) (gpointer) ((char *) settings + at->offset), g_free);
}
