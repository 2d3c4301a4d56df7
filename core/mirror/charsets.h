/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * charsets.h - character sets that are kept ready
 *
 * The C library loads a module when a conversion begins and unloads it not long after.
 * Over the headers of a large mailbox that was half of all the work. Of each character
 * set that occurs one conversion is held open for as long as the program runs, so that
 * its module stays. Nothing is converted here.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Before GMime is used for anything, whoever comes first. Any thread. */
void rack_mime_ready (void);

/* Keeps those of the encoded words (RFC 2047) in text, and what text without any that is not ASCII
 * is taken for. A few dozen are kept; more are converted all the same, only slowly. Any thread. */
void rack_charsets_keep (const char *text);

G_END_DECLS
