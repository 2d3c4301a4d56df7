/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * conn-private.h - a connection's insides, shared by conn.c (its owner) and
 * conn-post.c (everybody else). Nobody else includes this. */
#pragma once

#include "conn.h"

#include "trace.h"

enum
{
  POST_SUBMIT = 1,
  POST_DETACH = 2,
  POST_KICK = 4
};

struct RackConn
{
  gint references;
  /* The owner's alone. */
  RackStream *stream;
  RackEngine *engine;
  RackTrace *trace;
  RackCounters *counters;
  guint64 seen_commands, seen_round_trips;
  RackWait wait; /* while it is being built up */
  gboolean started;
  gboolean doubted; /* it was asked whether it still works, and nothing was read since */

  /* Between owner and callers. */
  pthread_mutex_t lock;
  int wake; /* eventfd */
  pthread_t thread;
  RackCall *inbox, **inbox_end;
  gboolean stop, joined;
  GError *death;
  gboolean want_idle;
  gboolean probe; /* the owner is to find out whether it still works */
  char **capabilities;
  char *greeting;
  char **facts;    /* as they were when it started */
  char **keywords; /* of the last FLAGS that came by itself */
  RackNews news;
  gpointer news_data;
  void (*died) (gpointer data);
  gpointer died_data;
  RackNetwatch *netwatch; /* with network_id; not guarded: see rack_conn_doubt_with() */
  guint network_id;
};
