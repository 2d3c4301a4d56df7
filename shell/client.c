/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.c - the object c: how a call finds its method and its arguments, and the attributes
 *
 * The methods are in client-table.c; one function for each is in client-*.c. What a method sends is
 * one IMAP command, or as many as its messages need lines; what it gives back is in convert.c. */
#include "args.h"
#include "client-private.h"

#include <string.h>

/* ---- Arguments ------------------------------------------------------------------------------ */

typedef struct
{
  char **words;                 /* "messages", "modifiers=None" with its "=" cut off */
  const char *values[ARGS_MAX]; /* the default of each, in Python; NULL: required */
  Param params[ARGS_MAX + 1];
} Signature;

static void
signature_clear (Signature *signature)
{
  g_strfreev (signature->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Signature, signature_clear)

static void
signature_read (Signature *signature, const char *parameters)
{
  signature->words = g_strsplit (parameters, ", ", ARGS_MAX);
  for (guint i = 0; signature->words[i] != NULL; i++)
    {
      char *word = signature->words[i], *equals = strchr (word, '=');
      Param *param = &signature->params[i];

      if (equals != NULL)
        {
          *equals = '\0';
          signature->values[i] = equals + 1;
        }
      param->name = *word == '*' ? word + 1 : word;
      param->flags = *word == '*' ? PARAM_REST : equals == NULL ? PARAM_REQUIRED : PARAM_OPTIONAL;
    }
}

/* What belongs to *name, as a tuple. */
static Value *
rest_of (const CallArgs *args, guint from)
{
  Value *tuple = value_tuple_new (args->n_positional);

  for (guint i = from; i < args->n_positional; i++)
    value_append (tuple, value_ref (args->positional[i]));
  return tuple;
}

static gboolean
is_allowed (Shell *shell, const ClientMethod *method, GError **error)
{
  if ((method->flags & CLIENT_CHANGES) && shell->force_read_only)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_READ_ONLY, "%s: the shell is read-only",
                   method->name);
      return FALSE;
    }
  if ((method->flags & CLIENT_SELECTED) && shell->mailbox == NULL)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                   "%s: no mailbox is selected: c.select_folder('INBOX') selects one",
                   method->name);
      return FALSE;
    }
  if (method->needs == NULL)
    return TRUE;
  if (!shell_connect (shell, error))
    return FALSE;
  if (rack_session_has (shell->session, method->needs))
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_UNSUPPORTED, "%s: %s: the server does not support %s",
               rack_account_label (shell->account), method->name, method->needs);
  return FALSE;
}

static gboolean
names_function (const GError *error, const char *name)
{
  gsize size = strlen (name);

  return strncmp (error->message, name, size) == 0 && error->message[size] == '(';
}

static Value *
run (Shell *shell, const ClientMethod *method, const CallArgs *args, GError **error)
{
  g_auto (Signature) signature = { 0 };
  g_autoptr (Value) rest = NULL;
  Value *bound[ARGS_MAX] = { NULL };
  GError *problem = NULL;

  signature_read (&signature, method->parameters);
  if (!args_bind (method->name, signature.params, args, bound, error)
      || !is_allowed (shell, method, error))
    return NULL;
  for (guint i = 0; signature.words[i] != NULL; i++)
    if (signature.params[i].flags & PARAM_REST)
      bound[i] = rest = rest_of (args, i);
    else if (bound[i] != NULL && bound[i]->kind == VALUE_NONE
             && g_strcmp0 (signature.values[i], "None") == 0)
      bound[i] = NULL;
  Value *result = method->run (shell, bound, &problem);
  if (problem == NULL)
    return result;
  if (problem->domain == EVAL_ERROR && !names_function (problem, method->name))
    g_prefix_error (&problem, "%s(): ", method->name);
  g_propagate_error (error, problem);
  return NULL;
}

static Value *
client_call (gpointer self, const char *name, const CallArgs *args, GError **error)
{
  const ClientMethod *method = client_method (name);

  if (method != NULL)
    return run (self, method, args, error);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_ATTRIBUTE, "the client has no method '%s'", name);
  return NULL;
}

/* ---- Answers ----------------------------------------------------------------------------------
 */

Value *
client_status_result (RackReply *reply)
{
  g_autoptr (RackReply) owned = reply;

  return owned != NULL ? convert_status_text (rack_reply_status (owned)) : NULL;
}

