/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.h - an account's mirror on disk: one directory, one SQLite database in it
 *
 * What it knows are rows; what they mean is the business of those who call. One program
 * at a time has a store (a lock says who). Any thread may call: writers take turns at
 * one connection, readers share a few others and never wait for a writer (WAL). Nothing
 * here calls out while it holds a lock, so these come last in the order of locks.
 */
#pragma once

#include "rows.h"

#include <mailrack/mailrack-mirror.h>

G_BEGIN_DECLS

typedef struct RackStore RackStore;

/* The directory of an account's mirror; parent NULL: $XDG_CACHE_HOME/mailrack. Returns: (owned) */
char *rack_store_place (RackAccount *account, const char *parent);

/* Makes a directory that is nobody else's, or makes sure that it is one. what: the
 * end of the error. */
gboolean rack_store_make_directory (const char *directory, const char *what, GError **error);

/* So long, in milliseconds, one waits for a program that may be about to end: a mount that was just
 * unmounted. */
#define RACK_STORE_PATIENCE 2000

/* Makes the directory and the database where there are none, and takes the lock. holder: who we
 * are, for others to read; patience: milliseconds to wait for one who has it. A database of an
 * older version is brought up to ours; one that cannot be read is set aside, and *notice (owned, or
 * NULL) says so. RACK_ERROR_BUSY: another has it; RACK_ERROR_UNSUPPORTED: a newer version made it.
 */
RackStore *rack_store_open (const char *directory, const char *holder, gint64 patience,
                            char **notice, GError **error);
/* The same in memory, because why befell the disk: what can be read there is known, changes go
 * there when that is possible. */
RackStore *rack_store_open_memory (const char *directory, const char *holder, const GError *why,
                                   GError **error);
/* Where the disk fails a change, the store is to go on in memory. Before any other thread has it.
 */
void rack_store_allow_memory (RackStore *store);
/* Whether the disk will have it, at the end at the latest if it fails now. */
gboolean rack_store_is_kept (RackStore *store);
/* Why changes are not written to the disk at present, or NULL. Returns: (owned) */
char *rack_store_trouble (RackStore *store);
/* Those who wait for the lock may go on waiting: it is given back soon. */
void rack_store_say_closing (RackStore *store);
/* Gives back the memory in which pages were kept for writing: after much was written. */
void rack_store_shrink (RackStore *store);
/* Writes what is still queued. No other call may run. */
void rack_store_close (RackStore *store);
/* Borrowed. */
const char *rack_store_directory (RackStore *store);

gboolean rack_store_exists (const char *directory);
/* Something that was read looked damaged; the next one who opens it looks through all of it. */
gboolean rack_store_is_suspect (RackStore *store);

/* Who has the lock of a directory now, or NULL. Returns: (owned) "mailrack-mount /mnt (process
 * 12)". */
char *rack_store_holder (const char *directory);

/* A number that outlives the process. Returns: fallback if there is none. */
gint64 rack_store_get (RackStore *store, const char *key, gint64 fallback);
gboolean rack_store_set (RackStore *store, const char *key, gint64 value, GError **error);

/* ---- store-folders.c: the tree, and what is known of each mailbox ------------ */

typedef struct
{
  guint32 id, parent; /* parent 0: the root */
  const char *mailbox, *directory;
  RackListFlags flags;
  gboolean selectable;
  gint64 gone; /* seconds since the epoch: when it was missing in the list first; 0: it is there */
} RackStoreFolder;

typedef struct
{
  guint32 row, folder;
  guint32 uid_validity, uid_next;
  guint64 modseq;
  gboolean complete; /* messages has every one of them */
  gboolean named;    /* details has each of those */
  gint64 changed, flags_changed;
  guint32 expected; /* while it is not complete: how many messages there will be, for people */
} RackStoreBox;

typedef void (*RackStoreFolderFunc) (const RackStoreFolder *folder, gpointer data);
typedef void (*RackStoreBoxFunc) (const RackStoreBox *box, gpointer data);
/* Parents before their children. func may not call the store. */
gboolean rack_store_each_folder (RackStore *store, RackStoreFolderFunc func, gpointer data,
                                 GError **error);
