/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names.h - the names that messages and mailboxes have as files
 *
 * Pure functions from what the server said to one path component, and back where
 * that is possible. Whatever goes in, what comes out is one component of valid
 * UTF-8: never empty, ".", "..", longer than 255 bytes, and without "/", NUL and
 * control, bidirectional and zero-width characters. There is no index, lock or
 * descriptor here.
 */
#pragma once

#include <mailrack/mailrack-types.h>

G_BEGIN_DECLS

/* The longest name of a message, in bytes, without the NUL. */
#define RACK_NAME_MESSAGE_MAX   180
/* The longest name of a directory (NAME_MAX). */
#define RACK_NAME_DIRECTORY_MAX 255
/* The longest name of an attachment, before it is numbered. */
#define RACK_NAME_PART_MAX      200
#define RACK_NAME_SUFFIX        ".eml"

/* Writes "DATE_FROM_SUBJECT.UID.eml" (names = full). date: INTERNALDATE in seconds since the
 * epoch. envelope NULL stands for a message without sender and subject. The same arguments give
 * the same name in every process and locale. buffer holds RACK_NAME_MESSAGE_MAX + 1 bytes.
 * Returns: its length. */
gsize rack_name_message (guint32 uid, gint64 date, const RackEnvelope *envelope, char *buffer);

/* The same from words that are decoded already (headers.h); "" for what there is not. */
gsize rack_name_from_words (guint32 uid, gint64 date, const char *sender, const char *subject,
                            char *buffer);

/* Writes what a text becomes as a part of a name: at most max bytes (less than
 * RACK_NAME_MESSAGE_MAX), and a NUL. Returns: its length; 0 if nothing in it may stand in a name.
 */
gsize rack_name_words (const char *text, gsize max, char *buffer);

/* As g_strlcpy() does. */
void rack_name_copy (const char *name, char *buffer, gsize size);

/* Writes "UID.eml" (names = uid, and the .uid view). Returns: its length. */
gsize rack_name_uid (guint32 uid, char *buffer);

/* The UID in "ANYTHING.UID.eml" or "UID.eml" (canonical: no leading zero), or 0 if name cannot be
 * that of a message. */
guint32 rack_name_parse_uid (const char *name);

/* The name that a message has in a Maildir without flags: rack_entry_name_unique(). copy: of one
 * that is being copied, another one for each number; 0: its own. buffer: as there. */
void rack_name_unique (guint32 row, gint64 date, guint32 uid, guint64 copy, char *buffer);
/* What is kept of a file's name in a Maildir: rack_entry_name_base(). */
gboolean rack_name_base (const char *name, char *buffer);

/* One level of a mailbox' name as a directory's name. Injective: two different components never
 * give the same name, and none gives the name of a message. size may be -1. at_root: the names of
 * the views (".uid") are escaped too. What is longer than 255 bytes then is cut and ends with
 * "%~" and a digest. Returns: (owned) */
char *rack_name_directory (const char *component, gssize size, gboolean at_root);

/* The inverse. Returns: (owned) the component, or NULL if rack_name_directory() never gives that
 * name, or cut it. */
char *rack_name_directory_parse (const char *name, gboolean at_root);

/* What an attachment is called as a file. name: what its sender calls it (UTF-8), or NULL; section,
 * type and subtype (lower case) make one where that leaves nothing. Attached messages end in
 * ".eml". Returns: (owned) at most RACK_NAME_PART_MAX bytes */
char *rack_name_part (const char *name, const char *section, const char *type, const char *subtype);
/* The same with " (NUMBER)" in front of the extension. Returns: (owned) */
char *rack_name_numbered (const char *name, guint number);

/* Whether name is one of the directories at the root that are not mailboxes. */
gboolean rack_name_is_view (const char *name);

G_END_DECLS
