/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* builtin-text.c - the methods of str and bytes, and the way from one to the other
 *
 * The same functions serve both kinds where Python has the same methods; case and spaces of bytes
 * are those of ASCII.
 */
#include "builtins.h"

#include "eval-error.h"
#include "operators.h"
#include "unicode.h"

#include <string.h>

/* ---- Charsets ---------------------------------------------------------------------------------
 */

static gboolean
is_charset (const char *name, const char *dashless)
{
  for (; *name != '\0'; name++)
    {
      if (*name == '-' || *name == '_')
        continue;
      if (g_ascii_tolower (*name) != *dashless)
        return FALSE;
      dashless++;
    }
  return *dashless == '\0';
}

static gboolean
charset_name (const Value *charset, const char **name, GError **error)
{
  *name = "utf-8";
  if (charset == NULL)
    return TRUE;
  if (charset->kind != VALUE_STR)
    {
      builtin_wants ("decode", "the name of a charset", charset, error);
      return FALSE;
    }
  *name = charset->text.bytes;
  if (is_charset (*name, "latin1"))
    *name = "iso-8859-1";
  return TRUE;
}

static Value *
decode_failed (const char *charset, const Value *bytes, gsize at, GError **error)
{
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_UNICODE,
               "octet 0x%02x at position %" G_GSIZE_FORMAT " is not valid %s",
               (guchar) bytes->text.bytes[MIN (at, bytes->text.size)], at, charset);
  return NULL;
}

/* What is not valid is left out or shown, as `errors` says. */
static Value *
decode_leniently (const Value *bytes, gboolean ignore)
{
  const char *at = bytes->text.bytes, *end = at + bytes->text.size, *bad;
  GString *text;

  if (!ignore)
    return value_str (at, bytes->text.size);
  text = g_string_new (NULL);
  while (at < end)
    {
      g_utf8_validate_len (at, end - at, &bad);
      g_string_append_len (text, at, bad - at);
      if (bad < end && *bad == '\0')
        g_string_append_c (text, '\0');
      at = bad + 1;
    }
  return value_str_take (text);
}

/* The offset of the first octet that does not belong; the size if all is well. */
static gsize
first_invalid (const Value *bytes, gboolean utf8)
{
  const char *at = bytes->text.bytes, *end = at + bytes->text.size;

  while (at < end)
    if (!utf8 && (guchar) *at < 0x80)
      at++;
    else if (!utf8 || (!g_utf8_validate_len (at, end - at, &at) && *at != '\0'))
      break;
    else if (at < end)
      at++; /* NUL, which GLib takes for an end */
  return at - bytes->text.bytes;
}

Value *
builtin_decode (const Value *bytes, const Value *charset, const Value *errors, GError **error)
{
  gboolean ignore = errors != NULL && value_is_str (errors, "ignore");
  gboolean lenient = ignore || (errors != NULL && value_is_str (errors, "replace"));
  g_autofree char *converted = NULL;
  const char *name;
  gsize read = 0, written = 0;

  if (!charset_name (charset, &name, error))
    return NULL;
  if (is_charset (name, "utf8") || is_charset (name, "ascii") || is_charset (name, "usascii"))
    {
      gsize bad = lenient ? bytes->text.size : first_invalid (bytes, is_charset (name, "utf8"));

      if (bad < bytes->text.size)
        return decode_failed (name, bytes, bad, error);
      return decode_leniently (bytes, ignore);
    }
  converted = g_convert_with_fallback (bytes->text.bytes, bytes->text.size, "UTF-8", name,
                                       lenient ? "?" : NULL, &read, &written, NULL);
  if (converted != NULL)
    return value_str (converted, written);
  if (g_convert ("", 0, "UTF-8", name, NULL, NULL, NULL) == NULL)
    {
      g_set_error (error, EVAL_ERROR, EVAL_ERROR_VALUE, "unknown charset: %s", name);
      return NULL;
    }
  return decode_failed (name, bytes, read, error);
}

Value *
builtin_encode (const Value *str, const Value *charset, GError **error)
{
  g_autofree char *converted = NULL;
  const char *name;
  gsize written = 0;

  if (!charset_name (charset, &name, error))
    return NULL;
  if (is_charset (name, "utf8"))
    return value_bytes (str->text.bytes, str->text.size);
  converted = g_convert (str->text.bytes, str->text.size, name, "UTF-8", NULL, &written, NULL);
  if (converted != NULL)
    return value_bytes (converted, written);
  g_set_error (error, EVAL_ERROR, EVAL_ERROR_UNICODE, "this text cannot be written in %s", name);
  return NULL;
}

