/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * convert.c - server data as values of the session; the contract is in convert.h */
#include "convert.h"

#include <string.h>

/* More than a mailbox holds, some 300 MB as a list: a server may tell of all there could be. */
#define MAX_FOUND 4000000

static const char *const quota_fields[] = { "quota_root", "resource", "usage", "limit" };
const RecordType convert_quota_type = { "Quota", G_N_ELEMENTS (quota_fields), quota_fields };
static const char *const quota_roots_fields[] = { "mailbox", "quota_roots" };
const RecordType convert_quota_roots_type = { "MailboxQuotaRoots",
                                              G_N_ELEMENTS (quota_roots_fields),
                                              quota_roots_fields };

Value *
convert_str (RackStr str)
{
  return str.data != NULL ? value_bytes (str.data, (gssize) str.size) : value_none ();
}

Value *
convert_text (RackStr str)
{
  return str.data != NULL ? value_str (str.data, (gssize) str.size) : value_none ();
}

Value *
convert_strs (const RackStr *items, guint n)
{
  Value *tuple = value_tuple_new (n);

  for (guint i = 0; i < n; i++)
    value_append (tuple, convert_str (items[i]));
  return tuple;
}

Value *
convert_flags (const RackFlagList *flags)
{
  return convert_strs (flags->names, flags->n_names);
}

Value *
convert_value (const RackValue *value)
{
  switch (value->kind)
    {
    case RACK_VALUE_NIL:
      return value_none ();
    case RACK_VALUE_NUMBER:
      return value_uint (value->number);
    case RACK_VALUE_ATOM:
    case RACK_VALUE_STRING:
      return convert_str (value->text);
    case RACK_VALUE_LIST:
      {
        Value *tuple = value_tuple_new (4);
        for (const RackValue *at = value->child; at != NULL; at = at->next)
          value_append (tuple, convert_value (at));
        return tuple;
      }
    }
  return value_none ();
}

Value *
convert_raw (RackStr raw)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  const RackValue *first = rack_value_parse (arena, raw, NULL);

  if (first == NULL)
    return convert_str (raw);
  if (first->next == NULL)
    return convert_value (first);
  Value *tuple = value_tuple_new (4);
  for (; first != NULL; first = first->next)
    value_append (tuple, convert_value (first));
  return tuple;
}

Value *
convert_tuple (RackStr raw, GError **error)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  GError *problem = NULL;
  const RackValue *at = rack_value_parse (arena, raw, &problem);

  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  Value *tuple = value_tuple_new (4);
  for (; at != NULL; at = at->next)
    value_append (tuple, convert_value (at));
  return tuple;
}

/* ---- Searches -------------------------------------------------------------------------------- */

Value *
convert_search (const RackSearchData *search, GError **error)
{
  static const char *const fields[] = { "modseq" };
  static const RecordType type = { "SearchIds", G_N_ELEMENTS (fields), fields };
  RackRanges ranges = search->all;
  guint64 total = 0;

  for (gsize i = 0; i < ranges.n; i++)
    if (ranges.items[i].first <= ranges.items[i].last)
      total += (guint64) ranges.items[i].last - ranges.items[i].first + 1;
  if (total > MAX_FOUND)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_TOO_LARGE,
                   "the server tells of %" G_GUINT64_FORMAT " messages, more than can be listed",
                   total);
      return NULL;
    }
  Value *list = value_list_new ((guint) total);
  for (gsize i = 0; i < ranges.n; i++)
    for (guint64 n = ranges.items[i].first; n <= ranges.items[i].last; n++)
      value_append (list, value_uint (n));
  Value *attributes = value_record_new (&type);
  if (search->modseq != 0)
    value_record_set (attributes, 0, value_uint (search->modseq));
  value_set_attributes (list, attributes);
  return list;
}

/* ---- Status and select ----------------------------------------------------------------------- */

void
convert_append_code (GString *text, const RackStatus *status)
{
  if (status->code.name.data == NULL)
    return;
  g_string_append_c (text, '[');
  g_string_append_len (text, status->code.name.data, (gssize) status->code.name.size);
  if (status->code.argument.data != NULL)
    {
      g_string_append_c (text, ' ');
      g_string_append_len (text, status->code.argument.data, (gssize) status->code.argument.size);
    }
  g_string_append_c (text, ']');
}

Value *
convert_status_text (const RackStatus *status)
{
  GString *text = g_string_new (NULL);

  convert_append_code (text, status);
  if (text->len > 0)
    g_string_append_c (text, ' ');
  if (status->text.size > 0)
    g_string_append_len (text, status->text.data, (gssize) status->text.size);
  return value_bytes_take (text);
}

/* What IMAPClient does not know it leaves as imaplib has it: a list of what stood behind the name.
 */
static Value *
unparsed (RackStr argument)
{
  Value *list = value_list_new (1);

  value_append (list, argument.data != NULL ? convert_str (argument) : value_bytes ("", 0));
  return list;
}

