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

#include "safe-text.h"
#include "shell.h"

typedef struct
{
  char *file, *account;
  char **overrides, **rest;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->file);
  g_free (options->account);
  g_strfreev (options->overrides);
  g_strfreev (options->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

typedef enum
{
  VERB_LS,
  VERB_RETRY,
  VERB_DROP,
} Verb;

static int
fail (int status, const char *text)
{
  g_autofree char *safe = safe_text_dup (text, -1, SAFE_TEXT_LINE);
  fprintf (stderr, "mailrack: %s\n", safe);
  return status;
}

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

static gboolean
parse_options (Options *options, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &options->file, "The configuration file", "FILE" },
    { "account", 'A', 0, G_OPTION_ARG_STRING, &options->account, "The account", "NAME" },
    { "option", 'o', 0, G_OPTION_ARG_STRING_ARRAY, &options->overrides, "Overrides a key",
      "KEY=VALUE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->rest, NULL,
      "[ls|retry [NUMBER]|drop NUMBER]" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_summary (
      context, "Shows the changes that a mount has made and the server does not have yet.\n\n"
               "  ls      lists them, with the number of each and why it is not done\n"
               "          (if nothing is named)\n"
               "  retry   has what the server refused sent again: one, or all of it\n"
               "  drop    gives one up: what was to be appended is lost");
  g_option_context_set_description (
      context, "Exit status: 0 when it was done; 75 when a mount has the account, which is then\n"
               "told by .mailrack/ctl; 78 when the configuration is wrong; 74 when the disk is.\n");
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, &argc, &argv, error);
}

static gboolean
parse_words (const Options *options, Verb *verb, RackTicket *id, GError **error)
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
apply (RackConfig *config, char **overrides, GError **error)
{
  for (; overrides != NULL && *overrides != NULL; overrides++)
    {
      const char *equals = strchr (*overrides, '=');
      g_autofree char *key =
          equals != NULL ? g_ascii_strdown (*overrides, equals - *overrides) : NULL;
      if (key == NULL)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_CONFIG, "-o: expected KEY=VALUE");
          return FALSE;
        }
      if (!rack_config_set (config, key, equals + 1, "-o", error))
        return FALSE;
    }
  return TRUE;
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
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  Verb verb;
  RackTicket id;

  g_set_prgname ("mailrack queue");
  if (!parse_options (&options, argc, argv, &error) || !parse_words (&options, &verb, &id, &error))
    return fail (EX_USAGE, error->message);
  g_autoptr (RackConfig) config = rack_config_load (options.file, &error);
  if (config == NULL || !apply (config, options.overrides, &error))
    return fail (EX_CONFIG, error->message);
  if (!run (config, options.account, verb, id, &error))
    return fail (shell_exit_status (error), error->message);
  if (fflush (stdout) != 0)
    return fail (EX_IOERR, "the output cannot be written");
  return EX_OK;
}
