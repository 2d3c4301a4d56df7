/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailrack-mirror.h - what is known of an account's mailboxes on this machine
 *
 * The mirror keeps the tree of mailboxes, an index of each mailbox that was touched
 * (UID, size, date, flags, name as a file) and the bodies that were read, and keeps
 * them current: by pushes for a few mailboxes, by polling for the rest. It has threads
 * of its own that talk to the server through <mailrack/mailrack.h>.
 *
 * Functions are of two kinds. Those whose comment says "never waits" answer from
 * memory: programs that must not block (a file system) call them anywhere. The others
 * wait for the mirror's threads, take a GCancellable, and fail with RACK_ERROR_TIMEOUT
 * when nothing moved for the stall time. All may be called from any thread. The mirror
 * only reads: mailboxes are opened with EXAMINE, bodies fetched with PEEK.
 *
 * What is known is kept on this machine's disk, in a directory for each account that one
 * program at a time may have: the next time it is there at once, and without a network.
 */
#pragma once

#include <mailrack/mailrack.h>

G_BEGIN_DECLS

typedef struct RackMirror RackMirror;

typedef struct
{
  RackMountNames names;
  gint64 cache_limit;     /* MiB of bodies kept; 0 = no limit */
  gint64 poll;            /* milliseconds between looks at what is not pushed; 0 = 60,000 */
  gint64 stall;           /* milliseconds without any progress until a wait fails; 0 = 120,000 */
  guint watches;          /* mailboxes that may hold a connection for pushes; 0 = 2 */
  guint fetchers;         /* bodies fetched at a time; 0 = 8 */
  gboolean subscribed;    /* only mailboxes that are subscribed, and INBOX */
  gboolean changes;       /* rack_mirror_next_change() will be called: keep what happens for it */
  const char *cache_dir;  /* the directory of the accounts' directories; NULL: the usual one */
  gboolean writes;        /* changes may be made (mailrack-outgoing.h): there is a journal */
  gboolean read_only;     /* but for this account */
  gboolean queue_offline; /* changes are taken while the server cannot be reached */
  gboolean purge;         /* what has no way into the trash may be removed for good */
  const char *trash;      /* the mailbox that is the trash; NULL: the one with that special use */
  const char *state_dir;  /* the directory of the accounts' journals; NULL: the usual one */
  const char *holder;     /* who we are, for others who want it: "mailrack-mount on /mnt" */
} RackMirrorOptions;

/* Opens what is on this disk, and asks for the list of mailboxes. Where there is something on the
 * disk, a server that cannot be reached is no failure; rack_mirror_notice() says so.
 * RACK_ERROR_BUSY: another program has this account's mirror. account is referenced, of options
 * nothing is kept. */
RACK_API RackMirror *rack_mirror_open (RackAccount *account, const RackMirrorOptions *options,
                                       GCancellable *cancellable, GError **error);
/* Ends what the mirror does in the background, and its threads. No other call may run or wait. */
RACK_API void rack_mirror_close (RackMirror *mirror);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackMirror, rack_mirror_close)
/* What a person should know of how it was opened (no server, a damaged cache that was set aside),
 * or NULL. Borrowed. */
RACK_API const char *rack_mirror_notice (RackMirror *mirror);

/* Borrowed. */
RACK_API RackAccount *rack_mirror_account (RackMirror *mirror);

typedef struct
{
  guint64 bodies;      /* fetched on demand */
  guint64 read_ahead;  /* fetched before anybody asked */
  guint64 body_octets; /* received as bodies */
  guint64 cached;      /* octets of bodies held now */
  guint64 syncs;       /* first loads and later looks at a mailbox */
  gboolean trusted;    /* this account's RFC822.SIZE proved right */
  gboolean offline;    /* the server cannot be reached */
} RackMirrorFigures;
/* Never waits. */
RACK_API void rack_mirror_figures (RackMirror *mirror, RackMirrorFigures *figures);

/* ---- Folders: the tree of mailboxes ---------------------------------------- */

/* A level of the tree: a mailbox, or a name that only has mailboxes below it. Borrowed for the
 * life of the mirror, also when the mailbox is gone. */
typedef struct RackFolder RackFolder;

