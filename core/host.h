/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host.h - the program we run in, as the files behind rack_host_*() see it */
#pragma once

#include <mailrack/mailrack.h>

struct RackHost
{
  const RackHostOps *ops; /* NULL: none */
  gpointer data;
};
