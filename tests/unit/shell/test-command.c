/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-command.c - what a line of input is: call or command, its words, its redirections */
#include "command.h"

#include "eval-error.h"

#include <string.h>

static const CommandOption ls_options[] = {
  { 'l', "long", NULL, "More", COMPLETE_NOTHING, NULL },
  { 's', "sort", "KEY", "In this order", COMPLETE_NOTHING, NULL },
  { 0, "all", NULL, "All", COMPLETE_NOTHING, NULL },
  { 0, NULL, NULL, NULL, COMPLETE_NOTHING, NULL },
};

static const Command commands[] = {
  { .name = "find",
    .parameters = { { "KEY", TAKES_SOME, COMPLETE_SEARCH, NULL } },
    .flags = COMMAND_DASHES },
  { .name = "flag",
    .parameters = { { "MESSAGES", TAKES_ONE, COMPLETE_MESSAGES, NULL },
                    { "FLAG", TAKES_SOME, COMPLETE_FLAG, NULL } },
    .flags = COMMAND_DASHES },
  { .name = "ls",
    .options = ls_options,
    .parameters = { { "PATTERN", TAKES_MAYBE, COMPLETE_MAILBOX, NULL } } },
  { .name = "raw",
    .parameters = { { "COMMAND", TAKES_ONE, COMPLETE_NOTHING, NULL } },
    .flags = COMMAND_VERBATIM },
  { .name = "status", .parameters = { { "MAILBOX", TAKES_MAYBE, COMPLETE_MAILBOX, NULL } } },
  { 0 },
};

static gboolean
is_variable (const char *name, G_GNUC_UNUSED gpointer data)
{
  return strcmp (name, "uids") == 0 || strcmp (name, "status") == 0;
}

static const LineContext context = { commands, is_variable, NULL };

/* The parts of a line as one text: kind, text or words, redirections. */
static char *
describe (const char *text)
{
  static const char *const kinds[] = { "empty", "call", "command", "system" };
  g_autoptr (GError) error = NULL;
  g_auto (Line) line = { 0 };
  GString *out;

  if (!line_parse (text, &context, &line, &error))
    return g_strdup_printf ("error: %s", error->message);
  out = g_string_new (kinds[line.kind]);
  if (line.text != NULL)
    g_string_append_printf (out, " %s", line.text);
  for (guint i = 0; line.words != NULL && i < line.words->len; i++)
    {
      const CommandWord *word = &g_array_index (line.words, CommandWord, i);

      g_string_append_printf (out, word->quoted ? " \"%s\"" : " [%s]", word->text);
    }
  if (line.file != NULL)
    g_string_append_printf (out, " %s %s", line.append ? ">>" : ">", line.file);
  if (line.pipe != NULL)
    g_string_append_printf (out, " | %s", line.pipe);
  return g_string_free (out, FALSE);
}

static void
check (const char *text, const char *expected)
{
  g_autofree char *described = describe (text);

  g_assert_cmpstr (described, ==, expected);
}

static void
test_kinds (void)
{
  check ("", "empty");
  check ("  # nothing", "empty");
  check ("c.search()", "call c.search()");
  check ("  c.search()", "call   c.search()");
  check ("len(uids)", "call len(uids)");
  check ("uids[:10]", "call uids[:10]");
  check ("uids", "call uids");
  check ("uids + [1]", "call uids + [1]");
  check ("x = 5", "call x = 5");
  check ("ls = 5", "call ls = 5");
  check ("x=5", "call x=5");
  check ("x != 5", "call x != 5");
  check ("5", "call 5");
  check ("-1 + 2", "call -1 + 2");
  check ("'a' 'b'", "call 'a' 'b'");
  check ("b'a'", "call b'a'");
  check ("(1, 2)", "call (1, 2)");
  check ("{1: 2}", "call {1: 2}");
  check ("None", "call None");
  check ("not uids", "call not uids");
  check ("$_[0]", "call $_[0]");
  check ("unknown words", "command [unknown] [words]");
  check ("status", "command [status]");
  check ("status[b'MESSAGES']", "call status[b'MESSAGES']");
  check ("find (FROM bob)", "command [find] [(FROM] [bob)]");
  check ("!ls -l | wc", "system ls -l | wc");
  check ("!", "error: there is no command behind !");
}

static void
test_words (void)
{
  check ("ls -l  Work", "command [ls] [-l] [Work]");
  check ("ls 'two words'", "command [ls] \"two words\"");
  check ("ls \"say \\\"hi\\\" \\n\"", "command [ls] \"say \"hi\" \\n\"");
  check ("ls 'back\\slash'", "command [ls] \"back\\slash\"");
  check ("ls two\\ words", "command [ls] \"two words\"");
  check ("ls ''", "command [ls] \"\"");
  check ("ls a'b c'd", "command [ls] \"ab cd\"");
  check ("ls # all of them", "command [ls]");
  check ("ls a#b", "command [ls] [a#b]");
  check ("find 1:* $_ '$_'", "command [find] [1:*] [$_] \"$_\"");
  check ("ls 'open", "error: the quote ' is not closed");
  check ("ls Entw\xc3\xbcrfe", "command [ls] [Entw\xc3\xbcrfe]");
  check ("ls \xff", "error: the line is not valid UTF-8");
}