gboolean rack_store_each_box (RackStore *store, RackStoreBoxFunc func, gpointer data,
                              GError **error);
/* Adds or replaces these; others stay. */
gboolean rack_store_put_folders (RackStore *store, const RackStoreFolder *folders, guint n,
                                 GError **error);
/* Forgets folders that are gone since before then, with all that belongs to them. */
gboolean rack_store_forget_gone (RackStore *store, gint64 before, GError **error);
/* Adds a box; of the same folder only this one stays. */
gboolean rack_store_add_box (RackStore *store, const RackStoreBox *box, GError **error);
/* Notes what is known now of a box that is there. FALSE: RACK_ERROR_STALE, it is not. */
gboolean rack_store_note_box (RackStore *store, const RackStoreBox *box, GError **error);
/* Forgets a box with all its messages; its bodies' rows stay until their octets are given back. */
gboolean rack_store_drop_box (RackStore *store, guint32 row, GError **error);

/* ---- store-messages.c: the messages of a box ---------------------------------- */

/* What is known already stays, but for details it lacks. FALSE: RACK_ERROR_STALE if the box is not
 * there (any more). */
gboolean rack_store_add (RackStore *store, guint32 row, const RackRows *rows, GError **error);
/* uid, flags, keywords and modseq of rows; a modseq of 0 leaves the one there was. */
gboolean rack_store_set_flags (RackStore *store, guint32 row, const RackRows *rows, GError **error);
gboolean rack_store_remove (RackStore *store, guint32 row, const RackSet *uids, GError **error);
/* The size that a literal had. Queued: written with whatever is written next. */
void rack_store_learn_size (RackStore *store, guint32 row, guint32 uid, guint64 size);
gboolean rack_store_flush (RackStore *store, GError **error);

/* One message as it is loaded into an index. keywords as rows.h has them, or NULL; borrowed. */
typedef struct
{
  guint32 uid;
  RackFlags flags;
  guint64 size;
  gboolean exact;
  gint64 date;
  const char *keywords;
} RackStoreMessage;

typedef void (*RackStoreMessageFunc) (const RackStoreMessage *message, gpointer data);
/* All of a box, ascending by UID. */
gboolean rack_store_load (RackStore *store, guint32 row, RackStoreMessageFunc func, gpointer data,
                          GError **error);
/* The names of those of n entries, ascending by UID, that are called "", which one without a name
 * stays. */
gboolean rack_store_names (RackStore *store, guint32 row, RackEntry *entries, guint n,
                           GError **error);
/* The keywords of one message. Returns: (owned) or NULL if it has none. */
char *rack_store_keywords (RackStore *store, guint32 row, guint32 uid);
/* Up to n messages with a UID above after. Free each with rack_details_clear(). Returns: how
 * many. */
guint rack_store_details (RackStore *store, guint32 row, guint32 after, RackDetails *details,
                          guint n, GError **error);

/* ---- store-parts.c: what messages are made of ----------------------------------- */

/* What was kept of a message. Returns: (owned), or NULL if nothing was, or it cannot be read. */
GBytes *rack_store_parts (RackStore *store, guint32 row, guint32 uid);
/* Of a message that is not there (any more) nothing is kept. */
gboolean rack_store_keep_parts (RackStore *store, guint32 row, guint32 uid, GBytes *facts,
                                GError **error);

/* ---- store-bodies.c: which octets the file of bodies holds ---------------------- */

typedef struct
{
  guint32 row, uid;
  char *section; /* "" for the whole message */
  guint64 offset, size;
  guint32 crc;
  gint64 used; /* when last; microseconds since the epoch */
} RackStoreBody;

/* section is owned. FALSE: it is not there. */
gboolean rack_store_find_body (RackStore *store, guint32 row, guint32 uid, const char *section,
                               RackStoreBody *body);
/* Adds the UIDs from first to last whose whole message is there. */
void rack_store_kept_uids (RackStore *store, guint32 row, guint32 first, guint32 last,
                           RackSet *uids);
/* All of them in one transaction; one that is there already is replaced. */
gboolean rack_store_add_bodies (RackStore *store, const RackStoreBody *bodies, guint n,
                                GError **error);
