/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-params.c - each type of parameter: what is a value, what is not, and its memory */
#include "params.h"
#include "support.h"

static const char *const colours[] = { "red", "green", NULL };

typedef struct
{
  char *text, *path;
  RackSecret *secret;
  gboolean flag;
  gint64 number, pause;
  int colour;
  char **command, **words;
} Config;

static const RackParam params[] = {
  RACK_PARAM (Config, text, "text", STRING, OPTIONAL, NULL, "A text."),
  RACK_PARAM (Config, path, "path", PATH, OPTIONAL, NULL, "A path."),
  RACK_PARAM (Config, secret, "secret", SECRET, OPTIONAL, NULL, "A secret."),
  RACK_PARAM (Config, flag, "flag", BOOL, OPTIONAL, NULL, "A flag."),
  RACK_PARAM (Config, number, "number", INT, OPTIONAL, NULL, "A number."),
  RACK_PARAM (Config, pause, "pause", SECONDS, OPTIONAL, NULL, "A duration."),
  RACK_PARAM_ENUM (Config, colour, "colour", colours, OPTIONAL, NULL, "A choice."),
  RACK_PARAM (Config, command, "command", COMMAND, OPTIONAL, NULL, "A command."),
  RACK_PARAM (Config, words, "words", LIST, OPTIONAL, NULL, "A list."),
  RACK_PARAM_END,
};

static gboolean
store (Config *config, const char *key, const char *text, GError **error)
{
  rack_params_clear (params, config);
  return rack_param_store (rack_params_find (params, key), text, strlen (text), text, config,
                           error);
}

static void
test_booleans (void)
{
  static const char *const yes[] = { "1", "yes", "true", "on", "YES", "True", "oN" };
  static const char *const no[] = { "0", "no", "false", "off", "No", "FALSE", "Off" };
  static const char *const neither[] = { "", "2", "y", "t", "enabled", "truee", "-1", "01" };
  Config config = { 0 };
  GError *error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (yes); i++)
    {
      g_assert_true (store (&config, "flag", yes[i], NULL));
      g_assert_cmpint (config.flag, ==, TRUE);
      config.flag = TRUE;
      g_assert_true (rack_param_store (rack_params_find (params, "flag"), no[i], strlen (no[i]),
                                       no[i], &config, NULL));
      g_assert_cmpint (config.flag, ==, FALSE);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (neither); i++)
    {
      g_assert_false (store (&config, "flag", neither[i], &error));
      test_error (&error, RACK_ERROR_CONFIG, "is not 1, yes, true, on or 0, no, false, off");
    }
}

static void
test_numbers (void)
{
  Config config = { 0 };
  GError *error = NULL;

  g_assert_true (store (&config, "number", "-12", NULL));
  g_assert_cmpint (config.number, ==, -12);
  g_assert_true (store (&config, "number", "9223372036854775807", NULL));
  g_assert_cmpint (config.number, ==, G_MAXINT64);
  static const char *const wrong[] = { "",    "12x", "x", "1.5", "0x10", "9223372036854775808",
                                       "1 2", "--1" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_false (store (&config, "number", wrong[i], &error));
      test_error (&error, RACK_ERROR_CONFIG, "\"number\": \"");
      g_assert_cmpint (config.number, ==, 0);
    }
}

static void
test_durations (void)
{
  static const struct
  {
    const char *text;
    gint64 milliseconds;
  } right[] = { { "90", 90000 },         { "1.5", 1500 },   { "90s", 90000 },    { "5m", 300000 },
                { "1h", 3600000 },       { "0", 0 },        { "0.001", 1 },      { "0.0001", 1 },
                { "1.5h", 5400000 },     { "0.5m", 30000 }, { "29.999", 29999 }, { "0.25s", 250 },
                { "1.1234567891", 1124 } };
  static const char *const wrong[] = { "",   "s",   "-1",  ".5",          "1.",        "1d", "1 s",
                                       "5M", "1e3", "5ms", "99999999999", "99999999h", "1,5" };
  Config config = { 0 };
  GError *error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    {
      g_assert_true (store (&config, "pause", right[i].text, NULL));
      g_assert_cmpint (config.pause, ==, right[i].milliseconds);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_false (store (&config, "pause", wrong[i], &error));
      test_error (&error, RACK_ERROR_CONFIG, "is not a duration such as 90, 1.5, 90s, 5m or 1h");
    }
}

