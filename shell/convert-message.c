/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * convert-message.c - what FETCH says of a message as values: dates, envelopes, structures */
#include "convert.h"

#include <string.h>

static const char *const envelope_fields[] = { "date",        "subject",   "from_", "sender",
                                               "reply_to",    "to",        "cc",    "bcc",
                                               "in_reply_to", "message_id" };
const RecordType convert_envelope_type = { "Envelope", G_N_ELEMENTS (envelope_fields),
                                           envelope_fields };
static const char *const address_fields[] = { "name", "route", "mailbox", "host" };
const RecordType convert_address_type = { "Address", G_N_ELEMENTS (address_fields),
                                          address_fields };

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
      Value *record = value_record_new (&convert_address_type);
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
  Value *record = value_record_new (&convert_envelope_type);

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
  static const char *const fields[] = { "is_multipart" };
  static const RecordType type = { "BodyData", G_N_ELEMENTS (fields), fields };
  Value *tuple = value_tuple_new (8), *attributes = value_record_new (&type);
  const RackValue *at = value->child;

  value_record_set (attributes, 0, value_bool (at != NULL && at->kind == RACK_VALUE_LIST));
  value_set_attributes (tuple, attributes);
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
convert_message (const RackMessage *message, const Value *earlier, const ConvertOptions *options)
{
  Value *dict = value_dict_new ();

  for (guint i = 0; earlier != NULL && i < earlier->dict.n; i++)
    value_dict_set (dict, value_ref (earlier->dict.pairs[i].key),
                    value_ref (earlier->dict.pairs[i].value));
  value_dict_set (dict, value_bytes ("SEQ", -1), value_uint (message->seq));
  for (guint i = 0; i < message->n_items; i++)
    {
      const RackItem *item = &message->items[i];
      g_autofree char *name = g_ascii_strup (item->name.data, (gssize) item->name.size);
      if (options->with_uid || strcmp (name, "UID") != 0)
        value_dict_set (dict, value_bytes (name, -1),
                        convert_item (message, item, name, options->normalise_times));
    }
  return dict;
}
