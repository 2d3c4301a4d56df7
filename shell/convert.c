/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * convert.c - server data as values of the session; the contract is in convert.h */
#include "convert.h"

#include <string.h>

static const char *const envelope_fields[] = { "date",        "subject",   "from_", "sender",
                                               "reply_to",    "to",        "cc",    "bcc",
                                               "in_reply_to", "message_id" };
static const RecordType envelope_type = { "Envelope", G_N_ELEMENTS (envelope_fields),
                                          envelope_fields };
static const char *const address_fields[] = { "name", "route", "mailbox", "host" };
static const RecordType address_type = { "Address", G_N_ELEMENTS (address_fields), address_fields };

Value *
convert_str (RackStr str)
{
  return str.data != NULL ? value_bytes (str.data, (gssize) str.size) : value_none ();
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

static Value *
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
convert_ranges (RackRanges ranges)
{
  Value *list = value_list_new (64);

  for (gsize i = 0; i < ranges.n; i++)
    for (guint64 n = ranges.items[i].first; n <= ranges.items[i].last; n++)
      value_append (list, value_uint (n));
  return list;
}

Value *
convert_status_text (const RackStatus *status)
{
  GString *text = g_string_new (NULL);

  if (status->code.name.data != NULL)
    {
      g_string_append_c (text, '[');
      g_string_append_len (text, status->code.name.data, (gssize) status->code.name.size);
      if (status->code.argument.data != NULL)
        {
          g_string_append_c (text, ' ');
          g_string_append_len (text, status->code.argument.data,
                               (gssize) status->code.argument.size);
        }
      g_string_append (text, "] ");
    }
  if (status->text.size > 0)
    g_string_append_len (text, status->text.data, (gssize) status->text.size);
  return value_bytes_take (text);
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
    case RACK_CODE_UNSEEN:
    case RACK_CODE_HIGHESTMODSEQ:
      value = value_uint (code->number);
      break;
    default:
      value = code->argument.data != NULL ? convert_raw (code->argument) : value_bool (TRUE);
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

Value *
convert_responses (const RackReply *reply)
{
  Value *list = value_list_new (4);
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
      if (response->kind == RACK_RESPONSE_STATUS)
        value_append (tuple, convert_status_text (&response->status));
      else if (!numbered && response->raw.data != NULL)
        value_append (tuple, convert_raw (response->raw));
      value_append (list, tuple);
    }
  return list;
}

/* ---- Messages
 * ------------------------------------------------------------------------------------- */

static Value *
make_datetime (gint64 seconds, gint zone, gboolean normalise)
{
  ValueTime time = { .aware = !normalise, .offset = zone * 60 };
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (seconds);
  g_autoptr (GTimeZone) there = g_time_zone_new_offset (zone * 60);
  g_autoptr (GDateTime) local = utc == NULL ? NULL
                                : normalise ? g_date_time_to_local (utc)
                                            : g_date_time_to_timezone (utc, there);

  if (local == NULL)
    return value_none ();
  time.year = g_date_time_get_year (local);
  time.month = (guint8) g_date_time_get_month (local);
  time.day = (guint8) g_date_time_get_day_of_month (local);
  time.hour = (guint8) g_date_time_get_hour (local);
  time.minute = (guint8) g_date_time_get_minute (local);
  time.second = (guint8) g_date_time_get_second (local);
  return value_datetime (&time);
}

/* The Date header as people write it; None where it is not one. */
static Value *
convert_header_date (RackStr date, gboolean normalise)
{
  gint64 seconds;
  gint zone;

  if (!rack_header_date (date, &seconds, &zone))
    return value_none ();
  return make_datetime (seconds, zone, normalise);
}

static Value *
convert_addresses (const RackAddresses *addresses)
{
  if (addresses->n == 0)
    return value_none ();
  Value *tuple = value_tuple_new (addresses->n);
  for (guint i = 0; i < addresses->n; i++)
    {
      const RackAddress *address = &addresses->items[i];
      Value *record = value_record_new (&address_type);
      value_record_set (record, 0, convert_str (address->name));
      value_record_set (record, 1, convert_str (address->route));
      value_record_set (record, 2, convert_str (address->mailbox));
      value_record_set (record, 3, convert_str (address->host));
      value_append (tuple, record);
    }
  return tuple;
}

static Value *
convert_envelope (const RackEnvelope *envelope, gboolean normalise)
{
  const RackAddresses *const lists[] = { &envelope->from, &envelope->sender, &envelope->reply_to,
                                         &envelope->to,   &envelope->cc,     &envelope->bcc };
  Value *record = value_record_new (&envelope_type);

  value_record_set (record, 0, convert_header_date (envelope->date, normalise));
  value_record_set (record, 1, convert_str (envelope->subject));
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    value_record_set (record, 2 + i, convert_addresses (lists[i]));
  value_record_set (record, 8, convert_str (envelope->in_reply_to));
  value_record_set (record, 9, convert_str (envelope->message_id));
  return record;
}

/* ((part) (part) "mixed" ...) becomes ([part, part], b'mixed', ...), as IMAPClient has it. */
static Value *
convert_body (const RackValue *value)
{
  Value *tuple = value_tuple_new (8);
  const RackValue *at = value->child;

  if (at != NULL && at->kind == RACK_VALUE_LIST)
    {
      Value *parts = value_list_new (4);
      for (; at != NULL && at->kind == RACK_VALUE_LIST; at = at->next)
        value_append (parts, convert_body (at));
      value_append (tuple, parts);
    }
  for (; at != NULL; at = at->next)
    value_append (tuple, convert_value (at));
  return tuple;
}

static Value *
convert_item (const RackMessage *message, const RackItem *item, const char *name,
              gboolean normalise)
{
  g_autoptr (RackArena) arena = rack_arena_new ();

  if (strcmp (name, "FLAGS") == 0 && (message->fields & RACK_FIELD_FLAGS))
    return convert_flags (&message->flags);
  if (strcmp (name, "INTERNALDATE") == 0 && (message->fields & RACK_FIELD_DATE))
    return make_datetime (message->date, message->date_zone, normalise);
  if (strcmp (name, "ENVELOPE") == 0 && message->envelope != NULL)
    return convert_envelope (message->envelope, normalise);
  if (strcmp (name, "BODY") == 0 || strcmp (name, "BODYSTRUCTURE") == 0)
    {
      const RackValue *value = rack_value_parse (arena, item->raw, NULL);
      return value != NULL && value->kind == RACK_VALUE_LIST ? convert_body (value)
                                                             : convert_raw (item->raw);
    }
  for (guint i = 0; i < message->n_sections; i++)
    if (message->sections[i].name.data == item->name.data)
      return convert_str (message->sections[i].data);
  return convert_raw (item->raw);
}

Value *
convert_message (const RackMessage *message, gboolean normalise_times)
{
  Value *dict = value_dict_new ();

  value_dict_set (dict, value_bytes ("SEQ", -1), value_uint (message->seq));
  for (guint i = 0; i < message->n_items; i++)
    {
      const RackItem *item = &message->items[i];
      g_autofree char *name = g_ascii_strup (item->name.data, (gssize) item->name.size);
      if (strcmp (name, "UID") != 0)
        value_dict_set (dict, value_bytes (name, -1),
                        convert_item (message, item, name, normalise_times));
    }
  return dict;
}
