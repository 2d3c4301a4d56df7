/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * rights.c - rights of ACLs as letters (RFC 4314, RFC 2086) */
#include "reply.h"

#include <string.h>

static const struct
{
  char letter;
  RackRights rights;
} letters[] = {
  { 'l', RACK_RIGHT_LOOKUP },
  { 'r', RACK_RIGHT_READ },
  { 's', RACK_RIGHT_SEEN },
  { 'w', RACK_RIGHT_WRITE },
  { 'i', RACK_RIGHT_INSERT },
  { 'p', RACK_RIGHT_POST },
  { 'k', RACK_RIGHT_CREATE },
  { 'x', RACK_RIGHT_REMOVE },
  { 't', RACK_RIGHT_DELETE },
  { 'e', RACK_RIGHT_EXPUNGE },
  { 'a', RACK_RIGHT_ADMIN },
  /* Of RFC 2086; who has only these means all that they stood for (RFC 4314 section 2.1.1). */
  { 'c', RACK_RIGHT_CREATE | RACK_RIGHT_REMOVE },
  { 'd', RACK_RIGHT_DELETE | RACK_RIGHT_EXPUNGE | RACK_RIGHT_REMOVE },
};

/* Whether it is one of those that RFC 4314 split c and d into. */
static gboolean
is_new (char letter)
{
  return letter != '\0' && strchr ("kxte", letter) != NULL;
}

RackRights
rack_rights_parse (RackStr text)
{
  RackRights rights = 0;
  gboolean fresh = FALSE;

  for (gsize i = 0; i < text.size; i++)
    fresh |= is_new (text.data[i]);
  for (gsize i = 0; i < text.size; i++)
    for (guint k = 0; k < G_N_ELEMENTS (letters); k++)
      if (letters[k].letter == text.data[i]
          && !(fresh && (letters[k].letter == 'c' || letters[k].letter == 'd')))
        rights |= letters[k].rights;
  return rights;
}

char *
rack_rights_to_string (RackRights rights)
{
  GString *text = g_string_new (NULL);

  for (guint k = 0; k < G_N_ELEMENTS (letters); k++)
    if (letters[k].letter != 'c' && letters[k].letter != 'd' && (rights & letters[k].rights))
      g_string_append_c (text, letters[k].letter);
  return g_string_free (text, FALSE);
}
