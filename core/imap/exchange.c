/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * exchange.c - what each command is and which untagged data it takes
 *
 * A table, so that pipelining needs one rule: two exchanges may be in flight
 * together when neither runs alone and what they take does not overlap, FETCH
 * excepted, whose responses name their message, and ESEARCH, which names its tag. */
#include "engine.h"

#include <string.h>

typedef struct
{
  const char *name;
  RackTakes takes;
  RackExchangeFlags flags;
} Class;

#define ALONE  RACK_EXCHANGE_ALONE
#define BEFORE (RACK_EXCHANGE_BEFORE_LOGIN | RACK_EXCHANGE_ALONE)
#define REPEAT RACK_EXCHANGE_REPEATABLE
#define REDO   (RACK_EXCHANGE_REPEATABLE | RACK_EXCHANGE_CHANGES)

static const Class classes[] = {
  { "APPEND", RACK_TAKES_CODES, 0 },
  { "AUTHENTICATE", RACK_TAKES_OTHER | RACK_TAKES_CODES, BEFORE | RACK_EXCHANGE_LOGS_IN },
  { "CAPABILITY", RACK_TAKES_OTHER, RACK_EXCHANGE_BEFORE_LOGIN | REPEAT },
  { "CHECK", 0, REPEAT },
  { "CLOSE", RACK_TAKES_EXPUNGE, ALONE | RACK_EXCHANGE_UNSELECTS },
  { "CREATE", RACK_TAKES_CODES, ALONE },
  { "DELETE", RACK_TAKES_CODES, ALONE },
  { "ENABLE", RACK_TAKES_OTHER, ALONE | REPEAT },
  { "EXAMINE", RACK_TAKES_SELECT | RACK_TAKES_CODES,
    RACK_EXCHANGE_SELECTS | RACK_EXCHANGE_EXAMINES | REPEAT },
  { "EXPUNGE", RACK_TAKES_EXPUNGE, ALONE },
  { "FETCH", RACK_TAKES_FETCH | RACK_TAKES_VANISHED, ALONE },
  { "GETQUOTAROOT", RACK_TAKES_OTHER, REPEAT },
  { "LIST", RACK_TAKES_LIST | RACK_TAKES_STATUS, REPEAT },
  { "LOGIN", RACK_TAKES_OTHER | RACK_TAKES_CODES, BEFORE | RACK_EXCHANGE_LOGS_IN },
  { "LOGOUT", 0, BEFORE | RACK_EXCHANGE_LOGS_OUT },
  { "LSUB", RACK_TAKES_LIST, REPEAT },
  { "MYRIGHTS", RACK_TAKES_LIST, REPEAT },
  { "NAMESPACE", RACK_TAKES_OTHER, REPEAT },
  { "NOOP", 0, RACK_EXCHANGE_BEFORE_LOGIN | REPEAT },
  { "NOTIFY", 0, ALONE }, /* what comes with it is news like what comes later */
  { "RENAME", RACK_TAKES_CODES, ALONE },
  { "SEARCH", RACK_TAKES_SEARCH, ALONE },
  { "SELECT", RACK_TAKES_SELECT | RACK_TAKES_CODES, RACK_EXCHANGE_SELECTS | REPEAT },
  { "STARTTLS", 0, BEFORE | RACK_EXCHANGE_STARTS_TLS },
  { "STATUS", RACK_TAKES_STATUS, REPEAT },
  { "STORE", RACK_TAKES_FETCH, ALONE },
  { "SUBSCRIBE", 0, REDO },
  { "UID COPY", RACK_TAKES_CODES, 0 },
  { "UID EXPUNGE", RACK_TAKES_EXPUNGE, ALONE },
  { "UID FETCH", RACK_TAKES_FETCH, REPEAT }, /* one with VANISHED says so itself */
  { "UID MOVE", RACK_TAKES_CODES | RACK_TAKES_EXPUNGE, ALONE },
  { "UID REPLACE", RACK_TAKES_CODES | RACK_TAKES_EXPUNGE, ALONE },
  { "UID SEARCH", RACK_TAKES_SEARCH, REPEAT },
  { "UID SORT", RACK_TAKES_SEARCH, REPEAT },
  { "UID STORE", RACK_TAKES_FETCH | RACK_TAKES_CODES, REDO },
  { "UID THREAD", RACK_TAKES_SEARCH, REPEAT },
  { "UNSELECT", 0, ALONE | RACK_EXCHANGE_UNSELECTS },
  { "UNSUBSCRIBE", 0, REDO },
};

void
rack_exchange_classify (RackExchange *exchange, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    if (g_ascii_strcasecmp (classes[i].name, name) == 0)
      {
        exchange->takes = classes[i].takes;
        exchange->flags = classes[i].flags;
        return;
      }
  exchange->takes = RACK_TAKES_ALL;
  exchange->flags = RACK_EXCHANGE_ALONE;
}
