/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * writer.c - a command as it goes out
 *
 * Chooses between atom, quoted string and literal, and between synchronising and
 * non-synchronising literals (RFC 9051 §4.3, RFC 7888), and stops where the server
 * must be heard first. Resumable at every octet; owns nothing. */
#include "command-private.h"

#include "secret.h"

#include <string.h>

/* Strings of more than this go as literals: some servers cut long lines at 1,000 or 8,000 octets.
 */
#define MAX_QUOTED        500
#define LITERAL_MINUS_MAX 4096

typedef enum
{
  FORM_ATOM,
  FORM_QUOTED,
  FORM_LITERAL
} Form;

void
rack_writer_init (RackWriter *writer, const RackCommand *command)
{
  /* The builder's last text becomes a piece: a change of form, not of meaning. */
  rack_command_flush ((RackCommand *) command);
  *writer = (RackWriter){ .command = command };
}

static Form
choose_form (const char *data, gsize size, gboolean atom_allowed, gboolean utf8)
{
  gboolean atom =
      atom_allowed && size > 0 && !(size == 3 && g_ascii_strncasecmp (data, "NIL", 3) == 0);

  if (size > MAX_QUOTED)
    return FORM_LITERAL;
  for (gsize i = 0; i < size; i++)
    {
      guchar c = (guchar) data[i];
      if (c == '\r' || c == '\n' || c == '\0' || (c >= 0x80 && !utf8))
        return FORM_LITERAL;
      /* "]" is an astring char, but old servers disagree; quoting costs nothing. */
      if (c <= ' ' || c >= 0x7f || strchr ("(){%*\"\\]", c) != NULL)
        atom = FALSE;
    }
  return atom ? FORM_ATOM : FORM_QUOTED;
}

static void
append_quoted (GByteArray *out, const char *data, gsize size)
{
  g_byte_array_append (out, (const guint8 *) "\"", 1);
  for (gsize i = 0; i < size; i++)
    {
      if (data[i] == '"' || data[i] == '\\')
        g_byte_array_append (out, (const guint8 *) "\\", 1);
      g_byte_array_append (out, (const guint8 *) data + i, 1);
    }
  g_byte_array_append (out, (const guint8 *) "\"", 1);
}

/* Announces a literal. TRUE when its octets may follow at once. */
static gboolean
begin_literal (RackWriter *writer, const RackWireOptions *options, GByteArray *out, guint64 size)
{
  gboolean now = options->literal_plus || (options->literal_minus && size <= LITERAL_MINUS_MAX);
  char head[32];

  int length =
      g_snprintf (head, sizeof head, "{%" G_GUINT64_FORMAT "%s}\r\n", size, now ? "+" : "");
  g_byte_array_append (out, (const guint8 *) head, (guint) length);
  writer->in_literal = TRUE;
  writer->left = size;
  writer->offset = 0;
  writer->waiting = !now;
  return now;
}

static void
next_piece (RackWriter *writer)
{
  writer->piece++;
  writer->offset = 0;
  writer->in_literal = FALSE;
}

/* Copies what fits of a piece's octets; TRUE when the piece is over. */
static gboolean
copy_some (RackWriter *writer, GByteArray *out, gsize limit, const char *data, gsize size)
{
  gsize room = limit > out->len ? limit - out->len : 1;
  gsize now = MIN (room, size - writer->offset);

  g_byte_array_append (out, (const guint8 *) data + writer->offset, (guint) now);
  writer->offset += now;
  return writer->offset == size;
}

static RackWriteResult
fill_source (RackWriter *writer, RackSource *source, GByteArray *out, gsize limit)
{
  gsize room = limit > out->len ? limit - out->len : 1;
  guint before = out->len;

  g_byte_array_set_size (out, before + (guint) MIN (room, writer->left));
  gssize got = writer->left == 0 ? 0 : source->read (source, out->data + before, out->len - before);
  g_byte_array_set_size (out, before + (guint) MAX (got, 0));
  if (got < 0)
    return RACK_WRITE_FAILED;
  if (got == 0 && writer->left > 0)
    return RACK_WRITE_SOURCE;
  writer->left -= (guint64) got;
  if (writer->left == 0)
    next_piece (writer);
  return RACK_WRITE_MORE;
}