static void
test_redirections (void)
{
  check ("ls > out.txt", "command [ls] > out.txt");
  check ("ls >out.txt", "command [ls] > out.txt");
  check ("ls >> 'out file'", "command [ls] >> out file");
  check ("ls -l | grep x | wc", "command [ls] [-l] | grep x | wc");
  check ("ls a>b a|b", "command [ls] [a>b] [a|b]");
  check ("ls '>' x", "command [ls] \">\" [x]");
  check ("ls >", "error: there is no file name behind >");
  check ("ls > a b", "error: there is more than a file name behind >");
  check ("ls |", "error: there is no command behind |");
  check ("c.fetch(1, ['FLAGS']) | less", "call c.fetch(1, ['FLAGS'])  | less");
  check ("c.search('a|b')", "call c.search('a|b')");
  check ("uids >> f.txt", "call uids  >> f.txt");
  check ("uids > 5", "call uids > 5");
}

static void
test_verbatim (void)
{
  check ("raw UID FETCH 1 (BODY.PEEK[]<0.100>)",
         "command [raw] \"UID FETCH 1 (BODY.PEEK[]<0.100>)\"");
  check ("raw LOGIN \"a b\" \"c\\\"d\"", "command [raw] \"LOGIN \"a b\" \"c\\\"d\"\"");
  check ("raw NOOP | cat", "command [raw] \"NOOP\" | cat");
  check ("raw SELECT \"open", "command [raw] \"SELECT \"open\"");
  check ("raw", "command [raw]");
}

static void
test_table (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (command_suggest (commands, "statis"), ==, "status");
  g_assert_cmpstr (command_suggest (commands, "l"), ==, NULL);
  g_assert_cmpstr (command_suggest (commands, "lss"), ==, "ls");
  g_assert_cmpstr (command_suggest (commands, "completely"), ==, NULL);
}

/* Options as "long=..", then the words in brackets; or the error. */
static void
check_bound (const char *text, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) bound = g_string_new (NULL);
  g_auto (Line) line = { 0 };
  g_auto (CommandCall) call = { 0 };
  const CommandWord *words;
  const Command *command;

  g_assert_true (line_parse (text, &context, &line, NULL));
  words = &g_array_index (line.words, CommandWord, 0);
  command = command_find (commands, words[0].text);
  if (!command_bind (command, words + 1, line.words->len - 1, &call, &error))
    {
      g_assert_error (error, EVAL_ERROR, EVAL_ERROR_TYPE);
      g_assert_cmpstr (error->message, ==, expected);
      return;
    }
  for (const CommandOption *at = command->options; at != NULL && at->name != NULL; at++)
    if (command_option (&call, at->name) != NULL)
      g_string_append_printf (bound, "%s=%s ", at->name, command_option (&call, at->name));
  for (guint i = 0; i < call.n; i++)
    g_string_append_printf (bound, "[%s]", call.words[i].text);
  g_assert_cmpstr (bound->str, ==, expected);
}

static void
test_binding (void)
{
  const char *usage = "usage: ls [-l] [-s KEY] [--all] [PATTERN]";
  g_autofree char *many = g_strdup_printf ("one word too many: \"b\"; %s", usage);
  g_autofree char *unknown = g_strdup_printf ("there is no option \"-x\"; %s", usage);
  g_autofree char *open = g_strdup_printf ("there is nothing behind \"--sort\"; %s", usage);

  check_bound ("ls", "");
  check_bound ("ls -l Work", "long= [Work]");
  check_bound ("ls Work --long", "long= [Work]");
  check_bound ("ls --sort date -l", "long= sort=date ");
  check_bound ("ls --sort=date --all", "sort=date all= ");
  check_bound ("ls -sdate", "sort=date ");
  check_bound ("ls -- -l", "[-l]");
  check_bound ("ls '-l'", "[-l]");
  check_bound ("ls a b", many);
  check_bound ("ls -x", unknown);
  check_bound ("ls -lx", "there is no option \"-lx\"; usage: ls [-l] [-s KEY] [--all] [PATTERN]");
  check_bound ("ls --sort", open);
  check_bound ("find -subject:x -5", "[-subject:x][-5]");
  check_bound ("find", "usage: find KEY...");
  check_bound ("flag 1 -seen +flagged", "[1][-seen][+flagged]");
  check_bound ("flag last 50 +seen", "[last 50][+seen]");
  check_bound ("flag 'last' 50 +seen", "[last][50][+seen]");
  check_bound ("raw -x --y", "[-x --y]");
}

/* What is quoted comes back as one word. */
static void
test_quoting (void)
{
  static const char *const texts[] = { "plain", "",   "two words", "a\"b", "a\\b", "it's", ">x",
                                       "|",     "#1", "$_",        "!",    "\t",   "é" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GString) typed = g_string_new ("ls ");
      command_append_quoted (typed, texts[i], command_needs_quotes (texts[i]) ? '"' : '\0', TRUE);
      g_auto (Line) line = { 0 };

      g_assert_true (line_parse (typed->str, &context, &line, NULL));
      g_assert_cmpuint (line.words->len, ==, 2);
      g_assert_cmpstr (g_array_index (line.words, CommandWord, 1).text, ==, texts[i]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shell/command/kinds", test_kinds);
  g_test_add_func ("/shell/command/words", test_words);
  g_test_add_func ("/shell/command/redirections", test_redirections);
  g_test_add_func ("/shell/command/verbatim", test_verbatim);
  g_test_add_func ("/shell/command/table", test_table);
  g_test_add_func ("/shell/command/binding", test_binding);
  g_test_add_func ("/shell/command/quoting", test_quoting);
  return g_test_run ();
}
