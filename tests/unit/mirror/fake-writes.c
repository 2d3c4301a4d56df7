/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake-writes.c - the functions of the library that change something on a server
 *
 * The tests that use the fake server only read: nothing here may be called.
 */
#include <mailrack/mailrack.h>

#define NEVER(type, name, ...)                                                                     \
  type name (__VA_ARGS__)                                                                          \
  {                                                                                                \
    g_assert_not_reached ();                                                                       \
  }

gboolean
rack_account_is_read_only (RackAccount *account)
{
  return FALSE;
}

NEVER (gboolean, rack_account_rights, RackAccount *account, const char *mailbox, RackRights *rights,
       GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_account_may_write, RackAccount *account, const char *mailbox, gboolean *may,
       GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_account_append_limit, RackAccount *account, const char *mailbox,
       guint64 *limit, GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_account_quota, RackAccount *account, const char *mailbox, RackQuota *quota,
       GCancellable *cancellable, GError **error)
NEVER (RackAppend *, rack_append_new_many, RackAccount *account, const char *mailbox,
       const RackAppendItem *items, guint n, GCancellable *cancellable, GError **error)
NEVER (RackAppend *, rack_append_new_replacing, RackMailbox *mailbox, guint32 uid,
       const RackAppendItem *item, GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_append_write, RackAppend *append, const void *data, gsize size,
       GError **error)
NEVER (gboolean, rack_append_finish_many, RackAppend *append, guint32 *uid_validity, RackSet **uids,
       GError **error)
NEVER (void, rack_append_free, RackAppend *append)
NEVER (gboolean, rack_mailbox_store, RackMailbox *mailbox, const RackSet *uids, RackStoreMode mode,
       RackFlags flags, const char *const *keywords, GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_mailbox_copy, RackMailbox *mailbox, const RackSet *uids, const char *to,
       RackCopied *copied, GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_mailbox_move, RackMailbox *mailbox, const RackSet *uids, const char *to,
       RackCopied *copied, GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_mailbox_expunge, RackMailbox *mailbox, const RackSet *uids,
       GCancellable *cancellable, GError **error)
NEVER (void, rack_copied_clear, RackCopied *copied)
NEVER (RackReader *, rack_mailbox_read, RackMailbox *mailbox, guint32 uid, const char *section,
       GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_account_create, RackAccount *account, const char *name,
       GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_account_delete, RackAccount *account, const char *name,
       GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_account_rename, RackAccount *account, const char *from, const char *to,
       GCancellable *cancellable, GError **error)
NEVER (gboolean, rack_account_subscribe, RackAccount *account, const char *name,
       gboolean subscribed, GCancellable *cancellable, GError **error)
