/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * driver.c - does to an account what it is told, and says how that went
 *
 *   driver CONFIG
 *
 * Reads lines of words between tabs, and answers each with the number of the RackError (0: none), a
 * tab and the message. The campaign breaks the connection meanwhile and judges by the server what
 * became of it. It is not a client to use: nothing is tried again here.
 *
 *   warm MAILBOX          a new connection with the mailbox selected; later lines are about it
 *   append FILE           all of a file, into it
 *   copy|move UIDS TO     store UIDS add|remove|replace KEYWORD|\Flag     expunge UIDS
 *   create NAME           rename FROM TO       delete NAME       list
 *   cancellable           no answer; the line behind the next one, whatever it is, cancels that */
#include <mailrack/mailrack.h>
#include <stdio.h>
#include <string.h>

typedef struct
{
  RackAccount *account;
  RackMailbox *mailbox;
  GCancellable *cancellable; /* of the line before: "cancellable" */
} Driver;

typedef gboolean (*Verb) (Driver *driver, char **words, GError **error);

static gboolean
warm (Driver *driver, char **words, GError **error)
{
  g_clear_pointer (&driver->mailbox, rack_mailbox_unref);
  rack_account_disconnect (driver->account);
  driver->mailbox = rack_mailbox_open (driver->account, words[1], FALSE, NULL, error);
  return driver->mailbox != NULL;
}

static gboolean
append (Driver *driver, char **words, GError **error)
{
  g_autofree char *octets = NULL;
  gsize size;

  if (!g_file_get_contents (words[1], &octets, &size, error))
    return FALSE;
  g_autoptr (RackAppend) sent =
      rack_append_new (driver->account, rack_mailbox_name (driver->mailbox), size, RACK_FLAG_SEEN,
                       NULL, 1700000000, 0, driver->cancellable, error);
  return sent != NULL && rack_append_write (sent, octets, size, error)
         && rack_append_finish (sent, NULL, NULL, error);
}

static gboolean
copy (Driver *driver, char **words, GError **error)
{
  g_autoptr (RackSet) uids = rack_set_parse (words[1], error);
  RackCopied copied = { 0 };
  gboolean moves = strcmp (words[0], "move") == 0;
  gboolean ok = uids != NULL
                && (moves ? rack_mailbox_move (driver->mailbox, uids, words[2], &copied,
                                               driver->cancellable, error)
                          : rack_mailbox_copy (driver->mailbox, uids, words[2], &copied,
                                               driver->cancellable, error));
  rack_copied_clear (&copied);
  return ok;
}

static gboolean
store (Driver *driver, char **words, GError **error)
{
  static const char *const modes[] = { "add", "remove", "replace", NULL };
  g_autoptr (RackSet) uids = rack_set_parse (words[1], error);
  gint mode = 0;

  while (modes[mode] != NULL && strcmp (modes[mode], words[2]) != 0)
    mode++;
  gboolean flagged = strcmp (words[3], "\\Flagged") == 0;
  const char *keywords[] = { flagged ? NULL : words[3], NULL };
  return uids != NULL
         && rack_mailbox_store (driver->mailbox, uids, (RackStoreMode) mode,
                                flagged ? RACK_FLAG_FLAGGED : 0, keywords, driver->cancellable,
                                error);
}

static gboolean
expunge (Driver *driver, char **words, GError **error)
{
  g_autoptr (RackSet) uids = rack_set_parse (words[1], error);

  return uids != NULL && rack_mailbox_expunge (driver->mailbox, uids, driver->cancellable, error);
}

static gboolean
create (Driver *driver, char **words, GError **error)
{
  return rack_account_create (driver->account, words[1], driver->cancellable, error);
}

static gboolean
rename_mailbox (Driver *driver, char **words, GError **error)
{
  return rack_account_rename (driver->account, words[1], words[2], driver->cancellable, error);
}

static gboolean
delete_mailbox (Driver *driver, char **words, GError **error)
{
  return rack_account_delete (driver->account, words[1], driver->cancellable, error);
}

static gboolean
list (Driver *driver, char **words, GError **error)
{
  g_autoptr (GPtrArray) found =
      rack_account_list (driver->account, "*", RACK_LIST_ALL_MAILBOXES, NULL, error);

  return found != NULL;
}

static const struct
{
  const char *name;
  guint words; /* with itself */
  Verb verb;
} verbs[] = {
  { "warm", 2, warm },     { "append", 2, append },         { "copy", 3, copy },
  { "move", 3, copy },     { "store", 4, store },           { "expunge", 2, expunge },
  { "create", 2, create }, { "rename", 3, rename_mailbox }, { "delete", 2, delete_mailbox },
  { "list", 1, list },
};

static gboolean
carry_out (Driver *driver, char **words, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (strcmp (verbs[i].name, words[0]) == 0 && verbs[i].words == g_strv_length (words))
      return verbs[i].verb (driver, words, error);
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "the driver does not know \"%s\"", words[0]);
  return FALSE;
}

static gpointer
cancel_at_next_line (gpointer data)
{
  g_autofree char *line = NULL;
  size_t room = 0;

  if (getline (&line, &room, stdin) > 0)
    g_cancellable_cancel (data);
  return NULL;
}

static void
run_line (Driver *driver, char *line, GError **error)
{
  GThread *reader = NULL;

  g_auto (GStrv) words = g_strsplit (line, "\t", -1);
  if (driver->cancellable != NULL)
    reader = g_thread_new ("reader", cancel_at_next_line, driver->cancellable);
  carry_out (driver, words, error);
  if (reader != NULL)
    g_thread_join (reader);
  g_clear_object (&driver->cancellable);
}

static void
answer (const GError *error)
{
  g_autofree char *text = g_strdup (error != NULL ? error->message : "");
  int code = error == NULL ? 0 : error->domain == RACK_ERROR ? error->code : -1;

  printf ("%d\t%s\n", code, g_strdelimit (text, "\t\n", ' '));
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *line = NULL;
  size_t room = 0;
  ssize_t size;
  Driver driver = { NULL, NULL, NULL };

  if (argc != 2)
    return 64;
  g_autoptr (RackConfig) config = rack_config_load (argv[1], &problem);
  driver.account = config != NULL ? rack_account_new (config, NULL, NULL, &problem) : NULL;
  answer (problem);
  if (driver.account == NULL)
    return 1;
  if (g_getenv ("DRIVER_TRACE") != NULL)
    rack_account_trace (driver.account, g_getenv ("DRIVER_TRACE"), NULL);
  while ((size = getline (&line, &room, stdin)) > 0)
    {
      g_autoptr (GError) error = NULL;
      line[size - 1] = '\0';
      if (strcmp (line, "cancellable") == 0)
        {
          driver.cancellable = g_cancellable_new ();
          continue;
        }
      run_line (&driver, line, &error);
      answer (error);
    }
  g_clear_pointer (&driver.mailbox, rack_mailbox_unref);
  rack_account_unref (driver.account);
  return 0;
}
