/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailrack-outgoing.h - changes through the mirror, on their way to the server
 *
 * A change is answered when it is durable on this machine: a row of a journal, and the octets of
 * what is to be appended. From that moment the mirror shows it as done (the message is in its
 * new folder, has its new flags), and a thread of the mirror brings it to the server, many of a
 * kind in one command. Whoever needs the server's word waits for it by a ticket. What the server
 * refuses is taken back: the change of a message is undone, a file is kept as failed, and why is in
 * the queue for people to read. The journal is in $XDG_STATE_HOME and outlives cache and process.
 *
 * Nothing here waits for the server, unless it takes a GCancellable; all of it may take the disk.
 * Any thread may call. Errors that are known here are said at once: RACK_ERROR_READ_ONLY,
 * RACK_ERROR_NETWORK (offline, and offline = refuse), RACK_ERROR_EXISTS, RACK_ERROR_NOT_FOUND,
 * RACK_ERROR_STALE, RACK_ERROR_IO (not durable: nothing was changed), RACK_ERROR_INVALID.
 */
#pragma once

#include <mailrack/mailrack-mirror.h>

G_BEGIN_DECLS

/* What a waiter waits for; ascending, never used again. 0: there is nothing to wait for. */
typedef guint64 RackTicket;

/* Until the server has answered everything with this ticket. The error is the server's, and what
 * it was about has been taken back by then, unless it says that it cannot just now
 * (RACK_ERROR_BUSY, RACK_ERROR_UNAVAILABLE): then it stays, and is tried again. A ticket that
 * nobody knows any more was a success. */
RACK_API gboolean rack_outgoing_wait (RackMirror *mirror, RackTicket ticket,
                                      GCancellable *cancellable, GError **error);
/* The same for all that is queued now; the first error of those, and of those before that nobody
 * was told of. */
RACK_API gboolean rack_outgoing_flush (RackMirror *mirror, GCancellable *cancellable,
                                       GError **error);
/* The last ticket that was given, or 0. Never waits. */
RACK_API RackTicket rack_outgoing_latest (RackMirror *mirror);
/* As rack_outgoing_flush(), but only errors of tickets above after. */
RACK_API gboolean rack_outgoing_flush_after (RackMirror *mirror, RackTicket after,
                                             GCancellable *cancellable, GError **error);
/* Whether changes may be made in this folder now. FALSE: READ_ONLY, or NETWORK. Never waits. */
RACK_API gboolean rack_folder_may_change (RackFolder *folder, GError **error);

/* What the server lets us do is known before it is tried, as far as it tells (RFC 4314, RFC 7889,
 * RFC 9208, SELECT); what is not known is allowed. Never waits. RACK_ERROR_DENIED. */
RACK_API gboolean rack_folder_may (RackFolder *folder, RackRights needed, GError **error);
/* Whether a message may have so many octets there: RACK_ERROR_TOO_LARGE; RACK_ERROR_QUOTA: the
 * whole quota is less. Never waits. */
RACK_API gboolean rack_folder_takes_size (RackFolder *folder, guint64 size, GError **error);
/* Waits a moment for what the two above know, sizes only if they matter. */
RACK_API void rack_folder_await_limits (RackFolder *folder, gboolean sizes);
/* Has sizes asked for: something is going to be written. Never waits. */
RACK_API void rack_folder_want_sizes (RackFolder *folder);

/* ---- Messages: by row and UID, as they were seen -------------------------------- */

/* To another folder, where it is called name (one path component; a message that is called so is
 * RACK_ERROR_EXISTS), and in a Maildir base (RackEntry); NULL: as here by itself. The inode of the
 * message stays what it was: rack_mirror_whereabouts(). */
RACK_API gboolean rack_folder_move (RackFolder *folder, guint32 row, guint32 uid, RackFolder *to,
                                    const char *name, const char *base, guint base_space,
                                    RackTicket *ticket, GError **error);
/* A copy there, made by the server. */
RACK_API gboolean rack_folder_copy (RackFolder *folder, guint32 row, guint32 uid, RackFolder *to,
                                    const char *name, RackTicket *ticket, GError **error);
/* Into the trash, or from there (or without one) for good if purge = yes; else
 * RACK_ERROR_UNSUPPORTED. */
RACK_API gboolean rack_folder_remove (RackFolder *folder, guint32 row, guint32 uid,
                                      RackTicket *ticket, GError **error);

typedef struct
{
  RackFlags add, remove;
  const char *const *add_keywords, *const *remove_keywords; /* NULL-terminated, or NULL */
} RackFlagChange;
RACK_API gboolean rack_folder_set_flags (RackFolder *folder, guint32 row, guint32 uid,
                                         const RackFlagChange *change, RackTicket *ticket,
                                         GError **error);

/* What it is called in a Maildir from now on (RackEntry); NULL: by nothing of its own. Only here,
 * so there is no ticket. RACK_ERROR_EXISTS: another message of the folder is called so. */
