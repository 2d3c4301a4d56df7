/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resync-private.h - the parts of a resync: who asks, who compares, who reads flags
 *
 * resync.c climbs the ladder; resync-ask.c asks one connection; resync-compare.c finds
 * vanished messages without QRESYNC; resync-flags.c reads flags without CONDSTORE. */
#pragma once

#include "fetch-private.h"

/* UID SEARCH on a leased connection. */
typedef struct
{
  RackConn *conn; /* borrowed */
  GCancellable *cancellable;
  gboolean extended; /* ESEARCH: answers are ranges and name their tag */
} RackAsk;

/* key: "UID", "SEEN", "KEYWORD x" or NULL; set: behind it, or NULL. Returns: (owned) a call that
 * was posted. */
RackCall *rack_ask_post (const RackAsk *ask, const char *key, const RackSet *set);
/* Waits. counts (may be NULL): of the mailbox when the answer came. Returns: (owned) UIDs. */
RackSet *rack_ask_read (const RackAsk *ask, RackCall *call, RackCounts *counts, GError **error);
RackSet *rack_ask_search (const RackAsk *ask, const char *key, const RackSet *set,
                          RackCounts *counts, GError **error);

/* Finds which of known have vanished when the server has low messages with UIDs up to last, and
 * which of those are not in known. counts: the mailbox when low was true. vanished and others are
 * added to. Answers grow with what vanished, or with the ranges of known when those are few. */
gboolean rack_compare (const RackAsk *ask, const RackSet *known, guint32 last, guint64 low,
                       const RackCounts *counts, RackSet *vanished, RackSet *others,
                       GError **error);
/* The same in one question, whose answer holds everything there is up to last. */
gboolean rack_compare_all (const RackAsk *ask, const RackSet *known, guint32 last,
                           RackSet *vanished, RackSet *others, GError **error);

/* Flags of every known message, by one SEARCH for each flag, or by FETCH where that cannot be. */
typedef struct RackFlagReader RackFlagReader;
/* uids is borrowed. keywords: those the mailbox may have, NULL-terminated, taken. unseen: how many
 * messages are unseen, or -1. */
RackFlagReader *rack_flag_reader_new (RackMailbox *mailbox, const RackAsk *ask, const RackSet *uids,
                                      char **keywords, gint64 unseen, GError **error);
/* .uid and .flags are filled. NULL: the end, or error set. Borrowed until the next call. */
const RackMessage *rack_flag_reader_next (RackFlagReader *reader, GError **error);
void rack_flag_reader_free (RackFlagReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackFlagReader, rack_flag_reader_free)
