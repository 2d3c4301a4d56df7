/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailrack.h - the public API of the core library
 *
 * Every function here may be called from any thread and may block. One that
 * takes a GCancellable waits no longer than the account's timeout without hearing
 * from the server, stops when it is cancelled, and reports failure as a GError in
 * the RACK_ERROR domain whose message names the account, the mailbox and the
 * operation. No callback is ever made on a thread that is not the caller's.
 *
 * What watches mailboxes is in mailrack-watch.h, which this includes.
 *
 * Two levels: RackAccount and RackMailbox are pooled, address messages by UID and
 * reconnect by themselves; RackSession is one leased connection in IMAP's own words.
 *
 * Unless a comment says otherwise: mailbox names are UTF-8, as people write them;
 * strings passed in are borrowed for the call; what is returned is owned by the
 * caller; an object may be used by one thread at a time, except RackConfig (read
 * only once loaded), RackAccount and RackMailbox, which any threads may share.
 */
#pragma once

#include <mailrack/mailrack-plugin.h>

G_BEGIN_DECLS

/* The version of the library, "0.1.0". */
RACK_API const char *rack_version (void);

/* ---- Host: the program, as plugins see it -------------------------------- */

typedef struct
{
  gsize size; /* sizeof (RackHostOps) */
  /* Asks a person, on the thread that called into the library. NULL: nobody is there. */
  RackSecret *(*ask) (gpointer data, const char *question, RackAskFlags flags, const RackWait *wait,
                      GError **error);
  /* Shows a line; it is already safe for a terminal. NULL: stderr. */
  void (*tell) (gpointer data, const char *text);
} RackHostOps;

/* ops is borrowed for the life of the host. */
RACK_API RackHost *rack_host_new (const RackHostOps *ops, gpointer data);
RACK_API void rack_host_free (RackHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackHost, rack_host_free)

/* ---- Configuration ------------------------------------------------------- */

typedef struct RackConfig RackConfig;

/* Reads and checks an INI file. path NULL: $MAILRACK_CONFIG, else
 * $XDG_CONFIG_HOME/mailrack/config.ini. RACK_ERROR_CONFIG says file, line and what to do. */
RACK_API RackConfig *rack_config_load (const char *path, GError **error);
/* An empty [DEFAULT], for programs that get everything from their command line. */
RACK_API RackConfig *rack_config_new (void);
RACK_API void rack_config_free (RackConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackConfig, rack_config_free)
/* The default path above, whether it exists or not. Returns: (owned) */
RACK_API char *rack_config_default_path (void);

/* The file's sections but DEFAULT, in order; NULL-terminated, borrowed. */
RACK_API const char *const *rack_config_accounts (RackConfig *config);
/* Overrides a key for every account. origin is for messages ("-P"); value is verbatim. */
RACK_API gboolean rack_config_set (RackConfig *config, const char *key, const char *value,
                                   const char *origin, GError **error);
/* Fills the fields that params describe in data (zeroed by the caller) from the account's
 * settings. account NULL: DEFAULT. Free with rack_params_clear(). */
RACK_API gboolean rack_config_read (RackConfig *config, const char *account,
                                    const RackParam *params, gpointer data, GError **error);
RACK_API void rack_params_clear (const RackParam *params, gpointer data);

typedef struct
{
  const char *key;
  const char *value;  /* as text; secrets as "********"; NULL when not set */
  const char *origin; /* "config.ini:12", "-P", "default" */
  const char *owner;  /* "core", "mount", "auth-password", ... */
  const char *help;
} RackSetting;

/* Every setting that is in force for an account. Returns: (owned, element-type RackSetting) */
RACK_API GPtrArray *rack_config_settings (RackConfig *config, const char *account, GError **error);

/* The tables of core's own keys and of the mount's, both known to every program. */
RACK_API const RackParam *rack_core_params (void);
RACK_API const RackParam *rack_mount_params (void);

/* What the mount reads; see mailrack-mount(1). Filled by rack_config_read() with
 * rack_mount_params(). */
