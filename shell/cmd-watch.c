/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-watch.c - mailrack watch: what happens in mailboxes, as lines or for a command
 *
 * The library watches on a thread of its own; here, on the first one, lines are printed, commands
 * run and signals heard. */
#include "commands.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "account-options.h"
#include "shell.h"
#include "watch-exec.h"
#include "watch-line.h"
#include "watch-state.h"

typedef struct
{
  AccountOptions common;
  char **command; /* borrowed from argv; NULL: none */
  char *events;
  char *state; /* file; NULL: none */
  double debounce, poll;
  int connections;
  gboolean json, once, quiet;
} Options;

static void
options_clear (Options *options)
{
  account_options_clear (&options->common);
  g_free (options->events);
  g_free (options->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

typedef struct
{
  Options *options;
  guint kinds; /* a bit for each RackEventKind that is told */
  RackWatcher *watcher;
  GCancellable *cancellable;
  GMainLoop *loop;
  WatchExec *exec;
  guint once_timer;
  int signal; /* that ends it, or 0 */
  gboolean reader_gone;
  gboolean untold; /* something could not be printed */
  char *held;      /* state, to be written when what it says was told; or NULL */
  GError *problem; /* the watcher's; read when its thread has ended */
  int status;      /* to exit with */
} Watch;

/* ---- The command line --------------------------------------------------------------------- */

static const char summary[] =
    "Prints a line for each thing that happens in mailboxes, until it is stopped. Without a\n"
    "MAILBOX it watches all. The first word is the ACCOUNT if the configuration has one of\n"
    "that name.";

static const char description[] =
    "Everything behind --exec is the command and its words. It is run without a shell when\n"
    "something happened in a mailbox, never twice at once for the same one; on its standard\n"
    "input are the events, each a line of JSON, and in its environment MAILRACK_MAILBOX,\n"
    "MAILRACK_EVENT, MAILRACK_COUNT, MAILRACK_UID, MAILRACK_UIDS, MAILRACK_FROM and\n"
    "MAILRACK_SUBJECT.\n";

static gboolean
read_kinds (const Options *options, guint *kinds, GError **error)
{
  g_auto (GStrv) words = g_strsplit_set (options->events, ", ", -1);

  *kinds = 0;
  for (char **at = words; *at != NULL; at++)
    {
      RackEventKind kind = watch_event_kind (*at);
      if (**at == '\0')
        continue;
      if (kind == 0)
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "--events: there are new, expunge, flags, reset and gone, but no \"%s\"",
                       *at);
          return FALSE;
        }
      *kinds |= 1u << kind;
    }
  return TRUE;
}

static gboolean
check_options (const Options *options, GError **error)
{
  const char *wrong = NULL;

  if (options->connections < 1 || options->connections > 1000)
    wrong = "--connections: from 1 to 1000";
  else if (options->poll < 1 || options->poll > 86400)
    wrong = "--poll: from 1 to 86400 seconds";
  else if (options->debounce < 0 || options->debounce > 3600)
    wrong = "--debounce: from 0 to 3600 seconds";
  else if (options->state != NULL && *options->state == '\0')
    wrong = "--state: the file is missing";
  else if (options->command != NULL && options->command[0] == NULL)
    wrong = "--exec: the command is missing";
  if (wrong == NULL)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return FALSE;
}

/* The words behind --exec are the command's, whatever they look like. */
static int
cut_command (Options *options, int argc, char **argv)
{
  for (int i = 1; i < argc && strcmp (argv[i], "--") != 0; i++)
    if (strcmp (argv[i], "--exec") == 0)
      {
        options->command = argv + i + 1;
        argv[i] = NULL;
        return i;
      }
  return argc;
}

