/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * secret.h - bytes that are wiped
 *
 * RackSecret itself is public (mailrack-plugin.h); here is what core adds. */
#pragma once

#include <mailrack/mailrack-plugin.h>

/* Wipes size bytes, whatever the compiler thinks of it. */
void rack_wipe (gpointer data, gsize size);
/* base64 of a secret, itself a secret. */
RackSecret *rack_secret_to_base64 (const RackSecret *secret);