typedef enum
{
  RACK_ROOT_MESSAGES,
  RACK_ROOT_MAILDIR,
  RACK_ROOT_PARTS
} RackMountRoot;
typedef enum
{
  RACK_VIEWS_HIDDEN,
  RACK_VIEWS_LISTED
} RackMountViews;
typedef enum
{
  RACK_NAMES_FULL,
  RACK_NAMES_UID
} RackMountNames;
typedef enum
{
  RACK_OFFLINE_REFUSE,
  RACK_OFFLINE_QUEUE
} RackMountOffline;
typedef enum
{
  RACK_COMMIT_LOCAL,
  RACK_COMMIT_SERVER
} RackMountCommit;
typedef struct
{
  RackMountNames names;
  RackMountRoot root;
  RackMountViews views;
  gboolean inotify;
  gboolean xattr;
  const char *const *deny_readers;
  gboolean seen_on_read;
  gboolean subscribed; /* only what is subscribed, and INBOX */
  RackMountOffline offline;
  RackMountCommit commit;
  gboolean purge;
  char *trash;        /* a mailbox, or NULL: the one with that special use */
  char *state_dir;    /* where changes are kept; NULL: $XDG_STATE_HOME/mailrack */
  gint64 cache_limit; /* MiB; 0 = no limit */
  gint64 poll;        /* milliseconds between looks at mailboxes without push */
  char *cache_dir;    /* where the mirrors of accounts are; NULL: $XDG_CACHE_HOME/mailrack */
} RackMountSettings;

/* ---- Plugins: what is installed ------------------------------------------ */

typedef struct
{
  RackPluginKind kind;
  const char *name, *version, *summary;
  const char *file;
  const RackParam *params; /* stride param_size */
  gsize param_size;
  const char *problem;                  /* why it was refused, or NULL; then only file is sure */
  const RackAuthPlugin *auth;           /* what it registered; NULL for the other kind */
  const RackTransportPlugin *transport; /* the same */
} RackPluginFacts;

/* Every plugin found in the search path, best first for a name; never fails.
 * Returns: (owned, element-type RackPluginFacts) */
RACK_API GPtrArray *rack_plugins_list (void);
/* The directories that are searched, in order. Returns: (owned) */
RACK_API char **rack_plugins_path (void);
/* Everything core thinks of one file. NULL with error set if it is refused. Returns: (owned) */
RACK_API RackPluginFacts *rack_plugin_check (const char *file, GError **error);
RACK_API void rack_plugin_facts_free (RackPluginFacts *facts);

/* ---- Account: settings, plugins, and a pool of connections ---------------- */

typedef struct RackAccount RackAccount;

/* Checks the settings and opens the plugins; contacts nothing. name NULL: DEFAULT.
 * config is not needed afterwards; host must outlive the account (NULL: nobody can be asked). */
RACK_API RackAccount *rack_account_new (RackConfig *config, const char *name, RackHost *host,
                                        GError **error);
RACK_API RackAccount *rack_account_ref (RackAccount *account);
RACK_API void rack_account_unref (RackAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackAccount, rack_account_unref)

/* Gets the first credential of an account from its provider (OAuth2), with the help of a person,
 * whom the host tells what to do, and keeps it where the account's auth plugin finds it from then
 * on. Blocks until that is done or refused. RACK_ERROR_UNSUPPORTED: the plugin has nothing of the
 * kind. */
RACK_API gboolean rack_account_authorize (RackConfig *config, const char *name, RackHost *host,
                                          GCancellable *cancellable, GError **error);

/* "bob@imap.example.org". Borrowed. */
RACK_API const char *rack_account_label (RackAccount *account);
/* read_only = yes: whatever would change something is refused. */
RACK_API gboolean rack_account_is_read_only (RackAccount *account);
/* What tells this account from every other, for whoever keeps something of it: user, host, port,
 * and the settings of its transport that somebody made. No secrets. Returns: (owned) */
RACK_API char *rack_account_identity (RackAccount *account);
/* Makes sure that one connection works, so that a wrong password is said now. */
RACK_API gboolean rack_account_connect (RackAccount *account, GCancellable *cancellable,
                                        GError **error);
/* Whether the server has a capability (upper case) and it is not disabled; connects if need be. */
RACK_API gboolean rack_account_has (RackAccount *account, const char *capability, gboolean *has,
                                    GCancellable *cancellable, GError **error);
/* Ends every connection, politely for at most a second; later calls connect again. */
RACK_API void rack_account_disconnect (RackAccount *account);
/* Waits until the machine woke up, or its addresses, routes or clock changed: what could not be
 * reached may be there now. The account's connections find out by themselves whether they still
 * work. seen: 0 at first; what happened between two calls with it is not missed. FALSE with
 * RACK_ERROR_CANCELLED. */
RACK_API gboolean rack_account_wait_network (RackAccount *account, guint64 *seen,
                                             GCancellable *cancellable, GError **error);