static gboolean
parse_options (Options *options, int argc, char **argv, GError **error)
{
  char *ignored = NULL;
  const GOptionEntry extra[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Each line is a JSON object", NULL },
    { "once", 0, 0, G_OPTION_ARG_NONE, &options->once,
      "Leave after the first event, and what comes with it", NULL },
    { "events", 0, 0, G_OPTION_ARG_STRING, &options->events,
      "Only these: new, expunge, flags, reset, gone", "LIST" },
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &options->state,
      "Keep in this file what was told, and tell what happened since it was written", "FILE" },
    { "connections", 0, 0, G_OPTION_ARG_INT, &options->connections,
      "Where the server has no NOTIFY: IDLE for so many mailboxes (3)", "N" },
    { "poll", 0, 0, G_OPTION_ARG_DOUBLE, &options->poll,
      "Look at the others this often, and at all in case a report was lost (60)", "SECONDS" },
    { "debounce", 0, 0, G_OPTION_ARG_DOUBLE, &options->debounce,
      "Hand a command what came until nothing came for so long (0.5)", "SECONDS" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "Do not say what is watched", NULL },
    { "exec", 0, 0, G_OPTION_ARG_STRING, &ignored, "Run a command; the last option",
      "COMMAND [WORD...]" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  const AccountProgram program = { .name = "watch",
                                   .words = "[ACCOUNT] [MAILBOX...]",
                                   .summary = summary,
                                   .description = description,
                                   .extra = extra };

  argc = cut_command (options, argc, argv);
  gboolean ok = account_options_parse (&options->common, &program, argc, argv, error);
  if (ok && ignored != NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                         "--exec: the command is the next word, without \"=\"");
  ok = ok && ignored == NULL && check_options (options, error);
  g_free (ignored);
  return ok;
}

/* The words that are mailboxes. */
static char **
take_mailboxes (AccountOptions *options, RackConfig *config)
{
  char **word = options->rest;

  if (word != NULL && *word != NULL && g_strv_contains (rack_config_accounts (config), *word))
    word = account_options_take_account (options, word);
  return word;
}

/* ---- State -------------------------------------------------------------------------------------
 */

/* When what it says was told. A state that is older than that costs no message. */
static void
write_held (gpointer data)
{
  Watch *watch = data;
  g_autofree char *text = g_steal_pointer (&watch->held);
  g_autoptr (GError) error = NULL;

  if (text != NULL && !watch->untold && !watch_state_write (watch->options->state, text, &error))
    account_options_complain (EX_IOERR, error->message);
}

/* Takes text. */
static void
hold_state (Watch *watch, char *text)
{
  g_free (watch->held);
  watch->held = text;
  if (watch->exec == NULL || watch_exec_is_idle (watch->exec))
    write_held (watch);
}

/* ---- Events ------------------------------------------------------------------------------------
 */

typedef struct
{
  Watch *watch;
  WatchEvent *event; /* or */
  char *state;       /* both NULL: the watcher has ended */
} Post;

static gboolean
is_over (gpointer data)
{
  Watch *watch = data;

  watch->once_timer = 0;
  g_cancellable_cancel (watch->cancellable);
  return G_SOURCE_REMOVE;
}

static void
print (Watch *watch, const WatchEvent *event, const char *json)
{
  g_autofree char *text = watch->options->json ? NULL : watch_event_text (event);

  if (puts (text != NULL ? text : json) >= 0 && fflush (stdout) == 0)
    return;
  watch->reader_gone = errno == EPIPE;
  watch->untold = TRUE;
  g_cancellable_cancel (watch->cancellable);
}

static void
hand_over (Watch *watch, const WatchEvent *event, const char *json)
{
  g_autofree char *uid = event->uid != 0 ? g_strdup_printf ("%u", event->uid) : NULL;
  const WatchFacts facts = { .mailbox = event->mailbox,
                             .event = watch_event_word (event->kind),
                             .uid = uid,
                             .from = event->from,
                             .subject = event->subject,
                             .json = json };

  watch_exec_add (watch->exec, &facts);
}

static gboolean
take_post (gpointer data)
{
  Post *post = data;
  Watch *watch = post->watch;

  if (post->state != NULL)
    hold_state (watch, g_steal_pointer (&post->state));
  else if (post->event == NULL)
    g_main_loop_quit (watch->loop);
  else if (watch->kinds & (1u << post->event->kind))
    {
      g_autofree char *json = watch_event_json (post->event);
      if (watch->exec != NULL)
        hand_over (watch, post->event, json);
      else
        print (watch, post->event, json);
      if (watch->options->once && watch->once_timer == 0)
        watch->once_timer =
            g_timeout_add ((guint) (watch->options->debounce * 1000), is_over, watch);
    }
  g_clear_pointer (&post->event, watch_event_free);
  g_free (post);
  return G_SOURCE_REMOVE;
}

/* Takes event and state. */
static void
send_post (Watch *watch, WatchEvent *event, char *state)
{
  Post *post = g_new (Post, 1);

  *post = (Post){ watch, event, state };
  g_idle_add_full (G_PRIORITY_DEFAULT, take_post, post, NULL);
}

/* Behind the events it is the state after. */
static void
send_state (RackWatcher *watcher, gpointer data)
{
  char *text = rack_watcher_save (watcher);

  if (text != NULL)
    send_post (data, NULL, text);
}

static gpointer
follow (gpointer data)
{
  Watch *watch = data;
  RackWatcherEvent event;

  while (rack_watcher_next (watch->watcher, &event, watch->cancellable, &watch->problem))
    send_post (watch, watch_event_new (&event), NULL);
  send_post (watch, NULL, NULL);
  return NULL;
}

/* ---- Life
 * ---------------------------------------------------------------------------------------- */

static gboolean
on_interrupt (gpointer data)
{
  ((Watch *) data)->signal = SIGINT;
  g_cancellable_cancel (((Watch *) data)->cancellable);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate (gpointer data)
{
  ((Watch *) data)->signal = SIGTERM;
  g_cancellable_cancel (((Watch *) data)->cancellable);
  return G_SOURCE_CONTINUE;
}

static void
say_what_is_watched (Watch *watch, RackAccount *account)
{
  guint pushed, n = rack_watcher_mailboxes (watch->watcher, &pushed);

  if (!watch->options->quiet)
    fprintf (stderr, "mailrack: watching %u mailbox%s of %s (%u by push)\n", n, n == 1 ? "" : "es",
             rack_account_label (account), pushed);
}

/* Whatever was gathered for commands is handed to them, and waited for. */
static int
finish (Watch *watch)
{
  if (watch->exec != NULL)
    {
      watch_exec_flush (watch->exec);
      while (!watch_exec_is_idle (watch->exec))
        g_main_context_iteration (NULL, TRUE);
    }
  if (watch->options->state != NULL && !watch->untold)
    {
      g_free (watch->held);
      watch->held = rack_watcher_save (watch->watcher);
      write_held (watch);
    }
  if (watch->problem != NULL && !g_error_matches (watch->problem, RACK_ERROR, RACK_ERROR_CANCELLED))
    return account_options_complain (shell_exit_status (watch->problem), watch->problem->message);
  if (watch->signal == SIGINT)
    return 130;
  if (watch->options->once && watch->exec != NULL)
    return watch_exec_status (watch->exec);
  return watch->reader_gone ? EX_OK : account_options_flush (EX_OK);
}

/* From the state on, if there is one; which is there from the beginning, lest what happens before
 * anything was told is forgotten. */
static gboolean
begin (Watch *watch, RackAccount *account, char **mailboxes, GError **error)
{
  const Options *options = watch->options;
  g_autofree char *state = NULL;
  GError *problem = NULL;

  if (options->state != NULL)
    state = watch_state_read (options->state, &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }
  const RackWatcherOptions wanted = { .size = sizeof wanted,
                                      .mailboxes = (const char *const *) mailboxes,
                                      .items = WATCH_LINE_ITEMS,
                                      .connections = (guint) options->connections,
                                      .poll = (gint64) (options->poll * 1000),
                                      .state = state,
                                      .settled = options->state != NULL ? send_state : NULL,
                                      .settled_data = watch };
  watch->watcher = rack_watcher_new (account, &wanted, NULL, error);
  if (watch->watcher == NULL)
    {
      if (state != NULL && error != NULL
          && g_error_matches (*error, RACK_ERROR, RACK_ERROR_INVALID))
        g_prefix_error (error, "--state: %s: ", options->state);
      return FALSE;
    }
  g_autofree char *first = options->state != NULL ? rack_watcher_save (watch->watcher) : NULL;
  return first == NULL || watch_state_write (options->state, first, error);
}

/* Until it is over. */
static void
run (Watch *watch, RackAccount *account)
{
  guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, watch);
  guint terminate = g_unix_signal_add (SIGTERM, on_terminate, watch);

  say_what_is_watched (watch, account);
  GThread *thread = g_thread_new ("watch", follow, watch);
  g_main_loop_run (watch->loop);
  g_thread_join (thread);
  watch->status = finish (watch);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  if (watch->once_timer != 0)
    g_source_remove (watch->once_timer);
}

static int
watch_account (Options *options, RackAccount *account, char **mailboxes, guint kinds)
{
  g_autoptr (GError) error = NULL;
  Watch watch = { .options = options, .kinds = kinds };

  watch.cancellable = g_cancellable_new ();
  watch.loop = g_main_loop_new (NULL, FALSE);
  if (options->command != NULL)
    {
      watch.exec = watch_exec_new ((const char *const *) options->command,
                                   (gint64) (options->debounce * 1000), NULL);
      watch_exec_on_idle (watch.exec, write_held, &watch);
    }
  if (begin (&watch, account, mailboxes, &error))
    run (&watch, account);
  else
    watch.status = account_options_complain (shell_exit_status (error), error->message);
  watch_exec_free (watch.exec);
  rack_watcher_free (watch.watcher);
  g_main_loop_unref (watch.loop);
  g_object_unref (watch.cancellable);
  g_clear_error (&watch.problem);
  g_free (watch.held);
  return watch.status;
}

int
rack_cmd_watch (int argc, char **argv)
{
  g_auto (Options) options = { .debounce = 0.5, .poll = 60, .connections = 3 };
  g_autoptr (GError) error = NULL;
  guint kinds;

  options.events = NULL;
  if (!parse_options (&options, argc, argv, &error))
    return account_options_complain (EX_USAGE, error->message);
  if (options.events == NULL)
    options.events = g_strdup ("new,expunge,flags,reset,gone");
  if (!read_kinds (&options, &kinds, &error))
    return account_options_complain (EX_USAGE, error->message);
  g_autoptr (RackConfig) config = account_options_load (&options.common, &error);
  if (config == NULL)
    return account_options_complain (EX_CONFIG, error->message);
  char **mailboxes = take_mailboxes (&options.common, config);
  g_autoptr (RackHost) host = shell_host_new ();
  g_autoptr (RackAccount) account = rack_account_new (config, options.common.account, host, &error);
  if (account == NULL)
    return account_options_complain (shell_exit_status (error), error->message);
  return watch_account (&options, account, mailboxes, kinds);
}