typedef struct
{
  guint32 id;  /* of the name, 31 bits, the same in every process; 0 is the root */
  guint32 row; /* of the name and its UIDVALIDITY, 31 bits; 0 until the mailbox was opened */
  guint32 uid_validity; /* of row */
  RackListFlags flags;
  gboolean selectable; /* has messages; else only children */
  gboolean gone;       /* not in the last list */
  gboolean complete;   /* the index holds every message */
  gboolean pushed;     /* changes arrive by themselves */
  guint32 messages;    /* in the index */
  guint32 expected;    /* while it is not complete: how many there will be; 0: not known */
  guint32 children;
  RackRights rights;    /* those that are known to be lacking are not in it */
  gint64 changed;       /* when the members last changed: nanoseconds since the epoch, ascending */
  gint64 flags_changed; /* the same, or when flags or keywords of members last did */
} RackFolderFacts;

/* The functions of this section never wait. */
RACK_API RackFolder *rack_mirror_root (RackMirror *mirror);
/* Borrowed; NULL if there is none. */
RACK_API RackFolder *rack_mirror_folder (RackMirror *mirror, guint32 id);
/* NULL also when the row's UIDVALIDITY is not in force any more. */
RACK_API RackFolder *rack_mirror_folder_by_row (RackMirror *mirror, guint32 row);
RACK_API void rack_folder_facts (RackFolder *folder, RackFolderFacts *facts);
/* The mailbox' name (UTF-8), and the name of its directory: one path component, safe in every
 * way. Borrowed for the life of the mirror; "" for the root. */
RACK_API const char *rack_folder_mailbox (RackFolder *folder);
RACK_API const char *rack_folder_directory (RackFolder *folder);
/* Borrowed; NULL for the root. */
RACK_API RackFolder *rack_folder_parent (RackFolder *folder);
/* By the name of its directory. NULL if there is none. */
RACK_API RackFolder *rack_folder_child (RackFolder *folder, const char *directory);
/* Up to n children with an id above after, ascending. Returns: how many. */
RACK_API guint rack_folder_children (RackFolder *folder, guint32 after, RackFolder **children,
                                     guint n);

/* ---- State: how it is, and what it can be told; never waits ------------------ */

typedef struct
{
  gboolean offline; /* the server cannot be reached, or is not to be asked */
  gboolean held;    /* the latter: rack_mirror_hold() */
  gint64 since;     /* when that became so, seconds since the epoch */
  char *error;      /* the last thing that went wrong, a sentence; NULL: nothing */
  gint64 error_time;
  char *unkept; /* why nothing new is on this disk at present, but in memory; NULL: it is there */
} RackMirrorState;
/* state: to be cleared. */
RACK_API void rack_mirror_state (RackMirror *mirror, RackMirrorState *state);
RACK_API void rack_mirror_state_clear (RackMirrorState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RackMirrorState, rack_mirror_state_clear)

/* TRUE: connections are given up, and from now on nobody asks the server. FALSE: that is over. */
RACK_API void rack_mirror_hold (RackMirror *mirror, gboolean held);
/* Has folder looked at again soon. NULL: the list of mailboxes, and all that were opened. */
RACK_API void rack_mirror_look (RackMirror *mirror, RackFolder *folder);
/* Removes what is cached of messages and not being read. Returns: how many octets that were. */
RACK_API guint64 rack_mirror_drop_bodies (RackMirror *mirror);

/* ---- Index: the messages of a folder ---------------------------------------- */

#define RACK_ENTRY_NAME_SIZE 256

typedef struct
{
  guint32 uid;
  RackFlags flags;
  guint64 size;        /* octets; never 0 for what may not be empty */
  gboolean exact;      /* size was seen from a literal; else it is the server's RFC822.SIZE */
  gboolean dependable; /* exact, or this account's RFC822.SIZE proved right often enough */
  gboolean corrected;  /* exact, but another size was given before */
  gboolean forwarded;  /* among the keywords is $Forwarded */
  gint64 date;         /* INTERNALDATE, seconds since the epoch */
  guint keywords; /* which set of keywords: 0 for none; of two entries of a folder with the same
                     number, other than RACK_KEYWORDS_OWN, both have the same */
  char name[RACK_ENTRY_NAME_SIZE]; /* as a file; never changes while the message lives */
  /* What it is called in a Maildir, without the flags; "": rack_entry_name_unique(). And the space
   * (mailrack-outgoing.h) where the program that called it so put it last; 0: none did, and it
   * came from another mailbox with the name that it had there. */
  char base[RACK_ENTRY_NAME_SIZE];
  guint base_space;
  guint64 number; /* what it was appended with (RackAppendFacts), in this process; 0: none */
} RackEntry;

