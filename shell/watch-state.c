/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-state.c - the file in which mailrack watch keeps what it has told; see watch-state.h */
#include "watch-state.h"

static void
take_problem (GError **error, GError *problem)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "--state: %s", problem->message);
  g_error_free (problem);
}

char *
watch_state_read (const char *path, GError **error)
{
  GError *problem = NULL;
  char *text = NULL;

  if (g_file_get_contents (path, &text, NULL, &problem))
    return text;
  if (g_error_matches (problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    g_error_free (problem);
  else
    take_problem (error, problem);
  return NULL;
}

gboolean
watch_state_write (const char *path, const char *text, GError **error)
{
  GError *problem = NULL;

  if (g_file_set_contents_full (path, text, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &problem))
    return TRUE;
  take_problem (error, problem);
  return FALSE;
}
