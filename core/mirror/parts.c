/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parts.c - what a message is made of, as its BODYSTRUCTURE says
 *
 * A tree of the parser becomes a flat array in one piece of memory, with names decoded.
 */
#include "parts.h"
#include "charsets.h"

#include "headers.h"

#include <gmime/gmime.h>
#include <string.h>

/* A message of more parts than this is cut: nobody made it by hand. */
#define PARTS_MAX      2000
#define DEPTH_MAX      128
#define SECTION_SIZE   1024
/* Longer names are no names. */
#define NAME_MAX_BYTES 4096
#define DETAIL_SIZE    1024

/* ---- Life -------------------------------------------------------------------------- */

RackParts *
rack_parts_alloc (void)
{
  RackParts *parts = g_new0 (RackParts, 1);
  parts->references = 1;
  parts->texts = g_string_chunk_new (512);
  parts->items = g_array_new (FALSE, TRUE, sizeof (RackPartFacts));
  return parts;
}

RackParts *
rack_parts_ref (RackParts *parts)
{
  g_atomic_int_inc (&parts->references);
  return parts;
}

void
rack_parts_unref (RackParts *parts)
{
  if (parts == NULL || !g_atomic_int_dec_and_test (&parts->references))
    return;
  g_string_chunk_free (parts->texts);
  g_array_unref (parts->items);
  rack_details_clear (&parts->details);
  g_free (parts);
}

const RackDetails *
rack_parts_details (const RackParts *parts)
{
  return parts->has_details ? &parts->details : NULL;
}

const RackPartFacts *
rack_parts_items (const RackParts *parts, guint *n)
{
  *n = parts->items->len;
  return (const RackPartFacts *) parts->items->data;
}

const RackPartFacts *
rack_parts_find (const RackParts *parts, const char *section)
{
  for (guint i = 0; i < parts->items->len; i++)
    {
      const RackPartFacts *facts = &g_array_index (parts->items, RackPartFacts, i);
      if (strcmp (facts->section, section) == 0)
        return facts;
    }
  return NULL;
}

/* ---- From the parser's tree ---------------------------------------------------------- */

/* Lower case, without what is no text. NIL and "": NULL. */
static const char *
keep_word (RackParts *parts, RackStr word)
{
  if (word.data == NULL || word.size == 0)
    return NULL;
  g_autofree char *lower = g_ascii_strdown (word.data, (gssize) word.size);
  g_autofree char *valid = g_utf8_make_valid (lower, (gssize) strlen (lower));
  return g_string_chunk_insert (parts->texts, valid);
}

static const char *
keep_word_or (RackParts *parts, RackStr word, const char *otherwise)
{
  const char *kept = keep_word (parts, word);
  return kept != NULL ? kept : otherwise;
}

static RackStr
find_param (RackPairs params, const char *name)
{
  gsize size = strlen (name);
  for (guint i = 0; i < params.n; i++)
    if (params.items[i].name.size == size
        && g_ascii_strncasecmp (params.items[i].name.data, name, size) == 0)
      return params.items[i].value;
  return RACK_STR_NIL;
}

/* "filename", "filename*", "filename*0*": all that may make up the parameter. */
static gboolean
belongs_to (RackStr name, const char *wanted)
{
  gsize size = strlen (wanted);
  return name.size >= size && g_ascii_strncasecmp (name.data, wanted, size) == 0
         && (name.size == size || name.data[size] == '*');
}

static void
append_param (GString *header, RackPair param)
{
  gboolean extended = param.name.data[param.name.size - 1] == '*';
  g_string_append (header, header->len > 0 ? "; " : "");
  g_string_append_len (header, param.name.data, (gssize) param.name.size);
  g_string_append (header, extended ? "=" : "=\"");
  for (gsize i = 0; i < param.value.size; i++)
    {
      char c = param.value.data[i];
      if (g_ascii_iscntrl (c))
        continue;
      /* What would end the value early. Dovecot puts pieces together, and leaves them as they
       * were. */
      if (extended && strchr (" \";,()<>@\\", c) != NULL)
        g_string_append_printf (header, "%%%02X", (guchar) c);
      else if (!extended && (c == '"' || c == '\\'))
        g_string_append_printf (header, "\\%c", c);
      else
        g_string_append_c (header, c);
    }
  g_string_append (header, extended ? "" : "\"");
}

