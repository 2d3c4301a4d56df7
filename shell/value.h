/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* value.h - the values of the interactive session
 *
 * What a call gives and takes: Python's literals (None, bool, int, float, str, bytes, list, tuple,
 * dict), its dates and times, the records of mail (Envelope, Address, ...) and objects the program
 * supplies. Values are reference counted and do not change once somebody else holds them: a
 * container is filled by the one who made it, before it is handed on. So no value can hold itself,
 * and none needs a collector.
 *
 * Not here: how values print (repr.h, printer.h), how they compute (operators.h) and what IMAP
 * means by them.
 *
 * Threads: a value belongs to one thread at a time; the counts are not atomic. Handing a whole
 * value over through a queue or a main context is fine.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct Value Value;
typedef struct Builtin Builtin;

typedef enum
{
  VALUE_NONE,
  VALUE_BOOL,
  VALUE_INT, /* -2**63 to 2**64-1 */
  VALUE_FLOAT,
  VALUE_STR,   /* valid UTF-8; may hold NUL */
  VALUE_BYTES, /* any octets */
  VALUE_LIST,
  VALUE_TUPLE,
  VALUE_DICT, /* keeps the order of insertion */
  VALUE_DATE,
  VALUE_DATETIME,
  VALUE_TIMEDELTA,
  VALUE_TIMEZONE,
  VALUE_RECORD,  /* a fixed set of named fields, as a Python dataclass */
  VALUE_OBJECT,  /* something of the program's with methods: the client `c` */
  VALUE_BUILTIN, /* a function or type of the language: len, str, datetime */
  VALUE_METHOD,  /* a method taken from a value or object, not yet called */
} ValueKind;

typedef struct
{
  gint32 year; /* 1 to 9999 */
  guint8 month, day, hour, minute, second;
  guint aware : 1; /* offset means something */
  gint32 microsecond;
  gint32 offset; /* seconds east of UTC, less than a day either way */
} ValueTime;

typedef struct
{
  gint32 days;
  gint32 seconds;      /* 0 to 86399 */
  gint32 microseconds; /* 0 to 999999 */
} ValueDelta;

/* A kind of record: static data of the program. */
typedef struct
{
  const char *name;
  guint n_fields;
  const char *const *fields;
} RecordType;

/* The arguments of one call; everything is borrowed for its duration. */
typedef struct
{
  Value *const *positional;
  guint n_positional;
  const char *const *names; /* of the keyword arguments */
  Value *const *values;
  guint n_keywords;
} CallArgs;

/* What an object of the program's can do. All functions return a new reference, or NULL with
 * `error` set (EVAL_ERROR with a Python-like kind, or an error of the program's own). */
typedef struct
{
  const char *type_name;
  Value *(*call) (gpointer self, const char *method, const CallArgs *args, GError **error);
  /* NULL without an error: there is no such attribute. */
  Value *(*get) (gpointer self, const char *name, GError **error);
  /* NULL: attributes cannot be set. */
  gboolean (*set) (gpointer self, const char *name, Value *value, GError **error);
  /* The names of the methods, and of the attributes, for completion and error messages. */
  const char *const *methods;
  const char *const *attributes;
} ObjectClass;

typedef struct
{
  Value *key;
  Value *value;
} ValuePair;

/* The fields are for reading; only value.c writes them. */
struct Value
{
  guint32 refs;
  guint8 kind;
  guint truth : 1;    /* BOOL: true; INT: negative */
  guint immortal : 1; /* None, True, False */
  guint16 depth;      /* of nesting, 0 for what holds nothing */
  guint32 weight;     /* about how large it prints; stops at G_MAXUINT32 */
  union
  {
    guint64 magnitude;
    double real;
    struct
    {
      const char *bytes; /* NUL-terminated besides */
      gsize size;
    } text;
    struct
    {
      Value **items;
      guint n, room;
      Value *attributes; /* a record with further attributes, or NULL */
    } seq;
    struct
    {
      ValuePair *pairs;
      guint n, room;
      guint32 *slots; /* hash index into pairs, from a certain size on */
    } dict;
    struct
    {
      const RecordType *type;
      Value **fields;
    } record;
    struct
    {
      const ObjectClass *class;
      gpointer self;
    } object;
    struct
    {
      Value *self;
      char *name;
      const Builtin *builtin; /* NULL: a method of a program's object */
    } method;
    const Builtin *builtin;
    ValueTime time;
    ValueDelta delta;
    gint32 offset; /* TIMEZONE: seconds east of UTC */
  };
};

