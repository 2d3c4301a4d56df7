/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls-private.h - what the files of plugins/tls share */
#pragma once

#include "tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

struct RackTls
{
  const RackTlsConfig *config;
  RackHost *host;
  gnutls_certificate_credentials_t credentials;
  gnutls_priority_t priority;
  gint warned; /* atomic: the user was told once that nothing is verified */
};

/* What is read from below at once: GnuTLS asks for a header and a record apart, and small records
 * come in numbers. Two of the largest. */
#define RACK_TLS_AHEAD (2 * 16640)

typedef struct
{
  RackStream stream;
  RackTls *tls;
  RackStream *lower;
  char *ahead; /* encrypted octets that GnuTLS has not asked for yet */
  gsize ahead_at, ahead_end;
  gnutls_session_t session;
  char *name;   /* of the host, without a trailing dot; never empty */
  GError *why;  /* what a callback of GnuTLS found wrong */
  int first;    /* the first octet the server sent, or -1 */
  gboolean eof; /* the stream below ended */
  GIOCondition wants_read, wants_write;
} RackTlsStream;

/* tls-verify.c: the verify function of the credentials. */
int rack_tls_verify (gnutls_session_t session);

/* tls-facts.c */
char **rack_tls_facts (RackStream *stream);
/* One line of a distinguished name, safe to show. Returns: (owned) */
char *rack_tls_subject (gnutls_x509_crt_t cert);
char *rack_tls_issuer (gnutls_x509_crt_t cert);
/* "mail.example.org, 192.0.2.1"; "" when there is no subjectAltName. Returns: (owned) */
char *rack_tls_names (gnutls_x509_crt_t cert);
/* "2026-03-01 12:00 UTC". Returns: (owned) */
char *rack_tls_date (gint64 seconds);
