/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * overlay.h - how a folder looks with the changes that the server has not confirmed
 *
 * What a person took away stays away however often the server still has it; flags that were set
 * stay set; names that programs gave are the messages' names. The index is changed when the change
 * is made; this is for everything that comes into the index later. All of it is about one
 * UIDVALIDITY. A folder has one, guarded by its mutex; no disk and no server.
 */
#pragma once

#include "index.h"

G_BEGIN_DECLS

/* What a program called a message. */
typedef struct
{
  guint space; /* of the directory where it put it */
  char name[];
} RackBase;

/* Such names of one kind. */
typedef struct
{
  GHashTable *by_uid;  /* UID -> RackBase (owned), or NULL: there was none yet */
  GHashTable *by_name; /* the same name (borrowed) -> UID, or NULL with it */
} RackGiven;

typedef struct
{
  guint32 uid_validity;
  RackSet *ours;       /* UIDs of what we appended since we began; NULL: none */
  RackSet *hidden;     /* UIDs that are not to be seen; NULL: none */
  GHashTable *intents; /* UID -> RackIntent (owned), or NULL */
  guint32 last_named;  /* the highest UID of both; it may be gone by now */
  RackGiven names;     /* whose space is 0 */
  RackGiven bases;     /* in a Maildir */
  GHashTable *numbers; /* UID -> guint64 (owned), or NULL: RackEntry.number */
} RackOverlay;

/* What is to become of the flags of a message. */
typedef struct
{
  RackFlags add, remove;
  char *add_keywords, *remove_keywords; /* with a space between two; NULL: none */
  guint refs;                           /* changes that are on their way */
} RackIntent;

/* Keywords as they will be, ascending, as rows.h has them. Each may be NULL. Returns: (owned) */
char *rack_overlay_join (const char *before, const char *add, const char *remove);

void rack_overlay_init (RackOverlay *overlay);
void rack_overlay_clear (RackOverlay *overlay);
/* What is known of another UIDVALIDITY is void. */
void rack_overlay_bind (RackOverlay *overlay, guint32 uid_validity);

/* Whether it is about that one, which it is if nothing was known of any. */
gboolean rack_overlay_is_about (RackOverlay *overlay, guint32 uid_validity);

void rack_overlay_hide (RackOverlay *overlay, guint32 uid, gboolean hidden);
gboolean rack_overlay_hides (const RackOverlay *overlay, guint32 uid);
/* One more change of its flags is on its way; the last one wins. */
void rack_overlay_intend (RackOverlay *overlay, guint32 uid, RackFlags add, RackFlags remove);
void rack_overlay_intend_keywords (RackOverlay *overlay, guint32 uid, const char *add,
                                   const char *remove);
/* One of them has arrived, or was given up. */
void rack_overlay_settle (RackOverlay *overlay, guint32 uid);
/* Flags as they will be. */
RackFlags rack_overlay_flags (const RackOverlay *overlay, guint32 uid, RackFlags flags);
/* The same for keywords. Returns: text, or what was put into *owned. */
const char *rack_overlay_keywords (const RackOverlay *overlay, guint32 uid, const char *text,
                                   char **owned);

/* A message that was appended from here, which is not to be taken for another one. */
void rack_overlay_claim (RackOverlay *overlay, guint32 uid);
gboolean rack_overlay_is_claimed (const RackOverlay *overlay, guint32 uid);

/* name NULL: it has none of its own any more. */
void rack_overlay_name (RackOverlay *overlay, guint32 uid, const char *name);
/* Borrowed; NULL: none. */
const char *rack_overlay_name_of (const RackOverlay *overlay, guint32 uid);
/* 0: none. */
guint32 rack_overlay_uid_of (const RackOverlay *overlay, const char *name);

/* The same for what a Maildir calls it. name NULL or "": nothing of its own. */
void rack_overlay_set_base (RackOverlay *overlay, guint32 uid, const char *name, guint space);
const RackBase *rack_overlay_base_of (const RackOverlay *overlay, guint32 uid);
guint32 rack_overlay_uid_of_base (const RackOverlay *overlay, const char *name);

/* 0: none (any more). */
void rack_overlay_set_number (RackOverlay *overlay, guint32 uid, guint64 number);
guint64 rack_overlay_number_of (const RackOverlay *overlay, guint32 uid);

G_END_DECLS
