/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * opened.h - what the kernel has open
 *
 * The kernel gives back what it opened, but not always: close(2) does not wait for that, and what
 * is on its way when the file system is unmounted never arrives. What is left then is in this list.
 * Any thread.
 */
#pragma once

#include "mount.h"

Opened *opened_new (void);
/* When no request can come any more: closes what is left. */
void opened_free (Opened *opened);

/* Before the kernel is told of it. */
void opened_add (Opened *opened, gpointer thing, GDestroyNotify close);
/* Closes what was added. */
void opened_close (Opened *opened, gpointer thing);
