/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_slices.c - the parts of any octets. Oracles: every part lies within the message, its text is
 * readable, a section that a part has is found, and what is kept of a structure comes back. */
#include "fuzz.h"
#include "parts.h"
#include "slices.h"

#include <string.h>

static void
check_within (RackStr inner, RackStr outer)
{
  g_assert (inner.data >= outer.data && inner.size <= outer.size);
  g_assert ((gsize) (inner.data - outer.data) <= outer.size - inner.size);
}

static void
check_parts (const RackSlices *slices)
{
  guint n, m;
  g_autoptr (RackParts) parts = rack_parts_new (rack_slices_root (slices), NULL);
  const RackPartFacts *items = rack_parts_items (parts, &n);
  g_autoptr (GBytes) frozen = rack_parts_freeze (parts);
  if (frozen == NULL)
    return;
  g_autoptr (RackParts) thawed = rack_parts_thaw (frozen);
  const RackPartFacts *again = rack_parts_items (thawed, &m);
  g_assert (n == m);
  for (guint i = 0; i < n; i++)
    g_assert (g_strcmp0 (items[i].file, again[i].file) == 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *copy = g_memdup2 (data, size);
  RackStr octets = { copy != NULL ? copy : "", size };
  g_autoptr (RackSlices) slices = rack_slices_new (octets);
  char section[1024];
  const RackPart *part;
  guint seen = 0;

  walk_part (rack_slices_root (slices));
  check_within (rack_slices_find (slices, "HEADER", &part), octets);
  for (const RackPart *at = rack_slices_root (slices); at != NULL && seen < 50; seen++)
    {
      g_assert (rack_part_section (at, section, sizeof section) < sizeof section);
      RackStr body = rack_slices_find (slices, section, &part);
      g_assert (part != NULL && body.size == part->size);
      check_within (body, octets);
      at = at->child != NULL ? at->child : at->next;
    }
  check_parts (slices);
  return 0;
}
