/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check-session.c - mailrack check: TLS, the greeting, and logging in
 *
 * One connection, as every other is made; how far it came tells which step failed. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#define SECONDS_A_DAY 86400
/* Certificates are renewed a month or some weeks before they expire. */
#define SOON          14

static const char *
fact (char **facts, const char *name)
{
  for (; facts != NULL && facts[0] != NULL && facts[1] != NULL; facts += 2)
    if (strcmp (facts[0], name) == 0)
      return facts[1];
  return NULL;
}

static guint
count (char **facts, const char *name)
{
  guint n = 0;

  for (; facts != NULL && facts[0] != NULL && facts[1] != NULL; facts += 2)
    n += strcmp (facts[0], name) == 0;
  return n;
}

/* Of "2026-11-26 04:40 UTC"; G_MAXINT: it is none. */
static gint
days_until (const char *date)
{
  gint year, month, day;

  if (date == NULL || sscanf (date, "%d-%d-%d", &year, &month, &day) != 3)
    return G_MAXINT;
  g_autoptr (GDateTime) then = g_date_time_new_utc (year, month, day, 0, 0, 0);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  if (then == NULL)
    return G_MAXINT;
  return (gint) (g_date_time_difference (then, now) / G_TIME_SPAN_DAY);
}

static void
say_certificate (CheckReport *report, char **facts)
{
  const char *expires = fact (facts, "expires");
  gint left = days_until (expires);
  gboolean is_checked = g_strcmp0 (fact (facts, "certificate verified"), "yes") == 0
                        && g_strcmp0 (fact (facts, "host name checked"), "yes") == 0;
  const char *advice = NULL;

  if (!is_checked)
    advice = "anybody on the way could be the server: leave ssl_verify_cert and "
             "ssl_check_hostname on, and name the authority by ssl_ca_file if it is your own";
  else if (left < SOON)
    advice = "have it renewed: after that day nothing connects any more";
  check_say (report, "certificate", advice != NULL ? CHECK_WARN : CHECK_OK, advice,
             "%s for %s, by %s, %u above it, until %s (%d days)%s", fact (facts, "subject"),
             fact (facts, "names"), fact (facts, "issuer"), count (facts, "chain"),
             expires != NULL ? expires : "?", left, is_checked ? "" : "; it is not verified");
}

static void
say_tls (CheckReport *report, const CheckPlace *place, char **facts)
{
  const char *protocol = fact (facts, "protocol");

  if (protocol != NULL)
    {
      check_say (report, "tls", CHECK_OK, NULL, "%s, %s", protocol, fact (facts, "cipher"));
      say_certificate (report, facts);
    }
  else if (place->host != NULL)
    check_say (report, "tls", CHECK_WARN, "use ssl = true (port 993) or starttls = true (port 143)",
               "the connection is not encrypted");
}

/* ---- When it does not come so far ------------------------------------------------------------ */

static const char *
advice_for_tls (const char *message)
{
  static const struct
  {
    const char *word, *advice;
  } known[] = {
    { "not valid before", "check the clock of this machine" },
    { "expired", "the server's administrator has to renew the certificate; check this machine's "
                 "clock too" },
    { "does not offer STARTTLS", "use ssl = true with port 993 if the server has it" },
    { "does not answer with TLS", "use starttls = true for this port" },
    { "made out to", "write into host a name that the certificate is for" },
    { "self-signed", "name the certificate by ssl_ca_file, if it can be trusted" },
    { "authority", "name the authority that signed it by ssl_ca_file, if it can be trusted" },
    { "issuer", "name the authority that signed it by ssl_ca_file, if it can be trusted" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strstr (message, known[i].word) != NULL)
      return known[i].advice;
  return "the message says what is wrong with TLS";
}

static void
explain (CheckReport *report, const CheckPlace *place, const GError *problem)
{
  switch (problem->code)
    {
    case RACK_ERROR_TLS:
      check_fail (report, "tls", problem, advice_for_tls (problem->message));
      break;
    case RACK_ERROR_AUTH:
    case RACK_ERROR_INTERACTION:
    case RACK_ERROR_REFUSED:
    case RACK_ERROR_BUSY:
    case RACK_ERROR_UNAVAILABLE:
      if (place->encrypts)
        check_say (report, "tls", CHECK_OK, NULL, "the certificate was taken");
      check_say (report, "greeting", CHECK_OK, NULL, "an IMAP server answers");
      check_fail (report, "login", problem,
                  problem->code == RACK_ERROR_BUSY || problem->code == RACK_ERROR_UNAVAILABLE
                      ? "try again later"
                      : "check username and password; or auth_mechanisms, or with OAuth2 run "
                        "\"mailrack authorize\"");
      break;
    case RACK_ERROR_TIMEOUT:
      check_fail (report, "greeting", problem,
                  "it takes connections and says nothing: ssl where the port is for starttls, or "
                  "the other way round? a proxy? overload?");
      break;
    default:
      check_fail (report, "greeting", problem, "is it an IMAP server? check host and port");
      break;
    }
}

RackSession *
check_session (CheckReport *report, const CheckPlace *place, RackAccount *account)
{
  gint64 began = g_get_monotonic_time ();
  g_autoptr (GError) problem = NULL;
  RackSession *session = rack_session_open (account, NULL, &problem);

  if (session == NULL)
    {
      explain (report, place, problem);
      return NULL;
    }
  g_auto (GStrv) facts = rack_session_facts (session);
  g_autofree char *greeting = rack_session_greeting (session);
  say_tls (report, place, facts);
  check_say (report, "greeting", CHECK_OK, NULL, "%s", greeting != NULL ? greeting : "");
  const char *mechanism = fact (facts, "mechanism");
  check_say (report, "login", CHECK_OK, NULL, "%s in %.0f ms; by %s, the server offers %s",
             rack_account_label (account), (double) (g_get_monotonic_time () - began) / 1000,
             mechanism != NULL ? mechanism : "the connection itself (PREAUTH)",
             mechanism != NULL ? fact (facts, "mechanisms offered") : "no login");
  return session;
}
