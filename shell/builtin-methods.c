/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* builtin-methods.c - the methods of lists, tuples, dicts and dates
 *
 * None of them changes its value: there is no append or update.
 */
#include "builtins.h"

#include "eval-error.h"

#include <string.h>

/* ---- Sequences --------------------------------------------------------------------------------
 */

static Value *
call_count (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  gint64 n = 0;

  for (guint i = 0; i < call->self->seq.n; i++)
    n += value_equal (call->self->seq.items[i], call->bound[0]);
  return value_int (n);
}

static Value *
call_index (const BuiltinCall *call, GError **error)
{
  for (guint i = 0; i < call->self->seq.n; i++)
    if (value_equal (call->self->seq.items[i], call->bound[0]))
      return value_uint (i);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "this is not in the %s",
               value_type_name (call->self));
  return NULL;
}

/* ---- Dictionaries -----------------------------------------------------------------------------
 */

static Value *
call_keys (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  Value *list = value_list_new (call->self->dict.n);

  for (guint i = 0; i < call->self->dict.n; i++)
    value_append (list, value_ref (call->self->dict.pairs[i].key));
  return list;
}

static Value *
call_values (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  Value *list = value_list_new (call->self->dict.n);

  for (guint i = 0; i < call->self->dict.n; i++)
    value_append (list, value_ref (call->self->dict.pairs[i].value));
  return list;
}

static Value *
call_items (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  Value *list = value_list_new (call->self->dict.n);

  for (guint i = 0; i < call->self->dict.n; i++)
    {
      Value *pair = value_tuple_new (2);

      value_append (pair, value_ref (call->self->dict.pairs[i].key));
      value_append (pair, value_ref (call->self->dict.pairs[i].value));
      value_append (list, pair);
    }
  return list;
}

static Value *
call_get (const BuiltinCall *call, GError **error)
{
  Value *found;

  if (!value_is_hashable (call->bound[0]))
    return builtin_wants ("get", "something that can be a key", call->bound[0], error);
  found = value_dict_get (call->self, call->bound[0]);
  if (found == NULL)
    found = call->bound[1];
  return found == NULL ? value_none () : value_ref (found);
}

/* ---- Dates ------------------------------------------------------------------------------------
 */

static GDateTime *
glib_time (const ValueTime *time)
{
  g_autoptr (GTimeZone) zone =
      time->aware ? g_time_zone_new_offset (time->offset) : g_time_zone_new_local ();

  return g_date_time_new (zone, time->year, time->month, time->day, time->hour, time->minute,
                          time->second + time->microsecond / 1e6);
}

static void
append_offset (GString *text, gint32 offset)
{
  gint32 size = ABS (offset);

  g_string_append_printf (text, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
  if (size % 60 != 0)
    g_string_append_printf (text, ":%02d", size % 60);
}

static Value *
call_isoformat (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  const ValueTime *time = &call->self->time;
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%04d-%02d-%02d", time->year, time->month, time->day);
  if (call->self->kind == VALUE_DATE)
    return value_str_take (text);
  g_string_append_printf (text, "T%02d:%02d:%02d", time->hour, time->minute, time->second);
  if (time->microsecond != 0)
    g_string_append_printf (text, ".%06d", time->microsecond);
  if (time->aware)
    append_offset (text, time->offset);
  return value_str_take (text);
}

static Value *
call_strftime (const BuiltinCall *call, GError **error)
{
  g_autoptr (GDateTime) moment = glib_time (&call->self->time);
  g_autofree char *text = NULL;

  if (call->bound[0]->kind != VALUE_STR)
    return builtin_wants ("strftime", "a str", call->bound[0], error);
  text = moment != NULL ? g_date_time_format (moment, call->bound[0]->text.bytes) : NULL;
  if (text != NULL)
    return value_str (text, -1);
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, "this is no format for a date");
  return NULL;
}

static Value *
call_timestamp (const BuiltinCall *call, GError **error)
{
  g_autoptr (GDateTime) moment = glib_time (&call->self->time);

  if (moment != NULL)
    return value_float ((double) g_date_time_to_unix (moment) + call->self->time.microsecond / 1e6);
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, "there is no such local time");
  return NULL;
}

static Value *
call_weekday (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  const ValueTime *time = &call->self->time;

  /* day 1 was a Monday, which Python counts as 0 */
  return value_int ((value_time_ordinal (time->year, time->month, time->day) + 6) % 7);
}

static Value *
call_date (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  const ValueTime *time = &call->self->time;

  return value_date (time->year, time->month, time->day);
}

static Value *
call_total_seconds (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  const ValueDelta *delta = &call->self->delta;

  return value_float (delta->days * 86400.0 + delta->seconds + delta->microseconds / 1e6);
}

const Builtin builtin_sequence_methods[] = {
  { "count", call_count, { { "value", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY } } },
  { "index", call_index, { { "value", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY } } },
  { 0 },
};

const Builtin builtin_dict_methods[] = {
  { "get",
    call_get,
    { { "key", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY }, { "default", PARAM_POSITIONAL_ONLY } } },
  { "items", call_items, { { 0 } } },
  { "keys", call_keys, { { 0 } } },
  { "values", call_values, { { 0 } } },
  { 0 },
};

const Builtin builtin_date_methods[] = {
  { "date", call_date, { { 0 } } },
  { "isoformat", call_isoformat, { { 0 } } },
  { "strftime", call_strftime, { { "format", PARAM_REQUIRED } } },
  { "timestamp", call_timestamp, { { 0 } } },
  { "weekday", call_weekday, { { 0 } } },
  { 0 },
};

const Builtin builtin_delta_methods[] = {
  { "total_seconds", call_total_seconds, { { 0 } } },
  { 0 },
};
