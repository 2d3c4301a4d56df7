/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sd-notify.h - telling a service manager how we are
 */
#pragma once

#include <glib.h>

/* Takes $NOTIFY_SOCKET out of the environment, so that no child of ours speaks for us. Before there
 * are threads. Without it, what follows does nothing. */
void sd_notify_begin (void);
/* Sends lines like "READY=1\nSTATUS=...". Never waits; any thread. */
void sd_notify_send (const char *lines);
