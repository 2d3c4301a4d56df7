/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * drafts.h - messages that programs rewrite, which they may in the mailbox for drafts alone
 *
 * Who opens one to write gets a local copy under the same name, which hides the message
 * and replaces it when it was closed. The kernel goes on knowing it by the message's
 * number: as long as it does, requests about that number are about the copy.
 *
 * Programs see one number (st_ino) all the way: that of the message which was rewritten, or of the
 * file that was new, whatever they become on the server. Editors that look whether somebody else
 * has changed a file compare it.
 */
#pragma once

#include "local.h"

Drafts *drafts_new (void);
void drafts_free (Drafts *drafts);
/* What message ino is being rewritten as. Returns: (owned), or NULL if it is not. Never waits. */
Node *draft_of (Mount *mount, fuse_ino_t ino);
/* Lets go of those that are messages by now, or nothing: something beside the mail came or went, or
 * was closed. Never waits. */
void drafts_end (Mount *mount);
/* Begins to rewrite message ino, with its octets or without. Waits for these. *draft: (owned).
 * Returns: 0 or an errno; EACCES: such a message may not be rewritten. */
int draft_begin (Mount *mount, fuse_ino_t ino, gboolean empty, GCancellable *cancellable,
                 Node **draft);
/* old, a message, is called name from now on, there (NONE or LOCAL) being what was called so: as
 * a copy that takes its place, or a file of a program's, such as an editor's backup. Waits. */
int draft_rename (Mount *mount, const Thing *old, const Thing *there, const char *name,
                  GCancellable *cancellable);

/* The number that local is to have as a message which takes the place of old (NULL: of none); 0:
 * its own as such. */
guint64 draft_number (Mount *mount, const RackLocalFacts *facts, const RackEntry *old);
/* local is called something else from now on, perhaps in another place. */
void draft_note_rename (RackLocal *local, const RackLocalFacts *facts, const Spot *to);

/* A copy called name went from spot: the message that it hid goes too, into the trash. Returns: 0
 * or an errno. */
int draft_uncover (Mount *mount, const Spot *spot, const char *name);

/* ---- ops-draft.c: open for writing ---- */
void draft_op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