#define RACK_KEYWORDS_OWN 0xffff /* in RackEntry.keywords: see rack_folder_keywords() */

/* Whether the index is complete and current; a mailbox nobody asked for in a long time is not
 * kept current. Never waits. */
RACK_API gboolean rack_folder_ready (RackFolder *folder);
/* Until rack_folder_ready(). */
RACK_API gboolean rack_folder_wait (RackFolder *folder, GCancellable *cancellable, GError **error);
/* What is known now. FALSE: not known, and unless the folder is ready perhaps not asked for yet.
 * These never wait. */
RACK_API gboolean rack_folder_find (RackFolder *folder, guint32 uid, RackEntry *entry);
/* As rack_folder_find(), for less: name is left empty. */
RACK_API gboolean rack_folder_stat (RackFolder *folder, guint32 uid, RackEntry *entry);
RACK_API gboolean rack_folder_find_name (RackFolder *folder, const char *name, RackEntry *entry);
/* Up to n entries with a UID above after, ascending. Returns: how many. */
RACK_API guint rack_folder_entries (RackFolder *folder, guint32 after, RackEntry *entries, guint n);
/* The same for less: names are left empty. */
RACK_API guint rack_folder_stat_entries (RackFolder *folder, guint32 after, RackEntry *entries,
                                         guint n);

/* The keywords of a message, ascending, and system flags this library does not know. Never waits.
 * Returns: (owned) NULL-terminated, or NULL if there is no such message. */
RACK_API char **rack_folder_keywords (RackFolder *folder, guint32 uid);

/* What listings do not need. Texts are UTF-8 without control characters, decoded and cut, but as
 * hostile as their senders; NULL where there is none. */
typedef struct
{
  guint32 uid;
  guint64 modseq; /* 0: not known */
  char *sender_name, *sender_address;
  char *subject, *message_id, *in_reply_to;
  char *email_id, *thread_id; /* RFC 8474 */
} RackDetails;
RACK_API void rack_details_clear (RackDetails *details);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RackDetails, rack_details_clear)
/* These read from this machine's disk; they never wait for the server. With names = uid only uid
 * and modseq are known. FALSE: there is no such message. details: to be cleared. */
RACK_API gboolean rack_folder_details (RackFolder *folder, guint32 uid, RackDetails *details);
/* Of up to n messages with a UID above after, ascending; each to be cleared. Returns: how many. */
RACK_API guint rack_folder_list_details (RackFolder *folder, guint32 after, RackDetails *details,
                                         guint n);

/* Which of the two kinds of names messages have. Never waits. */
RACK_API RackMountNames rack_folder_names (RackFolder *folder);
/* The UID in a message's name ("...UID.eml"), or 0 if it cannot be one. Never waits. */
RACK_API guint32 rack_entry_name_uid (const char *name);
/* Writes what a message is called in a Maildir by itself, without flags: "DATE.RROWUUID.mailrack".
 * It says all that makes a message what it is, so it is never another one's, in no mailbox.
 * buffer: RACK_ENTRY_NAME_SIZE bytes. */
RACK_API void rack_entry_name_unique (guint32 row, gint64 date, guint32 uid, char *buffer);
/* Writes what is kept of a file's name in a Maildir: what is in front of ":2,". buffer:
 * RACK_ENTRY_NAME_SIZE bytes. FALSE: nothing, for it is empty, begins with a dot, has a colon, or
 * leaves no room for the flags. */
RACK_API gboolean rack_entry_name_base (const char *name, char *buffer);
/* Writes "UID.eml". buffer: RACK_ENTRY_NAME_SIZE bytes. */
RACK_API void rack_entry_name_short (guint32 uid, char *buffer);

/* ---- Bodies ------------------------------------------------------------------ */

