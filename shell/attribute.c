/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attribute.c - value.name: fields of records, parts of dates, methods, names for completion
 *
 * The lookup in all the tables of builtins.h.
 */
#include "builtins.h"

#include "eval-error.h"

#include <string.h>

static const Builtin *
find_in (const Builtin *table, const char *name)
{
  for (; table->name != NULL; table++)
    if (strcmp (table->name, name) == 0)
      return table;
  return NULL;
}

const Builtin *
builtin_find (const char *name)
{
  const Builtin *found = find_in (builtin_functions, name);

  return found != NULL ? found : find_in (builtin_date_functions, name);
}

/* The tables that hold the methods of a kind; unused places are NULL. */
static void
method_tables (ValueKind kind, const Builtin *tables[2])
{
  tables[0] = tables[1] = NULL;
  switch (kind)
    {
    case VALUE_STR:
      tables[0] = builtin_text_methods;
      tables[1] = builtin_str_methods;
      break;
    case VALUE_BYTES:
      tables[0] = builtin_text_methods;
      tables[1] = builtin_bytes_methods;
      break;
    case VALUE_LIST:
    case VALUE_TUPLE:
      tables[0] = builtin_sequence_methods;
      break;
    case VALUE_DICT:
      tables[0] = builtin_dict_methods;
      break;
    case VALUE_DATE:
    case VALUE_DATETIME:
      tables[0] = builtin_date_methods;
      break;
    case VALUE_TIMEDELTA:
      tables[0] = builtin_delta_methods;
      break;
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_TIMEZONE:
    case VALUE_RECORD:
    case VALUE_OBJECT:
    case VALUE_BUILTIN:
    case VALUE_METHOD:
      break;
    }
}

const Builtin *
builtin_find_method (ValueKind kind, const char *name)
{
  const Builtin *tables[2], *found = NULL;

  method_tables (kind, tables);
  for (guint i = 0; i < 2 && tables[i] != NULL && found == NULL; i++)
    found = find_in (tables[i], name);
  return found;
}

/* ---- Attributes that are values ---------------------------------------------------------------
 */

static const char *const date_parts[] = { "year", "month", "day", NULL };
static const char *const time_parts[] = { "year",   "month",       "day",    "hour", "minute",
                                          "second", "microsecond", "tzinfo", NULL };
static const char *const delta_parts[] = { "days", "seconds", "microseconds", NULL };

static Value *
time_part (const Value *value, const char *name)
{
  const ValueTime *time = &value->time;
  const char *const *names = value->kind == VALUE_DATE ? date_parts : time_parts;

  if (!g_strv_contains (names, name))
    return NULL;
  if (strcmp (name, "year") == 0)
    return value_int (time->year);
  if (strcmp (name, "month") == 0)
    return value_int (time->month);
  if (strcmp (name, "day") == 0)
    return value_int (time->day);
  if (strcmp (name, "hour") == 0)
    return value_int (time->hour);
  if (strcmp (name, "minute") == 0)
    return value_int (time->minute);
  if (strcmp (name, "second") == 0)
    return value_int (time->second);
  if (strcmp (name, "microsecond") == 0)
    return value_int (time->microsecond);
  return time->aware ? value_timezone (time->offset) : value_none ();
}

static Value *
delta_part (const Value *value, const char *name)
{
  if (strcmp (name, "days") == 0)
    return value_int (value->delta.days);
  if (strcmp (name, "seconds") == 0)
    return value_int (value->delta.seconds);
  if (strcmp (name, "microseconds") == 0)
    return value_int (value->delta.microseconds);
  return NULL;
}

/* datetime.date, datetime.now, timezone.utc */
static Value *
builtin_part (const Value *value, const char *name)
{
  const char *owner = value->builtin->name;
  g_autofree char *full = g_strdup_printf ("%s.%s", owner, name);
  const Builtin *found = find_in (builtin_date_functions, full);

  if (found != NULL)
    return value_builtin (found);
  if (strcmp (full, "timezone.utc") == 0)
    return value_timezone (0);
  if (strcmp (owner, "datetime") == 0 && strchr (name, '.') == NULL)
    {
      found = find_in (builtin_date_functions, name);
      return found != NULL ? value_builtin (found) : NULL;
    }
  return NULL;
}