/* Wire trace of every connection from now on to a file (0600); NULL ends it. Credentials are
 * replaced. */
RACK_API gboolean rack_account_trace (RackAccount *account, const char *path, GError **error);

typedef struct
{
  guint64 bytes_in, bytes_out; /* below TLS' plaintext, i.e. IMAP's octets */
  guint64 commands;
  guint64 round_trips; /* times we waited for the server with nothing left to send */
  guint64 connections; /* made so far */
} RackTraffic;
RACK_API void rack_account_traffic (RackAccount *account, RackTraffic *traffic);

/* "lrswi". Returns: (owned) */
RACK_API char *rack_rights_to_string (RackRights rights);

typedef struct
{
  char *name;          /* UTF-8 */
  char separator;      /* '\0' if flat */
  RackListFlags flags; /* SUBSCRIBED only where it was asked for or offered */
  RackStatusItems status_items;
  guint64 messages, uid_next, uid_validity, unseen, highest_modseq; /* as status_items says */
  gboolean has_rights; /* the server said which, without being asked for each */
  RackRights rights;
} RackMailboxInfo;
RACK_API void rack_mailbox_info_free (RackMailboxInfo *info);

typedef enum
{
  RACK_LIST_ALL_MAILBOXES = 0,
  RACK_LIST_ONLY_SUBSCRIBED = 1 << 0,
  RACK_LIST_WITH_STATUS = 1 << 1, /* LIST-STATUS where offered, else pipelined STATUS */
  /* With the pattern "*": also what the namespaces of other users and shared mailboxes hold where
   * the server leaves them out of "*" (RFC 2342 section 5). Whether there are any is asked once. */
  RACK_LIST_ALL_NAMESPACES = 1 << 2,
  /* Where the server tells them with the list (LIST-MYRIGHTS, RFC 8440). */
  RACK_LIST_WITH_RIGHTS = 1 << 3,
} RackListOptions;

/* pattern as LIST has it ("*", "%", "a/%"); SPECIAL-USE and LIST-EXTENDED are used where
 * offered. Duplicates are merged. Returns: (owned, element-type RackMailboxInfo) */
RACK_API GPtrArray *rack_account_list (RackAccount *account, const char *pattern,
                                       RackListOptions options, GCancellable *cancellable,
                                       GError **error);
RACK_API gboolean rack_account_create (RackAccount *account, const char *name,
                                       GCancellable *cancellable, GError **error);
RACK_API gboolean rack_account_delete (RackAccount *account, const char *name,
                                       GCancellable *cancellable, GError **error);
RACK_API gboolean rack_account_rename (RackAccount *account, const char *from, const char *to,
                                       GCancellable *cancellable, GError **error);
RACK_API gboolean rack_account_subscribe (RackAccount *account, const char *name,
                                          gboolean subscribed, GCancellable *cancellable,
                                          GError **error);
/* Without selecting it. Returns: (owned) */
RACK_API RackMailboxInfo *rack_account_status (RackAccount *account, const char *name,
                                               GCancellable *cancellable, GError **error);

/* Ours in a mailbox. RACK_ERROR_UNSUPPORTED: the server has no ACL. */
RACK_API gboolean rack_account_rights (RackAccount *account, const char *mailbox,
                                       RackRights *rights, GCancellable *cancellable,
                                       GError **error);
/* Whether SELECT gives it to be written to; for servers without ACL. */
RACK_API gboolean rack_account_may_write (RackAccount *account, const char *mailbox, gboolean *may,
                                          GCancellable *cancellable, GError **error);
/* How many octets a message may have that is appended there (APPENDLIMIT, RFC 7889). *limit:
 * G_MAXUINT64 if none is known. Asks only a server whose limits are not the same for all. */
RACK_API gboolean rack_account_append_limit (RackAccount *account, const char *mailbox,
                                             guint64 *limit, GCancellable *cancellable,
                                             GError **error);

typedef struct
{
  gboolean has_storage, has_messages; /* there is a limit of that kind */
  guint64 used, limit;                /* octets */
  guint64 messages, message_limit;
} RackQuota;

/* The limits that hold for a mailbox (RFC 9208); of several the one nearest to being reached.
 * Neither kind: there is no limit. RACK_ERROR_UNSUPPORTED: the server has no QUOTA. */
RACK_API gboolean rack_account_quota (RackAccount *account, const char *mailbox, RackQuota *quota,
                                      GCancellable *cancellable, GError **error);

