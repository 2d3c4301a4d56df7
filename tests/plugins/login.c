/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * login.c - logs in with each account that is named, and says how it went
 *
 * The smallest program on the public API: "login FILE ACCOUNT...". Prints "ACCOUNT: ok"
 * or "ACCOUNT: CODE MESSAGE" for each, and what the library tells the user on stderr. With
 * several accounts or "-n COUNT" everything happens in one process, so that what a plugin
 * keeps in memory shows. It answers questions with the environment's ANSWER, else not at all. */
#include <mailrack/mailrack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static RackSecret *
ask (gpointer data, const char *question, RackAskFlags flags, const RackWait *wait, GError **error)
{
  const char *answer = g_getenv ("ANSWER");

  printf ("asked: %s%s\n", question, flags & RACK_ASK_ECHO ? "" : "(hidden)");
  if (answer != NULL)
    return rack_secret_new (answer, -1);
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_INTERACTION, "nobody is there to answer");
  return NULL;
}

static void
tell (gpointer data, const char *text)
{
  printf ("told: %s\n", text);
}

static void
report (const char *name, gboolean ok, GError *error)
{
  if (ok)
    printf ("%s: ok\n", *name != '\0' ? name : "DEFAULT");
  else
    printf ("%s: %d %s\n", *name != '\0' ? name : "DEFAULT", error->code, error->message);
  fflush (stdout);
}

static gboolean
log_in (RackConfig *config, const char *name, RackHost *host, int times)
{
  g_autoptr (GError) error = NULL;
  RackAccount *account = rack_account_new (config, name, host, &error);
  gboolean ok = account != NULL;

  if (account == NULL)
    report (name, FALSE, error);
  for (int i = 0; i < times && account != NULL; i++)
    {
      gboolean one = rack_account_connect (account, NULL, &error);
      report (name, one, error);
      g_clear_error (&error);
      ok = ok && one;
      rack_account_disconnect (account);
    }
  if (account != NULL)
    rack_account_unref (account);
  return ok;
}

int
main (int argc, char **argv)
{
  static const RackHostOps ops = { .size = sizeof (RackHostOps), .ask = ask, .tell = tell };
  g_autoptr (GError) error = NULL;
  int first = 1, times = 1;
  gboolean ok = TRUE;

  if (argc > 2 && strcmp (argv[1], "-n") == 0)
    {
      times = atoi (argv[2]);
      first = 3;
    }
  if (argc <= first)
    {
      fprintf (stderr, "usage: login [-n COUNT] FILE [ACCOUNT]...\n");
      return 64;
    }
  RackConfig *config = rack_config_load (argv[first], &error);
  if (config == NULL)
    {
      report ("configuration", FALSE, error);
      return 78;
    }
  RackHost *host = rack_host_new (&ops, NULL);
  if (argc == first + 1)
    ok = log_in (config, "DEFAULT", host, times);
  for (int i = first + 1; i < argc; i++)
    ok = log_in (config, argv[i], host, times) && ok;
  rack_config_free (config);
  rack_host_free (host);
  return ok ? 0 : 1;
}
