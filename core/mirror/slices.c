/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * slices.c - where the parts of a message are in its octets
 */
#include "slices.h"

#include <string.h>

/* Deeper or more than this nobody made by hand. */
#define DEPTH_MAX  64
#define SLICES_MAX 2000
/* No field that matters is longer. */
#define FIELD_MAX  (64 << 10)
#define PARAMS_MAX 100

typedef struct
{
  RackPart part;
  RackStr header, body;
  GArray *params, *disposition_params; /* RackPair */
} Slice;

struct RackSlices
{
  GPtrArray *all; /* Slice, parents first */
  GStringChunk *texts;
};

static void
slice_free (gpointer data)
{
  Slice *slice = data;
  g_array_unref (slice->params);
  g_array_unref (slice->disposition_params);
  g_free (slice);
}

/* ---- Lines ------------------------------------------------------------------------------ */

/* Takes the first line off rest, with its end. */
static RackStr
take_line (RackStr *rest)
{
  const char *end = memchr (rest->data, '\n', rest->size);
  RackStr line = { rest->data, end != NULL ? (gsize) (end - rest->data) + 1 : rest->size };
  rest->data += line.size;
  rest->size -= line.size;
  return line;
}

static gsize
end_length (RackStr line)
{
  if (line.size == 0 || line.data[line.size - 1] != '\n')
    return 0;
  return line.size > 1 && line.data[line.size - 2] == '\r' ? 2 : 1;
}

/* The header has the empty line after it. */
static void
split_header (RackStr octets, RackStr *header, RackStr *body)
{
  RackStr rest = octets;
  while (rest.size > 0)
    {
      RackStr line = take_line (&rest);
      if (line.size == end_length (line))
        break;
    }
  *header = (RackStr){ octets.data, octets.size - rest.size };
  *body = rest;
}

/* The first field of that name, on one line. Returns: (owned) NULL if there is none. */
static char *
find_field (RackStr header, const char *name)
{
  gsize length = strlen (name);
  g_autoptr (GString) value = NULL;
  while (header.size > 0)
    {
      RackStr line = take_line (&header);
      gboolean folded = line.size > 0 && (*line.data == ' ' || *line.data == '\t');
      if (value != NULL && (!folded || value->len > FIELD_MAX))
        break;
      if (value != NULL)
        g_string_append_len (value, line.data, (gssize) (line.size - end_length (line)));
      else if (line.size > length && line.data[length] == ':'
               && g_ascii_strncasecmp (line.data, name, length) == 0)
        value = g_string_new_len (line.data + length + 1,
                                  (gssize) (line.size - length - 1 - end_length (line)));
    }
  return value != NULL ? g_string_free (g_steal_pointer (&value), FALSE) : NULL;
}

/* ---- Words of a field --------------------------------------------------------------------- */

static const char *
skip_comments (const char *at)
{
  guint depth = 0;
  for (; *at != '\0'; at++)
    if (*at == '(')
      depth++;
    else if (depth > 0 && *at == '\\' && at[1] != '\0')
      at++;
    else if (depth > 0 && *at == ')')
      depth--;
    else if (depth == 0 && *at != ' ' && *at != '\t')
      break;
  return at;
}

static RackStr
keep (RackSlices *slices, const char *text, gsize size)
{
  return (RackStr){ g_string_chunk_insert_len (slices->texts, text, (gssize) size), size };
}

/* Up to any of these, or a space. */
static RackStr
take_token (RackSlices *slices, const char **at, const char *specials)
{
  const char *from = skip_comments (*at);
  const char *to = from;
  while (*to != '\0' && *to != ' ' && *to != '\t' && strchr (specials, *to) == NULL)
    to++;
  *at = skip_comments (to);
  return keep (slices, from, (gsize) (to - from));
}

static RackStr
take_value (RackSlices *slices, const char **at)
{
  const char *from = skip_comments (*at);
  if (*from != '"')
    return take_token (slices, at, ";");
  g_autoptr (GString) text = g_string_new (NULL);
  for (from++; *from != '\0' && *from != '"'; from++)
    {
      if (*from == '\\' && from[1] != '\0')
        from++;
      g_string_append_c (text, *from);
    }
  *at = skip_comments (*from == '"' ? from + 1 : from);
  return keep (slices, text->str, text->len);
}

