/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * former.h - a message under a name it does not have (any more)
 *
 * A file with the same octets and the same number for programs, but not the same inode for the
 * kernel, which would do nothing when a message is renamed to such a name of its own.
 */
#pragma once

#include "nodes.h"

/* Returns: (owned) */
Node *former_node (Mount *mount, fuse_ino_t ino);