/* ---- Mailbox: a name; connections are borrowed when needed ---------------- */

typedef struct RackMailbox RackMailbox;

typedef struct
{
  guint32 uid_validity;
  guint32 uid_next; /* 0 if the server did not say */
  guint32 messages;
  guint64 highest_modseq; /* 0 if the mailbox has no mod-sequences */
  gboolean read_only;
  RackFlags flags, permanent_flags;
} RackMailboxStatus;

/* Selects it once (EXAMINE if read_only or the account is) to see that it is there. From then on
 * it is bound to that UIDVALIDITY: after a change every call fails with RACK_ERROR_STALE. */
RACK_API RackMailbox *rack_mailbox_open (RackAccount *account, const char *name, gboolean read_only,
                                         GCancellable *cancellable, GError **error);
/* A mailbox whose UIDVALIDITY the caller knows already: contacts nothing. The first call that needs
 * the server selects it, and fails with RACK_ERROR_STALE if the UIDVALIDITY is another. */
RACK_API RackMailbox *rack_mailbox_bind (RackAccount *account, const char *name, gboolean read_only,
                                         guint32 uid_validity);
RACK_API RackMailbox *rack_mailbox_ref (RackMailbox *mailbox);
RACK_API void rack_mailbox_unref (RackMailbox *mailbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackMailbox, rack_mailbox_unref)
RACK_API const char *rack_mailbox_name (RackMailbox *mailbox);
/* What is known now, without asking the server. */
RACK_API void rack_mailbox_status (RackMailbox *mailbox, RackMailboxStatus *status);

/* criteria: IMAP search keys ("UNSEEN FROM bob"); non-ASCII goes out as CHARSET UTF-8. What cannot
 * be keys, such as quotes that do not end, is RACK_ERROR_INVALID. Returns: (owned) UIDs. */
RACK_API RackSet *rack_mailbox_search (RackMailbox *mailbox, const char *criteria,
                                       GCancellable *cancellable, GError **error);

/* Search criteria that were parsed; any thread may read them. */
typedef struct RackCriteria RackCriteria;
/* What a person writes, UTF-8, separated by blanks; all of it must hold:
 *   from: to: cc: bcc: subject: body: text:     some text, "in quotes" where it has blanks
 *   header:NAME:TEXT  list:TEXT  id:TEXT        in that header; in List-Id; in Message-ID
 *   is:unread read flagged unflagged answered unanswered deleted draft new recent forwarded junk
 *   keyword:$Work  has:attachment  uid:1:5,9
 *   before: since: after: on: (and sentbefore: sentsince: senton:, of the header's date)
 *                                               2026-11-05, 2026-11, 2026, today, yesterday, 7d, 2w
 *   larger: smaller:                            20000, 500K, 10M
 *   words, "some words"                         somewhere in the message
 *   -TERM, TERM OR TERM                         not that; one of the two
 *   imap:KEYS                                   IMAP's own search keys, to the end
 *   gmail:"TEXT"                                Gmail's own language
 * Nothing finds everything. RACK_ERROR_INVALID says at which character, and what is wrong. */
RACK_API RackCriteria *rack_search_parse (const char *terms, GError **error);
RACK_API void rack_criteria_free (RackCriteria *criteria);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackCriteria, rack_criteria_free)
/* A server that refuses UTF-8 (BADCHARSET) is asked again for the ASCII parts of each text, which
 * may find more. RACK_ERROR_UNSUPPORTED: gmail: where the server is not Gmail.
 * Returns: (owned) UIDs. */
RACK_API RackSet *rack_mailbox_find (RackMailbox *mailbox, const RackCriteria *criteria,
                                     GCancellable *cancellable, GError **error);

typedef enum
{
  RACK_STORE_ADD,
  RACK_STORE_REMOVE,
  RACK_STORE_REPLACE
} RackStoreMode;
/* keywords: NULL-terminated or NULL. Silent; repeated after a lost connection unless REPLACE.
 * RACK_ERROR_UNKNOWN_OUTCOME: it may or may not have happened. */
RACK_API gboolean rack_mailbox_store (RackMailbox *mailbox, const RackSet *uids, RackStoreMode mode,
                                      RackFlags flags, const char *const *keywords,
                                      GCancellable *cancellable, GError **error);