static Value *
call_decode (const BuiltinCall *call, GError **error)
{
  return builtin_decode (call->self, call->bound[0], call->bound[1], error);
}

static Value *
call_encode (const BuiltinCall *call, GError **error)
{
  return builtin_encode (call->self, call->bound[0], error);
}

static Value *
call_hex (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  GString *text = g_string_sized_new (call->self->text.size * 2);

  for (gsize i = 0; i < call->self->text.size; i++)
    g_string_append_printf (text, "%02x", (guchar) call->self->text.bytes[i]);
  return value_str_take (text);
}

/* ---- Helpers ----------------------------------------------------------------------------------
 */

/* A new text of the same kind as `like`. */
static Value *
text_like (const Value *like, const char *data, gsize size)
{
  return like->kind == VALUE_STR ? value_str (data, size) : value_bytes (data, size);
}

static Value *
text_like_take (const Value *like, GString *text)
{
  return like->kind == VALUE_STR ? value_str_take (text) : value_bytes_take (text);
}

/* An argument of the same kind as self. */
static gboolean
same_kind (const char *method, const BuiltinCall *call, const Value *argument, GError **error)
{
  if (argument->kind == call->self->kind)
    return TRUE;
  builtin_wants (method, call->self->kind == VALUE_STR ? "a str" : "bytes", argument, error);
  return FALSE;
}

/* ---- Case and spaces --------------------------------------------------------------------------
 */

static Value *
change_case (const Value *self, gboolean up)
{
  g_autofree char *changed = NULL;

  if (self->kind == VALUE_STR && strlen (self->text.bytes) == self->text.size)
    {
      changed = up ? g_utf8_strup (self->text.bytes, self->text.size)
                   : g_utf8_strdown (self->text.bytes, self->text.size);
      return value_str (changed, -1);
    }
  GString *text = g_string_new_len (self->text.bytes, self->text.size);

  for (gsize i = 0; i < text->len; i++)
    text->str[i] = up ? g_ascii_toupper (text->str[i]) : g_ascii_tolower (text->str[i]);
  return text_like_take (self, text);
}

static Value *
call_upper (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  return change_case (call->self, TRUE);
}

static Value *
call_lower (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  return change_case (call->self, FALSE);
}

/* The character before or at `at`, for str and bytes alike. */
static gunichar
character (const Value *text, const char *at)
{
  return text->kind == VALUE_STR ? g_utf8_get_char (at) : (guchar) *at;
}

static const char *
before (const Value *text, const char *at)
{
  return text->kind == VALUE_STR ? g_utf8_prev_char (at) : at - 1;
}

static const char *
after (const Value *text, const char *at)
{
  return text->kind == VALUE_STR ? g_utf8_next_char (at) : at + 1;
}

static gboolean
is_stripped (const Value *self, gunichar c, const Value *set)
{
  if (set == NULL || set->kind == VALUE_NONE)
    return self->kind == VALUE_STR ? unicode_is_space (c) : c < 0x80 && g_ascii_isspace (c);
  for (const char *at = set->text.bytes; at < set->text.bytes + set->text.size;
       at = after (set, at))
    if (character (set, at) == c)
      return TRUE;
  return FALSE;
}

static Value *
strip (const BuiltinCall *call, gboolean left, gboolean right, GError **error)
{
  const Value *self = call->self, *set = call->bound[0];
  const char *start = self->text.bytes, *end = start + self->text.size;

  if (set != NULL && set->kind != VALUE_NONE && !same_kind ("strip", call, set, error))
    return NULL;
  while (left && start < end && is_stripped (self, character (self, start), set))
    start = after (self, start);
  while (right && start < end && is_stripped (self, character (self, before (self, end)), set))
    end = before (self, end);
  return text_like (self, start, end - start);
}

static Value *
call_strip (const BuiltinCall *call, GError **error)
{
  return strip (call, TRUE, TRUE, error);
}

static Value *
call_lstrip (const BuiltinCall *call, GError **error)
{
  return strip (call, TRUE, FALSE, error);
}

static Value *
call_rstrip (const BuiltinCall *call, GError **error)
{
  return strip (call, FALSE, TRUE, error);
}

/* ---- Searching --------------------------------------------------------------------------------
 */

