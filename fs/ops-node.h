/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ops-node.h - what the files about requests for nodes share
 */
#pragma once

#include "calls.h"

/* Opens call->node for a call that has a handle: 0, an errno or NODE_WAIT. */
int node_run_open (Call *call, GCancellable *cancellable);
/* Answers an open; a directory's too. */
void node_reply_open (Call *call);
