/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * form.c - a form that may hold secrets
 *
 * Its memory is never moved without being wiped. */
#include "oauth2.h"

#include <string.h>

struct Form
{
  char *text;
  gsize size, room;
};

Form *
form_new (void)
{
  return g_new0 (Form, 1);
}

static void
append (Form *form, const char *text)
{
  gsize size = strlen (text);

  if (form->size + size + 1 > form->room)
    {
      gsize room = MAX (2 * form->room, form->size + size + 1);
      char *larger = g_malloc (room);
      if (form->text != NULL)
        {
          memcpy (larger, form->text, form->size);
          explicit_bzero (form->text, form->room);
          g_free (form->text);
        }
      form->text = larger;
      form->room = room;
    }
  memcpy (form->text + form->size, text, size + 1);
  form->size += size;
}

void
form_add (Form *form, const char *name, const char *value)
{
  char *escaped = g_uri_escape_string (value, NULL, FALSE);

  append (form, form->size > 0 ? "&" : "");
  append (form, name);
  append (form, "=");
  append (form, escaped);
  explicit_bzero (escaped, strlen (escaped));
  g_free (escaped);
}

void
form_add_secret (Form *form, const char *name, const RackSecret *value)
{
  form_add (form, name, rack_secret_peek (value));
}

void
form_add_client (Form *form, const Config *config)
{
  form_add (form, "client_id", config->client_id);
  if (config->client_secret != NULL && rack_secret_size (config->client_secret) > 0)
    form_add_secret (form, "client_secret", config->client_secret);
}

RackSecret *
form_finish (Form *form)
{
  RackSecret *secret = rack_secret_new (form->text, (gssize) form->size);

  explicit_bzero (form->text, form->room);
  g_free (form->text);
  g_free (form);
  return secret;
}
