/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* builtin-dates.c - date, datetime, timedelta and timezone, also under Python's module name
 *
 * `datetime` is both the module and the type, as sessions that paste results need it:
 * datetime.datetime(2011, 2, 24, 19, 30) and datetime(2011, 2, 24) give the same kind of value.
 */
#include "builtins.h"

#include "eval-error.h"

#include <math.h>
#include <string.h>

static Value *
bad_value (const char *message, GError **error)
{
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, message);
  return NULL;
}

/* Reads the arguments from `first` on as numbers that a ValueTime can hold. */
static gboolean
small_ints (const BuiltinCall *call, const char *function, guint n, gint64 *numbers, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      if (!builtin_int (function, call->bound[i], i < 3 ? 1 : 0, &numbers[i], error))
        return FALSE;
      if (numbers[i] < 0 || numbers[i] > 999999)
        {
          bad_value ("there is no such date or time", error);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
fits_bytes (const gint64 *numbers, guint n)
{
  for (guint i = 0; i < n; i++)
    if (numbers[i] > 255)
      return FALSE;
  return TRUE;
}

static Value *
call_date (const BuiltinCall *call, GError **error)
{
  gint64 n[3];
  ValueTime time = { 0 };

  if (!small_ints (call, "date", 3, n, error))
    return NULL;
  time = (ValueTime){ .year = n[0], .month = n[1] & 0xff, .day = n[2] & 0xff };
  if (!fits_bytes (n + 1, 2) || !value_time_valid (&time))
    return bad_value ("there is no such date", error);
  return value_date (time.year, time.month, time.day);
}

static Value *
call_datetime (const BuiltinCall *call, GError **error)
{
  Value *zone = call->bound[7];
  gint64 n[7];
  ValueTime time;

  if (!small_ints (call, "datetime", 7, n, error))
    return NULL;
  if (zone != NULL && zone->kind != VALUE_NONE && zone->kind != VALUE_TIMEZONE)
    return builtin_wants ("datetime", "a timezone as tzinfo", zone, error);
  time = (ValueTime){ .year = n[0],
                      .month = n[1] & 0xff,
                      .day = n[2] & 0xff,
                      .hour = n[3] & 0xff,
                      .minute = n[4] & 0xff,
                      .second = n[5] & 0xff,
                      .microsecond = n[6] };
  if (zone != NULL && zone->kind == VALUE_TIMEZONE)
    {
      time.aware = TRUE;
      time.offset = zone->offset;
    }
  if (!fits_bytes (n + 1, 5) || !value_time_valid (&time))
    return bad_value ("there is no such date or time", error);
  return value_datetime (&time);
}

/* All parts may be fractions and negative; each carries over into the smaller ones. */
static Value *
call_timedelta (const BuiltinCall *call, GError **error)
{
  static const double unit_seconds[] = { 86400, 1, 1e-6, 1e-3, 60, 3600, 604800 };
  gint64 seconds = 0, microseconds = 0;

  for (guint i = 0; i < G_N_ELEMENTS (unit_seconds); i++)
    {
      const Value *part = call->bound[i];
      gint64 whole;
      double amount;

      if (part == NULL)
        continue;
      if (value_get_int64 (part, &whole))
        amount = (double) whole;
      else if (part->kind == VALUE_FLOAT)
        amount = part->real;
      else
        return builtin_wants ("timedelta", "numbers", part, error);
      amount *= unit_seconds[i];
      if (!(fabs (amount) < 8.64e13))
        {
          g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_OVERFLOW,
                               "this time span is too long");
          return NULL;
        }
      seconds += (gint64) floor (amount);
      microseconds += llround ((amount - floor (amount)) * 1e6);
    }
  return value_timedelta (0, seconds, microseconds);
}

static Value *
call_timezone (const BuiltinCall *call, GError **error)
{
  const Value *delta = call->bound[0];
  gint64 seconds;

  if (delta->kind != VALUE_TIMEDELTA)
    return builtin_wants ("timezone", "a timedelta", delta, error);
  seconds = delta->delta.days * G_GINT64_CONSTANT (86400) + delta->delta.seconds;
  if (seconds <= -86400 || seconds >= 86400 || delta->delta.microseconds != 0)
    return bad_value ("a timezone is whole seconds and less than a day from UTC", error);
  return value_timezone ((gint32) seconds);
}

static ValueTime
time_from_glib (GDateTime *moment, gboolean aware)
{
  return (ValueTime){ .year = g_date_time_get_year (moment),
                      .month = g_date_time_get_month (moment),
                      .day = g_date_time_get_day_of_month (moment),
                      .hour = g_date_time_get_hour (moment),
                      .minute = g_date_time_get_minute (moment),
                      .second = g_date_time_get_second (moment),
                      .microsecond = g_date_time_get_microsecond (moment),
                      .aware = aware,
                      .offset = aware ? g_date_time_get_utc_offset (moment) / 1000000 : 0 };
}

static Value *
call_now (const BuiltinCall *call, GError **error)
{
  const Value *zone = call->bound[0];
  gboolean aware = zone != NULL && zone->kind == VALUE_TIMEZONE;
  g_autoptr (GTimeZone) tz = NULL;
  g_autoptr (GDateTime) now = NULL;
  ValueTime time;

  if (zone != NULL && zone->kind != VALUE_NONE && !aware)
    return builtin_wants ("datetime.now", "a timezone", zone, error);
  tz = aware ? g_time_zone_new_offset (zone->offset) : g_time_zone_new_local ();
  now = g_date_time_new_now (tz);
  time = time_from_glib (now, aware);
  return value_datetime (&time);
}

static Value *
call_utcnow (G_GNUC_UNUSED const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  ValueTime time = time_from_glib (now, FALSE);

  return value_datetime (&time);
}

static Value *
call_date_today (G_GNUC_UNUSED const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  ValueTime time = time_from_glib (now, FALSE);

  return value_date (time.year, time.month, time.day);
}

/* "2011-02-24", optionally with "T19:30:36.5+01:00". */
static Value *
from_iso (const Value *text, gboolean date_only, GError **error)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) moment = NULL;
  g_autofree char *full = NULL;
  const char *clock = NULL;
  ValueTime time;

  if (text->kind != VALUE_STR)
    return builtin_wants ("fromisoformat", "a str", text, error);
  if (text->text.size >= 10 && text->text.size < 64)
    clock = text->text.bytes + 10;
  if (clock != NULL && *clock == '\0')
    full = g_strdup_printf ("%sT00:00:00", text->text.bytes);
  else if (clock != NULL && !date_only)
    full = g_strdup (text->text.bytes);
  if (full != NULL && full[10] == ' ')
    full[10] = 'T';
  moment = full != NULL ? g_date_time_new_from_iso8601 (full, utc) : NULL;
  if (moment == NULL)
    return bad_value (date_only ? "a date is written 2011-02-24"
                                : "a time is written 2011-02-24T19:30:36",
                      error);
  time = time_from_glib (moment, strpbrk (full + 10, "+-Z") != NULL);
  if (!value_time_valid (&time))
    return bad_value ("there is no such date or time", error);
  return date_only ? value_date (time.year, time.month, time.day) : value_datetime (&time);
}

