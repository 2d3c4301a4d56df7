/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command.c - a command as it is built
 *
 * Keeps the arguments as pieces until the moment of writing, because only then is
 * it known which literals the server takes and how names are encoded (writer.c).
 * No octet of a user's string can become a second command: what cannot be quoted
 * goes out as a literal, what cannot go out at all is an error of the command. */
#include "command-private.h"

#include "date.h"
#include "response.h"
#include "secret.h"

#include <string.h>

static void
piece_clear (gpointer data)
{
  RackPiece *piece = data;

  if (piece->kind == RACK_PIECE_SECRET || piece->kind == RACK_PIECE_SECRET_ATOM)
    rack_secret_free (piece->secret);
  else if (piece->bytes != NULL)
    g_bytes_unref (piece->bytes);
}

RackCommand *
rack_command_new (const char *name)
{
  RackCommand *command = g_new0 (RackCommand, 1);

  command->name = g_strdup (name);
  command->text = g_string_new (NULL);
  command->pieces = g_array_new (FALSE, TRUE, sizeof (RackPiece));
  g_array_set_clear_func (command->pieces, piece_clear);
  command->opened = TRUE;
  rack_command_atom (command, name);
  return command;
}

void
rack_command_free (RackCommand *command)
{
  if (command == NULL)
    return;
  g_free (command->name);
  g_string_free (command->text, TRUE);
  g_array_free (command->pieces, TRUE);
  g_clear_error (&command->error);
  g_free (command);
}

const char *
rack_command_name (const RackCommand *command)
{
  return command->name;
}

const GError *
rack_command_error (const RackCommand *command)
{
  return command->error;
}

static void G_GNUC_PRINTF (2, 3) refuse (RackCommand *command, const char *format, ...)
{
  va_list args;

  if (command->error != NULL)
    return;
  va_start (args, format);
  command->error = g_error_new_valist (RACK_ERROR, RACK_ERROR_INVALID, format, args);
  va_end (args);
  g_prefix_error (&command->error, "%s: ", command->name);
}

static void
space (RackCommand *command)
{
  if (!command->opened)
    g_string_append_c (command->text, ' ');
  command->opened = FALSE;
}

void
rack_command_flush (RackCommand *command)
{
  RackPiece piece = { .kind = RACK_PIECE_TEXT };

  if (command->text->len == 0)
    return;
  piece.bytes = g_bytes_new (command->text->str, command->text->len);
  g_array_append_val (command->pieces, piece);
  g_string_truncate (command->text, 0);
}

static RackPiece *
add_piece (RackCommand *command, RackPieceKind kind)
{
  space (command);
  rack_command_flush (command);
  g_array_set_size (command->pieces, command->pieces->len + 1);
  RackPiece *piece = &g_array_index (command->pieces, RackPiece, command->pieces->len - 1);
  piece->kind = kind;
  return piece;
}

/* What ends a line or a string for some server is never sent outside a literal. */
static gboolean
is_line_safe (const char *text)
{
  return strpbrk (text, "\r\n") == NULL;
}

void
rack_command_atom (RackCommand *command, const char *atom)
{
  if (*atom == '\0' || !is_line_safe (atom))
    {
      refuse (command, "\"%s\" is not an atom", *atom == '\0' ? "" : "(a line break)");
      return;
    }
  space (command);
  g_string_append (command->text, atom);
}

/* A literal hidden in raw text would make the server read the next command as its data. */
static gboolean
ends_like_literal (const char *text)
{
  gsize size = strlen (text);

  if (size < 3 || text[size - 1] != '}')
    return FALSE;
  const char *at = text + size - 2;
  if (*at == '+' || *at == '-')
    at--;
  const char *digits = at;
  while (at > text && g_ascii_isdigit (*at))
    at--;
  return *at == '{' && at < digits + 1;
}

void
rack_command_raw (RackCommand *command, const char *text)
{
  if (!is_line_safe (text))
    refuse (command, "a line break cannot be part of a command");
  else if (ends_like_literal (text))
    refuse (command, "a literal cannot be written as raw text");
  else if (*text != '\0')
    {
      space (command);
      g_string_append (command->text, text);
    }
}

void
rack_command_number (RackCommand *command, guint64 number)
{
  space (command);
  g_string_append_printf (command->text, "%" G_GUINT64_FORMAT, number);
}

void
rack_command_set (RackCommand *command, const RackSet *set)
{
  g_autofree char *text = rack_set_to_string (set);

  if (*text == '\0')
    refuse (command, "the set of messages is empty");
  else
    rack_command_atom (command, text);
}

void
rack_command_string (RackCommand *command, const char *data, gssize size)
{
  gsize length = size < 0 ? strlen (data) : (gsize) size;

  if (memchr (data, '\0', length) != NULL)
    refuse (command, "a string with a NUL cannot be sent");
  else
    add_piece (command, RACK_PIECE_STRING)->bytes = g_bytes_new (data, length);
}