static void
add_code (Value *dict, const RackCode *code)
{
  Value *value;

  switch ((int) code->kind)
    {
    case RACK_CODE_NONE:
    case RACK_CODE_ALERT:
    case RACK_CODE_CAPABILITY:
    case RACK_CODE_CLOSED:
      return;
    case RACK_CODE_PERMANENTFLAGS:
      value = convert_flags (&code->flags);
      break;
    case RACK_CODE_UIDNEXT:
    case RACK_CODE_UIDVALIDITY:
    case RACK_CODE_HIGHESTMODSEQ:
      value = value_uint (code->number);
      break;
    case RACK_CODE_READ_WRITE:
      value = value_bool (TRUE);
      break;
    default:
      value = unparsed (code->argument);
      break;
    }
  g_autofree char *name = g_ascii_strup (code->name.data, (gssize) code->name.size);
  value_dict_set (dict, value_bytes (name, -1), value);
}

Value *
convert_select (const RackReply *reply)
{
  Value *dict = value_dict_new ();
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    switch ((int) response->kind)
      {
      case RACK_RESPONSE_EXISTS:
        value_dict_set (dict, value_bytes ("EXISTS", -1), value_uint (response->number));
        break;
      case RACK_RESPONSE_RECENT:
        value_dict_set (dict, value_bytes ("RECENT", -1), value_uint (response->number));
        break;
      case RACK_RESPONSE_FLAGS:
        value_dict_set (dict, value_bytes ("FLAGS", -1), convert_flags (&response->flags));
        break;
      case RACK_RESPONSE_STATUS:
        add_code (dict, &response->status.code);
        break;
      default:
        break;
      }
  add_code (dict, &rack_reply_status (reply)->code);
  return dict;
}

Value *
convert_status_data (const RackStatusData *status)
{
  g_autoptr (RackArena) arena = rack_arena_new ();
  Value *dict = value_dict_new ();

  for (const RackValue *name = rack_value_parse (arena, status->raw, NULL);
       name != NULL && name->next != NULL; name = name->next->next)
    value_dict_set (dict, convert_str (name->text), convert_value (name->next));
  return dict;
}

/* OK and NO with their text whole, all else word by word; so IMAPClient has it. */
static void
add_raw (Value *tuple, const RackResponse *response)
{
  gboolean is_status = response->kind == RACK_RESPONSE_STATUS;
  g_autoptr (Value) words = NULL;

  if (is_status
      && (response->status.kind == RACK_STATUS_OK || response->status.kind == RACK_STATUS_NO))
    {
      value_append (tuple, convert_status_text (&response->status));
      return;
    }
  if (response->raw.data == NULL)
    return;
  words = convert_tuple (response->raw, NULL);
  if (words == NULL)
    value_append (tuple, convert_str (response->raw));
  for (guint i = 0; words != NULL && i < words->seq.n; i++)
    value_append (tuple, value_ref (words->seq.items[i]));
}

void
convert_responses (Value *list, const RackReply *reply)
{
  const RackResponse *response;

  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    {
      Value *tuple = value_tuple_new (3);
      gboolean numbered = response->kind == RACK_RESPONSE_EXISTS
                          || response->kind == RACK_RESPONSE_RECENT
                          || response->kind == RACK_RESPONSE_EXPUNGE;
      if (numbered)
        value_append (tuple, value_uint (response->number));
      else if (response->kind == RACK_RESPONSE_FETCH)
        value_append (tuple, value_uint (response->message.seq));
      value_append (tuple, convert_str (response->name));
      if (!numbered)
        add_raw (tuple, response);
      value_append (list, tuple);
    }
}

/* ---- What there is beside mailboxes ---------------------------------------------------------- */

static Value *
namespace_list (const RackNamespaceItem *items, guint n, gboolean folder_encode)
{
  if (n == 0)
    return value_none ();
  Value *tuple = value_tuple_new (n);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *prefix = rack_mailbox_name_decode (items[i].prefix);
      Value *pair = value_tuple_new (2);
      value_append (pair, folder_encode ? value_str (prefix, -1) : convert_str (items[i].prefix));
      value_append (pair, items[i].separator != '\0' ? value_str (&items[i].separator, 1)
                                                     : value_none ());
      value_append (tuple, pair);
    }
  return tuple;
}

Value *
convert_namespaces (const RackNamespaceData *data, gboolean folder_encode)
{
  static const char *const fields[] = { "personal", "other", "shared" };
  static const RecordType type = { "Namespace", G_N_ELEMENTS (fields), fields };
  const RackNamespaceItem *const items[] = { data->personal, data->others, data->shared };
  const guint n[] = { data->n_personal, data->n_others, data->n_shared };
  Value *tuple = value_tuple_new (G_N_ELEMENTS (fields));
  Value *attributes = value_record_new (&type);

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      Value *list = namespace_list (items[i], n[i], folder_encode);
      value_record_set (attributes, i, value_ref (list));
      value_append (tuple, list);
    }
  value_set_attributes (tuple, attributes);
  return tuple;
}

void
convert_quota (Value *list, const RackQuotaData *quota)
{
  for (guint i = 0; i < quota->n_resources; i++)
    {
      Value *record = value_record_new (&convert_quota_type);
      value_record_set (record, 0, convert_text (quota->root));
      value_record_set (record, 1, convert_text (quota->resources[i].name));
      value_record_set (record, 2, value_uint (quota->resources[i].usage));
      value_record_set (record, 3, value_uint (quota->resources[i].limit));
      value_append (list, record);
    }
}
