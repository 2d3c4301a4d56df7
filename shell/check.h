/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check.h - the steps of mailrack check, and what they say
 *
 * cmd-check.c (options, the order), check-report.c (lines and JSON), check-network.c (name and
 * TCP), check-session.c (TLS, greeting, login), check-server.c (what the server has). */
#pragma once

#include <mailrack/mailrack.h>

typedef enum
{
  CHECK_OK,
  CHECK_WARN,
  CHECK_FAIL,
} CheckVerdict;

typedef struct
{
  gboolean json;
  int status; /* of the first step that failed; 0: none did */
  guint warnings, failures;
} CheckReport;

/* advice: what to change, or NULL. Both may hold what a server said. */
void check_say (CheckReport *report, const char *step, CheckVerdict verdict, const char *advice,
                const char *format, ...) G_GNUC_PRINTF (5, 6);
/* A step that failed with an error, whose exit status is the program's. */
void check_fail (CheckReport *report, const char *step, const GError *error, const char *advice);

/* Where the account's server is. */
typedef struct
{
  char *host; /* NULL: a command carries the connection */
  guint16 port;
  gboolean encrypts;
  gint64 timeout; /* milliseconds */
} CheckPlace;

void check_place_clear (CheckPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CheckPlace, check_place_clear)

/* Each returns whether there is any use in going on. */
gboolean check_network (CheckReport *report, const CheckPlace *place);
/* Returns: (owned) a session, or NULL. */
RackSession *check_session (CheckReport *report, const CheckPlace *place, RackAccount *account);
void check_server (CheckReport *report, RackAccount *account, RackSession *session);
