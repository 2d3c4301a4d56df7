/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control.h - .mailrack: what the mount says of itself and what it can be told
 */
#pragma once

#include "nodes.h"

/* The files in it. */
extern const NodeOps control_status_ops;
