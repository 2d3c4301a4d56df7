/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * date.c - IMAP's date-time; the contract is in date.h */
#include "date.h"

#include <string.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days from 1970-01-01 in the proleptic Gregorian calendar; eras of 400 years begin in March. */
static gint64
days_from_civil (gint year, gint month, gint day)
{
  year -= month <= 2;
  gint era = (year >= 0 ? year : year - 399) / 400;
  gint of_era = year - era * 400;
  gint of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

  return (gint64) era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
civil_from_days (gint64 days, gint *year, gint *month, gint *day)
{
  days += 719468;
  gint64 era = (days >= 0 ? days : days - 146096) / 146097;
  gint of_era = (gint) (days - era * 146097);
  gint year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  gint of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  gint shifted = (5 * of_year + 2) / 153;

  *day = of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
  *year = (gint) (era * 400 + year_of_era) + (*month <= 2);
}

/* Exactly n digits; -1 otherwise. */
static gint
digits (const char *at, guint n)
{
  gint number = 0;

  for (guint i = 0; i < n; i++)
    {
      if (!g_ascii_isdigit (at[i]))
        return -1;
      number = number * 10 + at[i] - '0';
    }
  return number;
}

static gint
month_number (const char *at)
{
  char word[3];

  for (guint i = 0; i < 3; i++)
    word[i] = i == 0 ? g_ascii_toupper (at[i]) : g_ascii_tolower (at[i]);
  for (gint i = 0; i < 12; i++)
    if (memcmp (months + i * 3, word, 3) == 0)
      return i + 1;
  return -1;
}

gboolean
rack_date_time_parse (RackStr text, gint64 *seconds, gint16 *zone)
{
  const char *at = text.data;
  gsize size = text.size;
  gint day;

  while (size > 0 && *at == ' ')
    {
      at++;
      size--;
    }
  if (size == 25) /* a day of one digit */
    {
      day = digits (at, 1);
      at += 1;
    }
  else if (size == 26)
    {
      day = digits (at, 2);
      at += 2;
    }
  else
    return FALSE;
  /* "-Jul-1996 02:44:25 -0700" */
  gint month = month_number (at + 1), year = digits (at + 5, 4), hour = digits (at + 10, 2);
  gint minute = digits (at + 13, 2), second = digits (at + 16, 2);
  gint zone_hours = digits (at + 20, 2), zone_minutes = digits (at + 22, 2);
  if (day < 1 || day > 31 || month < 1 || year < 0 || hour < 0 || hour > 24 || minute < 0
      || minute > 59 || second < 0 || second > 60 || zone_hours < 0 || zone_minutes < 0
      || at[0] != '-' || at[4] != '-' || at[9] != ' ' || at[12] != ':' || at[15] != ':'
      || at[18] != ' ' || (at[19] != '+' && at[19] != '-'))
    return FALSE;
  gint offset = (zone_hours * 60 + zone_minutes) * (at[19] == '-' ? -1 : 1);
  *zone = (gint16) offset;
  *seconds =
      days_from_civil (year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset * 60;
  return TRUE;
}

void
rack_date_time_format (gint64 seconds, gint zone, char buffer[RACK_DATE_TIME_SIZE])
{
  const gint64 first = days_from_civil (1, 1, 2) * 86400;
  const gint64 last = days_from_civil (9999, 12, 30) * 86400;
  gint year, month, day;

  zone = CLAMP (zone, -14 * 60, 14 * 60);
  gint64 local = CLAMP (seconds, first, last) + zone * 60;
  gint64 days = local >= 0 ? local / 86400 : -((-local + 86399) / 86400);
  gint of_day = (gint) (local - days * 86400);
  civil_from_days (days, &year, &month, &day);
  g_snprintf (buffer, RACK_DATE_TIME_SIZE, "%2d-%.3s-%04d %02d:%02d:%02d %c%02d%02d", day,
              months + (month - 1) * 3, year, of_day / 3600, of_day / 60 % 60, of_day % 60,
              zone < 0 ? '-' : '+', ABS (zone) / 60, ABS (zone) % 60);
}
