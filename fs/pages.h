/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pages.h - octets are in the kernel before a program reads them
 *
 * A program that reads one message after the other costs two questions for each: open and
 * read. Once one is seen to do that, the octets of the next ones are put into the kernel's
 * page cache by a thread of its own, as soon as they are here, and the reads never come.
 */
#pragma once

#include "mount.h"

Pages *pages_start (Mount *mount);
/* As notifier_stop(). */
gboolean pages_stop (Pages *pages);
/* How many messages were put there so far. Never waits. */
guint64 pages_count (Pages *pages);
/* A message was opened. Never waits. */
void pages_note_open (Pages *pages, fuse_ino_t ino);
/* Its first octets were asked for, so the kernel did not have them. whole: the question goes to the
 * end, or so far that the reader wants more than a header. Never waits. */
void pages_note_read (Pages *pages, fuse_ino_t ino, gboolean whole);