/* NULL without an error: there is none of that name. */
static Value *
plain_attribute (Value *value, const char *name, GError **error)
{
  Value *found = NULL;

  switch ((ValueKind) value->kind)
    {
    case VALUE_RECORD:
      found = value_record_get (value, name);
      return found != NULL ? value_ref (found) : NULL;
    case VALUE_LIST:
    case VALUE_TUPLE:
      if (value->seq.attributes != NULL)
        found = value_record_get (value->seq.attributes, name);
      return found != NULL ? value_ref (found) : NULL;
    case VALUE_DATE:
    case VALUE_DATETIME:
      return time_part (value, name);
    case VALUE_TIMEDELTA:
      return delta_part (value, name);
    case VALUE_BUILTIN:
      return builtin_part (value, name);
    case VALUE_OBJECT:
      if (g_strv_contains (value->object.class->methods, name))
        return value_method (value, name, NULL);
      return value->object.class->get != NULL
                 ? value->object.class->get (value->object.self, name, error)
                 : NULL;
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_STR:
    case VALUE_BYTES:
    case VALUE_DICT:
    case VALUE_TIMEZONE:
    case VALUE_METHOD:
      break;
    }
  return NULL;
}

static const char *
hint (const Value *value, const char *name)
{
  static const char *const changing[] = { "append", "extend", "insert", "remove",  "pop",
                                          "clear",  "sort",   "update", "reverse", NULL };

  if ((value_is_sequence (value) || value->kind == VALUE_DICT) && g_strv_contains (changing, name))
    return " (values do not change here; make a new one with +, sorted() or dict())";
  return "";
}

Value *
builtin_attribute (Value *value, const char *name, GError **error)
{
  GError *problem = NULL;
  Value *found = plain_attribute (value, name, &problem);
  const Builtin *method;

  if (found != NULL)
    return found;
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  method = builtin_find_method (value->kind, name);
  if (method != NULL && !(value->kind == VALUE_DATE && strcmp (name, "date") == 0))
    return value_method (value, name, method);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_ATTRIBUTE, "%s has no attribute '%s'%s",
               value_type_name (value), name, hint (value, name));
  return NULL;
}

/* ---- Names for completion ---------------------------------------------------------------------
 */

static void
add_names (GPtrArray *names, const char *const *more)
{
  for (; more != NULL && *more != NULL; more++)
    g_ptr_array_add (names, g_strdup (*more));
}

static void
add_table (GPtrArray *names, const Builtin *table)
{
  for (; table != NULL && table->name != NULL; table++)
    if (strchr (table->name, '.') == NULL)
      g_ptr_array_add (names, g_strdup (table->name));
}

static void
add_builtin_parts (GPtrArray *names, const char *owner)
{
  gsize size = strlen (owner);

  for (const Builtin *each = builtin_date_functions; each->name != NULL; each++)
    if (strncmp (each->name, owner, size) == 0 && each->name[size] == '.')
      g_ptr_array_add (names, g_strdup (each->name + size + 1));
  if (strcmp (owner, "timezone") == 0)
    g_ptr_array_add (names, g_strdup ("utc"));
  if (strcmp (owner, "datetime") == 0)
    add_table (names, builtin_date_functions);
}

static void
add_fields (GPtrArray *names, const Value *record)
{
  for (guint i = 0; record != NULL && i < record->record.type->n_fields; i++)
    g_ptr_array_add (names, g_strdup (record->record.type->fields[i]));
}

char **
builtin_names (const Value *value)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const Builtin *tables[2] = { builtin_functions, builtin_date_functions };

  if (value != NULL)
    {
      method_tables (value->kind, tables);
      if (value->kind == VALUE_RECORD)
        add_fields (names, value);
      else if (value_is_sequence (value))
        add_fields (names, value->seq.attributes);
      else if (value->kind == VALUE_DATE || value->kind == VALUE_DATETIME)
        add_names (names, value->kind == VALUE_DATE ? date_parts : time_parts);
      else if (value->kind == VALUE_TIMEDELTA)
        add_names (names, delta_parts);
      else if (value->kind == VALUE_BUILTIN)
        add_builtin_parts (names, value->builtin->name);
      else if (value->kind == VALUE_OBJECT)
        {
          add_names (names, value->object.class->methods);
          add_names (names, value->object.class->attributes);
        }
    }
  add_table (names, tables[0]);
  add_table (names, tables[1]);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
