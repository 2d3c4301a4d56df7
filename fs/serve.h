/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serve.h - from an open mirror to a mounted directory, and back
 */
#pragma once

#include "announce.h"
#include "guard.h"
#include "options.h"

/* The processes beside the mount's own, started before anything else. */
typedef struct
{
  AnnounceHelper announce;
  Guard guard;
} Helpers;

/* Whether this version has the view that is wanted at the root. */
gboolean serve_has_root (const RackMountSettings *settings);
/* Mounts on path, serves it until it is unmounted or a signal comes, and cleans up. helpers are
 * taken. cancellable: from life_catch_signals(); ready: from life_fork(). Returns: an exit status.
 */
int serve (const Options *options, const RackMountSettings *settings, const char *path,
           const char *label, RackMirror *mirror, Helpers *helpers, GCancellable *cancellable,
           int ready);