Value *
client_reply_result (RackReply *reply)
{
  g_autoptr (RackReply) owned = reply;

  if (owned == NULL)
    return NULL;
  Value *tuple = value_tuple_new (2), *list = value_list_new (4);
  value_append (tuple, convert_status_text (rack_reply_status (owned)));
  convert_responses (list, owned);
  value_append (tuple, list);
  return tuple;
}

Value *
client_simple (Shell *shell, const char *verb, const Value *name, GError **error)
{
  g_autofree char *folder = client_folder (shell, name, "folder", error);

  if (folder == NULL)
    return NULL;
  RackCommand *command = rack_command_new (verb);
  rack_command_mailbox (command, folder);
  return client_status_result (shell_expect (shell, command, error));
}

Value *
client_bare (Shell *shell, const char *verb, GError **error)
{
  return client_status_result (shell_expect (shell, rack_command_new (verb), error));
}

/* ---- Attributes ----------------------------------------------------------------------------- */

static const char *const attribute_names[] = { "folder_encode", "host",   "normalise_times",
                                               "port",          "ssl",    "ssl_context",
                                               "state",         "stream", "use_uid",
                                               "welcome",       NULL };

static gboolean *
setting (Shell *shell, const char *name)
{
  if (strcmp (name, "use_uid") == 0)
    return &shell->use_uid;
  if (strcmp (name, "normalise_times") == 0)
    return &shell->normalise_times;
  if (strcmp (name, "folder_encode") == 0)
    return &shell->folder_encode;
  return NULL;
}

/* A line of what tells the account from others. Returns: (owned) */
static char *
identity (Shell *shell, const char *key)
{
  g_autofree char *all = rack_account_identity (shell->account);
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);
  gsize size = strlen (key);

  for (char **line = lines; *line != NULL; line++)
    if (strncmp (*line, key, size) == 0 && (*line)[size] == '=')
      return g_strdup (*line + size + 1);
  return g_strdup ("");
}

static Value *
transport_is (Shell *shell, const char *name)
{
  g_autofree char *transport = identity (shell, "transport");

  return value_bool (strcmp (transport, name) == 0);
}

static Value *
welcome (Shell *shell, GError **error)
{
  if (!shell_connect (shell, error))
    return NULL;
  g_autofree char *greeting = rack_session_greeting (shell->session);
  return value_bytes (greeting, -1);
}

/* imaplib's names of them. */
static const char *
state (const Shell *shell)
{
  if (shell->session == NULL || !rack_session_alive (shell->session))
    return "NONAUTH";
  return shell->mailbox != NULL ? "SELECTED" : "AUTH";
}

static Value *
client_get (gpointer self, const char *name, GError **error)
{
  Shell *shell = self;
  gboolean *found = setting (shell, name);

  if (found != NULL)
    return value_bool (*found);
  if (strcmp (name, "welcome") == 0)
    return welcome (shell, error);
  if (strcmp (name, "state") == 0)
    return value_str (state (shell), -1);
  if (strcmp (name, "ssl") == 0)
    return transport_is (shell, "ssl");
  if (strcmp (name, "stream") == 0)
    return transport_is (shell, "tunnel");
  if (strcmp (name, "ssl_context") == 0)
    return value_none ();
  g_autofree char *text = identity (shell, name);
  if (strcmp (name, "host") == 0)
    return value_str (text, -1);
  return strcmp (name, "port") == 0 ? value_uint (g_ascii_strtoull (text, NULL, 10)) : NULL;
}

static gboolean
client_set (gpointer self, const char *name, Value *value, GError **error)
{
  gboolean *found = setting (self, name);

  if (found == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_ATTRIBUTE, "'%s' cannot be set", name);
      return FALSE;
    }
  *found = value_is_true (value);
  return TRUE;
}

/* ---- The object ----------------------------------------------------------------------------- */

static Value *
client_new (Shell *shell)
{
  static const char *names[128];
  static ObjectClass class = {
    .type_name = "IMAPClient",
    .call = client_call,
    .get = client_get,
    .set = client_set,
    .methods = names,
    .attributes = attribute_names,
  };

  for (gsize i = 0; client_methods[i].name != NULL && i < G_N_ELEMENTS (names) - 1; i++)
    names[i] = client_methods[i].name;
  return value_object (&class, shell);
}

void
client_install (Shell *shell)
{
  interp_set (shell->interp, "c", client_new (shell));
  client_module_install (shell);
}

const char *
client_parameters (const char *method)
{
  const ClientMethod *found = client_method (method);

  return found != NULL ? found->parameters : NULL;
}