/* The octets of one message, shared by all who read it; fetched when the first of them waits, kept
 * until the cache needs the room and nobody holds it. */
typedef struct RackBody RackBody;

/* Never waits. Returns: (owned), or NULL if row is not in force. */
RACK_API RackBody *rack_folder_body (RackFolder *folder, guint32 row, guint32 uid);
RACK_API RackBody *rack_body_ref (RackBody *body);
RACK_API void rack_body_unref (RackBody *body);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackBody, rack_body_unref)
/* Begins to fetch if it is not here yet. Reading in ascending order fetches further ones ahead.
 * Never waits. */
RACK_API void rack_body_want (RackBody *body);
/* The exact size, from the literal where nothing is decoded. */
RACK_API gboolean rack_body_wait_size (RackBody *body, guint64 *size, GCancellable *cancellable,
                                       GError **error);
/* Until the octets before end (or the end of the message) are here. A message that is gone is
 * RACK_ERROR_NOT_FOUND. */
RACK_API gboolean rack_body_wait (RackBody *body, guint64 end, GCancellable *cancellable,
                                  GError **error);
/* Whether rack_body_wait() would return at once. Never waits. */
RACK_API gboolean rack_body_has (RackBody *body, guint64 end);
/* Waits for what is on its way, asking for nothing. Returns: whether all of it is here. May take
 * the disk. */
RACK_API gboolean rack_body_await (RackBody *body, GCancellable *cancellable);
/* Whoever reads the folder in ascending order has come to this message, though it is not asked for
 * here: further ones are fetched ahead. Never waits. */
RACK_API void rack_folder_follow (RackFolder *folder, guint32 row, guint32 uid);
/* Where the octets are: a descriptor (borrowed for the life of the body) and the offset of the
 * first one in it. *size is set to the whole size. Valid once rack_body_wait() succeeded; only
 * what was waited for may be read. Never waits. */
RACK_API int rack_body_file (RackBody *body, guint64 *offset, guint64 *size);

/* ---- Parts: what a message is made of ------------------------------------------- */

typedef enum
{
  RACK_PART_HOLDER, /* only holds other parts */
  RACK_PART_PLAIN,  /* the message's text, text/plain */
  RACK_PART_HTML,   /* the message's text, text/html */
  RACK_PART_FILE,   /* all else: attachments, also messages, pictures in the text */
  RACK_PART_INNER,  /* in an attached message, or what it consists of */
} RackPartRole;

/* Everything but section, size, role and file is what the sender wrote: hostile. */
typedef struct
{
  const char *section;        /* as BODY[...] has it: "1", "2.1"; "" for the root of a multipart */
  const char *type, *subtype; /* lower case: "text", "plain" */
  const char *charset;        /* lower case; NULL if not said */
  const char *encoding;       /* lower case: "base64", "7bit"; "" for multiparts */
  const char *name;           /* the file's, decoded (RFC 2231, RFC 2047) to UTF-8; NULL if none */
  const char *disposition;    /* lower case: "attachment", "inline"; NULL if not said */
  const char *content_id;     /* without < and >; NULL if none */
  guint64 size;               /* announced, before any decoding: a hint */
  guint depth;                /* 0 for the root; children follow their parent, one deeper */
  gboolean multipart;         /* holds only other parts */
  RackPartRole role;          /* PLAIN and HTML are each at most one part's */
  /* What a FILE is called as one: a path component that is safe in every way, and no other's in
   * this message. At most 220 bytes, UTF-8. NULL for the other roles. */
  const char *file;
} RackPartFacts;

/* The parts of one message in their order, parents first. Never changes; shared by references. */
typedef struct RackParts RackParts;
RACK_API RackParts *rack_parts_ref (RackParts *parts);
RACK_API void rack_parts_unref (RackParts *parts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackParts, rack_parts_unref)
/* At least one, the root. Borrowed for the life of parts. */
RACK_API const RackPartFacts *rack_parts_items (const RackParts *parts, guint *n);
/* What rack_folder_details() does not know with names = uid: sender, subject, message_id and
 * in_reply_to, of a server that says it. Else NULL. Borrowed for the life of parts. */
RACK_API const RackDetails *rack_parts_details (const RackParts *parts);

