/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * faultdisk.h - a disk that goes bad, for whoever is run on it: the manual
 *
 * libfaultdisk.so is loaded before a program's libraries (LD_PRELOAD). It stands before the
 * calls that change a disk and counts those that concern files below one directory. The
 * n-th of them can fail, can be the last thing the process does, or can be where the power
 * goes. Two variables of the environment say where:
 *
 *   FAULTDISK_DIRECTORY  the directory: absolute, without links
 *   FAULTDISK_CONTROL    a file of sizeof (FaultDisk) octets, elsewhere
 *
 * The file is mapped by all processes that are concerned, so what is to happen is said
 * before the program starts or while it runs, by it or by another, and what happened can be
 * read at any time. faultdisk.py does that for Python; C maps the file.
 *
 * Counted are, of the kinds that .kinds has (0: all of them):
 *
 *   FAULTDISK_WRITES  write, writev, pwrite, pwritev
 *   FAULTDISK_SYNCS   fsync, fdatasync, sync_file_range
 *   FAULTDISK_SIZES   ftruncate, fallocate, posix_fallocate
 *   FAULTDISK_NAMES   rename, link, symlink, unlink, mkdir, rmdir, and their ...at
 *   FAULTDISK_OPENS   open for writing, and creat
 *
 * Not seen are: stdio's own calls (fopen, fwrite), what is written through a mapping, and
 * system calls that are made without the library's functions.
 *
 * FAULTDISK_POWER_LOST needs .records from the start: every change is then remembered until
 * it is synced, and when the power goes those that were not are undone and the process is
 * killed. A sync of a file settles its octets, its size and that it was made; a sync of a
 * directory settles the names in it. Nothing else does. Of what was not settled .survives
 * says what is on the disk all the same; names always go in their order, octets in none.
 *
 * A sync that fails says that octets may be lost: with .forgets (and .records) they are, at
 * once, also for who reads them now, as when pages were dropped from memory.
 */
#pragma once

#include <stdint.h>

typedef enum
{
  FAULTDISK_GOOD,
  FAULTDISK_FAIL,  /* call .at fails with .error, and each of the .lasts - 1 after it */
  FAULTDISK_KILL,  /* the process is killed (SIGKILL) before call .at */
  FAULTDISK_POWER, /* the power goes before call .at */
} FaultDiskAction;

typedef enum
{
  FAULTDISK_WRITES = 1 << 0,
  FAULTDISK_SYNCS = 1 << 1,
  FAULTDISK_SIZES = 1 << 2,
  FAULTDISK_NAMES = 1 << 3,
  FAULTDISK_OPENS = 1 << 4,
} FaultDiskKinds;

typedef enum
{
  FAULTDISK_NOTHING, /* what was not synced is gone */
  FAULTDISK_ALL,     /* the disk was quick */
  FAULTDISK_SOME,    /* every change by the throw of a coin */
  FAULTDISK_TORN,    /* the same for every 512 octets of it */
} FaultDiskSurvival;

typedef struct
{
  uint64_t calls;  /* that were counted so far, by all processes */
  uint64_t action; /* FaultDiskAction */
  uint64_t at;     /* the first call has number 1 */
  uint64_t lasts;  /* calls; 0: from then on */
  uint64_t error;  /* errno */
  uint64_t kinds;  /* FaultDiskKinds */
  uint64_t parts;  /* the first write that fails for want of room writes half of it before */
  uint64_t records;
  uint64_t forgets;
  uint64_t survives; /* FaultDiskSurvival */
  uint64_t seed;     /* of the coin */
  uint64_t failed;   /* calls that did */
  uint64_t unsynced; /* changes that were remembered when the power went */
  char last[256];    /* what failed last, or was the last: "pwrite /cache/index.db" */
} FaultDisk;
