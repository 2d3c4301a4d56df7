/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * faultdisk-undo.h - what was changed since it was synced, for faultdisk.c alone
 *
 * Each change is told before it is made, but those that make a name, after it. One call at a
 * time. What would be needed to take a change back is kept until it is settled.
 */
#pragma once

#include "faultdisk.h"

#include <limits.h>
#include <sys/types.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

void undo_note_write (int fd, const char *path, const void *data, size_t size, off_t offset);
void undo_note_size (int fd, const char *path, off_t size);
void undo_note_range (int fd, const char *path, int mode, off_t offset, off_t size);
void undo_note_emptied (const char *path);
void undo_note_made (const char *path);
void undo_note_renamed (const char *from, const char *to);
void undo_note_removed (const char *path);

/* The file or directory was synced. */
void undo_settle (int fd, const char *path);
/* What was written to the file and not synced is lost now. */
void undo_forget (int fd);
/* What is not settled is undone, but what disk->survives says. Returns: how many changes that
 * were. */
uint64_t undo_all (const FaultDisk *disk);
