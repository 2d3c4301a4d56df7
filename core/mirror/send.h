/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send.h - what the senders of messages and files share; none of it holds a lock
 */
#pragma once

#include "mirror-private.h"

G_BEGIN_DECLS

/* Whether the server has said no, so that asking again is no use. */
gboolean rack_send_is_final (const GError *problem);

/* Whether the server has said that it cannot just now: nothing was done. */
gboolean rack_send_is_for_now (const GError *problem);

/* The folder has something new on the server, and who looks at it shall see it. NULL: nothing. */
void rack_send_look (RackFolder *folder);

/* What the folder's next message would be called is not below next. The sender's alone. */
void rack_send_heard (RackFolder *folder, guint32 uid_validity, guint32 next);

/* The highest such number that is known without asking. Returns: whether there is one. */
gboolean rack_send_next (RackFolder *folder, guint32 *uid_validity, guint32 *next);

/* The UID that from became, or 0. */
guint32 rack_copied_find (const RackCopied *copied, guint32 from);

/* SHA-256 of octets as text: a server may give back CRLF where LF was sent. */
typedef struct
{
  GChecksum *sum;
  gboolean cr;    /* the last octet was one, and is not in yet */
  guint64 octets; /* as they came */
  guint64 bare;   /* line ends without CR */
} RackTextDigest;
void rack_text_digest_init (RackTextDigest *digest);
void rack_text_digest_feed (RackTextDigest *digest, const char *data, gsize size);
/* Writes 32 octets, and frees what it holds. */
void rack_text_digest_end (RackTextDigest *digest, guint8 *out);

/* A message that may have been stored. */
typedef struct
{
  guint64 size, largest; /* with CRLF everywhere it has this many octets */
  gint64 date;           /* INTERNALDATE, or -1: any */
  const guint8 *digest;  /* RackTextDigest of its octets, or NULL */
  RackMailbox *source;   /* without it: where it is read, as from, if need be; NULL: size and date
                          * are enough */
  guint32 from;
  guint8 own[32]; /* for what is read there */
  guint32 uid;    /* set to what it was found as, 0: not there */
} RackSought;

/* Looks for n of them among the messages of folder with a UID not below next; each message is one
 * of them at most, and none that was claimed before. RACK_ERROR_STALE: another UIDVALIDITY. */
gboolean rack_send_seek (RackFolder *folder, guint32 uid_validity, guint32 next, RackSought *sought,
                         guint n, GError **error);

G_END_DECLS
