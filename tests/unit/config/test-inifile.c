/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-inifile.c - the grammar of INI files, and that values arrive whole and verbatim */
#include "inifile.h"
#include "support.h"

static RackIni *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  RackIni *ini = rack_ini_parse (text, strlen (text), "f.ini", &error);

  g_assert_no_error (error);
  return ini;
}

static const char *
get (const RackIni *ini, const char *section, const char *key)
{
  const RackIniEntry *entry = rack_ini_entry (rack_ini_section (ini, section), key);

  return entry != NULL ? rack_secret_peek (entry->value) : NULL;
}

#define assert_value(text, value)                                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (RackIni) ini_ = parse (text);                                                       \
    g_assert_cmpstr (get (ini_, "DEFAULT", "k"), ==, value);                                       \
  }                                                                                                \
  G_STMT_END

#define assert_broken(text, message)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GError *error_ = NULL;                                                                         \
    g_assert_null (rack_ini_parse (text, strlen (text), "f.ini", &error_));                        \
    test_error (&error_, RACK_ERROR_CONFIG, message);                                              \
  }                                                                                                \
  G_STMT_END

static void
test_verbatim (void)
{
  assert_value ("[DEFAULT]\nk = plain\n", "plain");
  assert_value ("[DEFAULT]\nk = a ;b#c%d\"e\\\n", "a ;b#c%d\"e\\");
  assert_value ("[DEFAULT]\nk = a # b\n", "a # b");
  assert_value ("[DEFAULT]\nk = ;a\n", ";a");
  assert_value ("[DEFAULT]\nk = #a\n", "#a");
  assert_value ("[DEFAULT]\nk = %%x%(k)s%\n", "%%x%(k)s%");
  assert_value ("[DEFAULT]\nk = \"quoted\"\n", "\"quoted\"");
  assert_value ("[DEFAULT]\nk = back\\\nj = 1\n", "back\\");
  assert_value ("[DEFAULT]\nk = a=b:c\n", "a=b:c");
  assert_value ("[DEFAULT]\nk = [x]\n", "[x]");
  assert_value ("[DEFAULT]\nk = \t a  b \t\n", "a  b");
  assert_value ("[DEFAULT]\nk = \xc3\xa4\xe2\x82\xac\n", "\xc3\xa4\xe2\x82\xac");
  assert_value ("[DEFAULT]\nk = no line end", "no line end");
  assert_value ("[DEFAULT]\nk =\n", "");
}

static void
test_separators (void)
{
  assert_value ("[DEFAULT]\nk: v\n", "v");
  assert_value ("[DEFAULT]\nk:v=w\n", "v=w");
  assert_value ("[DEFAULT]\nk=v:w\n", "v:w");
  assert_value ("[DEFAULT]\nK = v\n", "v");
  assert_value ("[DEFAULT]\n   k   =   v\n", "v");
  assert_value ("\n# c\n; c\n  # c\n[DEFAULT]  ; c\n\nk = v\n", "v");
}

static void
test_line_ends (void)
{
  assert_value ("[DEFAULT]\r\nk = v\r\n", "v");
  assert_value ("[DEFAULT]\r\n\r\n# c\r\nk = v\r\nj = w", "v");
  assert_value ("\xEF\xBB\xBF[DEFAULT]\nk = v\n", "v");
  assert_value ("\xEF\xBB\xBF# c\r\n[DEFAULT]\r\nk = v\r\n", "v");
}

static void
test_continuation (void)
{
  assert_value ("[DEFAULT]\nk = a\n  b\n\tc\n", "a\nb\nc");
  assert_value ("[DEFAULT]\nk =\n  a\n", "a");
  assert_value ("[DEFAULT]\nk = a\n\n # no\n  b = c ;d\nj = 1\n", "a\nb = c ;d");
  /* All lines of a section indented alike are no continuations, as configparser reads them. */
  g_autoptr (RackIni) ini = parse ("[DEFAULT]\n  k = a\n  j = b\n    c\n");
  g_assert_cmpstr (get (ini, "DEFAULT", "k"), ==, "a");
  g_assert_cmpstr (get (ini, "DEFAULT", "j"), ==, "b\nc");
}

