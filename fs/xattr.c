/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xattr.c - what is known of a message as extended attributes (xattr = yes)
 *
 * With them `ls -l` asks twice for every file, each time; without them the first
 * request is answered ENOSYS, and the kernel asks no more.
 */
#include "flags.h"
#include "inode.h"

#include <errno.h>
#include <string.h>

/* A message's attributes, while a request is answered. */
typedef struct
{
  const char *wanted; /* NULL: the names of all are collected */
  GByteArray *out;
  gboolean found;
} Answer;

static void
add_value (Answer *answer, const char *name, const char *value, gsize size)
{
  if (answer->wanted == NULL)
    g_byte_array_append (answer->out, (const guint8 *) name, (guint) strlen (name) + 1);
  else if (!answer->found && strcmp (answer->wanted, name) == 0)
    {
      answer->found = TRUE;
      g_byte_array_append (answer->out, (const guint8 *) value, (guint) size);
    }
}

/* NULL: there is no such attribute. */
static void
add_text (Answer *answer, const char *name, const char *value)
{
  if (value != NULL)
    add_value (answer, name, value, strlen (value));
}

static void
add_number (Answer *answer, const char *name, guint64 value)
{
  char text[32];
  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, value);
  if (value != 0)
    add_text (answer, name, text);
}

static void
add_list (Answer *answer, const char *name, char **list, const char *separator)
{
  g_autofree char *joined = g_strjoinv (separator, list);
  add_text (answer, name, joined);
}

static void
add_index (Answer *answer, RackFolder *folder, const RackEntry *entry)
{
  RackFolderFacts facts;
  g_auto (GStrv) flags = flag_names (entry->flags);
  g_auto (GStrv) keywords = keyword_names (folder, entry);
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (entry->date);
  g_autofree char *when = date != NULL ? g_date_time_format (date, "%Y-%m-%dT%H:%M:%SZ") : NULL;
  rack_folder_facts (folder, &facts);
  add_number (answer, "user.imap.uid", entry->uid);
  add_number (answer, "user.imap.uidvalidity", facts.uid_validity);
  add_list (answer, "user.imap.flags", flags, " ");
  add_list (answer, "user.imap.keywords", keywords, " ");
  add_text (answer, "user.imap.internaldate", when);
  if (keywords[0] != NULL)
    add_list (answer, "user.xdg.tags", keywords, ",");
  add_text (answer, "user.mime_type", "message/rfc822");
}

static void
add_details (Answer *answer, RackFolder *folder, guint32 uid)
{
  g_auto (RackDetails) details = { 0 };
  if (!rack_folder_details (folder, uid, &details))
    return;
  add_number (answer, "user.imap.modseq", details.modseq);
  add_text (answer, "user.imap.emailid", details.email_id);
  add_text (answer, "user.imap.threadid", details.thread_id);
}

/* Returns: 0 or an errno. */
static int
collect (Mount *mount, fuse_ino_t ino, Answer *answer)
{
  RackEntry entry;
  if (inode_kind (ino) != INODE_MESSAGE)
    return 0; /* directories and other files have none */
  RackFolder *folder =
      rack_mirror_whereabouts (mount->mirror, inode_row (ino), inode_uid (ino), &entry);
  if (folder == NULL)
    return ESTALE;
  add_index (answer, folder, &entry);
  /* On the disk: only looked at for one of those. */
  if (answer->wanted == NULL || g_str_has_prefix (answer->wanted, "user.imap."))
    add_details (answer, folder, entry.uid);
  return 0;
}

static void
reply (fuse_req_t req, const GByteArray *out, size_t size)
{
  if (size == 0)
    fuse_reply_xattr (req, out->len);
  else if (out->len > size)
    fuse_reply_err (req, ERANGE);
  else
    fuse_reply_buf (req, (const char *) out->data, out->len);
}

static void
answer_request (fuse_req_t req, fuse_ino_t ino, const char *wanted, size_t size)
{
  Mount *mount = fuse_req_userdata (req);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  Answer answer = { .wanted = wanted, .out = out };
  int result = mount->xattr ? collect (mount, ino, &answer) : ENOSYS;
  if (result == 0 && wanted != NULL && !answer.found)
    result = ENODATA;
  if (result != 0)
    fuse_reply_err (req, result);
  else
    reply (req, out, size);
}

void
op_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
  answer_request (req, ino, name, size);
}

void
op_listxattr (fuse_req_t req, fuse_ino_t ino, size_t size)
{
  answer_request (req, ino, NULL, size);
}
