/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * capability.c - what the server said it can do
 *
 * Known only from a CAPABILITY response or code since the last change of phase;
 * void after STARTTLS and after login (RFC 9051 §6.2.1, §6.2.2). */
#include "engine-private.h"

#include <string.h>

static gboolean
is_disabled (const RackEngine *engine, const char *name)
{
  for (char **at = engine->disabled; at != NULL && *at != NULL; at++)
    if (g_ascii_strcasecmp (*at, name) == 0)
      return TRUE;
  return FALSE;
}

void
rack_engine_forget_capabilities (RackEngine *engine)
{
  g_clear_pointer (&engine->capabilities, g_ptr_array_unref);
}

void
rack_engine_set_capabilities (RackEngine *engine, const RackStr *atoms, guint n)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < n; i++)
    {
      char *name = g_ascii_strup (atoms[i].data, (gssize) atoms[i].size);
      if (is_disabled (engine, name))
        g_free (name);
      else
        g_ptr_array_add (list, name);
    }
  g_ptr_array_add (list, NULL);
  rack_engine_forget_capabilities (engine);
  engine->capabilities = list;
  engine->capability_updates++;
}

gboolean
rack_engine_knows_capabilities (const RackEngine *engine)
{
  return engine->capabilities != NULL;
}

const char *const *
rack_engine_capabilities (const RackEngine *engine)
{
  static const char *const none[] = { NULL };

  return engine->capabilities != NULL ? (const char *const *) engine->capabilities->pdata : none;
}

gboolean
rack_engine_has (const RackEngine *engine, const char *capability)
{
  return g_strv_contains (rack_engine_capabilities (engine), capability);
}
