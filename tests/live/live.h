/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * live.h - what the live checks of the public API share
 *
 * A check runs against whatever server the configuration names and touches only
 * mailboxes under a prefix of its own. It says what failed and goes on no further. */
#pragma once

#include <mailrack/mailrack.h>

typedef struct
{
  RackAccount *account;
  const char *file, *section; /* where it comes from; section NULL: DEFAULT */
  RackHost *host;
  char *prefix;    /* "mailrack-live-1234" */
  char *separator; /* of the hierarchy, as a string; "" if flat */
} Live;

typedef gboolean (*LiveCheck) (Live *live, GError **error);

#define live_require(condition)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      {                                                                                            \
        g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "%s:%d: not so: %s", __FILE__,        \
                     __LINE__, #condition);                                                        \
        return FALSE;                                                                              \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

/* "prefix/name" in the account's own hierarchy. Returns: (owned) */
char *live_name (Live *live, const char *name);
/* Makes the mailbox and opens it. Returns: (owned) */
RackMailbox *live_mailbox (Live *live, const char *name, GError **error);
/* The same account with another setting. Returns: (owned) */
RackAccount *live_account (Live *live, const char *key, const char *value, GError **error);
/* Appends one message. */
gboolean live_append (Live *live, const char *mailbox, const char *text, gsize size,
                      RackFlags flags, gint64 date, guint32 *uid, GError **error);

/* Checks in files of their own. */
gboolean live_check_resync (Live *live, GError **error);
gboolean live_check_session (Live *live, GError **error);
gboolean live_check_watch_account (Live *live, GError **error);
