/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake.h - a server that is a few structs in memory, behind the public API
 *
 * The functions of <mailrack/mailrack.h> that the mirror calls, without a connection:
 * what happens on the server, and what goes wrong with it, is what the test says. The
 * library itself is not linked. */
#pragma once

#include <mailrack/mailrack-mirror.h>

typedef struct FakeBox FakeBox;

typedef enum
{
  FAKE_LIST,
  FAKE_STATUS,
  FAKE_OPEN,
  FAKE_SEARCH,
  FAKE_FETCH,  /* FETCHes of items */
  FAKE_BODIES, /* FETCHes of several bodies */
  FAKE_PARTS,  /* FETCHes of BODYSTRUCTURE */
  FAKE_READ,   /* readers */
  FAKE_WATCH,
  FAKE_RESYNC,
  FAKE_MESSAGES, /* messages that FETCHes of items gave */
  FAKE_N_OPS,
} FakeOp;

/* An empty server. It is torn down with the last reference to the account. What a mirror of it
 * keeps on the disk is its own (in a directory that the process removes at its end) and is found
 * again by a later mirror of the same account. */
RackAccount *fake_account_new (void);
FakeBox *fake_box (const char *name, RackListFlags flags, guint32 uid_validity);
void fake_box_delete (const char *name);
/* Another mailbox of the same name. */
void fake_box_replace (FakeBox *box, guint32 uid_validity);

/* announced: RFC822.SIZE; -1: the truth. Whoever watches hears of it. */
void fake_add (FakeBox *box, guint32 uid, const char *subject, const char *body, gint64 announced);
void fake_remove (FakeBox *box, guint32 uid);
void fake_flags (FakeBox *box, guint32 uid, RackFlags flags);
/* What it is made of; borrowed for the life of the server. */
void fake_structure (FakeBox *box, guint32 uid, const RackPart *root);
/* The octets of a section. decoded: as a server with BINARY gives them. */
void fake_section (FakeBox *box, guint32 uid, const char *section, const char *octets,
                   gboolean decoded);
/* Separated by spaces. */
void fake_keywords (FakeBox *box, guint32 uid, const char *keywords);
/* The FETCH response with its envelope cannot be parsed. */
void fake_garble (FakeBox *box, guint32 uid);

void fake_offline (gboolean offline); /* everything fails with RACK_ERROR_NETWORK */
void fake_hold (gboolean hold);       /* bodies wait before their first octet */
void fake_break_next_read (void);     /* the next reader is cut in the middle */
void
fake_break_fetch (guint after); /* after so many messages FETCHes of items are cut; 0: no more */
void fake_refuse_next_resync (void);
void fake_reset_watches (void); /* as after a lost connection */
guint fake_count (FakeOp op);

/* For fake-stream.c. */
typedef struct
{
  guint32 uid;
  char *subject, *body;
  guint64 announced;
  RackFlags flags;
  char *keywords;
  guint64 modseq;
  gboolean garbled;
  const RackPart *structure;
  GHashTable *sections; /* "1.2", and "~1.2" for what BINARY gives -> octets */
} FakeMessage;
void fake_lock (void);
void fake_unlock (void);
void fake_wait (void); /* for any change; with the lock held */
void fake_wake (void); /* after a change; with the lock held */
gboolean fake_is_held (void);
gboolean fake_take_break (void);
gboolean fake_cuts_fetch (guint given);
void fake_note (FakeOp op);
gboolean fake_fails (FakeOp op, GCancellable *cancellable, GError **error);
/* The mailbox' messages, or NULL with RACK_ERROR_STALE; with the lock held. Ascending by UID. */
GPtrArray *fake_messages (RackMailbox *mailbox, GError **error);
/* Of the first with this UID or a higher one. */
guint fake_position (const GPtrArray *messages, guint32 uid);
guint64 fake_modseq (RackMailbox *mailbox); /* with the lock held */
/* Wakes those who wait when it is cancelled. */
gulong fake_connect (GCancellable *cancellable);
/* fake-stream.c: a FETCH of one message that fails at nothing. */
RackFetch *fake_fetch_new (RackMailbox *mailbox, guint32 uid, const char *items);