/* How deep values may nest. Makers of values from a server's data stay below it. */
#define VALUE_MAX_DEPTH 200

Value *value_ref (Value *value);
void value_unref (Value *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Value, value_unref)

/* ---- Making them: each returns one new reference ----------------------------------------------
 */

Value *value_none (void);
Value *value_bool (gboolean truth);
Value *value_int (gint64 number);
Value *value_uint (guint64 number);
/* `negative` with a magnitude above 2**63 is the caller's mistake. */
Value *value_int_signed (gboolean negative, guint64 magnitude);
Value *value_float (double number);
/* `size` -1: up to the NUL. Octets that are not UTF-8 become U+FFFD. */
Value *value_str (const char *text, gssize size);
Value *value_str_take (GString *text);
Value *value_bytes (const void *data, gssize size);
Value *value_bytes_take (GString *data);
Value *value_date (gint32 year, guint month, guint day);
Value *value_datetime (const ValueTime *time);
Value *value_timedelta (gint64 days, gint64 seconds, gint64 microseconds);
Value *value_timezone (gint32 offset);
Value *value_object (const ObjectClass *class, gpointer self); /* self is borrowed for good */
Value *value_builtin (const Builtin *builtin);
Value *value_method (Value *self, const char *name, const Builtin *builtin);

Value *value_list_new (guint reserved);
Value *value_tuple_new (guint reserved);
/* For list and tuple; takes `item`. */
void value_append (Value *sequence, Value *item);
/* Gives a list or tuple further attributes (the modseq of a search); takes `record`. */
void value_set_attributes (Value *sequence, Value *record);

Value *value_dict_new (void);
/* Takes key and value. A key that is there keeps its place and gets the new value. The key must be
 * hashable. */
void value_dict_set (Value *dict, Value *key, Value *value);

/* The fields of a new record are None. */
Value *value_record_new (const RecordType *type);
void value_record_set (Value *record, guint field, Value *value); /* takes value */

/* ---- Asking them ------------------------------------------------------------------------------
 */

/* Borrowed, or NULL. */
Value *value_dict_get (const Value *dict, const Value *key);
Value *value_dict_get_bytes (const Value *dict, const char *key);
Value *value_record_get (const Value *record, const char *field);

gboolean value_is_hashable (const Value *value);
guint value_hash (const Value *value);
gboolean value_equal (const Value *a, const Value *b);
/* FALSE if Python would refuse to order them. */
gboolean value_compare (const Value *a, const Value *b, int *order);
gboolean value_is_true (const Value *value);
/* Python's name of its type: "int", "NoneType", "Envelope". */
const char *value_type_name (const Value *value);
gboolean value_is_text (const Value *value);     /* str or bytes */
gboolean value_is_sequence (const Value *value); /* list or tuple */
gboolean value_is_str (const Value *value, const char *text);
/* An int or bool that fits. */
gboolean value_get_int64 (const Value *value, gint64 *number);
gboolean value_get_uint64 (const Value *value, guint64 *number);

/* ---- Calendar ---------------------------------------------------------------------------------
 */

gboolean value_time_valid (const ValueTime *time);
/* Days since 0001-01-01, which is day 1, as Python's toordinal; and back. */
gint64 value_time_ordinal (gint32 year, guint month, guint day);
void value_time_from_ordinal (gint64 ordinal, ValueTime *time);
/* Microseconds since 0001-01-01, in UTC if it is aware. */
gint64 value_time_microseconds (const ValueTime *time);
/* The inverse, keeping zone. FALSE: outside of years 1 to 9999. */
gboolean value_time_from_microseconds (gint64 microseconds, gboolean aware, gint32 offset,
                                       ValueTime *time);
gint64 value_delta_microseconds (const ValueDelta *delta);

G_END_DECLS
