/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * player.h - plays a dialogue into an engine
 *
 * The engine has no I/O, so neither has this: octets of the script go in, what the
 * engine writes and reports is compared with the script. */
#pragma once

#include "script.h"

/* How the server's octets arrive. */
typedef enum
{
  PLAY_WHOLE,  /* all that comes before the script waits, in one piece */
  PLAY_OCTETS, /* one by one, and the client's go out one by one */
  PLAY_CUT,    /* as WHOLE, but cut once, at a given octet */
} PlayMode;

/* FALSE with error set: the engine did something else. octets: how many the server sent in all;
 * may be NULL. */
gboolean play (const Script *script, PlayMode mode, gsize cut, gsize *octets, GError **error);