static void
test_sections (void)
{
  g_autofree char *name = g_strnfill (300, 'n');
  g_autofree char *text =
      g_strdup_printf ("[DEFAULT]\nk = 1\n[ my work ]\nk = 2\n[%s]\nk = 3\n[a;b]\nk = 4\n", name);
  g_autoptr (RackIni) ini = parse (text);

  g_assert_cmpstr (get (ini, "DEFAULT", "k"), ==, "1");
  g_assert_cmpstr (get (ini, "my work", "k"), ==, "2");
  g_assert_cmpstr (get (ini, name, "k"), ==, "3");
  g_assert_cmpstr (get (ini, "a;b", "k"), ==, "4");
  g_assert_cmpuint (ini->sections->len, ==, 4);
  g_assert_cmpuint (rack_ini_entry (rack_ini_section (ini, name), "k")->line, ==, 6);
}

static void
test_long (void)
{
  static const gsize sizes[] = { 1, 180, 199, 200, 201, 2000, 65535, 65536 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *value = g_malloc (sizes[i] + 1);

      for (gsize k = 0; k < sizes[i]; k++)
        value[k] = " ;#=[]%abcdefgh\\\"':"[k * 7 % 19];
      value[0] = value[sizes[i] - 1] = 'x';
      value[sizes[i]] = '\0';

      g_autofree char *key = g_strnfill (MIN (sizes[i], 4000), 'k');
      g_autofree char *text =
          g_strdup_printf ("[DEFAULT]\nk = %s\n[other]\n%s = %s\nj = 1\n", value, key, value);
      g_autoptr (RackIni) ini = parse (text);
      g_assert_cmpstr (get (ini, "DEFAULT", "k"), ==, value);
      g_assert_cmpstr (get (ini, "other", key), ==, value);
      g_assert_cmpstr (get (ini, "other", "j"), ==, "1");
    }

  g_autofree char *value = g_strnfill (65537, 'x');
  g_autofree char *text = g_strdup_printf ("[DEFAULT]\n\nk = %s\n", value);
  assert_broken (text, "f.ini:3: the value of \"k\" is longer than 64 KiB");
}

static void
test_broken (void)
{
  assert_broken ("k = v\n", "f.ini:1: a key before the first section");
  assert_broken ("[DEFAULT]\nk = 1\nj\n", "f.ini:3: expected \"key = value\"");
  assert_broken ("[DEFAULT]\n= 1\n", "f.ini:2: a value without a key");
  assert_broken ("[DEFAULT\nk = 1\n", "f.ini:1: \"]\" is missing");
  assert_broken ("[DEFAULT] x\n", "f.ini:1: something follows");
  assert_broken ("\n[]\n", "f.ini:2: a section without a name");
  assert_broken ("[DEFAULT]\nk = 1\n\nK: 2\n", "f.ini:4: \"K\" is already set in line 2");
  assert_broken ("[a]\n[b]\n[a]\n", "f.ini:3: section [a] is already in line 1");
  assert_broken ("[DEFAULT]\nk = \xff\n", "f.ini:2: not UTF-8");
  GError *error = NULL;
  g_assert_null (rack_ini_parse ("[D]\n\nk\0", 8, "f.ini", &error));
  test_error (&error, RACK_ERROR_CONFIG, "f.ini:3: a NUL byte");
  /* A line that is not understood may be half a secret. */
  g_assert_null (rack_ini_parse ("[D]\nhunter2", 11, "f.ini", &error));
  g_assert_null (strstr (error->message, "hunter2"));
  g_clear_error (&error);
}

static void
test_empty (void)
{
  g_autoptr (RackIni) nothing = parse ("");
  g_autoptr (RackIni) comments = parse ("\xEF\xBB\xBF\n#\n;\n \n");

  g_assert_cmpuint (nothing->sections->len, ==, 0);
  g_assert_cmpuint (comments->sections->len, ==, 0);
}

int
main (int argc, char **argv)
{
  test_begin ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inifile/verbatim", test_verbatim);
  g_test_add_func ("/inifile/separators", test_separators);
  g_test_add_func ("/inifile/line-ends", test_line_ends);
  g_test_add_func ("/inifile/continuation", test_continuation);
  g_test_add_func ("/inifile/sections", test_sections);
  g_test_add_func ("/inifile/long", test_long);
  g_test_add_func ("/inifile/broken", test_broken);
  g_test_add_func ("/inifile/empty", test_empty);
  return g_test_run ();
}
