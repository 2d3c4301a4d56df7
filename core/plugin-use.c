/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plugin-use.c - what a plugin's callbacks give back, before core goes on with it
 *
 * What is wrong with the plugin's own structs is found when it is loaded (plugin-shape.c). */
#include "plugin-use.h"

gboolean
rack_plugin_failed (const RackPluginInfo *info, const char *callback, RackError code,
                    GError **error)
{
  if (error == NULL || (*error != NULL && (*error)->domain == RACK_ERROR))
    return FALSE;
  if (*error == NULL)
    {
      g_set_error (error, RACK_ERROR, code, "%s of the plugin \"%s\" failed and set no error",
                   callback, info->name);
      return FALSE;
    }

  g_autoptr (GError) foreign = g_steal_pointer (error);
  g_set_error_literal (error, RACK_ERROR, code, foreign->message);
  return FALSE;
}

gboolean
rack_plugin_check_stream (const RackPluginInfo *info, const char *callback,
                          const RackStream *stream, GError **error)
{
  const RackStreamOps *ops = stream->ops;
  const char *missing = NULL;

  if (ops == NULL)
    missing = "no ops";
  else if (!RACK_HAS (ops, close))
    missing = "ops without their size (.size = sizeof (RackStreamOps))";
  else if (ops->read == NULL || ops->write == NULL || ops->fd == NULL || ops->close == NULL)
    missing = "ops without all of read, write, fd and close";
  if (missing == NULL)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_PLUGIN,
               "%s of the plugin \"%s\" gave a stream that has %s", callback, info->name, missing);
  return FALSE;
}