/* Where messages went: pairwise, empty when the server has no UIDPLUS. */
typedef struct
{
  guint32 uid_validity;
  RackSet *from, *to;
} RackCopied;
RACK_API void rack_copied_clear (RackCopied *copied);
/* copied may be NULL. RACK_ERROR_UNKNOWN_OUTCOME: it may or may not have happened. */
RACK_API gboolean rack_mailbox_copy (RackMailbox *mailbox, const RackSet *uids, const char *to,
                                     RackCopied *copied, GCancellable *cancellable, GError **error);
/* MOVE, or COPY, STORE \Deleted and UID EXPUNGE. RACK_ERROR_UNKNOWN_OUTCOME: they may be here,
 * there, or in both, where it was done by steps or the server itself was interrupted. */
RACK_API gboolean rack_mailbox_move (RackMailbox *mailbox, const RackSet *uids, const char *to,
                                     RackCopied *copied, GCancellable *cancellable, GError **error);
/* Marks these UIDs \Deleted and expunges them alone (UID EXPUNGE; without UIDPLUS:
 * RACK_ERROR_UNSUPPORTED when others in the mailbox are \Deleted too). When the second is refused
 * they stay marked. RACK_ERROR_UNKNOWN_OUTCOME: they may be marked, or gone. */
RACK_API gboolean rack_mailbox_expunge (RackMailbox *mailbox, const RackSet *uids,
                                        GCancellable *cancellable, GError **error);

/* ---- Fetch: a stream of messages, pulled ---------------------------------- */

typedef struct RackFetch RackFetch;

/* items: FETCH data items as IMAP writes them ("UID FLAGS ENVELOPE", "BODY.PEEK[HEADER]"); UID is
 * always added. The server is asked for windows of UIDs, so that it is read only as fast as
 * rack_fetch_next() is called and memory stays flat. modifiers: "CHANGEDSINCE 12", or NULL.
 * After a lost connection it goes on where it was. */
RACK_API RackFetch *rack_mailbox_fetch (RackMailbox *mailbox, const RackSet *uids,
                                        const char *items, const char *modifiers,
                                        GCancellable *cancellable, GError **error);
/* Before the first rack_fetch_next(): it may share a connection with others of this kind for the
 * same mailbox and be answered after them, rather than wait until another is made. */
RACK_API void rack_fetch_stand_in_line (RackFetch *fetch);
/* The next message in the server's order, borrowed until the next call on fetch. NULL with
 * *error unset is the end. */
RACK_API const RackMessage *rack_fetch_next (RackFetch *fetch, GError **error);
/* FETCH responses that could not be parsed and were left out so far. */
RACK_API guint64 rack_fetch_skipped (const RackFetch *fetch);
RACK_API void rack_fetch_free (RackFetch *fetch); /* early: the rest is dropped as it comes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackFetch, rack_fetch_free)

/* ---- Resync: what changed since a state that was kept ----------------------- */

/* What to remember of a mailbox, beside its UIDs, so as to ask later what changed. */
typedef struct
{
  guint32 uid_validity;
  guint32 uid_next;       /* every UID the mailbox had was below; 0: not known */
  guint64 highest_modseq; /* 0: the mailbox has none, or it is not known */
} RackMailboxState;

/* How it was found out, from best to worst. */
typedef enum
{
  RACK_RESYNC_UNCHANGED, /* SELECT or STATUS said that nothing has changed */
  RACK_RESYNC_QRESYNC,   /* RFC 7162: flags and vanished messages by mod-sequence */
  RACK_RESYNC_CONDSTORE, /* flags by mod-sequence, vanished messages by comparing */
  RACK_RESYNC_PLAIN,     /* everything by comparing */
} RackResyncRung;

/* Asks what changed in the mailbox since state was remembered, by the best way the server knows;
 * what goes over the wire grows with the changes and not with the mailbox, except for flags where
 * there are no mod-sequences. uids: the UIDs that are known, which are all the mailbox had below
 * state->uid_next; borrowed until the resync is freed, and not to be changed meanwhile. With
 * state->highest_modseq 0 the plain way is gone. RACK_ERROR_STALE: another UIDVALIDITY. */
typedef struct RackResync RackResync;
RACK_API RackResync *rack_mailbox_resync (RackMailbox *mailbox, const RackMailboxState *state,
                                          const RackSet *uids, GCancellable *cancellable,
                                          GError **error);
/* The next message of uids whose flags may have changed: .uid, .flags (without \Recent; .system and
 * .keywords alone) and, where the server has it, .modseq are filled. It may be one that did not
 * change after all, or that has vanished. Borrowed until the next call. NULL with *error unset is
 * the end. No memory is needed per message. */
