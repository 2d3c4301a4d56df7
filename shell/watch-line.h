/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-line.h - an event of mailrack watch as a line, for people or as JSON */
#pragma once

#include <mailrack/mailrack.h>

/* What is fetched of new messages, for these lines. */
#define WATCH_LINE_ITEMS "RFC822.SIZE INTERNALDATE ENVELOPE"

/* Everything that is shown of an event. Owned. */
typedef struct
{
  RackEventKind kind;
  gint64 time; /* seconds since the epoch */
  char *mailbox;
  guint32 uid_validity, uid;
  gboolean has_flags;
  char **flags; /* as IMAP writes them */
  gboolean has_message;
  guint64 size;
  gint64 date;                       /* seconds since the epoch; 0: none */
  char *from, *subject, *message_id; /* decoded; or NULL */
} WatchEvent;

WatchEvent *watch_event_new (const RackWatcherEvent *event);
void watch_event_free (WatchEvent *event);
/* "new", "expunge", "flags", "reset", "gone". */
const char *watch_event_word (RackEventKind kind);
/* 0: there is no such word. */
RackEventKind watch_event_kind (const char *word);
/* One line without its end, fit for a terminal. Returns: (owned) */
char *watch_event_text (const WatchEvent *event);
char *watch_event_json (const WatchEvent *event);