static void
test_paths (void)
{
  Config config = { 0 };
  GError *error = NULL;
  g_autofree char *home = g_build_filename (g_get_home_dir (), "x", NULL);

  g_assert_true (store (&config, "path", "~/x", NULL));
  g_assert_cmpstr (config.path, ==, home);
  g_assert_true (store (&config, "path", "~", NULL));
  g_assert_cmpstr (config.path, ==, g_get_home_dir ());
  g_assert_true (store (&config, "path", "~root/x", NULL));
  g_assert_cmpstr (config.path, ==, "/root/x");
  g_assert_true (store (&config, "path", "/a/~b", NULL));
  g_assert_cmpstr (config.path, ==, "/a/~b");
  g_assert_false (store (&config, "path", "~nobody-is-called-so/x", &error));
  test_error (&error, RACK_ERROR_CONFIG, "there is no such user");
  rack_params_clear (params, &config);
}

static void
test_words (void)
{
  Config config = { 0 };
  GError *error = NULL;

  g_assert_true (store (&config, "command", "pass show 'a b' \"c\\\"d\" $HOME", NULL));
  g_assert_cmpuint (g_strv_length (config.command), ==, 5);
  g_assert_cmpstr (config.command[2], ==, "a b");
  g_assert_cmpstr (config.command[3], ==, "c\"d");
  g_assert_cmpstr (config.command[4], ==, "$HOME");
  g_assert_true (store (&config, "command", "ssh\nhost\nimap", NULL));
  g_assert_cmpuint (g_strv_length (config.command), ==, 3);
  g_assert_false (store (&config, "command", "a 'b", &error));
  test_error (&error, RACK_ERROR_CONFIG, "a quote is not closed");
  g_assert_false (store (&config, "command", "  ", &error));
  test_error (&error, RACK_ERROR_CONFIG, "is not a command");

  g_assert_true (store (&config, "words", " a,b ,, c\nd ", NULL));
  g_assert_cmpuint (g_strv_length (config.words), ==, 4);
  g_assert_cmpstr (config.words[3], ==, "d");
  g_assert_true (store (&config, "words", " , ", NULL));
  g_assert_cmpuint (g_strv_length (config.words), ==, 0);
  rack_params_clear (params, &config);
}

static void
test_choices (void)
{
  Config config = { 0 };
  GError *error = NULL;

  g_assert_true (store (&config, "colour", "Green", NULL));
  g_assert_cmpint (config.colour, ==, 1);
  g_assert_false (store (&config, "colour", "blue", &error));
  test_error (&error, RACK_ERROR_CONFIG, "\"colour\": \"blue\" is not one of: red, green");
}

static void
test_secrets (void)
{
  Config config = { 0 };
  GError *error = NULL;

  g_assert_true (store (&config, "secret", "a ;b#c%d\"e\\", NULL));
  g_assert_cmpstr (rack_secret_peek (config.secret), ==, "a ;b#c%d\"e\\");
  rack_params_clear (params, &config);
  g_assert_null (config.secret);
  /* What is quoted is made safe for a terminal, and is not endless. */
  g_assert_false (store (&config, "number", "\x1b[2J", &error));
  g_assert_null (strchr (error->message, 0x1b));
  g_clear_error (&error);
  g_autofree char *endless = g_strnfill (60000, '9');
  g_assert_false (store (&config, "number", endless, &error));
  g_assert_cmpuint (strlen (error->message), <, 1000);
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  test_begin ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/params/booleans", test_booleans);
  g_test_add_func ("/params/numbers", test_numbers);
  g_test_add_func ("/params/durations", test_durations);
  g_test_add_func ("/params/paths", test_paths);
  g_test_add_func ("/params/words", test_words);
  g_test_add_func ("/params/choices", test_choices);
  g_test_add_func ("/params/secrets", test_secrets);
  return g_test_run ();
}
