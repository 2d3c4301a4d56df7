/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* value-time.c - the calendar of dates and times: proleptic Gregorian, years 1 to 9999
 *
 * Arithmetic only: no clock, no time zone database.
 */
#include "value-private.h"

#define DAY_MICROSECONDS (G_GINT64_CONSTANT (86400) * 1000000)

static gboolean
is_leap (gint32 year)
{
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static guint
days_in_month (gint32 year, guint month)
{
  static const guint8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

  return month == 2 && is_leap (year) ? 29 : days[month - 1];
}

gboolean
value_time_valid (const ValueTime *time)
{
  if (time->year < 1 || time->year > 9999 || time->month < 1 || time->month > 12)
    return FALSE;
  if (time->day < 1 || time->day > days_in_month (time->year, time->month))
    return FALSE;
  if (time->hour > 23 || time->minute > 59 || time->second > 59)
    return FALSE;
  if (time->microsecond < 0 || time->microsecond > 999999)
    return FALSE;
  return !time->aware || (time->offset > -86400 && time->offset < 86400);
}

static gint64
days_before_year (gint32 year)
{
  gint64 y = year - 1;

  return y * 365 + y / 4 - y / 100 + y / 400;
}

gint64
value_time_ordinal (gint32 year, guint month, guint day)
{
  gint64 ordinal = days_before_year (year) + day;

  for (guint m = 1; m < month; m++)
    ordinal += days_in_month (year, m);
  return ordinal;
}

void
value_time_from_ordinal (gint64 ordinal, ValueTime *time)
{
  gint32 year = (gint32) ((ordinal - 1) * 400 / 146097) + 1; /* at most one off */
  guint month = 1;
  gint64 day;

  while (days_before_year (year) >= ordinal)
    year--;
  while (days_before_year (year + 1) < ordinal)
    year++;
  day = ordinal - days_before_year (year);
  while (day > days_in_month (year, month))
    day -= days_in_month (year, month++);
  time->year = year;
  time->month = month;
  time->day = day;
}

gint64
value_time_microseconds (const ValueTime *time)
{
  gint64 seconds = value_time_ordinal (time->year, time->month, time->day) - 1;

  seconds = seconds * 86400 + time->hour * 3600 + time->minute * 60 + time->second;
  if (time->aware)
    seconds -= time->offset;
  return seconds * 1000000 + time->microsecond;
}

gboolean
value_time_from_microseconds (gint64 microseconds, gboolean aware, gint32 offset, ValueTime *time)
{
  gint64 local = microseconds + (aware ? (gint64) offset * 1000000 : 0);
  gint64 days = local / DAY_MICROSECONDS;
  gint64 rest = local % DAY_MICROSECONDS;

  if (local < 0 || days + 1 > value_time_ordinal (9999, 12, 31))
    return FALSE;
  *time = (ValueTime){ .aware = aware, .offset = aware ? offset : 0 };
  value_time_from_ordinal (days + 1, time);
  time->microsecond = rest % 1000000;
  rest /= 1000000;
  time->second = rest % 60;
  time->minute = rest / 60 % 60;
  time->hour = rest / 3600;
  return TRUE;
}

gint64
value_delta_microseconds (const ValueDelta *delta)
{
  /* The widest delta is 8.64e22 microseconds: too many for 64 bits, so stop at the ends, which are
   * far outside the calendar. */
  gint64 seconds = delta->days * G_GINT64_CONSTANT (86400) + delta->seconds;

  if (seconds > G_MAXINT64 / 4000000)
    return G_MAXINT64 / 4;
  if (seconds < -(G_MAXINT64 / 4000000))
    return -(G_MAXINT64 / 4);
  return seconds * 1000000 + delta->microseconds;
}
