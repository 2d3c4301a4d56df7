/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flags.h - the flags of messages as text
 */
#pragma once

#include <mailrack/mailrack-outgoing.h>

/* "\Seen" and so on, those that a message can keep, in one order. Returns: (owned) NULL-terminated
 */
char **flag_names (RackFlags flags);
/* The opposite, of one: 0 if it is none. */
RackFlags flag_by_name (const char *name);
/* Its keywords, ascending. Returns: (owned) NULL-terminated */
char **keyword_names (RackFolder *folder, const RackEntry *entry);
/* Both. Returns: (owned) NULL-terminated */
char **flag_and_keyword_names (RackFolder *folder, const RackEntry *entry);
/* Of a text of flags and keywords, with blanks or line ends between them. Returns: (owned) what is
 * wrong with it, for people; NULL: nothing. */
char *flags_check (const char *text, gsize size);
/* What such a text says become the flags and keywords of a message, and no others are. Takes the
 * disk. */
gboolean flags_set (RackMirror *mirror, guint32 row, guint32 uid, const char *text,
                    RackTicket *ticket, GError **error);