RACK_API gboolean rack_folder_set_base (RackFolder *folder, guint32 row, guint32 uid,
                                        const char *base, guint space, GError **error);
/* By what it is called so. Never waits. */
RACK_API gboolean rack_folder_find_base (RackFolder *folder, const char *base, RackEntry *entry);
/* Whether a program gave that name to one, which may not be in the index yet. Never waits. */
RACK_API gboolean rack_folder_knows_base (RackFolder *folder, const char *base);

/* Where a message is that was row and uid once: itself, or where it was moved to. entry (may be
 * NULL): as rack_folder_stat(), with its name there. Returns: borrowed; NULL: it is nowhere any
 * more. Never waits. */
RACK_API RackFolder *rack_mirror_whereabouts (RackMirror *mirror, guint32 row, guint32 uid,
                                              RackEntry *entry);

/* Its octets, wherever it is. Returns: (owned) or NULL. Never waits. */
RACK_API RackBody *rack_mirror_body (RackMirror *mirror, guint32 row, guint32 uid);

/* Messages that were moved or copied here and that the server has not confirmed: not in the index,
 * but shown beside it. row and entry.uid are those of the place they come from. */
typedef struct
{
  RackTicket id; /* ascending */
  guint32 row;
  RackEntry entry; /* .name: as here */
} RackArrival;
/* With an id above after. Returns: how many, at most n. Never waits. */
RACK_API guint rack_folder_arrivals (RackFolder *folder, RackTicket after, RackArrival *arrivals,
                                     guint n);
/* Never waits. */
RACK_API gboolean rack_folder_find_arrival (RackFolder *folder, const char *name,
                                            RackArrival *arrival);

/* ---- Local files: what programs write beside the mail --------------------------------- */

/* A file or directory that is not mail (yet): scratch files of editors, or a message that will be
 * appended. It is in a folder or in another local directory, and outlives the process. space is
 * the caller's: names in one space of a folder know nothing of those in another. What becomes a
 * message in space 0 is called so in its folder; in another one it has the name of a file in a
 * Maildir, and what rack_entry_name_base() makes of that is kept. Shared. */
typedef struct RackLocal RackLocal;

typedef enum
{
  RACK_LOCAL_SCRATCH, /* only here */
  RACK_LOCAL_QUEUED,  /* to be appended to its folder */
  RACK_LOCAL_SENDING, /* it is being appended */
  RACK_LOCAL_SENT,    /* it is a message now: row and uid, 0 while the mirror has not seen it */
  RACK_LOCAL_FAILED,  /* the server refused it; it is in no folder any more, but in the queue */
  RACK_LOCAL_GONE,    /* removed, or replaced by another; whoever has it open may read it */
} RackLocalState;

typedef struct
{
  guint64 id; /* ascending, 1 to 2^53; the same after a restart */
  RackLocalState state;
  RackFolder *folder;
  guint space;
  guint64 parent; /* the directory's id, or 0 */
  gboolean directory;
  guint mode;     /* permission bits */
  guint64 size;   /* of the file as it is now */
  gint64 mtime;   /* nanoseconds since the epoch */
  gint64 changed; /* of a directory: when a name came or went; the same unit */
  guint32 row, uid;
  guint64 number; /* rack_local_set_number(); 0: none */
  char name[256];
} RackLocalFacts;

/* parent: a local directory of the same folder and space, or NULL: in the folder itself. Returns:
 * (owned). RACK_ERROR_EXISTS: something local is called so. */
RACK_API RackLocal *rack_local_make (RackFolder *folder, guint space, RackLocal *parent,
                                     const char *name, gboolean directory, guint mode,
                                     GError **error);
RACK_API RackLocal *rack_local_ref (RackLocal *local);
RACK_API void rack_local_unref (RackLocal *local);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackLocal, rack_local_unref)
/* Those that are scratch, queued or being sent. Returns: (owned) or NULL. Never waits. */
RACK_API RackLocal *rack_local_find (RackFolder *folder, guint space, RackLocal *parent,
                                     const char *name);
RACK_API RackLocal *rack_local_by_id (RackMirror *mirror, guint64 id);
/* Of the same kinds, with an id above after, ascending. locals: each owned. Returns: how many.
 * Never waits. */
RACK_API guint rack_local_list (RackFolder *folder, guint space, RackLocal *parent, guint64 after,
                                RackLocal **locals, guint n);
/* Never waits but for an fstat(). */
RACK_API void rack_local_facts (RackLocal *local, RackLocalFacts *facts);

/* The file's descriptor, for reading and writing; borrowed for the life of local. -1 with error
 * set: it cannot be opened, or it is a directory. */
RACK_API int rack_local_file (RackLocal *local, GError **error);
/* Octets are about to be written, or the size to be changed. What was queued is scratch again; what
 * is being sent is waited for; what was sent is replaced on the server when it is queued again.
 * RACK_ERROR_NOT_FOUND: it is FAILED or GONE. */
