/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plugin-use.h - what a plugin's callbacks give back, before core goes on with it
 *
 * A mistake of a plugin's author must come out as a sentence with the plugin's name, not as
 * a crash in core. This is no defence against a plugin that means harm: it runs as the user. */
#pragma once

#include <mailrack/mailrack-plugin.h>

/* After a callback said that it failed: makes *error one of RACK_ERROR's. An error of another
 * domain keeps its text and gets code; where the plugin set none, one says which callback of
 * which plugin that was. Returns: FALSE */
gboolean rack_plugin_failed (const RackPluginInfo *info, const char *callback, RackError code,
                             GError **error);

/* Whether core can use a stream: its ops have their size and the four that are required. Else
 * RACK_ERROR_PLUGIN; the stream is then left alone, for even its close may be missing. */
gboolean rack_plugin_check_stream (const RackPluginInfo *info, const char *callback,
                                   const RackStream *stream, GError **error);
