/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * script.h - a dialogue for the engine, read from tests/dialogues/engine
 *
 * The format is in tests/dialogues/engine/README.md. Here are its lines as steps;
 * what they do is in player.c. */
#pragma once

#include <glib.h>

typedef enum
{
  STEP_ABOUT,
  STEP_OPTION, /* text: "timeout 30" */
  STEP_SERVER,
  STEP_SERVER_TOGETHER,
  STEP_SERVER_RAW,
  STEP_SERVER_FILL,
  STEP_CLIENT,
  STEP_CLIENT_RAW,
  STEP_CLIENT_BLANKS,
  STEP_CLIENT_NONE,
  STEP_EVENT,
  STEP_SUBMIT,
  STEP_DETACH,
  STEP_KICK,
  STEP_GIVE_UP,
  STEP_ANSWER,
  STEP_UPGRADED,
  STEP_WANT_IDLE,
  STEP_PROBE,
  STEP_BLOCKED,
  STEP_TIME,
  STEP_FAILS,
  STEP_EOF,
  STEP_PHASE,
  STEP_SELECTED,
  STEP_READ_ONLY,
  STEP_UID_VALIDITY,
  STEP_CAPABILITIES,
  STEP_DEADLINE,
  STEP_IN_IDLE,
  STEP_COUNTS, /* "3 -1": messages, and how many went */
  STEP_QUIET,
} StepKind;

typedef struct
{
  StepKind kind;
  char *text;
  guint line;
} Step;

typedef struct
{
  char *path;
  GArray *steps; /* Step */
} Script;

/* NULL with error set. Returns: (owned) */
Script *script_load (const char *path, GError **error);
void script_free (Script *script);
/* Escapes \r \n \t \0 \\ \" and \xHH become octets. */
GString *script_unescape (const char *text, gsize size);
