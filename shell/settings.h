/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * settings.h - the settings of a session, as the command "set" has them
 *
 * One table says what there is, what each may be, and what it is for; help, completion and the
 * manual's test read it too. The account's settings (mailrack config) are another matter. */
#pragma once

#include "command.h"
#include "output.h"

G_BEGIN_DECLS

typedef enum
{
  HEADINGS_AUTO, /* on a terminal */
  HEADINGS_ON,
  HEADINGS_OFF,
} Headings;

typedef struct
{
  int output;   /* OutputFormat, without VALUE */
  int headings; /* Headings */
  gboolean timing, notices, news, errexit;
  guint64 confirm; /* ask before more messages than this are removed; 0: never */
  guint64 listing; /* how many messages ls shows by itself */
  guint64 width;   /* of tables; 0: the terminal's */
  char *pager;     /* command; "": none */
  char *trash;     /* mailbox; "": the one the server names */
} Settings;

typedef enum
{
  SETTING_CHOICE, /* values; an int that counts from 0 in their order */
  SETTING_SWITCH, /* on and off; a gboolean */
  SETTING_NUMBER, /* a guint64, from .least to .most; 0 too where it is the first value */
  SETTING_TEXT,   /* a char * */
} SettingKind;

typedef struct
{
  const char *name; /* NULL: the end of the table */
  SettingKind kind;
  gsize offset;      /* in Settings */
  const char *first; /* its value at the beginning */
  const char *help;
  const char *const *values;    /* what completion offers; of a CHOICE all it may be; or NULL */
  CommandCompletion completion; /* of its value */
  guint64 least, most;          /* of a NUMBER */
} Setting;

extern const Setting setting_table[];

void settings_init (Settings *settings);
void settings_clear (Settings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, settings_clear)
const Setting *setting_find (const char *name);
/* EVAL_ERROR_VALUE says what it may be; EVAL_ERROR_NAME: there is no such setting. */
gboolean settings_set (Settings *settings, const char *name, const char *value, GError **error);
/* Returns: (owned) as settings_set() takes it. */
char *settings_get (const Settings *settings, const Setting *setting);

G_END_DECLS
