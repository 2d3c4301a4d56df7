/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* value-private.h - what the files of the value model share among themselves
 *
 * Not for anybody else: use value.h.
 */
#pragma once

#include "value.h"

/* Counts `part` into the depth and weight of the container that now holds it. */
void value_grow (Value *container, const Value *part);
void value_dict_clear (Value *dict);