/* Asks the server (BODYSTRUCTURE) unless that was done not long ago. Waits.
 * Returns: (owned) */
RACK_API RackParts *rack_folder_parts (RackFolder *folder, guint32 row, guint32 uid,
                                       GCancellable *cancellable, GError **error);
/* What is remembered. Never waits. Returns: (owned) or NULL */
RACK_API RackParts *rack_folder_parts_known (RackFolder *folder, guint32 row, guint32 uid);

typedef enum
{
  RACK_PART_AS_SENT = 0, /* the section's octets in their transfer encoding */
  /* The file that was attached: transfer encoding undone; lines of text end in LF, unless they
   * were sent as base64. */
  RACK_PART_DECODED = 1,
  RACK_PART_TEXT = 2, /* to read: text decoded, in UTF-8 where its charset is known, lines in LF */
} RackPartForm;

/* One section of a message ("2.1", "HEADER"), fetched alone and decoded while it arrives. Used as
 * any body; the size of what is decoded is known when all of it is here, and then
 * rack_body_wait_size() waits for that. Never waits. Returns: (owned), or NULL if row is not in
 * force or section cannot be one. */
RACK_API RackBody *rack_folder_part (RackFolder *folder, guint32 row, guint32 uid,
                                     const char *section, RackPartForm form);

/* ---- Finding: messages of all mailboxes ------------------------------------------ */

/* By what this machine knows of the mailboxes that are complete; no server is asked. What is found
 * by has keys, each of them one path component that is safe in every way. */
typedef enum
{
  RACK_FIND_DATE,   /* "2026-11-20": the day of INTERNALDATE, in UTC */
  RACK_FIND_SENDER, /* an address in lower case; none with names = uid */
  RACK_FIND_FLAG,   /* "unread", "flagged", "answered", "draft", or a keyword */
  RACK_FIND_THREAD, /* "SUBJECT.NUMBER": two or more messages; none with names = uid */
} RackFindBy;

typedef struct
{
  RackFolder *folder;
  guint32 row, uid;
  gint64 date;
  char name[RACK_ENTRY_NAME_SIZE]; /* as a file in its mailbox */
} RackFound;

/* These read from this machine's disk; the first one may take a while, to prepare it for that.
 * Returns: (owned) each key that has messages and begins with prefix ("2026-11"; "" for all), and
 * those flags that always have a key; NULL-terminated. */
RACK_API char **rack_mirror_find_keys (RackMirror *mirror, RackFindBy by, const char *prefix,
                                       GError **error);
/* Whether it is one of these. FALSE without error set: it is not. */
RACK_API gboolean rack_mirror_find_has (RackMirror *mirror, RackFindBy by, const char *key,
                                        GError **error);

/* A search that is pulled; one thread may use it. */
typedef struct RackFind RackFind;
/* The messages of a key; there are none of a key that does not exist. uid: only those with that
 * UID, or 0. Returns: (owned) */
RACK_API RackFind *rack_mirror_find (RackMirror *mirror, RackFindBy by, const char *key,
                                     guint32 uid, GError **error);
/* Up to n further ones, in an order that stays the same. Returns: how many; 0: there are no more,
 * or error is set. */
RACK_API guint rack_find_next (RackFind *find, RackFound *found, guint n, GError **error);
RACK_API void rack_find_free (RackFind *find);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackFind, rack_find_free)

/* Asks the server which messages of a mailbox match, loading it first if there are any and it is
 * not complete yet; in one that may not be opened there are none. row: set to whose they are.
 * Waits. Returns: (owned) UIDs. */
RACK_API RackSet *rack_folder_search (RackFolder *folder, const RackCriteria *criteria,
                                      guint32 *row, GCancellable *cancellable, GError **error);

/* ---- Changes: what a program that caches must forget --------------------------- */

