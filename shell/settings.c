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
    "Ask before more messages than this are removed; 0 never asks", NULL, COMPLETE_NOTHING },
  { "errexit", SETTING_SWITCH, AT (errexit), "on",
    "A script that is read by source stops at its first error", switches, COMPLETE_WORDS },
  { "headings", SETTING_CHOICE, AT (headings), "auto", "Titles over tables; auto: on a terminal",
    headings, COMPLETE_WORDS },
  { "listing", SETTING_NUMBER, AT (listing), "50", "How many messages ls shows by itself", NULL,
    COMPLETE_NOTHING },
  { "news", SETTING_SWITCH, AT (news), "off",
    "In a coprocess, say what happens in the mailbox in lines that begin with *", switches,
    COMPLETE_WORDS },
  { "notices", SETTING_SWITCH, AT (notices), "on", "Announce new mail at the prompt", switches,
    COMPLETE_WORDS },
  { "output", SETTING_CHOICE, AT (output), "table", "How results are printed", formats,
    COMPLETE_WORDS },
  { "pager", SETTING_TEXT, AT (pager), "less -FRX",
    "What long output goes through on a terminal; off: nothing", pagers, COMPLETE_WORDS },
  { "timing", SETTING_SWITCH, AT (timing), "off", "Say of each command what time does", switches,
    COMPLETE_WORDS },
  { "trash", SETTING_TEXT, AT (trash), "",
    "The mailbox rm moves to; empty: the one the server names", NULL, COMPLETE_MAILBOX },
  { "width", SETTING_NUMBER, AT (width), "0", "Columns of tables; 0: the terminal's", NULL,
    COMPLETE_NOTHING },
  { NULL, SETTING_TEXT, 0, NULL, NULL, NULL, COMPLETE_NOTHING },
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
      return g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT32, field, NULL)
             || value_error (setting, value, "a number", error);
    case SETTING_TEXT:
      g_free (*(char **) field);
      *(char **) field = g_strdup (strcmp (value, "off") == 0 ? "" : value);
      return TRUE;
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
    settings_set (settings, at->name, at->first, NULL);
}

void
settings_clear (Settings *settings)
{
  for (const Setting *at = setting_table; at->name != NULL; at++)
    if (at->kind == SETTING_TEXT)
      g_clear_pointer ((char **) (gpointer) ((char *) settings + at->offset), g_free);
}
