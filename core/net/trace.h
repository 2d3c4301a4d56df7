/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * trace.h - writing to a wire trace; its life is in conn.h */
#pragma once

#include "conn.h"

void rack_trace_write (RackTrace *trace, char who, RackStr bytes);
void rack_trace_secret (RackTrace *trace);
