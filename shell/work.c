/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * work.c - how far long work has come; see work.h */
#include "work.h"

void
work_begin (Work *work, Shell *shell, const char *label, const char *done, guint64 want)
{
  *work = (Work){ shell, label, done, want, 0, g_get_monotonic_time (), 0 };
}

static void
tell (Work *work)
{
  const ShellHooks *hooks = work->shell->hooks;
  gint64 now = g_get_monotonic_time ();

  if (hooks == NULL || hooks->progress == NULL || now - work->began < G_USEC_PER_SEC
      || now - work->told < G_USEC_PER_SEC / 10)
    return;
  work->told = now;
  hooks->progress (work->shell->hooks_data, work->label, work->have, work->want,
                   work->have * G_USEC_PER_SEC / (guint64) (now - work->began));
}

gboolean
work_add (Work *work, guint64 n, GError **error)
{
  work->have += n;
  tell (work);
  if (!g_cancellable_is_cancelled (work->shell->cancellable))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

gboolean
work_end (Work *work, gboolean ok, GError **error)
{
  if (work->told != 0)
    work->shell->hooks->progress (work->shell->hooks_data, NULL, 0, 0, 0);
  if (!ok && work->want > 1 && error != NULL && *error != NULL)
    {
      g_autofree char *message = (*error)->message;
      (*error)->message =
          g_strdup_printf ("%s (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s before)", message,
                           work->have, work->want, work->done);
    }
  return ok;
}