static void
add_name (RackCommand *command, const char *utf8, RackPieceKind kind)
{
  GError *error = NULL;
  g_autofree char *wire = rack_mailbox_name_encode (utf8, &error);

  if (wire == NULL)
    {
      refuse (command, "%s", error->message);
      g_error_free (error);
      return;
    }
  add_piece (command, kind)->bytes = g_bytes_new (utf8, strlen (utf8));
}

void
rack_command_mailbox (RackCommand *command, const char *utf8)
{
  add_name (command, utf8, RACK_PIECE_MAILBOX);
}

void
rack_command_pattern (RackCommand *command, const char *utf8)
{
  add_name (command, utf8, RACK_PIECE_PATTERN);
}

void
rack_command_date_time (RackCommand *command, gint64 date, gint zone)
{
  char text[RACK_DATE_TIME_SIZE];

  rack_date_time_format (date, zone, text);
  space (command);
  g_string_append_printf (command->text, "\"%s\"", text);
}

/* A flag is "\" and an atom, or an atom (RFC 9051 §9, flag). */
static gboolean
is_flag (const char *name)
{
  const char *atom = *name == '\\' ? name + 1 : name;

  if (*atom == '\0')
    return FALSE;
  for (const char *at = atom; *at != '\0'; at++)
    if ((guchar) *at <= ' ' || (guchar) *at >= 0x7f || strchr ("(){%*\"\\]", *at) != NULL)
      return FALSE;
  return TRUE;
}

void
rack_command_flags (RackCommand *command, RackFlags flags, const char *const *keywords)
{
  rack_command_open (command);
  for (guint bit = 0; bit < 5; bit++)
    if (flags & (1u << bit))
      rack_command_atom (command, rack_flag_name ((RackFlags) (1u << bit)));
  for (; keywords != NULL && *keywords != NULL; keywords++)
    {
      if (is_flag (*keywords))
        rack_command_atom (command, *keywords);
      else
        refuse (command, "\"%s\" cannot be a flag: letters, digits and - _ $ . are sure to work",
                is_line_safe (*keywords) ? *keywords : "(a line break)");
    }
  rack_command_close (command);
}

void
rack_command_literal (RackCommand *command, GBytes *data)
{
  add_piece (command, RACK_PIECE_LITERAL)->bytes = g_bytes_ref (data);
}

void
rack_command_source (RackCommand *command, RackSource *source)
{
  add_piece (command, RACK_PIECE_SOURCE)->source = source;
}

void
rack_command_secret (RackCommand *command, const RackSecret *secret)
{
  if (memchr (rack_secret_peek (secret), '\0', rack_secret_size (secret)) != NULL)
    refuse (command, "a user name or password with a NUL cannot be sent");
  else
    add_piece (command, RACK_PIECE_SECRET)->secret = rack_secret_copy (secret);
}

void
rack_command_secret_atom (RackCommand *command, const RackSecret *secret)
{
  add_piece (command, RACK_PIECE_SECRET_ATOM)->secret = rack_secret_copy (secret);
}

void
rack_command_open (RackCommand *command)
{
  space (command);
  g_string_append_c (command->text, '(');
  command->opened = TRUE;
}

void
rack_command_close (RackCommand *command)
{
  g_string_append_c (command->text, ')');
  command->opened = FALSE;
}

char *
rack_command_describe (const RackCommand *command)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < command->pieces->len; i++)
    {
      const RackPiece *piece = &g_array_index (command->pieces, RackPiece, i);
      gsize size = 0;
      const char *data = piece->bytes != NULL ? g_bytes_get_data (piece->bytes, &size) : NULL;

      switch (piece->kind)
        {
        case RACK_PIECE_TEXT:
          g_string_append_len (text, data, (gssize) size);
          break;
        case RACK_PIECE_STRING:
        case RACK_PIECE_MAILBOX:
        case RACK_PIECE_PATTERN:
          g_string_append_printf (text, "\"%.*s\"", (int) size, data);
          break;
        case RACK_PIECE_LITERAL:
          g_string_append_printf (text, "{%" G_GSIZE_FORMAT "}", size);
          break;
        case RACK_PIECE_SOURCE:
          g_string_append_printf (text, "{%" G_GUINT64_FORMAT "}", piece->source->size);
          break;
        case RACK_PIECE_SECRET:
        case RACK_PIECE_SECRET_ATOM:
          g_string_append (text, "***");
          break;
        }
    }
  g_string_append_len (text, command->text->str, (gssize) command->text->len);
  return g_string_free (text, FALSE);
}

static char *
first_piece (const RackCommand *command, gboolean strings)
{
  for (guint i = 0; i < command->pieces->len; i++)
    {
      const RackPiece *piece = &g_array_index (command->pieces, RackPiece, i);
      if (piece->kind == RACK_PIECE_MAILBOX || (strings && piece->kind == RACK_PIECE_STRING))
        {
          gsize size;
          const char *data = g_bytes_get_data (piece->bytes, &size);
          return g_strndup (data, size);
        }
    }
  return NULL;
}

char *
rack_command_first_mailbox (const RackCommand *command)
{
  return first_piece (command, FALSE);
}

char *
rack_command_first_string (const RackCommand *command)
{
  return first_piece (command, TRUE);
}
