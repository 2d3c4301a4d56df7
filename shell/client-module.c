/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-module.c - the name imapclient: its constants and records; and help(c.search)
 *
 * What stands beside IMAPClient in the module that people import, so that a line that names
 * imapclient.SEEN or imapclient.Quota(...) means the same here. */
#include "args.h"
#include "client-private.h"

#include <string.h>

/* ---- Constants ------------------------------------------------------------------------------ */

static const struct
{
  const char *name, *value;
} constants[] = {
  { "ALL", "\\All" },         { "ANSWERED", "\\Answered" }, { "ARCHIVE", "\\Archive" },
  { "DELETED", "\\Deleted" }, { "DRAFT", "\\Draft" },       { "DRAFTS", "\\Drafts" },
  { "FLAGGED", "\\Flagged" }, { "JUNK", "\\Junk" },         { "RECENT", "\\Recent" },
  { "SEEN", "\\Seen" },       { "SENT", "\\Sent" },         { "TRASH", "\\Trash" },
};

static Value *
module_get (gpointer self, const char *name, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (constants); i++)
    if (strcmp (constants[i].name, name) == 0)
      return value_bytes (constants[i].value, -1);
  return NULL;
}

/* ---- Records -------------------------------------------------------------------------------- */

static const RecordType *const records[] = { &convert_address_type, &convert_envelope_type,
                                             &convert_quota_roots_type, &convert_quota_type };

static Value *
make_record (const RecordType *type, const CallArgs *args, GError **error)
{
  Param params[ARGS_MAX + 1] = { 0 };
  Value *bound[ARGS_MAX] = { NULL };

  for (guint i = 0; i < type->n_fields; i++)
    params[i] = (Param){ type->fields[i], PARAM_REQUIRED };
  if (!args_bind (type->name, params, args, bound, error))
    return NULL;
  Value *record = value_record_new (type);
  for (guint i = 0; i < type->n_fields; i++)
    value_record_set (record, i, value_ref (bound[i]));
  return record;
}

/* ---- Help ----------------------------------------------------------------------------------- */

static void
write_text (Shell *shell, const ClientMethod *method)
{
  fprintf (shell->out, "c.%s(%s)\n    %s%s%s%s\n", method->name, method->parameters, method->help,
           method->needs != NULL ? " (needs " : "", method->needs != NULL ? method->needs : "",
           method->needs != NULL ? ")" : "");
}

static void
add_row (Output *output, const ClientMethod *method)
{
  output_text (output, method->name, -1);
  output_text (output, method->parameters, -1);
  output_text (output, method->needs, -1);
  output_text (output, method->help, -1);
  output_row (output);
}

gboolean
client_help (Shell *shell, const char *topic)
{
  static const OutputColumn columns[] = {
    { "name", "METHOD", CELL_TEXT, 0 }, { "parameters", "PARAMETERS", CELL_TEXT, 0 },
    { "needs", "NEEDS", CELL_TEXT, 0 }, { "help", "WHAT IT DOES", CELL_TEXT, 0 },
    { NULL, NULL, CELL_TEXT, 0 },
  };
  const char *name = g_str_has_prefix (topic, "c.") ? topic + 2 : topic;
  const ClientMethod *method = client_method (name);
  gboolean text = shell_prints_text (shell);

  if (method == NULL && strcmp (topic, "c") != 0)
    return FALSE;
  g_autoptr (Output) output =
      text ? NULL : shell_output (shell, columns, method != NULL ? OUTPUT_SINGLE : OUTPUT_MANY);
  for (const ClientMethod *at = client_methods; at->name != NULL; at++)
    if (method != NULL && at != method)
      continue;
    else if (text)
      write_text (shell, at);
    else
      add_row (output, at);
  if (output != NULL)
    output_end (output);
  return TRUE;
}

static Value *
module_help (Shell *shell, const CallArgs *args, GError **error)
{
  static const Param params[] = { { "topic", PARAM_OPTIONAL }, { NULL, PARAM_OPTIONAL } };
  Value *bound[ARGS_MAX] = { NULL };

  if (!args_bind ("help", params, args, bound, error))
    return NULL;
  const Value *topic = bound[0];
  const char *name = topic == NULL || topic->kind == VALUE_OBJECT ? "c"
                     : topic->kind == VALUE_METHOD                ? topic->method.name
                                                                  : client_text (topic);
  if (name != NULL && client_help (shell, name))
    return value_none ();
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE,
                       "help() knows c and its methods: help(c.search)");
  return NULL;
}

/* ---- The object ----------------------------------------------------------------------------- */

static Value *
module_call (gpointer self, const char *name, const CallArgs *args, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    if (strcmp (records[i]->name, name) == 0)
      return make_record (records[i], args, error);
  return module_help (self, args, error);
}

void
client_module_install (Shell *shell)
{
  static const char *constant_names[G_N_ELEMENTS (constants) + 1];
  static const char *const method_names[] = { "Address", "Envelope", "MailboxQuotaRoots",
                                              "Quota",   "help",     NULL };
  static const ObjectClass class = {
    .type_name = "module",
    .call = module_call,
    .get = module_get,
    .methods = method_names,
    .attributes = constant_names,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (constants); i++)
    constant_names[i] = constants[i].name;
  g_autoptr (Value) module = value_object (&class, shell);
  interp_set (shell->interp, "imapclient", value_ref (module));
  for (guint i = 0; method_names[i] != NULL; i++)
    interp_set (shell->interp, method_names[i], value_method (module, method_names[i], NULL));
}
