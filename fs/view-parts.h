/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-parts.h - the nodes of the parts view
 *
 * Every message has a directory; what is in it are nodes but for the message's own file.
 * A node's data begins with a PartsMessage, which never changes.
 */
#pragma once

#include "view.h"

typedef struct
{
  RackFolder *folder;
  guint32 row, uid;
  gint64 date;
} PartsMessage;

/* ---- view-parts.c ---- */
/* The key of the message's directory, or of what is below it. Returns: (owned) */
char *parts_key (const PartsMessage *message, const char *below);
/* The same dates for all that is of one message, and nothing may be written. */
void parts_fill (const PartsMessage *message, struct stat *out);
void parts_fill_size (guint64 size, struct stat *out);
/* All but its name. FALSE: it is gone. */
gboolean parts_find (const PartsMessage *message, RackEntry *entry);
/* The errno for a problem with a part: a message that is there has what it was said to have. */
int parts_errno (const PartsMessage *message, const GError *error);
/* *parts: (owned). Returns: 0, an errno, or NODE_WAIT. */
int parts_get (const PartsMessage *message, GCancellable *cancellable, RackParts **parts);

/* ---- view-parts-message.c: the directory of a message ---- */
Node *parts_message_node (Mount *mount, const PartsMessage *message);

/* ---- view-parts-file.c: a section as a file ---- */
/* key: (borrowed). guess: the size to give while the true one is not known. Returns: (owned) */
Node *parts_file_node (Mount *mount, const PartsMessage *message, const char *key,
                       const char *section, RackPartForm form, guint64 guess);

/* ---- view-parts-flags.c ---- */
Node *parts_flags_node (Mount *mount, const PartsMessage *message, const char *key);

/* ---- view-parts-info.c: info.json ---- */
Node *parts_info_node (Mount *mount, const PartsMessage *message, const char *key);