typedef enum
{
  RACK_CHANGE_ADDED = 1,   /* messages of folder */
  RACK_CHANGE_REMOVED = 2, /* messages of folder; also all of an old UIDVALIDITY */
  RACK_CHANGE_FLAGS = 3,   /* messages of folder */
  RACK_CHANGE_SIZES = 4,   /* messages of folder: sizes given before may have been wrong */
  RACK_CHANGE_FOLDERS = 5, /* children of folder came or went: names are directories */
  /* Of these there are no items. */
  RACK_CHANGE_ONLINE = 6,   /* the server can be reached again; folder is the root */
  RACK_CHANGE_OFFLINE = 7,  /* it cannot, or is not to be asked */
  RACK_CHANGE_VALIDITY = 8, /* folder has another UIDVALIDITY, and row is the new one */
  RACK_CHANGE_LOCAL = 9, /* what is beside the mail of folder (mailrack-outgoing.h) came or went by
                          * itself: items have names, and uid is the space */
  RACK_CHANGE_RIGHTS = 10,   /* what may be done in folder: rack_folder_may(); no items */
  RACK_CHANGE_COMPLETE = 11, /* folder was listed before all of it was known; no items */
} RackChangeKind;

typedef struct
{
  guint32 uid;      /* 0 for FOLDERS */
  const char *name; /* NULL for FLAGS and SIZES */
  /* As they are, for ADDED; as they were, for REMOVED and FLAGS. */
  RackFlags flags;
  gboolean forwarded;
  /* For FLAGS: as they are now. */
  RackFlags flags_now;
  gboolean forwarded_now;
  gint64 date;
  gboolean own; /* it came or went by a change of ours, which the program has seen already */
  /* As in RackEntry; NULL for "". */
  const char *base;
  guint base_space;
} RackChanged;

typedef struct
{
  RackChangeKind kind;
  RackFolder *folder;
  guint32 row;
  const RackChanged *items;
  guint n;
} RackChange;

/* The next change, in order; the index has it already. Blocks until there is one. One thread may
 * call this. Returns: borrowed until the next call, or NULL with RACK_ERROR_CANCELLED. */
RACK_API const RackChange *rack_mirror_next_change (RackMirror *mirror, GCancellable *cancellable,
                                                    GError **error);
/* Whether all that changed so far was pulled, and whoever pulled it is done with it. Never waits.
 */
RACK_API gboolean rack_mirror_changes_are_told (RackMirror *mirror);

/* ---- Cache: the mirrors on this disk, for whoever looks after them ------------------ */

/* A mailbox that was not loaded to its end yet. */
typedef struct
{
  char *mailbox;
  guint64 messages, expected;
} RackCacheLoad;

typedef struct
{
  char *directory;
  char *holder; /* "mailrack-mount on /mnt (process 12)", or NULL: nobody has it now */
  guint64 mailboxes, messages, bodies;
  guint64 index_octets, body_octets; /* on the disk */
  RackCacheLoad *loads;              /* the holder goes on with them when somebody looks there */
  guint n_loads;
} RackCacheFacts;
RACK_API void rack_cache_facts_clear (RackCacheFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RackCacheFacts, rack_cache_facts_clear)

typedef struct
{
  guint64 dropped; /* rows that were wrong, or belonged to nothing */
  char *notice;    /* what else was done, or NULL */
} RackCacheRepairs;
RACK_API void rack_cache_repairs_clear (RackCacheRepairs *repairs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RackCacheRepairs, rack_cache_repairs_clear)

/* cache_dir: as in RackMirrorOptions. No server is contacted. An account that has no cache is an
 * empty one. facts and repairs: to be cleared. */
RACK_API gboolean rack_cache_size (RackAccount *account, const char *cache_dir,
                                   RackCacheFacts *facts, GError **error);
/* The mailboxes as the cache knows them, without waiting for who has it: for hints, since others
 * may have come and gone. Only .name, .separator and .flags are filled. Returns: (owned,
 * element-type RackMailboxInfo), empty if there is no cache. */
RACK_API GPtrArray *rack_cache_list (RackAccount *account, const char *cache_dir);
/* Looks through everything and repairs it, by dropping what is wrong. RACK_ERROR_BUSY: a program
 * has it, and its name is in the message; that goes for the next one too. */
RACK_API gboolean rack_cache_check (RackAccount *account, const char *cache_dir,
                                    RackCacheRepairs *repairs, GError **error);
/* Removes it. Nothing is lost but the time to fetch it again. */
RACK_API gboolean rack_cache_clear (RackAccount *account, const char *cache_dir, GError **error);

G_END_DECLS
