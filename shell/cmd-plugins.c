/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd-plugins.c - mailrack plugins: what is installed, which keys it reads, and why a file
 * is refused */
#include "commands.h"

#include <mailrack/mailrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int
fail (int status, const char *text)
{
  fprintf (stderr, "mailrack: %s\n", text);
  return status;
}

static const char *
kind_name (const RackPluginFacts *facts)
{
  return facts->kind == RACK_PLUGIN_AUTH ? "auth" : "transport";
}

/* ---- One plugin --------------------------------------------------------- */

static const char *
type_name (RackParamType type)
{
  switch (type)
    {
    case RACK_PARAM_STRING:
      return "text";
    case RACK_PARAM_PATH:
      return "path";
    case RACK_PARAM_SECRET:
      return "secret";
    case RACK_PARAM_BOOL:
      return "yes or no";
    case RACK_PARAM_INT:
      return "whole number";
    case RACK_PARAM_SECONDS:
      return "duration";
    case RACK_PARAM_CHOICE:
      return "one of";
    case RACK_PARAM_COMMAND:
      return "command";
    case RACK_PARAM_LIST:
      return "list";
    }
  return "?";
}

static void
print_key (const RackParam *param)
{
  printf ("\n  %s (%s", param->key, type_name (param->type));
  /* A choice may be the empty word, for a key that is not set. */
  const char *between = " ";
  for (gsize i = 0; param->choices != NULL && param->choices[i] != NULL; i++)
    if (*param->choices[i] != '\0')
      {
        printf ("%s%s", between, param->choices[i]);
        between = ", ";
      }
  if (param->flags & RACK_PARAM_REQUIRED)
    printf ("; required");
  if (param->fallback != NULL)
    printf ("; default %s", *param->fallback != '\0' ? param->fallback : "\"\"");
  printf (")\n      %s\n", param->help);
}

static void
print_auth (const RackAuthPlugin *auth)
{
  printf ("  logs in by");
  for (const RackMechanism *at = auth->mechanisms; at->name != NULL; at++)
    printf ("%s%s%s", at == auth->mechanisms ? " " : ", ",
            at->flags & RACK_MECHANISM_LOGIN_COMMAND ? "the command " : "", at->name);
  printf ("\n");
}

static void
print_transport (const RackTransportPlugin *transport)
{
  printf ("  port %u, %s\n", transport->default_port,
          transport->flags & RACK_TRANSPORT_ENCRYPTS ? "with TLS" : "promises no TLS");
}

static const RackParam *
param_at (const RackPluginFacts *facts, gsize index)
{
  return (const RackParam *) ((const char *) facts->params + index * facts->param_size);
}

static void
print_whole (const RackPluginFacts *facts)
{
  printf ("%s = %s\n", kind_name (facts), facts->name);
  printf ("  %s\n  version %s\n  %s\n", facts->summary, facts->version, facts->file);
  if (facts->auth != NULL)
    print_auth (facts->auth);
  if (facts->transport != NULL)
    print_transport (facts->transport);
  if (facts->params == NULL || param_at (facts, 0)->key == NULL)
    printf ("\n  reads no keys of its own\n");
  for (gsize i = 0; facts->params != NULL && param_at (facts, i)->key != NULL; i++)
    print_key (param_at (facts, i));
}

/* ---- All of them -------------------------------------------------------- */

/* The plugin of that kind and name that is found first, which is the one that is used. */
static const RackPluginFacts *
used_instead (GPtrArray *list, guint index)
{
  const RackPluginFacts *facts = g_ptr_array_index (list, index);

  for (guint i = 0; i < index; i++)
    {
      const RackPluginFacts *other = g_ptr_array_index (list, i);

      if (other->problem == NULL && other->kind == facts->kind
          && strcmp (other->name, facts->name) == 0)
        return other;
    }
  return NULL;
}

static int
compare_facts (gconstpointer a, gconstpointer b)
{
  const RackPluginFacts *one = *(RackPluginFacts *const *) a;
  const RackPluginFacts *two = *(RackPluginFacts *const *) b;

  if (one->kind != two->kind)
    return one->kind < two->kind ? -1 : 1;
  return strcmp (one->name, two->name);
}

static void
print_nothing (void)
{
  g_auto (GStrv) path = rack_plugins_path ();
  g_autofree char *directories = g_strjoinv (", ", path);
  g_autofree char *safe = rack_text_escape (directories, -1);

  printf ("no plugins: none is in %s\n", safe);
}

