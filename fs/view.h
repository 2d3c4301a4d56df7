/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view.h - views: the ways to look at the same mailboxes
 *
 * A mount shows one view at its root (root = ...) and each of the others in a directory
 * of the root whose name begins with a dot. Such a directory is always reachable by
 * path; it is listed only with views = listed, so that programs that walk a tree do not
 * meet every message once per view.
 *
 * There are two kinds of views.
 *
 * A view of folders repeats the tree of mailboxes and says how a folder shows its
 * messages: in which fixed sub-directories (places: cur, new, tmp), under which names.
 * Its directories have numeric inodes (view, place and folder: inode.h), its messages
 * are row and UID as in every view, so the kernel may forget either without telling
 * anybody. Everything that is the same in all of them is done once: waiting for a
 * mailbox, listings with stable offsets, child folders, what the kernel must forget.
 * Where a message is not a file but something else (a directory of its parts),
 * fill_entry and list_entry answer with a node for it.
 *
 * A view of nodes has only a root, a node (nodes.h), and does everything below it by
 * itself.
 *
 * To add a view: write fs/view-NAME.c with one `const ViewOps view_NAME`, declare it at
 * the end of this file, put it into the table of views.c (its number is in the enum
 * below already) and into fs/meson.build. Nothing else knows of single views.
 *
 * None of the functions below may wait: they run on FUSE's threads, many at once. All
 * but name and entry_name may be NULL, with the meaning that is said there.
 */
#pragma once

#include "nodes.h"

#include <mailrack/mailrack-outgoing.h>

/* A number is part of inode numbers: it must never change. */
typedef enum
{
  VIEW_MESSAGES = 0, /* DATE_FROM_SUBJECT.UID.eml */
  VIEW_UID = 1,      /* .uid: UID.eml */
  VIEW_MAILDIR = 2,
  VIEW_PARTS = 3,
  VIEW_SEARCH = 4,
  VIEW_CONTROL = 5, /* .mailrack */
  N_VIEWS,
} View;

/* A directory of a view of folders. */
typedef struct
{
  View view;
  guint place; /* 0: the folder itself; n: places[n - 1] of its view */
  RackFolder *folder;
  guint32 row; /* whose messages; 0: those that are in force */
} Directory;

/* For the name of anything, with the NUL. */
#define VIEW_NAME_SIZE 256

typedef struct
{
  /* The directory at the root where the view is when it is not the root itself: ".uid". The
   * mirror escapes mailboxes that are called so (core/mirror/names-directory.c lists them). */
  const char *name;

  /* ---- A view of nodes ---- */

  /* Returns: (owned) the node of the view's directory. Then nothing below is used. */
  Node *(*root) (Mount *mount);

  /* ---- A view of folders ---- */

  /* The sub-directories that each folder with messages has, NULL-terminated; the messages are
   * in these then. NULL: there are none, and the messages are in the folder itself. A mailbox
   * that is called like a place is escaped. */
  const char *const *places;
  /* The functions below look at no entry->name: it is empty. */
  gboolean nameless;
  /* Where messages are before they come into another place, as far as a program can tell that
   * watches; 0: they are made where they are. */
  guint arrives;
  /* Whether a message is listed in directory. NULL: each is. */
  gboolean (*shows) (const Directory *directory, const RackEntry *entry);
  /* Writes what a message is called in directory: at most 255 bytes, different for each UID. */
  void (*entry_name) (const Directory *directory, const RackEntry *entry, char *name);
  /* The UID that a name in directory could be about, or 0 if none: then the mailbox is not
   * loaded for its sake. NULL: "...UID.eml". */
  guint32 (*name_uid) (const Directory *directory, const char *name);
  /* Whether name means entry (which has the UID that name_uid gave). NULL: it is shown and
   * called so. Another answer lets old names of a message go on working. */
  gboolean (*resolves) (const Directory *directory, const char *name, const RackEntry *entry);
  /* What such a name is as an answer to a lookup: not the message's inode, for to the kernel
   * renaming a file to another name of itself is no change at all. NULL if resolves is. */
  void (*fill_former) (Mount *mount, const Directory *directory, guint32 row,
                       const RackEntry *entry, struct fuse_entry_param *out);
  /* Whether name could be a message's in folder, although a mailbox below it may be called so too
   * (names of directories do not end in ".eml"). Such a mailbox is escaped, whatever messages
   * there are. NULL: none could. */
  gboolean (*takes) (RackFolder *folder, const char *name);
  /* What a message is as an answer to a lookup, for instance node_fill_entry(). Returns: 0 or
   * an errno. NULL: a file with the message's octets. */
  int (*fill_entry) (Mount *mount, const Directory *directory, guint32 row, const RackEntry *entry,
                     struct fuse_entry_param *out);
  /* The same for listings, to which st_ino and the type in st_mode matter (node_number()); it
   * makes no nodes, and such listings hold no attributes. NULL if fill_entry is. */
  void (*list_entry) (Mount *mount, const Directory *directory, guint32 row, const RackEntry *entry,
                      struct stat *out);
  /* Changes the attributes of directory after they were filled in; NULL: they stay. */
  void (*fill_directory) (Mount *mount, const Directory *directory, struct stat *out);
  /* Programs may change what is in its directories. */
  gboolean changes;
  /* The space (mailrack-outgoing.h) of the files that programs keep in directory, or -1: they may
   * not. Never the same for two directories of a folder. NULL: -1. */
  int (*space) (const Directory *directory);
  /* Whether a file of that name in directory, which has messages, becomes one. NULL: none does. */
  gboolean (*is_mail) (const Directory *directory, const char *name);
  /* The flags that a file's name says it has. FALSE: names say nothing. NULL: the same. */
  gboolean (*name_flags) (const char *name, RackFlags *flags, gboolean *forwarded);
  /* What is kept of the name that a program gives a message (RackEntry.base) when it moves it here,
   * or renames it within the folder: then entry says which, and base becomes "" if it would be
   * called so anyway. Returns: 0 or an errno. NULL: names are whole, and do not change. */
  int (*keep) (const Directory *directory, const RackEntry *entry, const char *name, char *base);
  /* By a name that a program has given a message. NULL: such names mean nothing here. */
  gboolean (*find_given) (const Directory *directory, const char *name, RackEntry *entry);
  /* Whether one may have been given that name, before the mailbox is loaded. NULL: any. */
  gboolean (*is_given) (const Directory *directory, const char *name);
  /* Makes the kernel forget what change made wrong in this view, with fuse_lowlevel_notify_*();
   * called on the notifier's thread alone. NULL: for ADDED, REMOVED and FOLDERS the listings and
   * names of directories, for SIZES the attributes of files, nothing for FLAGS. */
  void (*forget) (Mount *mount, View view, const RackChange *change);
} ViewOps;