static Value *
call_date_fromisoformat (const BuiltinCall *call, GError **error)
{
  return from_iso (call->bound[0], TRUE, error);
}

static Value *
call_datetime_fromisoformat (const BuiltinCall *call, GError **error)
{
  return from_iso (call->bound[0], FALSE, error);
}

#define TEXT                                                                                       \
  {                                                                                                \
    {                                                                                              \
      "text", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY                                               \
    }                                                                                              \
  }

const Builtin builtin_date_functions[] = {
  { "date",
    call_date,
    { { "year", PARAM_REQUIRED }, { "month", PARAM_REQUIRED }, { "day", PARAM_REQUIRED } } },
  { "date.fromisoformat", call_date_fromisoformat, TEXT },
  { "date.today", call_date_today, { { 0 } } },
  { "datetime",
    call_datetime,
    { { "year", PARAM_REQUIRED },
      { "month", PARAM_REQUIRED },
      { "day", PARAM_REQUIRED },
      { "hour", PARAM_OPTIONAL },
      { "minute", PARAM_OPTIONAL },
      { "second", PARAM_OPTIONAL },
      { "microsecond", PARAM_OPTIONAL },
      { "tzinfo", PARAM_OPTIONAL } } },
  { "datetime.fromisoformat", call_datetime_fromisoformat, TEXT },
  { "datetime.now", call_now, { { "tz", PARAM_OPTIONAL } } },
  { "datetime.today", call_now, { { 0 } } },
  { "datetime.utcnow", call_utcnow, { { 0 } } },
  { "timedelta",
    call_timedelta,
    { { "days", PARAM_OPTIONAL },
      { "seconds", PARAM_OPTIONAL },
      { "microseconds", PARAM_OPTIONAL },
      { "milliseconds", PARAM_OPTIONAL },
      { "minutes", PARAM_OPTIONAL },
      { "hours", PARAM_OPTIONAL },
      { "weeks", PARAM_OPTIONAL } } },
  { "timezone", call_timezone, { { "offset", PARAM_REQUIRED } } },
  { 0 },
};
