/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * display.h - the results of calls; see display.c */
#pragma once

#include "shell.h"

/* For interp_new() with a Shell. */
extern const InterpSink display_sink;
/* One result, as the settings want it. FALSE: nobody reads any more, or Ctrl-C. */
gboolean display_value (Value *value, gpointer shell);
