/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * change.h - commands that change something on the server: which they are, --dry-run, and questions
 *
 * With --dry-run such a command is printed and not sent, whoever builds it; see shell_expect(). */
#pragma once

#include "shell.h"

#define CHANGE_ERROR (change_error_quark ())
GQuark change_error_quark (void);

typedef enum
{
  CHANGE_ERROR_DRY_RUN, /* it would have been sent; the line ends well there */
} ChangeError;

/* Whether a command may change something: its name in upper case. */
gboolean change_is_one (const Shell *shell, const char *name);
/* With --dry-run, and for a command that changes something: prints it and returns TRUE with
 * CHANGE_ERROR_DRY_RUN set. */
gboolean change_is_held (Shell *shell, const RackCommand *command, GError **error);
/* Sends a command that changes something and waits for OK. With --dry-run TRUE, and *reply (which
 * may be NULL) is NULL. Takes command. */
gboolean change_send (Shell *shell, RackCommand *command, RackReply **reply, GError **error);
/* The same of a command that adds messages to a mailbox: they are no news here. */
gboolean change_send_to (Shell *shell, const char *mailbox, RackCommand *command, GError **error);
/* Before n messages are removed. what: "rm: 500 messages go to Trash". On a terminal asks when
 * there are more than the setting confirm says; elsewhere only --yes lets it be done. */
gboolean change_confirm (Shell *shell, guint64 n, gboolean yes, const char *what, GError **error);