/* One text, or a tuple of several of which one is enough. */
static Value *
starts_or_ends (const BuiltinCall *call, gboolean start, GError **error)
{
  const Value *self = call->self, *wanted = call->bound[0];
  guint n = wanted->kind == VALUE_TUPLE ? wanted->seq.n : 1;
  gboolean found = FALSE;

  for (guint i = 0; i < n; i++)
    {
      const Value *one = wanted->kind == VALUE_TUPLE ? wanted->seq.items[i] : wanted;
      gsize size;

      if (!same_kind (start ? "startswith" : "endswith", call, one, error))
        return NULL;
      size = one->text.size;
      if (size <= self->text.size)
        found = found
                || memcmp (self->text.bytes + (start ? 0 : self->text.size - size), one->text.bytes,
                           size)
                       == 0;
    }
  return value_bool (found);
}

static Value *
call_startswith (const BuiltinCall *call, GError **error)
{
  return starts_or_ends (call, TRUE, error);
}

static Value *
call_endswith (const BuiltinCall *call, GError **error)
{
  return starts_or_ends (call, FALSE, error);
}

static Value *
call_find (const BuiltinCall *call, GError **error)
{
  const Value *self = call->self, *wanted = call->bound[0];
  const char *found;
  gint64 at = 0;

  if (!same_kind ("find", call, wanted, error))
    return NULL;
  found = memmem (self->text.bytes, self->text.size, wanted->text.bytes, wanted->text.size);
  if (found == NULL)
    return value_int (-1);
  for (const char *walk = self->text.bytes; walk < found; walk = after (self, walk))
    at++;
  return value_int (at);
}

static Value *
call_count (const BuiltinCall *call, GError **error)
{
  const Value *self = call->self, *wanted = call->bound[0];
  const char *at = self->text.bytes, *end = at + self->text.size;
  gint64 n = 0;
  guint64 octet;

  if (self->kind == VALUE_BYTES && value_get_uint64 (wanted, &octet) && octet < 256)
    {
      for (; at < end; at++)
        n += (guchar) *at == octet;
      return value_int (n);
    }
  if (!same_kind ("count", call, wanted, error))
    return NULL;
  if (wanted->text.size == 0)
    return value_int (operator_length (self) + 1);
  while ((at = memmem (at, end - at, wanted->text.bytes, wanted->text.size)) != NULL)
    {
      n++;
      at += wanted->text.size;
    }
  return value_int (n);
}

static Value *
call_isdigit (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  gboolean digits = call->self->text.size > 0;

  for (gsize i = 0; digits && i < call->self->text.size; i++)
    digits = g_ascii_isdigit (call->self->text.bytes[i]);
  return value_bool (digits);
}

static Value *
call_replace (const BuiltinCall *call, GError **error)
{
  const Value *self = call->self, *old = call->bound[0], *new = call->bound[1];
  const char *at = self->text.bytes, *end = at + self->text.size, *found;
  GString *text;
  Value *result;

  if (!same_kind ("replace", call, old, error) || !same_kind ("replace", call, new, error))
    return NULL;
  if (old->text.size == 0)
    return value_ref (call->self);
  if (new->text.size / old->text.size + 1 > 1000000000 / (self->text.size + 1))
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_MEMORY, "the result would be too large");
      return NULL;
    }
  text = g_string_new (NULL);
  while ((found = memmem (at, end - at, old->text.bytes, old->text.size)) != NULL)
    {
      g_string_append_len (text, at, found - at);
      g_string_append_len (text, new->text.bytes, new->text.size);
      at = found + old->text.size;
    }
  g_string_append_len (text, at, end - at);
  result = text_like_take (self, text);
  if (operator_check_size (result, error))
    return result;
  value_unref (result);
  return NULL;
}

/* ---- Taking apart and joining -----------------------------------------------------------------
 */

static Value *
split_at_spaces (const Value *self, gint64 most)
{
  const char *at = self->text.bytes, *end = at + self->text.size;
  Value *list = value_list_new (0);

  for (;;)
    {
      const char *start;

      while (at < end && is_stripped (self, character (self, at), NULL))
        at = after (self, at);
      if (at == end)
        return list;
      start = at;
      if (most >= 0 && (gint64) list->seq.n >= most)
        at = end;
      while (at < end && !is_stripped (self, character (self, at), NULL))
        at = after (self, at);
      value_append (list, text_like (self, start, at - start));
    }
}