/* RFC 2231 and 2047 are GMime's, which wants the parameters as they stand in a header. */
static const char *
keep_name (RackParts *parts, RackPairs params, const char *wanted)
{
  g_autoptr (GString) header = g_string_new (NULL);
  for (guint i = 0; i < params.n; i++)
    if (belongs_to (params.items[i].name, wanted) && params.items[i].value.data != NULL
        && params.items[i].value.size + header->len < NAME_MAX_BYTES)
      append_param (header, params.items[i]);
  if (header->len == 0)
    return NULL;
  GMimeParamList *list = g_mime_param_list_parse (NULL, header->str);
  const char *kept = NULL;
  GMimeParam *param = list != NULL ? g_mime_param_list_get_parameter (list, wanted) : NULL;
  const char *value = param != NULL ? g_mime_param_get_value (param) : NULL;
  if (value != NULL && *value != '\0')
    {
      g_autofree char *valid = g_utf8_make_valid (value, (gssize) strlen (value));
      kept = g_string_chunk_insert (parts->texts, valid);
    }
  g_clear_object (&list);
  return kept;
}

static const char *
keep_content_id (RackParts *parts, RackStr id)
{
  if (id.size > 2 && id.data[0] == '<' && id.data[id.size - 1] == '>')
    id = (RackStr){ id.data + 1, id.size - 2 };
  if (id.data == NULL || id.size == 0)
    return NULL;
  g_autofree char *valid = g_utf8_make_valid (id.data, (gssize) id.size);
  return g_string_chunk_insert (parts->texts, valid);
}

static void
add_part (RackParts *parts, const RackPart *part, guint depth)
{
  char section[SECTION_SIZE];
  if (rack_part_section (part, section, sizeof section) >= sizeof section)
    return;
  RackPartFacts facts = {
    .section = g_string_chunk_insert (parts->texts, section),
    /* RFC 2045 section 5.2: what has no type is text. */
    .type = keep_word_or (parts, part->type, "text"),
    .subtype = keep_word_or (parts, part->subtype, part->type.size == 0 ? "plain" : "x-unknown"),
    .charset = keep_word (parts, find_param (part->params, "charset")),
    .encoding = part->multipart ? "" : keep_word_or (parts, part->encoding, "7bit"),
    .name = keep_name (parts, part->disposition_params, "filename"),
    .disposition = keep_word (parts, part->disposition),
    .content_id = keep_content_id (parts, part->id),
    .size = part->size,
    .depth = depth,
    .multipart = part->multipart,
  };
  if (facts.name == NULL)
    facts.name = keep_name (parts, part->params, "name");
  g_array_append_val (parts->items, facts);
}

/* The parser's trees are at most so deep too. */
static void
add_tree (RackParts *parts, const RackPart *part, guint depth)
{
  add_part (parts, part, depth);
  if (depth >= DEPTH_MAX)
    return;
  for (const RackPart *child = part->child; child != NULL && parts->items->len < PARTS_MAX;
       child = child->next)
    add_tree (parts, child, depth + 1);
}

static char *
dup_or_null (const char *text)
{
  return *text != '\0' ? g_strdup (text) : NULL;
}

static void
keep_details (RackParts *parts, const RackEnvelope *envelope)
{
  RackDetails *details = &parts->details;
  const RackAddress *sender = rack_header_sender (envelope);
  char text[DETAIL_SIZE];
  parts->has_details = TRUE;
  if (sender != NULL)
    {
      rack_header_phrase (sender->name, text, sizeof text);
      details->sender_name = dup_or_null (text);
      rack_header_address (sender, text, sizeof text);
      details->sender_address = dup_or_null (text);
    }
  rack_header_text (envelope->subject, text, sizeof text);
  details->subject = dup_or_null (text);
  rack_header_plain (envelope->message_id, text, sizeof text);
  details->message_id = dup_or_null (text);
  rack_header_plain (envelope->in_reply_to, text, sizeof text);
  details->in_reply_to = dup_or_null (text);
}

RackParts *
rack_parts_new (const RackPart *root, const RackEnvelope *envelope)
{
  rack_mime_ready ();
  RackParts *parts = rack_parts_alloc ();
  add_tree (parts, root, 0);
  rack_parts_assign (parts->items, parts->texts);
  if (envelope != NULL)
    keep_details (parts, envelope);
  return parts;
}
