/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls-server.h - the other side of test-tls.c: a GnuTLS server on one descriptor */
#pragma once

#include <glib.h>

typedef enum
{
  END_BYE,
  END_CUT,  /* FIN without close_notify */
  END_NONE, /* neither until the client goes */
} End;

typedef struct
{
  int fd;
  const char *directory; /* of the certificates */
  const char *cert, *priority, *alpn;
  gboolean wants_client; /* a certificate of the client's, too */
  gsize send;            /* octets to send after the greeting */
  End end;
  int handshake; /* GnuTLS's code */
  gsize received;
  GString *text;
  guint8 binding[32];
  gboolean has_binding, goodbye;
} Server;

/* For g_thread_new(); data is a Server. Handshakes, greets, sends, and reads to the end. */
gpointer tls_serve (gpointer data);