/* Notes .used of those that are there. */
gboolean rack_store_use_bodies (RackStore *store, const RackStoreBody *bodies, guint n,
                                GError **error);
/* Those that are still at their offset. */
gboolean rack_store_remove_bodies (RackStore *store, const RackStoreBody *bodies, guint n,
                                   GError **error);
typedef void (*RackStoreBodyFunc) (const RackStoreBody *body, gpointer data);
/* Ascending by offset. func may not call the store. */
gboolean rack_store_each_body (RackStore *store, RackStoreBodyFunc func, gpointer data,
                               GError **error);
/* At most n: those that were not used for longest, or whose message is not there any more. Returns:
 * (owned, element-type RackStoreBody); empty if there are none or they cannot be read. */
GArray *rack_store_oldest_bodies (RackStore *store, guint n);
GArray *rack_store_orphaned_bodies (RackStore *store, guint n);
/* ---- store-find.c: messages of all boxes that are complete and whose folders are there ------ */

/* One message. The texts are borrowed and may be NULL. */
typedef struct
{
  guint32 row, uid;
  gint64 date;
  const char *name; /* as a file */
  RackFlags flags;
  const char *keywords, *sender; /* sender: its address, ASCII in lower case */
  const char *subject, *message_id, *in_reply_to, *thread_id;
} RackStoreHit;

/* How far a search has come. All zero: nowhere. */
typedef struct
{
  gint64 date;
  guint32 row, uid;
} RackStoreCursor;

typedef void (*RackStoreHitFunc) (const RackStoreHit *hit, gpointer data);
/* Each of these gives up to n further messages to func, which may not call the store, and moves
 * cursor. Returns: how many; fewer than n: there are no more, or error is set. */

/* first <= date < last; ascending by date, row and UID. Of a hit row, uid, date and name are set.
 */
guint rack_store_find_dates (RackStore *store, gint64 first, gint64 last, RackStoreCursor *cursor,
                             guint n, RackStoreHitFunc func, gpointer data, GError **error);
/* Ascending by row and UID; as before. */
guint rack_store_find_sender (RackStore *store, const char *sender, RackStoreCursor *cursor,
                              guint n, RackStoreHitFunc func, gpointer data, GError **error);
/* Those whose flags are as in wanted, as far as mask goes, and that have this keyword (NULL: any
 * or none). */
guint rack_store_find_flags (RackStore *store, RackFlags mask, RackFlags wanted,
                             const char *keyword, RackStoreCursor *cursor, guint n,
                             RackStoreHitFunc func, gpointer data, GError **error);
/* All messages; of a hit all but name, flags, keywords and sender is set. */
guint rack_store_find_links (RackStore *store, RackStoreCursor *cursor, guint n,
                             RackStoreHitFunc func, gpointer data, GError **error);
/* Those with this UID, in whichever box, ascending by row. Of a hit row to sender are set. */
gboolean rack_store_find_uid (RackStore *store, guint32 uid, RackStoreHitFunc func, gpointer data,
                              GError **error);
/* The date of the first message not before date; -1: there is none, or error is set. */
gint64 rack_store_next_date (RackStore *store, gint64 date, GError **error);
/* The first sender after that one. Returns: (owned) NULL if there is none, or error is set. */
char *rack_store_next_sender (RackStore *store, const char *sender, GError **error);
/* Adds each keyword to keywords, a set of owned strings. */
gboolean rack_store_each_keyword (RackStore *store, GHashTable *keywords, GError **error);

/* ---- store-check.c ------------------------------------------------------------- */

/* Has the database checked by SQLite, then its rows by us; what is wrong with those is dropped.
 * dropped: how many rows. FALSE: the file itself is damaged (RACK_ERROR_IO). */
gboolean rack_store_check (RackStore *store, guint64 *dropped, GError **error);
/* How much there is. directory's lock is not needed. */
gboolean rack_store_measure (const char *directory, RackCacheFacts *facts, GError **error);
/* Of a store that somebody else may have: its mailboxes (element-type RackMailboxInfo), none if
 * there is no store or it says nothing soon. */
GPtrArray *rack_store_list (const char *directory);
/* Removes the files of a store that nobody has. */
gboolean rack_store_clear (const char *directory, GError **error);

G_END_DECLS
