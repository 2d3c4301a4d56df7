/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * error.c - the one error domain. What its codes mean is in mailrack-types.h. */
#include <mailrack/mailrack-types.h>

/* clang-format off */
GQuark
rack_error_quark (void)
{
  return g_quark_from_static_string ("rack-error-quark");
}
