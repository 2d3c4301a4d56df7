/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * beside.h - what is beside the mail in a listing
 *
 * Files of programs, and messages that came there and that the server has not confirmed, become
 * mail at any moment: a listing would have them in neither of its parts, or in both. So they are
 * noted when it begins, and hide mail of the same name.
 */
#pragma once

#include "view.h"

/* Of an open directory. Who reads it has it alone; it is shared with requests that wait. */
typedef struct Beside Beside;

typedef struct
{
  char name[VIEW_NAME_SIZE];
  struct stat attributes; /* number and type, of a file of a program's */
  gboolean message;
  guint32 row; /* of a message */
  RackEntry entry;
} BesideItem;

Beside *beside_new (void);
Beside *beside_ref (Beside *beside);
void beside_unref (Beside *beside);
/* A listing of directory begins (anew). */
void beside_note (Beside *beside, const Directory *directory);
gboolean beside_hides (const Beside *beside, const char *name);
/* Borrowed until the next beside_note(); NULL: there are no more. */
const BesideItem *beside_item (const Beside *beside, guint i);