/* NULL: this version does not have that view. */
const ViewOps *view_ops (View view);
/* The view whose dot-directory name is; N_VIEWS if there is none. */
View view_by_name (const char *name);
/* How many places the folders of a view have. */
guint view_places (View view);

/* The name of a folder in its parent's directory in a view: safe, no place's and no message's. */
void view_folder_name (View view, RackFolder *folder, char *name);
/* The same for one that may be gone: it was called directory in parent. */
void view_child_name (View view, RackFolder *parent, const char *directory, char *name);

/* What name is in directory, if it is a directory of the same view: a folder or a place. */
gboolean view_find_directory (const Directory *directory, const char *name, Directory *found);
/* Whether the server lets anything in directory be changed, as far as is known: names made or taken
 * away. */
gboolean view_is_writable (const Directory *directory);
/* Whether directory is where the messages are. */
gboolean view_has_messages (const Directory *directory);
guint32 view_name_uid (const Directory *directory, const char *name);
/* By name, if it is known already. */
gboolean view_find_message (const Directory *directory, const char *name, RackEntry *entry);
/* The same for those that came here and that the server has not confirmed. */
gboolean view_find_arrival (const Directory *directory, const char *name, RackArrival *arrival);
/* Whether arrivals are shown in directory at all. */
gboolean view_shows_arrivals (const Directory *directory);
/* The space of directory, or -1. */
int view_space (const Directory *directory);
/* The opposite: the view and place that have it. FALSE: none has. */
gboolean view_of_space (guint space, View *view, guint *place);
/* Whether entry is listed in directory under that name: one that only resolves is not. */
gboolean view_is_called (const Directory *directory, const RackEntry *entry, const char *name);

/* Where a message that change is about was (now: is) and what it was called there. FALSE: it is
 * listed nowhere in view. */
gboolean view_find_changed (View view, const RackChange *change, const RackChanged *changed,
                            gboolean now, Directory *directory, char *name);

/* For forget functions: what a NULL does. */
void view_forget (Mount *mount, View view, const RackChange *change);
/* Has each view forget what change made wrong. */
void views_forget (Mount *mount, const RackChange *change);

extern const ViewOps view_messages;
extern const ViewOps view_uid;
extern const ViewOps view_maildir;
extern const ViewOps view_parts;
extern const ViewOps view_search;
extern const ViewOps view_control;
