/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names-private.h - what names.c and names-directory.c share
 */
#pragma once

#include <glib.h>

/* Zero-width, bidirectional and other characters that cannot be seen. */
gboolean rack_name_is_invisible (gunichar c);