RACK_API const RackMessage *rack_resync_next (RackResync *resync, GError **error);
/* These are known once rack_resync_next() has come to the end without an error; empty before.
 * Borrowed. The UIDs of uids that are gone, and those of the mailbox that are not in uids. */
RACK_API const RackSet *rack_resync_vanished (RackResync *resync);
RACK_API const RackSet *rack_resync_added (RackResync *resync);
/* What to remember for the next time, together with uids without the vanished and with the added
 * ones. Whatever happened in the mailbox while this resync ran and was not reported by it will be
 * reported by the next. */
RACK_API void rack_resync_state (RackResync *resync, RackMailboxState *state);
RACK_API RackResyncRung rack_resync_rung (RackResync *resync);
RACK_API void rack_resync_free (RackResync *resync);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackResync, rack_resync_free)

/* Octets of one section ("" = the whole message, "HEADER", "1.2"), as they arrive. */
typedef struct RackReader RackReader;
RACK_API RackReader *rack_mailbox_read (RackMailbox *mailbox, guint32 uid, const char *section,
                                        GCancellable *cancellable, GError **error);
typedef struct
{
  const char *section;
  guint64 offset, length; /* in octets of the section; length 0: all of it, whatever offset says */
  gboolean decode; /* have the server undo the transfer encoding if it can (BINARY, RFC 3516) */
} RackReadRange;
RACK_API RackReader *rack_mailbox_read_range (RackMailbox *mailbox, guint32 uid,
                                              const RackReadRange *range, GCancellable *cancellable,
                                              GError **error);
/* Whether the server undid the transfer encoding. Known once rack_reader_size() succeeded. */
RACK_API gboolean rack_reader_is_decoded (const RackReader *reader);
/* The announced size of the literal: what will be read in all. Waits for its beginning. */
RACK_API gboolean rack_reader_size (RackReader *reader, guint64 *size, GError **error);
/* Like read(2): blocks for at least one octet; 0 at the end; -1 with error set. A message that
 * is gone is RACK_ERROR_NOT_FOUND, one cut short an error, never a short file. */
RACK_API gssize rack_reader_read (RackReader *reader, void *data, gsize size, GError **error);
RACK_API void rack_reader_free (RackReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackReader, rack_reader_free)

/* ---- View: a message as people read it -------------------------------------- */

/* A header's value with its RFC 2047 words decoded. Still hostile. Returns: (owned) UTF-8. */
RACK_API char *rack_header_decode (RackStr value);
/* An RFC 5322 date: seconds since the epoch, zone in minutes east. FALSE: it is none. */
RACK_API gboolean rack_header_date (RackStr value, gint64 *date, gint *zone);
typedef struct RackView RackView;
/* octets: a whole message; copied as far as it is needed. Never NULL: anything is a message. */
RACK_API RackView *rack_view_new (GBytes *octets);
RACK_API void rack_view_free (RackView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackView, rack_view_free)
/* A header, decoded; NULL if there is none. Returns: (owned) */
RACK_API char *rack_view_header (RackView *view, const char *name);
/* The first text part in UTF-8, or NULL. Returns: (owned) */
RACK_API char *rack_view_text (RackView *view);

/* ---- Append: a message of a known size, in pieces -------------------------- */

typedef struct RackAppend RackAppend;
/* date: seconds since the epoch, or -1 for the server's now. zone: minutes east of UTC. */
RACK_API RackAppend *rack_append_new (RackAccount *account, const char *mailbox, guint64 size,
                                      RackFlags flags, const char *const *keywords, gint64 date,
                                      gint zone, GCancellable *cancellable, GError **error);
typedef struct
{
  guint64 size;
  RackFlags flags;
  const char *const *keywords; /* NULL-terminated, or NULL */
  gint64 date;                 /* as above */
  gint zone;
} RackAppendItem;
/* Several messages in one command, which the server stores all or none (MULTIAPPEND, RFC 3502);
 * their octets are written one after the other. n: at least 1; above that RACK_ERROR_UNSUPPORTED
 * where the server cannot. */
RACK_API RackAppend *rack_append_new_many (RackAccount *account, const char *mailbox,
                                           const RackAppendItem *items, guint n,
                                           GCancellable *cancellable, GError **error);
/* One message into mailbox in place of the one with that UID, which goes when the new one is there
 * (UID REPLACE, RFC 8508). RACK_ERROR_UNSUPPORTED where the server cannot. */
