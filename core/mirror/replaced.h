/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * replaced.h - a message that another one took the place of
 */
#pragma once

#include "outbox.h"

G_BEGIN_DECLS

/* local was sent: what it replaces goes, here at once, and on the server if it has not yet. One of
 * another UIDVALIDITY is a stranger and stays. With the mutex held, in a transaction. */
gboolean rack_replaced_let_go (RackOutbox *outbox, const RackLocal *local, GError **error);

/* The disk need not know those of uids any more, which went with the command that replaced them. */
void rack_replaced_forget (RackFolder *folder, guint32 uid_validity, const RackSet *uids);

G_END_DECLS
