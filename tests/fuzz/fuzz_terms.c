/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_terms.c - what people search for. Oracle: whatever was accepted is one command on
 * the wire, its strings closed, its literals as long as they say, its parentheses even. */
#include "command.h"
#include "criteria.h"
#include "fuzz.h"

#include <string.h>

/* Moves over a literal that begins at "{". NULL: it is none. */
static const char *
over_literal (const char *at, const char *end)
{
  gsize size = 0;
  const char *digit = at + 1;

  for (; digit < end && g_ascii_isdigit (*digit); digit++)
    size = size * 10 + (gsize) (*digit - '0');
  if (end - digit < 4 || memcmp (digit, "+}\r\n", 4) != 0)
    return NULL;
  g_assert_cmpuint (size, <=, (gsize) (end - digit - 4));
  return digit + 4 + size;
}

static const char *
over_quoted (const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++)
    {
      g_assert (!(*at & 0x80) && *at != '\r' && *at != '\n' && *at != '\0');
      at += *at == '\\';
    }
  g_assert (at < end);
  return at + 1;
}

static void
check_wire (const char *at, const char *end)
{
  int depth = 0;

  g_assert (end - at >= 2 && memcmp (end - 2, "\r\n", 2) == 0);
  end -= 2;
  while (at < end)
    if (*at == '"')
      at = over_quoted (at, end);
    else if (*at == '{')
      {
        at = over_literal (at, end);
        g_assert (at != NULL);
      }
    else
      {
        g_assert (*at >= 0x20 && *at < 0x7f);
        depth += (*at == '(') - (*at == ')');
        g_assert (depth >= 0);
        at++;
      }
  g_assert (depth == 0);
}

static void
check_criteria (const RackCriteria *criteria, RackSearchOptions options)
{
  g_autoptr (RackCommand) command = rack_command_new ("S");
  g_autoptr (GByteArray) out = g_byte_array_new ();
  RackWireOptions can = { .literal_plus = TRUE };
  RackWriter writer;
  gboolean secret;

  rack_command_criteria (command, criteria, options);
  g_assert_no_error (rack_command_error (command));
  rack_writer_init (&writer, command);
  while (rack_writer_fill (&writer, &can, out, 1 << 20, &secret) != RACK_WRITE_DONE)
    ;
  check_wire ((const char *) out->data, (const char *) out->data + out->len);
}

static void
check_all (RackCriteria *criteria, GError *error)
{
  g_assert ((criteria == NULL) == (error != NULL));
  if (criteria != NULL)
    for (RackSearchOptions options = 0; options < 4; options++)
      check_criteria (criteria, options);
  else
    g_assert (g_utf8_validate (error->message, -1, NULL));
  rack_criteria_free (criteria);
  g_clear_error (&error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  GError *error = NULL;
  GDate today;

  g_date_clear (&today, 1);
  g_date_set_dmy (&today, 5, 3, 2026);
  RackCriteria *criteria = rack_criteria_parse (text, &today, &error);
  check_all (criteria, error);
  error = NULL;
  criteria = rack_criteria_parse_keys (text, &error);
  check_all (criteria, error);
  return 0;
}