static void
print_all (GPtrArray *list)
{
  g_autoptr (GPtrArray) good = g_ptr_array_new ();
  gsize name_width = 0, version_width = 0;

  if (list->len == 0)
    print_nothing ();

  for (guint i = 0; i < list->len; i++)
    {
      RackPluginFacts *facts = g_ptr_array_index (list, i);

      if (facts->problem != NULL || used_instead (list, i) != NULL)
        continue;
      g_ptr_array_add (good, facts);
      name_width = MAX (name_width, strlen (facts->name));
      version_width = MAX (version_width, strlen (facts->version));
    }
  g_ptr_array_sort (good, compare_facts);
  for (guint i = 0; i < good->len; i++)
    {
      const RackPluginFacts *facts = g_ptr_array_index (good, i);

      printf ("%-9s  %-*s  %-*s  %s\n%11s%s\n", kind_name (facts), (int) name_width, facts->name,
              (int) version_width, facts->version, facts->summary, "", facts->file);
    }
  for (guint i = 0; i < list->len; i++)
    {
      const RackPluginFacts *facts = g_ptr_array_index (list, i);
      const RackPluginFacts *other = facts->problem == NULL ? used_instead (list, i) : NULL;

      if (facts->problem != NULL)
        printf ("refused    %s\n", facts->problem);
      else if (other != NULL)
        printf ("unused     %s: %s is found first\n", facts->file, other->file);
    }
}

/* "oauth2", or as messages have it: "auth-oauth2". */
static gboolean
is_called (const RackPluginFacts *facts, const char *name)
{
  g_autofree char *label = g_strconcat (kind_name (facts), "-", facts->name, NULL);

  return strcmp (facts->name, name) == 0 || strcmp (label, name) == 0;
}

static int
print_named (GPtrArray *list, const char *name)
{
  gboolean found = FALSE;

  for (guint i = 0; i < list->len; i++)
    {
      const RackPluginFacts *facts = g_ptr_array_index (list, i);

      if (facts->problem != NULL || !is_called (facts, name) || used_instead (list, i) != NULL)
        continue;
      if (found)
        printf ("\n");
      print_whole (facts);
      found = TRUE;
    }
  if (found)
    return EX_OK;

  /* A refused one is known by its file alone. */
  g_autofree char *end = g_strdup_printf ("-%s.so", name);
  for (guint i = 0; i < list->len; i++)
    {
      const RackPluginFacts *facts = g_ptr_array_index (list, i);

      if (facts->problem != NULL && g_str_has_suffix (facts->file, end))
        return fail (EX_CONFIG, facts->problem);
    }
  g_autofree char *safe = rack_text_escape (name, -1);
  g_autofree char *text = g_strdup_printf (
      "there is no plugin \"%s\"; \"mailrack plugins\" lists those that are installed", safe);
  return fail (EX_CONFIG, text);
}

/* Whether "auth = NAME" finds this file: it is the first that is called so in the directories
 * that are searched. */
static gboolean
is_found_by_name (const RackPluginFacts *facts, GPtrArray *list)
{
  g_autofree char *end = g_strdup_printf ("/mailrack-%s-%s.so", kind_name (facts), facts->name);

  for (guint i = 0; i < list->len; i++)
    {
      const char *file = ((const RackPluginFacts *) g_ptr_array_index (list, i))->file;

      if (!g_str_has_suffix (file, end))
        continue;
      g_autofree char *real = realpath (file, NULL);
      return real != NULL && strcmp (real, facts->file) == 0;
    }
  return FALSE;
}

static int
check (const char *file, GPtrArray *list)
{
  g_autoptr (GError) error = NULL;
  RackPluginFacts *facts = rack_plugin_check (file, &error);

  if (facts == NULL)
    return fail (EX_CONFIG, error->message);
  print_whole (facts);
  printf ("\n%s: can be used as \"%s = %s\"\n", file, kind_name (facts),
          is_found_by_name (facts, list) ? facts->name : facts->file);
  rack_plugin_facts_free (facts);
  return EX_OK;
}

int
rack_cmd_plugins (int argc, char **argv)
{
  g_autofree char *file = NULL;
  g_auto (GStrv) rest = NULL;
  const GOptionEntry entries[] = {
    { "check", 'c', 0, G_OPTION_ARG_FILENAME, &file, "Says everything about one file", "FILE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, "[NAME]" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  int status = EX_OK;

  g_set_prgname ("mailrack plugins");
  g_option_context_set_summary (context, "Lists the plugins that are installed, or the keys of "
                                         "one of them.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fail (EX_USAGE, error->message);
  if (rest != NULL && (rest[1] != NULL || file != NULL))
    return fail (EX_USAGE, "plugins takes one name, or --check FILE");

  g_autoptr (GPtrArray) list = rack_plugins_list ();
  if (file != NULL)
    status = check (file, list);
  else if (rest != NULL && strchr (rest[0], '/') != NULL)
    status = check (rest[0], list);
  else if (rest != NULL)
    status = print_named (list, rest[0]);
  else
    print_all (list);
  if (fflush (stdout) != 0)
    return fail (EX_IOERR, "the output cannot be written");
  return status;
}
