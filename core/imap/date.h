/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * date.h - IMAP's date-time and date (RFC 9051 section 9)
 *
 * Not RFC 5322 dates of messages: GMime reads those. Civil-calendar arithmetic
 * only; no time zone database, no locale, no clock. */
#pragma once

#include <mailrack/mailrack-types.h>

/* "17-Jul-1996 02:44:25 -0700", day with or without a leading blank or zero. seconds: UTC since the
 * epoch; zone: minutes east. FALSE: not a date. */
gboolean rack_date_time_parse (RackStr text, gint64 *seconds, gint16 *zone);
#define RACK_DATE_TIME_SIZE 27
/* Writes RACK_DATE_TIME_SIZE bytes with the NUL. Years outside 1 to 9999 are clamped. */
void rack_date_time_format (gint64 seconds, gint zone, char buffer[RACK_DATE_TIME_SIZE]);
