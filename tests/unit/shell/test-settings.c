/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-settings.c - the settings of a session: all of them, and what they refuse */
#include "eval-error.h"
#include "settings.h"

static void
check_refused (const char *name, const char *value, EvalError code, const char *message)
{
  g_auto (Settings) settings = { 0 };
  g_autoptr (GError) error = NULL;

  settings_init (&settings);
  g_assert_false (settings_set (&settings, name, value, &error));
  g_assert_error (error, EVAL_ERROR, (int) code);
  g_assert_cmpstr (error->message, ==, message);
}

/* Each begins with a value that it takes, and takes each value that completion offers. */
static void
test_all (void)
{
  g_auto (Settings) settings = { 0 };

  settings_init (&settings);
  for (const Setting *at = setting_table; at->name != NULL; at++)
    {
      g_autofree char *first = settings_get (&settings, at);

      g_assert_cmpstr (first, ==, at->first);
      g_assert_true (setting_find (at->name) == at);
      g_assert_true (at == setting_table || g_strcmp0 (at[-1].name, at->name) < 0);
      for (guint i = 0; at->values != NULL && at->values[i] != NULL; i++)
        {
          g_autofree char *now = NULL;

          g_assert_true (settings_set (&settings, at->name, at->values[i], NULL));
          now = settings_get (&settings, at);
          g_assert_cmpstr (
              now, ==,
              at->kind == SETTING_TEXT && g_str_equal (at->values[i], "off") ? "" : at->values[i]);
        }
    }
}

static void
test_refused (void)
{
  check_refused ("output", "xml", EVAL_ERROR_VALUE,
                 "set: output cannot be \"xml\": it is table, json, jsonl, csv, raw");
  check_refused ("timing", "maybe", EVAL_ERROR_VALUE,
                 "set: timing cannot be \"maybe\": it is on or off");
  check_refused ("width", "-1", EVAL_ERROR_VALUE,
                 "set: width cannot be \"-1\": it is a number from 20 to 10000, or 0");
  check_refused ("listing", "0", EVAL_ERROR_VALUE,
                 "set: listing cannot be \"0\": it is a number from 1 to 4294967295");
  check_refused ("pager", "no-such-program -x", EVAL_ERROR_VALUE,
                 "set: pager cannot be \"no-such-program -x\": it is a command that is there, or "
                 "off");
  check_refused ("colour", "on", EVAL_ERROR_NAME,
                 "set: there is no setting \"colour\"; \"set\" shows them all");
}

/* A machine without less: there is no pager then. */
static void
test_no_pager (void)
{
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_auto (Settings) settings = { 0 };

  g_setenv ("PATH", "/nowhere", TRUE);
  settings_init (&settings);
  g_setenv ("PATH", path, TRUE);
  g_assert_cmpstr (settings.pager, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shell/settings/all", test_all);
  g_test_add_func ("/shell/settings/refused", test_refused);
  g_test_add_func ("/shell/settings/no-pager", test_no_pager);
  return g_test_run ();
}