static void
take_params (RackSlices *slices, const char *at, GArray *params)
{
  while (*at != '\0' && params->len < PARAMS_MAX)
    {
      at = skip_comments (at);
      if (*at == ';')
        {
          at++;
          continue;
        }
      RackPair pair = { .name = take_token (slices, &at, "=;") };
      if (*at == '=')
        {
          at++;
          pair.value = take_value (slices, &at);
          if (pair.name.size > 0)
            g_array_append_val (params, pair);
        }
      /* What is neither is passed over. */
      at += strcspn (at, ";");
    }
}

static const RackPair *
find_param (const GArray *params, const char *name)
{
  for (guint i = 0; i < params->len; i++)
    {
      const RackPair *pair = &g_array_index (params, RackPair, i);
      if (pair->name.size == strlen (name)
          && g_ascii_strncasecmp (pair->name.data, name, pair->name.size) == 0)
        return pair;
    }
  return NULL;
}

static gboolean
is_word (RackStr text, const char *word)
{
  return text.size == strlen (word) && g_ascii_strncasecmp (text.data, word, text.size) == 0;
}

/* ---- What a part is -------------------------------------------------------------------------- */

#define WORD(text) ((RackStr){ text, sizeof text - 1 })

static void
read_type (RackSlices *slices, Slice *slice, gboolean digest)
{
  g_autofree char *field = find_field (slice->header, "Content-Type");
  RackPart *part = &slice->part;
  const char *at = field != NULL ? field : "";
  part->type = take_token (slices, &at, "/;");
  if (*at == '/')
    {
      at++;
      part->subtype = take_token (slices, &at, ";");
      take_params (slices, at, slice->params);
    }
  if (part->type.size == 0 || part->subtype.size == 0)
    {
      part->type = digest ? WORD ("message") : WORD ("text");
      part->subtype = digest ? WORD ("rfc822") : WORD ("plain");
      g_array_set_size (slice->params, 0);
    }
  /* RFC 2046 section 4.1.2 */
  if (is_word (part->type, "text") && find_param (slice->params, "charset") == NULL)
    {
      RackPair charset = { WORD ("charset"), WORD ("us-ascii") };
      g_array_append_val (slice->params, charset);
    }
}

static void
read_fields (RackSlices *slices, Slice *slice, gboolean digest)
{
  g_autofree char *encoding = find_field (slice->header, "Content-Transfer-Encoding");
  g_autofree char *disposition = find_field (slice->header, "Content-Disposition");
  g_autofree char *id = find_field (slice->header, "Content-ID");
  RackPart *part = &slice->part;
  const char *at = encoding != NULL ? encoding : "";
  read_type (slices, slice, digest);
  part->encoding = take_token (slices, &at, ";");
  if (part->encoding.size == 0)
    part->encoding = WORD ("7bit");
  if (disposition != NULL)
    {
      at = disposition;
      part->disposition = take_token (slices, &at, ";");
      take_params (slices, at, slice->disposition_params);
    }
  if (id != NULL)
    {
      g_strstrip (id);
      part->id = keep (slices, id, strlen (id));
    }
}

static void
finish_fields (Slice *slice)
{
  slice->part.params = (RackPairs){ (const RackPair *) slice->params->data, slice->params->len };
  slice->part.disposition_params = (RackPairs){ (const RackPair *) slice->disposition_params->data,
                                                slice->disposition_params->len };
  slice->part.size = slice->body.size;
}

/* ---- The tree ----------------------------------------------------------------------------- */

static Slice *add_slice (RackSlices *slices, RackStr octets, Slice *holder, guint depth,
                         gboolean digest);

/* Whether line is the boundary between parts; *last: after all of them. */
static gboolean
is_delimiter (RackStr line, RackStr boundary, gboolean *last)
{
  gsize size = line.size - end_length (line);
  if (size < boundary.size + 2 || memcmp (line.data, "--", 2) != 0
      || memcmp (line.data + 2, boundary.data, boundary.size) != 0)
    return FALSE;
  gsize at = boundary.size + 2;
  *last = size >= at + 2 && memcmp (line.data + at, "--", 2) == 0;
  at += *last ? 2 : 0;
  while (at < size && (line.data[at] == ' ' || line.data[at] == '\t'))
    at++;
  return at == size;
}

