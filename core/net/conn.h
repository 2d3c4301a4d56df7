/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * conn.h - a connection: a stream, an engine, and the one thread that owns both
 *
 * A connection is born on the thread that wants it: that thread drives it through
 * greeting, TLS and login, so that questions to a person are asked there. Then
 * rack_conn_start() hands it to an owner thread of its own, and calls are posted to
 * it from any thread. Nothing else locks around a connection.
 *
 * This room does not know plugins, accounts or mailboxes. */
#pragma once

#include "call.h"
#include "netwatch.h"
#include "stream.h"

/* A wire trace that several connections write to, off at first. Thread-safe. */
typedef struct RackTrace RackTrace;
RackTrace *rack_trace_new (void);
/* From now on to a file (0600); path NULL: to none. On failure nothing has changed. */
gboolean rack_trace_open (RackTrace *trace, const char *path, GError **error);
RackTrace *rack_trace_ref (RackTrace *trace);
void rack_trace_unref (RackTrace *trace);

/* Sums over the connections of an account; every field is atomic. */
typedef struct
{
  guint64 bytes_in, bytes_out, commands, round_trips, connections;
} RackCounters;

typedef struct
{
  gint64 timeout;      /* microseconds */
  gint64 idle_refresh; /* microseconds */
  gboolean preauth;
  const char *const *disabled;
  RackTrace *trace;       /* borrowed for the call; may be NULL */
  RackCounters *counters; /* borrowed for the connection's life */
} RackConnOptions;

/* Takes stream. */
RackConn *rack_conn_new (RackStream *stream, const RackConnOptions *options);
RackConn *rack_conn_ref (RackConn *conn);
/* The last reference closes it; a connection that was started must be closed first. */
void rack_conn_unref (RackConn *conn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackConn, rack_conn_unref)

/* ---- Before rack_conn_start(): on the thread that made it ------------------------ */

/* wait is copied; its cancellable is borrowed until rack_conn_start(). Bounds everything below. */
void rack_conn_set_wait (RackConn *conn, const RackWait *wait);
gboolean rack_conn_wait_greeting (RackConn *conn, GError **error);
/* The engine, to look at and to answer with. */
RackEngine *rack_conn_engine (RackConn *conn);
RackStream *rack_conn_stream (RackConn *conn);
/* For an upgrade: the stream leaves, another comes. */
RackStream *rack_conn_steal_stream (RackConn *conn);
void rack_conn_upgraded (RackConn *conn, RackStream *stream);
/* Drives until ready (call) or call is done. */
gboolean rack_conn_drive_until (RackConn *conn, RackCall *call, gboolean (*ready) (RackCall *call),
                                GError **error);
/* A fact for people beside those of the stream; see rack_conn_facts(). */
void rack_conn_note (RackConn *conn, const char *name, const char *value);
/* Hands it to its owner thread. */
void rack_conn_start (RackConn *conn);

/* ---- Any time, any thread --------------------------------------------------------- */

/* Submits a call (takes a reference for itself). If the connection is dead it is done at once. */
void rack_conn_post (RackConn *conn, RackCall *call);
/* Before start: drives until call is done. After: nothing to do. */
gboolean rack_conn_drive (RackConn *conn, RackCall *call, GCancellable *cancellable,
                          GError **error);
/* The caller goes away. */
void rack_conn_detach (RackConn *conn, RackCall *call);
/* The source of the call's command has octets. */
void rack_conn_kick (RackConn *conn, RackCall *call);
gboolean rack_conn_alive (RackConn *conn);
/* Why it died. Returns: (owned) or NULL */
GError *rack_conn_death (RackConn *conn);
/* LOGOUT if polite, at most a second; then the stream is closed and the thread ends. Idempotent. */
void rack_conn_close (RackConn *conn, gboolean polite);

/* Capabilities as they were when the connection was started or last changed; borrowed for as long
 * as the connection lives and no other CAPABILITY comes. */
gboolean rack_conn_has (RackConn *conn, const char *capability);
char **rack_conn_capabilities (RackConn *conn); /* (owned) */
/* Has the server enable an extension (RFC 5161) in the flight of the next command: it costs no
 * round trip, and whether it worked shows when it is used. */
void rack_conn_enable (RackConn *conn, const char *extension);
/* Keywords that the server announced after the SELECT of what is selected now. Returns: (owned) */
char **rack_conn_new_keywords (RackConn *conn);
const char *rack_conn_greeting (RackConn *conn);
char **rack_conn_facts (RackConn *conn); /* (owned) */

/* Who hears untagged data that belongs to no call, on the owner's thread; NULL: nobody. */
typedef void (*RackNews) (gpointer data, const RackResponse *response);
void rack_conn_set_news (RackConn *conn, RackNews news, gpointer data);
/* Called on the owner's thread when the connection died. */
void rack_conn_set_died (RackConn *conn, void (*died) (gpointer data), gpointer data);
/* Whenever watch tells that the network may have changed, the connection has to show that it still
 * works, within seconds, or dies. To be called once, after rack_conn_start() by who has the
 * connection; watch outlives the connection's close. */
void rack_conn_doubt_with (RackConn *conn, RackNetwatch *watch);
/* IDLE while there is nothing to do. */
void rack_conn_want_idle (RackConn *conn, gboolean want);
