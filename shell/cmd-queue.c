/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-queue.c - mailrack queue: changes that a mount has made and the server does not have yet
 *
 * Contacts no server. Looking works beside a mount; what changes something is told to the mount
 * while there is one. */
#include "commands.h"

#include <mailrack/mailrack-outgoing.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "account-options.h"
#include "safe-text.h"
#include "shell.h"

typedef enum
{
  VERB_LS,
  VERB_RETRY,
  VERB_DROP,
} Verb;

/* ---- Showing ------------------------------------------------------------------------- */

static void
print_one (const RackOutgoing *one)
{
  g_autoptr (GDateTime) made = g_date_time_new_from_unix_local (one->made);
  g_autofree char *when = g_date_time_format (made, "%F %T");
  g_autofree char *mailbox = safe_text_dup (one->mailbox, -1, SAFE_TEXT_LINE);
  printf ("%" G_GUINT64_FORMAT "  %s  %-7s  %s  %s", one->id, when,
          one->failed ? "failed" : "pending", one->what, mailbox);
  if (one->uid != 0)
    printf (" UID %u", one->uid);
  if (one->target != NULL)
    {
      g_autofree char *target = safe_text_dup (one->target, -1, SAFE_TEXT_LINE);
      printf (" -> %s", target);
    }
  if (one->name != NULL)
    {
      g_autofree char *name = safe_text_dup (one->name, -1, SAFE_TEXT_LINE);
      printf (" %s", name);
    }
  putchar ('\n');
  if (one->problem != NULL)
    {
      g_autofree char *problem = safe_text_dup (one->problem, -1, SAFE_TEXT_LINE);
      printf ("    %s\n", problem);
    }
}

static gboolean
list (RackAccount *account, const char *state_dir, GError **error)
{
  g_autoptr (GPtrArray) queue = rack_queue_list (account, state_dir, error);
  if (queue == NULL)
    return FALSE;
  for (guint i = 0; i < queue->len; i++)
    print_one (queue->pdata[i]);
  if (queue->len == 0)
    printf ("nothing is queued\n");
  return TRUE;
}

/* ---- The command line ------------------------------------------------------------------- */

static const AccountProgram program = {
  .name = "queue",
  .words = "[ls|retry [NUMBER]|drop NUMBER]",
  .summary = "Shows the changes that a mount has made and the server does not have yet.\n\n"
             "  ls      lists them, with the number of each and why it is not done\n"
             "          (if nothing is named)\n"
             "  retry   has what the server refused sent again: one, or all of it\n"
             "  drop    gives one up: what was to be appended is lost",
  .description = "Exit status: 0 when it was done; 75 when a mount has the account, which is then\n"
                 "told by .mailrack/ctl; 78 when the configuration is wrong; 74 when the disk "
                 "is.\n",
};

static gboolean
parse_words (const AccountOptions *options, Verb *verb, RackTicket *id, GError **error)
{
  static const char *const verbs[] = { "ls", "retry", "drop" };
  char **word = options->rest;
  *verb = VERB_LS;
  *id = 0;
  if (word != NULL && *word != NULL)
    {
      gsize i = 0;
      while (i < G_N_ELEMENTS (verbs) && strcmp (*word, verbs[i]) != 0)
        i++;
      if (i == G_N_ELEMENTS (verbs))
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "queue takes ls, retry or drop, not \"%s\"", *word);
          return FALSE;
        }
      *verb = (Verb) i;
      word++;
    }
  char *end = "";
  if (word != NULL && *word != NULL && *verb != VERB_LS)
    *id = g_ascii_strtoull (*word++, &end, 10);
  gboolean rest = word != NULL && *word != NULL;
  if (!rest && *end == '\0' && (*verb != VERB_DROP || *id != 0))
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "queue: expected ls, retry with or without a number, or drop NUMBER");
  return FALSE;
}

static gboolean
run (RackConfig *config, const char *name, Verb verb, RackTicket id, GError **error)
{
  RackMountSettings settings = { 0 };
  g_autoptr (RackAccount) account = rack_account_new (config, name, NULL, error);
  gboolean ok =
      account != NULL && rack_config_read (config, name, rack_mount_params (), &settings, error);
  if (ok)
    switch (verb)
      {
      case VERB_LS:
        ok = list (account, settings.state_dir, error);
        break;
      case VERB_RETRY:
        ok = rack_queue_retry (account, settings.state_dir, id, error);
        break;
      case VERB_DROP:
        ok = rack_queue_drop (account, settings.state_dir, id, error);
        break;
      }
  rack_params_clear (rack_mount_params (), &settings);
  return ok;
}

int
rack_cmd_queue (int argc, char **argv)
{
  g_auto (AccountOptions) options = { 0 };
  g_autoptr (GError) error = NULL;
  Verb verb;
  RackTicket id;

  if (!account_options_parse (&options, &program, argc, argv, &error)
      || !parse_words (&options, &verb, &id, &error))
    return account_options_complain (EX_USAGE, error->message);
  g_autoptr (RackConfig) config = account_options_load (&options, &error);
  if (config == NULL)
    return account_options_complain (EX_CONFIG, error->message);
  if (!run (config, options.account, verb, id, &error))
    return account_options_complain (shell_exit_status (error), error->message);
  return account_options_flush (EX_OK);
}
