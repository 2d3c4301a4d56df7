/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * error.c - the one error domain. What its codes mean is in mailrack-types.h. */
#include <mailrack/mailrack-types.h>

/* clang-format off */
G_DEFINE_QUARK (rack-error-quark, rack_error)
/* clang-format on */
