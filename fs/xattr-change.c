/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * xattr-change.c - flags and keywords set as extended attributes
 *
 * A value replaces the whole list: user.imap.flags is "\Seen \Flagged", user.imap.keywords
 * is separated by blanks, user.xdg.tags (the keywords too) by commas.
 */
#include "calls.h"
#include "flags.h"
#include "inode.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

typedef enum
{
  ATTRIBUTE_FLAGS,
  ATTRIBUTE_KEYWORDS,
  ATTRIBUTE_TAGS,
  ATTRIBUTE_OTHER,
} Attribute;

static Attribute
attribute_by_name (const char *name)
{
  if (strcmp (name, "user.imap.flags") == 0)
    return ATTRIBUTE_FLAGS;
  if (strcmp (name, "user.imap.keywords") == 0)
    return ATTRIBUTE_KEYWORDS;
  return strcmp (name, "user.xdg.tags") == 0 ? ATTRIBUTE_TAGS : ATTRIBUTE_OTHER;
}

/* FALSE: there is such a flag not. */
static gboolean
parse_flags (char **words, RackFlags *flags)
{
  *flags = 0;
  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      {
        RackFlags flag = flag_by_name (words[i]);
        if (flag == 0)
          return FALSE;
        *flags |= flag;
      }
  return TRUE;
}

/* Those of a that are not in b. (owned), the strings borrowed */
static GPtrArray *
without (char **a, char **b)
{
  GPtrArray *out = g_ptr_array_new ();
  for (guint i = 0; a[i] != NULL; i++)
    if (*a[i] != '\0' && !g_strv_contains ((const char *const *) b, a[i]))
      g_ptr_array_add (out, a[i]);
  g_ptr_array_add (out, NULL);
  return out;
}

/* The mirror knows the message by what it was when it was seen. */
static int
store (RackFolder *folder, fuse_ino_t ino, const RackFlagChange *change)
{
  g_autoptr (GError) error = NULL;
  RackTicket ticket;
  return rack_folder_set_flags (folder, inode_row (ino), inode_uid (ino), change, &ticket, &error)
             ? 0
             : errno_of (error);
}

static int
set_flags (RackFolder *folder, fuse_ino_t ino, const RackEntry *entry, char **words)
{
  RackFlagChange change = { 0 };
  RackFlags flags;
  if (!parse_flags (words, &flags))
    return EINVAL;
  change.add = flags & ~entry->flags;
  change.remove = entry->flags & ~flags & ~(RackFlags) (RACK_FLAG_RECENT | RACK_FLAG_KEYWORDS);
  if (change.add == 0 && change.remove == 0)
    return 0;
  return store (folder, ino, &change);
}

static int
set_keywords (RackFolder *folder, fuse_ino_t ino, const RackEntry *entry, char **words)
{
  g_auto (GStrv) now = keyword_names (folder, entry);
  g_autoptr (GPtrArray) add = without (words, now);
  g_autoptr (GPtrArray) remove = without (now, words);
  RackFlagChange change = { .add_keywords = (const char *const *) add->pdata,
                            .remove_keywords = (const char *const *) remove->pdata };
  if (add->len == 1 && remove->len == 1)
    return 0;
  return store (folder, ino, &change);
}

static int
run_set (Call *call, GCancellable *cancellable)
{
  RackEntry entry;
  Attribute attribute = attribute_by_name (call->name);
  if (cancellable == NULL)
    return NODE_WAIT;
  RackFolder *folder = rack_mirror_whereabouts (call->mount->mirror, inode_row (call->ino),
                                                inode_uid (call->ino), &entry);
  if (folder == NULL)
    return ESTALE;
  g_autofree char *value = g_strndup (call->size > 0 ? call->written : "", call->size);
  g_auto (GStrv) words = g_strsplit_set (value, attribute == ATTRIBUTE_TAGS ? "," : " ", -1);
  for (guint i = 0; words[i] != NULL; i++)
    g_strstrip (words[i]);
  return attribute == ATTRIBUTE_FLAGS ? set_flags (folder, call->ino, &entry, words)
                                      : set_keywords (folder, call->ino, &entry, words);
}

static void
change (fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size)
{
  Mount *mount = fuse_req_userdata (req);
  if (!mount->xattr)
    {
      fuse_reply_err (req, ENOSYS);
      return;
    }
  if (inode_kind (ino) != INODE_MESSAGE || attribute_by_name (name) == ATTRIBUTE_OTHER)
    {
      fuse_reply_err (req, inode_kind (ino) == INODE_MESSAGE ? EPERM : ENOTSUP);
      return;
    }
  Call *call = call_new (req, ino, run_set, call_reply_done);
  call->changes = TRUE;
  call->again = EBUSY; /* of EAGAIN the kernel makes "not supported" here */
  call->name = g_strdup (name);
  call->written = value;
  call->size = size;
  call_submit (call, mount->changes);
}

void
op_setxattr (fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
             int flags)
{
  const Mount *mount = fuse_req_userdata (req);
  gboolean ours = mount->xattr && inode_kind (ino) == INODE_MESSAGE
                  && attribute_by_name (name) != ATTRIBUTE_OTHER;
  /* The lists are always there. */
  if (ours && (flags & XATTR_CREATE))
    fuse_reply_err (req, EEXIST);
  else
    change (req, ino, name, value, size);
}

void
op_removexattr (fuse_req_t req, fuse_ino_t ino, const char *name)
{
  change (req, ino, name, "", 0);
}
