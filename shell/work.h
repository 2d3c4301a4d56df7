/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * work.h - how far long work has come, for whoever looks on, and what was done of it in the end
 *
 * Tells the hook `progress` of the shell some ten times a second, after the first second. */
#pragma once

#include "shell.h"

typedef struct
{
  Shell *shell;
  const char *label;  /* "save" */
  const char *done;   /* "saved": for what is said of work that ended early */
  guint64 want, have; /* messages */
  gint64 began, told; /* monotonic, microseconds */
} Work;

/* label and done are borrowed. */
void work_begin (Work *work, Shell *shell, const char *label, const char *done, guint64 want);
/* So many more are done. FALSE with RACK_ERROR_CANCELLED: stop here. */
gboolean work_add (Work *work, guint64 n, GError **error);
/* Takes the bar away. An error that stopped it half way says how much was done. Returns ok. */
gboolean work_end (Work *work, gboolean ok, GError **error);
