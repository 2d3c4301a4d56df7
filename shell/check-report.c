/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check-report.c - what the steps of mailrack check say, for people or as JSON */
#include "check.h"

#include <stdio.h>

#include "json-text.h"
#include "safe-text.h"
#include "shell.h"

static const char *const words[] = { "ok", "warn", "fail" };

static void
print_json (const char *step, CheckVerdict verdict, const char *advice, const char *text)
{
  g_autoptr (GString) out = g_string_new ("{\"step\": ");

  json_append_text (out, step, -1);
  g_string_append_printf (out, ", \"status\": \"%s\", \"text\": ", words[verdict]);
  json_append_text (out, text, -1);
  g_string_append (out, ", \"advice\": ");
  if (advice != NULL)
    json_append_text (out, advice, -1);
  else
    g_string_append (out, "null");
  printf ("%s}\n", out->str);
}

static void
print_line (const char *step, CheckVerdict verdict, const char *advice, const char *text)
{
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);

  printf ("%-4s  %-12s  %s\n", words[verdict], step, safe);
  if (advice != NULL)
    {
      g_autofree char *what = safe_text_dup (advice, -1, SAFE_TEXT_LINE);
      printf ("                    -> %s\n", what);
    }
}

void
check_say (CheckReport *report, const char *step, CheckVerdict verdict, const char *advice,
           const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  (report->json ? print_json : print_line) (step, verdict, advice, text);
  fflush (stdout);
  report->warnings += verdict == CHECK_WARN;
  report->failures += verdict == CHECK_FAIL;
}

void
check_fail (CheckReport *report, const char *step, const GError *error, const char *advice)
{
  if (report->status == 0)
    report->status = shell_exit_status (error);
  check_say (report, step, CHECK_FAIL, advice, "%s", error->message);
}