RACK_API RackAppend *rack_append_new_replacing (RackMailbox *mailbox, guint32 uid,
                                                const RackAppendItem *item,
                                                GCancellable *cancellable, GError **error);
/* Blocks while the connection is busy; memory is bounded. */
RACK_API gboolean rack_append_write (RackAppend *append, const void *data, gsize size,
                                     GError **error);
/* FALSE with RACK_ERROR_UNKNOWN_OUTCOME: it may have been stored (and what it replaces may be gone,
 * but not that alone). uid_validity and uid (both may be
 * NULL) are 0 when the server does not tell. */
RACK_API gboolean rack_append_finish (RackAppend *append, guint32 *uid_validity, guint32 *uid,
                                      GError **error);
/* The same for several: *uids (owned) in their order, empty when the server does not tell. */
RACK_API gboolean rack_append_finish_many (RackAppend *append, guint32 *uid_validity,
                                           RackSet **uids, GError **error);
RACK_API void rack_append_free (RackAppend *append); /* unfinished: nothing was added */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackAppend, rack_append_free)

/* ---- Command: one IMAP command being written ------------------------------- */

/* What the pieces are, and which of them need a literal, is decided when it is sent. A piece that
 * cannot be sent (NUL, CR or LF in an atom, bad UTF-8 in a name) makes running it fail with
 * RACK_ERROR_INVALID, and nothing is sent. */
typedef struct RackCommand RackCommand;

/* name: "NOOP", "UID FETCH". The tag is ours. */
RACK_API RackCommand *rack_command_new (const char *name);
RACK_API void rack_command_free (RackCommand *command);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackCommand, rack_command_free)
/* Each adds one argument, after a space except behind rack_command_open(). */
RACK_API void rack_command_atom (RackCommand *command, const char *atom);
RACK_API void rack_command_number (RackCommand *command, guint64 number);
RACK_API void rack_command_set (RackCommand *command, const RackSet *set);
RACK_API void rack_command_string (RackCommand *command, const char *data,
                                   gssize size); /* astring */
RACK_API void rack_command_mailbox (RackCommand *command, const char *utf8);
RACK_API void rack_command_pattern (RackCommand *command,
                                    const char *utf8); /* LIST's, wildcards kept */
RACK_API void rack_command_date_time (RackCommand *command, gint64 date, gint zone);
RACK_API void rack_command_flags (RackCommand *command, RackFlags flags,
                                  const char *const *keywords);
RACK_API void rack_command_literal (RackCommand *command, GBytes *data); /* always a literal */
RACK_API void rack_command_open (RackCommand *command);                  /* "(" */
RACK_API void rack_command_close (RackCommand *command);                 /* ")" */
typedef enum
{
  RACK_SEARCH_GMAIL = 1 << 0, /* the server has X-GM-EXT-1 */
  RACK_SEARCH_ASCII = 1 << 1, /* and no CHARSET: only what is left of it in ASCII */
} RackSearchOptions;
/* Search keys, and CHARSET in front where it is needed: the next argument of SEARCH. */
RACK_API void rack_command_criteria (RackCommand *command, const RackCriteria *criteria,
                                     RackSearchOptions options);
/* Text that is already IMAP ("(FLAGS UID)"); quoted strings and atoms only, no CR, LF, NUL. */
RACK_API void rack_command_raw (RackCommand *command, const char *text);

/* "UID FETCH"; borrowed. */
RACK_API const char *rack_command_name (const RackCommand *command);
/* Returns: (owned) the command as text for people: "UID COPY 1:3 Trash", secrets as "***",
 * literals as "{12}". */
RACK_API char *rack_command_describe (const RackCommand *command);

/* ---- Session: one leased connection, in IMAP's own words -------------------- */

typedef struct RackSession RackSession;
typedef struct RackReply RackReply;

/* A connection of its own from the account, logged in, nothing selected. */
RACK_API RackSession *rack_session_open (RackAccount *account, GCancellable *cancellable,
                                         GError **error);
/* Closes the connection; LOGOUT is the caller's to send. */
RACK_API void rack_session_free (RackSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackSession, rack_session_free)