static Value *
call_split (const BuiltinCall *call, GError **error)
{
  const Value *self = call->self, *by = call->bound[0];
  const char *at = self->text.bytes, *end = at + self->text.size, *found;
  gint64 most;
  Value *list;

  if (!builtin_int ("split", call->bound[1], -1, &most, error))
    return NULL;
  if (by == NULL || by->kind == VALUE_NONE)
    return split_at_spaces (self, most);
  if (!same_kind ("split", call, by, error))
    return NULL;
  if (by->text.size == 0)
    {
      g_set_error_literal (error, EVAL_ERROR, EVAL_ERROR_VALUE, "the separator is empty");
      return NULL;
    }
  list = value_list_new (0);
  while ((most < 0 || (gint64) list->seq.n < most)
         && (found = memmem (at, end - at, by->text.bytes, by->text.size)) != NULL)
    {
      value_append (list, text_like (self, at, found - at));
      at = found + by->text.size;
    }
  value_append (list, text_like (self, at, end - at));
  return list;
}

static gboolean
ends_line (const Value *self, gunichar c)
{
  return self->kind == VALUE_STR ? unicode_is_line_end (c) : c == '\n' || c == '\r';
}

static Value *
call_splitlines (const BuiltinCall *call, G_GNUC_UNUSED GError **error)
{
  const Value *self = call->self;
  gboolean keep = call->bound[0] != NULL && value_is_true (call->bound[0]);
  const char *start = self->text.bytes, *end = start + self->text.size;
  Value *list = value_list_new (0);

  while (start < end)
    {
      const char *stop = start, *next;

      while (stop < end && !ends_line (self, character (self, stop)))
        stop = after (self, stop);
      next = stop == end ? end : after (self, stop);
      if (next < end && *stop == '\r' && *next == '\n')
        next++;
      value_append (list, text_like (self, start, (keep ? next : stop) - start));
      start = next;
    }
  return list;
}

static Value *
call_join (const BuiltinCall *call, GError **error)
{
  g_autoptr (Value) list = operator_elements (call->bound[0], error);
  g_autoptr (GString) text = g_string_new (NULL);
  Value *joined;

  if (list == NULL)
    return NULL;
  for (guint i = 0; i < list->seq.n; i++)
    {
      const Value *part = list->seq.items[i];

      if (!same_kind ("join", call, part, error))
        return NULL;
      if (i > 0)
        g_string_append_len (text, call->self->text.bytes, call->self->text.size);
      g_string_append_len (text, part->text.bytes, part->text.size);
      if (text->len > 1000000000)
        break;
    }
  joined = text_like (call->self, text->str, text->len);
  if (operator_check_size (joined, error))
    return joined;
  value_unref (joined);
  return NULL;
}

#define PART(name)                                                                                 \
  {                                                                                                \
    {                                                                                              \
      name, PARAM_REQUIRED | PARAM_POSITIONAL_ONLY                                                 \
    }                                                                                              \
  }

const Builtin builtin_text_methods[] = {
  { "count", call_count, PART ("part") },
  { "endswith", call_endswith, PART ("suffix") },
  { "find", call_find, PART ("part") },
  { "isdigit", call_isdigit, { { 0 } } },
  { "join", call_join, PART ("parts") },
  { "lower", call_lower, { { 0 } } },
  { "lstrip", call_lstrip, { { "chars", PARAM_POSITIONAL_ONLY } } },
  { "replace",
    call_replace,
    { { "old", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY },
      { "new", PARAM_REQUIRED | PARAM_POSITIONAL_ONLY } } },
  { "rstrip", call_rstrip, { { "chars", PARAM_POSITIONAL_ONLY } } },
  { "split", call_split, { { "sep", PARAM_OPTIONAL }, { "maxsplit", PARAM_OPTIONAL } } },
  { "splitlines", call_splitlines, { { "keepends", PARAM_OPTIONAL } } },
  { "startswith", call_startswith, PART ("prefix") },
  { "strip", call_strip, { { "chars", PARAM_POSITIONAL_ONLY } } },
  { "upper", call_upper, { { 0 } } },
  { 0 },
};

const Builtin builtin_str_methods[] = {
  { "encode", call_encode, { { "encoding", PARAM_OPTIONAL } } },
  { 0 },
};

const Builtin builtin_bytes_methods[] = {
  { "decode", call_decode, { { "encoding", PARAM_OPTIONAL }, { "errors", PARAM_OPTIONAL } } },
  { "hex", call_hex, { { 0 } } },
  { 0 },
};