/* Strings and names, whose form depends on what is in them. */
static RackWriteResult
fill_string (RackWriter *writer, const RackPiece *piece, const RackWireOptions *options,
             GByteArray *out, gsize limit)
{
  g_autofree char *wire = NULL;
  gsize size;
  const char *data = g_bytes_get_data (piece->bytes, &size);

  if (piece->kind != RACK_PIECE_STRING && !options->utf8_names)
    {
      g_autofree char *utf8 = g_strndup (data != NULL ? data : "", size); /* empty: NULL */
      wire = rack_mailbox_name_encode (utf8, NULL);
      data = wire;
      size = strlen (wire);
    }
  if (!writer->in_literal)
    switch (choose_form (data, size, piece->kind != RACK_PIECE_PATTERN, options->utf8_names))
      {
      case FORM_ATOM:
        g_byte_array_append (out, (const guint8 *) data, (guint) size);
        next_piece (writer);
        return RACK_WRITE_MORE;
      case FORM_QUOTED:
        append_quoted (out, data, size);
        next_piece (writer);
        return RACK_WRITE_MORE;
      case FORM_LITERAL:
        if (!begin_literal (writer, options, out, size))
          return RACK_WRITE_WAIT;
        break;
      }
  if (copy_some (writer, out, limit, data, size))
    next_piece (writer);
  return RACK_WRITE_MORE;
}

static RackWriteResult
fill_secret (RackWriter *writer, const RackPiece *piece, const RackWireOptions *options,
             GByteArray *out, gboolean *secret)
{
  const char *data = rack_secret_peek (piece->secret);
  gsize size = rack_secret_size (piece->secret);
  gboolean atom = piece->kind == RACK_PIECE_SECRET_ATOM;

  if (!writer->in_literal && !atom && choose_form (data, size, FALSE, FALSE) == FORM_LITERAL)
    return begin_literal (writer, options, out, size) ? RACK_WRITE_MORE : RACK_WRITE_WAIT;
  if (out->len > 0)
    return RACK_WRITE_MORE; /* secrets go alone */
  *secret = TRUE;
  if (atom || writer->in_literal)
    g_byte_array_append (out, (const guint8 *) data, (guint) size);
  else
    append_quoted (out, data, size);
  next_piece (writer);
  return RACK_WRITE_MORE;
}

static RackWriteResult
fill_piece (RackWriter *writer, const RackPiece *piece, const RackWireOptions *options,
            GByteArray *out, gsize limit, gboolean *secret)
{
  gsize size = 0;
  const char *data = piece->bytes != NULL ? g_bytes_get_data (piece->bytes, &size) : NULL;

  switch (piece->kind)
    {
    case RACK_PIECE_TEXT:
      if (copy_some (writer, out, limit, data, size))
        next_piece (writer);
      return RACK_WRITE_MORE;
    case RACK_PIECE_STRING:
    case RACK_PIECE_MAILBOX:
    case RACK_PIECE_PATTERN:
      return fill_string (writer, piece, options, out, limit);
    case RACK_PIECE_LITERAL:
      if (!writer->in_literal && !begin_literal (writer, options, out, size))
        return RACK_WRITE_WAIT;
      if (copy_some (writer, out, limit, data, size))
        next_piece (writer);
      return RACK_WRITE_MORE;
    case RACK_PIECE_SOURCE:
      if (!writer->in_literal && !begin_literal (writer, options, out, piece->source->size))
        return RACK_WRITE_WAIT;
      return fill_source (writer, piece->source, out, limit);
    case RACK_PIECE_SECRET:
    case RACK_PIECE_SECRET_ATOM:
      return fill_secret (writer, piece, options, out, secret);
    }
  return RACK_WRITE_FAILED;
}

RackWriteResult
rack_writer_fill (RackWriter *writer, const RackWireOptions *options, GByteArray *out, gsize limit,
                  gboolean *secret)
{
  const GArray *pieces = writer->command->pieces;

  *secret = FALSE;
  if (writer->waiting)
    return RACK_WRITE_WAIT;
  while (writer->piece < pieces->len)
    {
      const RackPiece *piece = &g_array_index (pieces, RackPiece, writer->piece);
      guint index = writer->piece;
      guint before = out->len;
      RackWriteResult result = fill_piece (writer, piece, options, out, limit, secret);

      if (result != RACK_WRITE_MORE || *secret || out->len >= limit)
        return result;
      if (writer->piece == index && out->len == before)
        return RACK_WRITE_MORE; /* a secret waits for an empty buffer */
    }
  g_byte_array_append (out, (const guint8 *) "\r\n", 2);
  return RACK_WRITE_DONE;
}

gboolean
rack_writer_continue (RackWriter *writer)
{
  gboolean expected = writer->waiting;

  writer->waiting = FALSE;
  return expected;
}
