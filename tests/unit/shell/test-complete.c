/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-complete.c - completion without a terminal: what is offered at the end of a text, and how it
 * is written */
#include "complete.h"

#include <string.h>

static const CommandOption options[] = {
  { 'l', "long", NULL, "All of it", COMPLETE_NOTHING, NULL },
  { 's', "sort", "KEY", "By this", COMPLETE_WORDS, (const char *const[]){ "date", "size", NULL } },
  { 0, NULL, NULL, NULL, COMPLETE_NOTHING, NULL },
};

static const Command commands[] = {
  { .name = "cd", .parameters = { { "MAILBOX", TAKES_MAYBE, COMPLETE_MAILBOX, NULL } } },
  { .name = "flag",
    .parameters = { { "MESSAGES", TAKES_ONE, COMPLETE_MESSAGES, NULL },
                    { "FLAG", TAKES_SOME, COMPLETE_FLAG, NULL } },
    .flags = COMMAND_DASHES },
  { .name = "ls", .options = options },
  { .name = "set",
    .parameters = { { "SETTING", TAKES_MAYBE, COMPLETE_SETTING, NULL },
                    { "VALUE", TAKES_MAYBE, COMPLETE_VALUE, NULL } } },
  { .name = "time", .parameters = { { "LINE", TAKES_ONE, COMPLETE_LINE, NULL } } },
  { .name = NULL },
};

static GPtrArray *
mailboxes (gpointer data)
{
  static CompleteMailbox known[] = { { (char *) "INBOX", '/' },
                                     { (char *) "Work", '/' },
                                     { (char *) "Work/a \"b\"", '/' },
                                     { (char *) "Work/ü", '/' },
                                     { (char *) "evil\x1b[2J", '/' } };
  GPtrArray *list = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    g_ptr_array_add (list, &known[i]);
  return list;
}

static GPtrArray *
flags (gpointer data)
{
  GPtrArray *list = g_ptr_array_new ();

  g_ptr_array_add (list, (char *) "\\Seen");
  g_ptr_array_add (list, (char *) "$Later");
  return list;
}

static const char *
parameters (const char *method)
{
  if (strcmp (method, "select_folder") == 0)
    return "folder, readonly=False";
  return strcmp (method, "fetch") == 0 ? "messages, data, modifiers=None" : NULL;
}

static gboolean
is_variable (const char *name, gpointer data)
{
  return interp_get (data, name) != NULL;
}

/* What stands there after Tab; and where that is not certain, what is shown, with blanks between.
 */
static void
check (const char *text, const char *expected, const char *shown)
{
  g_autoptr (Interp) interp = interp_new (NULL, NULL);
  const LineContext line = { commands, is_variable, interp };
  const CompleteSources sources = { .line = &line,
                                    .interp = interp,
                                    .parameters = parameters,
                                    .mailboxes = mailboxes,
                                    .flags = flags };
  g_auto (Completion) completion = { 0 };

  interp_set (interp, "numbers", value_list_new (0));
  complete (&sources, text, &completion);
  g_autoptr (GString) all = g_string_new (NULL), whole = g_string_new_len (text, completion.start);
  for (guint i = 0; i < completion.candidates->len; i++)
    {
      const Candidate *each = g_ptr_array_index (completion.candidates, i);
      g_string_append_printf (all, "%s%s", i > 0 ? " " : "", each->shown);
    }
  const Candidate *only =
      completion.candidates->len == 1 ? g_ptr_array_index (completion.candidates, 0) : NULL;
  g_string_append (whole, only != NULL ? only->text : completion.common);
  if (only != NULL && only->follows != '\0')
    g_string_append_c (whole, only->follows);
  g_assert_cmpstr (whole->str, ==, expected);
  if (shown != NULL)
    g_assert_cmpstr (all->str, ==, shown);
}

static void
test_words (void)
{
  check ("", "", "c. cd flag ls set time");
  check ("fl", "flag ", "flag");
  check ("numb", "numbers", NULL);
  check ("ls -", "ls -", "--long --sort -l -s");
  check ("ls --so", "ls --sort ", NULL);
  check ("ls --sort s", "ls --sort size ", NULL);
  check ("ls -s d", "ls -s date ", NULL);
  check ("set outp", "set output ", NULL);
  check ("set output c", "set output csv ", NULL);
  check ("flag $numb", "flag $numbers ", NULL);
  check ("flag 1 +se", "flag 1 +seen ", NULL);
  check ("flag 1 -$La", "flag 1 -$Later ", NULL);
  check ("flag 1 -seen +$L", "flag 1 -seen +$Later ", NULL);
  check ("flag 1 +seen,fl", "flag 1 +seen,flagged ", NULL);
  check ("flag 1 -seen,$La", "flag 1 -seen,$Later ", NULL);
  check ("flag 1 -seen,+$La", "flag 1 -seen,+$Later ", NULL);
  check ("flag last 5 +se", "flag last 5 +seen ", NULL);
  check ("time flag 1 +se", "time flag 1 +seen ", NULL);
  check ("nonsense wo", "nonsense wo", "");
}

static void
test_mailboxes (void)
{
  check ("cd ", "cd ", "INBOX Work Work/");
  check ("cd inb", "cd INBOX ", NULL);
  check ("cd W", "cd Work", "Work Work/");
  check ("cd Work/", "cd Work/", "a \"b\" ü");
  check ("cd Work/a", "cd \"Work/a \\\"b\\\"\" ", NULL);
  check ("cd \"Work/a", "cd \"Work/a \\\"b\\\"\" ", NULL);
  check ("cd 'Work/a", "cd 'Work/a \"b\"' ", NULL);
  check ("cd Work/a\\ ", "cd \"Work/a \\\"b\\\"\" ", NULL);
  check ("cd ev", "cd ev", ""); /* cannot be typed */
}

static void
test_calls (void)
{
  check ("c.select_folder('IN", "c.select_folder('INBOX'", NULL);
  check ("c.select_folder(\"Work/a", "c.select_folder(\"Work/a \\\"b\\\"\"", NULL);
  check ("c.select_folder('ev", "c.select_folder('evil\\x1b[2J'", "evil\\x1b[2J");
  check ("c.select_folder(b'Work/\\xc3", "c.select_folder(b'Work/\\xc3", "");
  check ("c.select_folder(folder='IN", "c.select_folder(folder='INBOX'", NULL);
  check ("c.select_folder('INBOX', rea", "c.select_folder('INBOX', readonly=", NULL);
  check ("c.fetch([1, 2], ['FLAGS', 'ENV", "c.fetch([1, 2], ['FLAGS', 'ENVELOPE'", NULL);
  check ("c.fetch(numbers, [\n  b'ENV", "c.fetch(numbers, [\n  b'ENVELOPE'", NULL);
  check ("c.fetch(c.search('x', \"y)\"), 'ENV", "c.fetch(c.search('x', \"y)\"), 'ENVELOPE'", NULL);
  check ("x = c.fetch(numb", "x = c.fetch(numbers", NULL);
  check ("numbers.cou", "numbers.count(", "count(");
  check ("time c.select_folder('IN", "time c.select_folder('INBOX'", NULL);
  check ("len('''IN", "len('''IN", "");
  check ("c.fetch(1, 'unfinished\\", "c.fetch(1, 'unfinished\\", "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/complete/words", test_words);
  g_test_add_func ("/complete/mailboxes", test_mailboxes);
  g_test_add_func ("/complete/calls", test_calls);
  return g_test_run ();
}