/* The end of the line before a boundary belongs to that. */
static RackStr
without_end (const char *from, const char *to)
{
  RackStr octets = { from, (gsize) (to - from) };
  octets.size -= end_length (octets);
  return octets;
}

static void
add_children (RackSlices *slices, Slice *slice, RackStr boundary, guint depth)
{
  gboolean digest = is_word (slice->part.subtype, "digest"), last = FALSE;
  const RackPart **link = &slice->part.child;
  const char *from = NULL; /* of the part that is being passed */
  RackStr rest = slice->body;
  guint position = 0;
  while (rest.size > 0 && !last && slices->all->len < SLICES_MAX)
    {
      RackStr line = take_line (&rest);
      gboolean ends = is_delimiter (line, boundary, &last);
      if (!ends && rest.size > 0)
        continue;
      Slice *child = NULL;
      if (from != NULL)
        child = add_slice (slices,
                           ends ? without_end (from, line.data)
                                : (RackStr){ from, (gsize) (rest.data - from) },
                           slice, depth + 1, digest);
      if (child != NULL)
        {
          child->part.position = ++position;
          *link = &child->part;
          link = &child->part.next;
        }
      from = rest.data;
    }
}

static Slice *
add_slice (RackSlices *slices, RackStr octets, Slice *holder, guint depth, gboolean digest)
{
  if (depth > DEPTH_MAX || slices->all->len >= SLICES_MAX)
    return NULL;
  Slice *slice = g_new0 (Slice, 1);
  slice->part.parent = holder != NULL ? &holder->part : NULL;
  slice->params = g_array_new (FALSE, FALSE, sizeof (RackPair));
  slice->disposition_params = g_array_new (FALSE, FALSE, sizeof (RackPair));
  g_ptr_array_add (slices->all, slice);
  split_header (octets, &slice->header, &slice->body);
  read_fields (slices, slice, digest);
  finish_fields (slice);
  const RackPair *boundary = find_param (slice->params, "boundary");
  RackPart *part = &slice->part;
  if (is_word (part->type, "multipart") && boundary != NULL && boundary->value.size > 0)
    {
      part->multipart = TRUE;
      add_children (slices, slice, boundary->value, depth);
    }
  else if (is_word (part->type, "message")
           && (is_word (part->subtype, "rfc822") || is_word (part->subtype, "global")))
    {
      Slice *inner = add_slice (slices, slice->body, slice, depth + 1, FALSE);
      if (inner != NULL)
        inner->part.position = 1;
      part->child = inner != NULL ? &inner->part : NULL;
    }
  return slice;
}

RackSlices *
rack_slices_new (RackStr octets)
{
  RackSlices *slices = g_new0 (RackSlices, 1);
  slices->all = g_ptr_array_new_with_free_func (slice_free);
  slices->texts = g_string_chunk_new (512);
  add_slice (slices, octets, NULL, 0, FALSE);
  return slices;
}

void
rack_slices_free (RackSlices *slices)
{
  if (slices == NULL)
    return;
  g_ptr_array_unref (slices->all);
  g_string_chunk_free (slices->texts);
  g_free (slices);
}

const RackPart *
rack_slices_root (const RackSlices *slices)
{
  return &((const Slice *) slices->all->pdata[0])->part;
}

RackStr
rack_slices_find (const RackSlices *slices, const char *section, const RackPart **part)
{
  char own[1024];
  *part = NULL;
  if (strcmp (section, "HEADER") == 0)
    return ((const Slice *) slices->all->pdata[0])->header;
  for (guint i = 0; i < slices->all->len; i++)
    {
      const Slice *slice = slices->all->pdata[i];
      if (rack_part_section (&slice->part, own, sizeof own) >= sizeof own
          || strcmp (own, section) != 0)
        continue;
      *part = &slice->part;
      return slice->body;
    }
  return RACK_STR_NIL;
}
