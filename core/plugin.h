/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plugin.h - plugins as the account code gets them
 *
 * Found, checked, made resident, and normalised: every field this core knows is
 * there, whatever header the plugin was built with; params has core's stride. */
#pragma once

#include <mailrack/mailrack-plugin.h>

/* name: the value of "auth =" or "transport =": a name, or a path with a "/". Borrowed for the life
 * of the process. NULL with RACK_ERROR_PLUGIN. */
const RackAuthPlugin *rack_plugin_find_auth (const char *name, GError **error);
const RackTransportPlugin *rack_plugin_find_transport (const char *name, GError **error);
