/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client-args.c - values of a call as arguments of a command: texts, names, sets, times */
#include "change.h"
#include "client-private.h"

#include <string.h>

/* As the library has it for its own sets (RFC 7162 section 4; Dovecot's own limit is 65536). */
#define SET_OCTETS 7000

/* ---- Texts ---------------------------------------------------------------------------------- */

const char *
client_text (const Value *value)
{
  return value != NULL && value_is_text (value) ? value->text.bytes : NULL;
}

gboolean
client_need_text (const Value *value, const char *what, GError **error)
{
  if (client_text (value) == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s must be str or bytes, not %s", what,
                   value != NULL ? value_type_name (value) : "NoneType");
      return FALSE;
    }
  if (strlen (value->text.bytes) == value->text.size)
    return TRUE;
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "%s holds a NUL, which no command can", what);
  return FALSE;
}

char *
client_folder (const Shell *shell, const Value *value, const char *what, GError **error)
{
  if (!client_need_text (value, what, error))
    return NULL;
  if (!shell->folder_encode)
    return rack_mailbox_name_decode ((RackStr){ value->text.bytes, value->text.size });
  if (g_utf8_validate (value->text.bytes, (gssize) value->text.size, NULL))
    return g_strdup (value->text.bytes);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_UNICODE, "%s is not UTF-8", what);
  return NULL;
}

Value *
client_folder_value (const Shell *shell, RackStr wire)
{
  if (!shell->folder_encode)
    return convert_str (wire);
  g_autofree char *name = rack_mailbox_name_decode (wire);
  return value_str (name, -1);
}

gboolean
client_add_words (RackCommand *command, const Value *words, const char *what, GError **error)
{
  gboolean many = words != NULL && value_is_sequence (words);

  if (!many && client_text (words) == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                   "%s must be str, bytes, or a list of them, not %s", what,
                   words != NULL ? value_type_name (words) : "NoneType");
      return FALSE;
    }
  rack_command_open (command);
  for (guint i = 0; i < (many ? words->seq.n : 1); i++)
    {
      const Value *word = many ? words->seq.items[i] : words;
      if (!client_need_text (word, what, error))
        return FALSE;
      rack_command_raw (command, client_text (word));
    }
  rack_command_close (command);
  return TRUE;
}

/* ---- Times ---------------------------------------------------------------------------------- */

gboolean
client_add_time (RackCommand *command, const Value *time, const char *what, GError **error)
{
  if (time->kind != VALUE_DATETIME)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE, "%s must be a datetime, not %s", what,
                   value_type_name (time));
      return FALSE;
    }
  const ValueTime *at = &time->time;
  g_autoptr (GTimeZone) zone =
      at->aware ? g_time_zone_new_offset (at->offset) : g_time_zone_new_local ();
  g_autoptr (GDateTime) there =
      g_date_time_new (zone, at->year, at->month, at->day, at->hour, at->minute, at->second);
  if (there == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "%s is no time of this zone", what);
      return FALSE;
    }
  rack_command_date_time (command, g_date_time_to_unix (there),
                          (gint) (g_date_time_get_utc_offset (there) / G_TIME_SPAN_MINUTE));
  return TRUE;
}

/* ---- Sets of messages ----------------------------------------------------------------------- */

static gboolean
add_text (RackSet *set, const Value *value, GError **error)
{
  g_autoptr (RackSet) some = NULL;
  g_autoptr (GError) problem = NULL;

  if (!client_need_text (value, "a set of messages", error))
    return FALSE;
  some = rack_set_parse (client_text (value), &problem);
  if (some == NULL)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, problem->message);
      return FALSE;
    }
  rack_set_merge (set, some);
  return TRUE;
}

/* Numbers go to numbers, texts to set. */
static gboolean
collect (RackSet *set, GArray *numbers, const Value *value, GError **error)
{
  guint64 wide;

  if (value != NULL && value_get_uint64 (value, &wide) && wide > 0 && wide < RACK_SET_STAR)
    {
      guint32 number = (guint32) wide;
      g_array_append_val (numbers, number);
      return TRUE;
    }
  if (client_text (value) != NULL)
    return add_text (set, value, error);
  if (value != NULL && value_is_sequence (value))
    {
      for (guint i = 0; i < value->seq.n; i++)
        if (!collect (set, numbers, value->seq.items[i], error))
          return FALSE;
      return TRUE;
    }
  if (value != NULL && value->kind == VALUE_INT)
    g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE,
                         "messages are numbered from 1 to 4294967294");
  else
    g_set_error (error, EVAL_ERROR, EVAL_ERROR_TYPE,
                 "messages are an int, a str like '1:5,9', or a list of them, not %s",
                 value != NULL ? value_type_name (value) : "NoneType");
  return FALSE;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const guint32 *x = a, *y = b;

  return *x < *y ? -1 : *x > *y;
}

/* A set takes ascending numbers at once, and what SORT found is in any order. */
static RackSet *
messages_of (const Value *value, GError **error)
{
  g_autoptr (RackSet) set = rack_set_new ();
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint32));

  if (!collect (set, numbers, value, error))
    return NULL;
  g_array_sort (numbers, compare_numbers);
  for (guint i = 0; i < numbers->len; i++)
    rack_set_add (set, g_array_index (numbers, guint32, i), g_array_index (numbers, guint32, i));
  return g_steal_pointer (&set);
}

static gsize
range_size (RackRange range)
{
  char text[32];

  if (range.first == range.last)
    return (gsize) g_snprintf (text, sizeof text, "%u,", range.first);
  return (gsize) g_snprintf (text, sizeof text, "%u:%u,", range.first, range.last);
}

GPtrArray *
client_sets (const Value *messages, GError **error)
{
  g_autoptr (RackSet) all = messages_of (messages, error);
  g_autoptr (GPtrArray) sets = g_ptr_array_new_with_free_func ((GDestroyNotify) rack_set_free);
  gsize octets = SET_OCTETS;

  if (all == NULL)
    return NULL;
  RackRanges ranges = rack_set_ranges (all);
  for (gsize i = 0; i < ranges.n; i++)
    {
      octets += range_size (ranges.items[i]);
      if (octets > SET_OCTETS)
        {
          g_ptr_array_add (sets, rack_set_new ());
          octets = range_size (ranges.items[i]);
        }
      rack_set_add (g_ptr_array_index (sets, sets->len - 1), ranges.items[i].first,
                    ranges.items[i].last);
    }
  return g_steal_pointer (&sets);
}

GPtrArray *
client_need_sets (const Value *messages, GError **error)
{
  g_autoptr (GPtrArray) sets = client_sets (messages, error);

  if (sets == NULL || sets->len > 0)
    return g_steal_pointer (&sets);
  g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, "no messages are given");
  return NULL;
}

RackCommand *
client_set_command (const Shell *shell, const char *name, const RackSet *set)
{
  g_autofree char *full = g_strconcat (shell->use_uid ? "UID " : "", name, NULL);
  RackCommand *command = rack_command_new (full);

  rack_command_set (command, set);
  return command;
}

gboolean
client_goes_on (gboolean last, GError **error)
{
  if (last || !g_error_matches (*error, CHANGE_ERROR, CHANGE_ERROR_DRY_RUN))
    return FALSE;
  g_clear_error (error);
  return TRUE;
}