/* What the server can do now, upper case, NULL-terminated; borrowed until the next call. */
RACK_API const char *const *rack_session_capabilities (RackSession *session);
RACK_API gboolean rack_session_has (RackSession *session, const char *capability);
/* The greeting as it was sent: "* OK [CAPABILITY ...] ready". Returns: (owned) */
RACK_API char *rack_session_greeting (RackSession *session);
/* The selected mailbox (UTF-8); borrowed until the next call. NULL: none, or which one it is is not
 * known, because a command that selects was cancelled. */
RACK_API const char *rack_session_selected (RackSession *session);
/* TLS and the like, as RackStreamOps.facts has them; and "mechanism", how it logged in, and
 * "mechanisms offered", what the server had for that. Returns: (owned) */
RACK_API char **rack_session_facts (RackSession *session);
/* FALSE once it is lost; every call then fails with RACK_ERROR_CLOSED. */
RACK_API gboolean rack_session_alive (RackSession *session);
/* Cuts the connection, as if it had been lost; the session is there until it is freed. For when the
 * rest of a cancelled command's answer is not worth waiting for. */
RACK_API void rack_session_break (RackSession *session);

/* Of the selected mailbox, also out of answers that the caller did not look at. */
typedef struct
{
  guint32 messages; /* as last told, less what was expunged since */
  guint64 told;     /* how often it was told (EXISTS) since SELECT: a message may have come */
} RackSessionCounts;
RACK_API void rack_session_counts (RackSession *session, RackSessionCounts *counts);

/* Runs one command (owned, whatever happens) and waits for its tagged response.
 * NO and BAD are not errors here: see rack_reply_status(). Returns: (owned) the reply, or
 * NULL with error set if there was none. SELECT, EXAMINE, CLOSE, UNSELECT, ENABLE and LOGOUT are
 * noticed. */
RACK_API RackReply *rack_session_run (RackSession *session, RackCommand *command,
                                      GCancellable *cancellable, GError **error);
/* As rack_session_run(), but NO and BAD are errors with the code that fits. */
RACK_API RackReply *rack_session_expect (RackSession *session, RackCommand *command,
                                         GCancellable *cancellable, GError **error);
/* Runs a FETCH, UID FETCH, STORE or the like whose FETCH responses are pulled as they
 * come (up to 8 MiB are held). The tagged NO or BAD ends rack_fetch_next() with an error. */
RACK_API RackFetch *rack_session_fetch (RackSession *session, RackCommand *command,
                                        GCancellable *cancellable, GError **error);

/* The tagged response. Borrowed until the reply is freed. */
RACK_API const RackStatus *rack_reply_status (const RackReply *reply);
/* The untagged responses that came with it, in order. NULL after the last. Borrowed. */
RACK_API const RackResponse *rack_reply_get (const RackReply *reply, guint index);
RACK_API void rack_reply_free (RackReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackReply, rack_reply_free)

/* Untagged responses that belonged to no command since the last call (EXISTS, EXPUNGE, flags).
 * Returns: (owned) or NULL when there were none. */
RACK_API RackReply *rack_session_news (RackSession *session);

/* While it rests, the connection waits in IDLE whenever it has nothing to do (without IDLE: a NOOP
 * every minute), and a command ends that in its own flight. Its news come by
 * rack_session_idle_check(), for which a resting session counts as one in IDLE. FALSE: it is in
 * IDLE by rack_session_idle(), and nothing was changed. */
RACK_API gboolean rack_session_rest (RackSession *session, gboolean rest);

/* IDLE in pieces, as a shell wants it. wait: milliseconds for the first response, 0 = do not
 * wait, -1 = for ever. check returns NULL with *error unset when nothing came. done's status is
 * what the server said at the end of IDLE. */
RACK_API gboolean rack_session_idle (RackSession *session, GCancellable *cancellable,
                                     GError **error);
RACK_API RackReply *rack_session_idle_check (RackSession *session, gint64 wait,
                                             GCancellable *cancellable, GError **error);
RACK_API RackReply *rack_session_idle_done (RackSession *session, GCancellable *cancellable,
                                            GError **error);

/* ---- What is mounted -------------------------------------------------------- */

/* The absolute path of a directory with links followed, found without asking what is mounted on it:
 * that may be dead. */
RACK_API char *rack_mount_path (const char *directory);
/* What was mounted last on a path that rack_mount_path() gave. device: where not NULL, the minor
 * number of its device, untouched if there is nothing. Returns: its type, as "fuse.mailrack"; NULL:
 * nothing is mounted there. */
RACK_API char *rack_mount_type (const char *path, guint *device);

G_END_DECLS

#include <mailrack/mailrack-watch.h>