RACK_API gboolean rack_local_touch (RackLocal *local, GCancellable *cancellable, GError **error);
/* mtime: nanoseconds; what is queued and not being sent yet is appended with that date. mode: -1
 * leaves it. */
RACK_API gboolean rack_local_set (RackLocal *local, const gint64 *mtime, gint mode, GError **error);
/* The number that a program knows it by, the caller's own; it is forgotten with the process. */
RACK_API void rack_local_set_number (RackLocal *local, guint64 number);
/* As rename(2): what local is called so goes. A queued one stays queued, for its new folder. */
RACK_API gboolean rack_local_rename (RackLocal *local, RackFolder *folder, guint space,
                                     RackLocal *parent, const char *name, GCancellable *cancellable,
                                     GError **error);
/* A directory must be empty: RACK_ERROR_BUSY. What is queued is never appended. */
RACK_API gboolean rack_local_remove (RackLocal *local, GCancellable *cancellable, GError **error);
/* Octets and row are on the disk when this returns. */
RACK_API gboolean rack_local_sync (RackLocal *local, GError **error);

typedef struct
{
  RackFlags flags;
  const char *const *keywords; /* NULL-terminated, or NULL */
  guint32 replaces;            /* a UID of its folder that goes once this is there; 0: none */
  guint64 number; /* as rack_local_set_number(); the message has it too (RackEntry), until it is
                     seen beside what it replaces: the server may not let that go */
} RackAppendFacts;
/* It is to be a message of its folder, under its name; its date is mtime. Durable when this
 * returns, octets included. What the server is known not to take (rack_folder_may(),
 * rack_folder_takes_size()) is FAILED then. It is sent when it was left alone for a moment, so that
 * a date may still be set, or at once when somebody waits for the ticket. */
RACK_API gboolean rack_local_queue (RackLocal *local, const RackAppendFacts *facts,
                                    RackTicket *ticket, GError **error);

/* ---- Folders: these wait for the server ------------------------------------------------- */

/* name: of a directory; the mailbox is what it stands for. It is subscribed too. *folder: borrowed.
 */
RACK_API gboolean rack_folder_make (RackFolder *parent, const char *name, RackFolder **folder,
                                    GCancellable *cancellable, GError **error);
/* Only an empty one: RACK_ERROR_BUSY if it has messages or children; RACK_ERROR_UNSUPPORTED for
 * INBOX and those with a special use. Where there is a trash it is renamed into it, so that what
 * was delivered in the last moment is not lost. */
RACK_API gboolean rack_folder_unmake (RackFolder *folder, GCancellable *cancellable,
                                      GError **error);
RACK_API gboolean rack_folder_rename (RackFolder *folder, RackFolder *parent, const char *name,
                                      GCancellable *cancellable, GError **error);

/* ---- The queue, for people ---------------------------------------------------------------- */

typedef struct
{
  RackTicket id;
  gboolean failed;
  char *what;    /* "append", "move", "copy", "store", "expunge" */
  char *mailbox; /* of the message; for an append where it goes */
  char *target;  /* of a move or copy, or NULL */
  char *name;    /* as a file, or NULL */
  guint32 uid;   /* 0: none */
  guint64 local; /* the id of the file, for an append; 0: none */
  guint64 size;  /* octets; 0: not known */
  char *problem; /* why it is not done (yet), or NULL */
  gint64 made;   /* when, seconds since the epoch */
  guint tries;
} RackOutgoing;
RACK_API void rack_outgoing_free (RackOutgoing *outgoing);
/* Returns: (owned, element-type RackOutgoing), the oldest first. Never waits. */
RACK_API GPtrArray *rack_outgoing_list (RackMirror *mirror);
/* What the server said when it refused a change last, since the mirror was opened. Never waits.
 * Returns: (owned) or NULL. */
RACK_API char *rack_outgoing_refusal (RackMirror *mirror);
/* Tries a failed one again; id 0: all. FALSE: RACK_ERROR_NOT_FOUND. */
RACK_API gboolean rack_outgoing_retry (RackMirror *mirror, RackTicket id, GError **error);
/* Gives one up: the change is taken back, the octets of an append are lost. */
RACK_API gboolean rack_outgoing_drop (RackMirror *mirror, RackTicket id, GError **error);

/* The same without a mirror, for an account's journal on this disk (state_dir: as in
 * RackMirrorOptions). Listing works beside a program that has it; the others are RACK_ERROR_BUSY
 * then, and say what to do. */
RACK_API GPtrArray *rack_queue_list (RackAccount *account, const char *state_dir, GError **error);
RACK_API gboolean rack_queue_retry (RackAccount *account, const char *state_dir, RackTicket id,
                                    GError **error);
RACK_API gboolean rack_queue_drop (RackAccount *account, const char *state_dir, RackTicket id,
                                   GError **error);

G_END_DECLS
