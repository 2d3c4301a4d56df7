/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * version.c - which library this is */
#include "core-config.h"

#include <mailrack/mailrack.h>

const char *
rack_version (void)
{
  return RACK_VERSION;
}
