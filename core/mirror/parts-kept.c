/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * parts-kept.c - a structure as octets for the store, and back
 *
 * A GVariant in little-endian order. Which part is the text and what files are called is not in
 * it: that is decided anew, by the rules of the program that reads it.
 */
#include "parts.h"

#include <string.h>

#define PART_TYPE    "(sssmssmsmsmstub)"
#define DETAILS_TYPE "(msmsmsmsms)"
#define WHOLE_TYPE   "(a" PART_TYPE "m" DETAILS_TYPE ")"
/* More is no mail that somebody reads twice. */
#define FROZEN_MAX   (64 << 10)

/* ---- To octets ------------------------------------------------------------------------- */

static GVariant *
freeze_details (const RackDetails *details)
{
  return g_variant_new (DETAILS_TYPE, details->sender_name, details->sender_address,
                        details->subject, details->message_id, details->in_reply_to);
}

static GVariant *
swap_if_big (GVariant *value)
{
  g_autoptr (GVariant) own = g_variant_ref_sink (value);
  return G_BYTE_ORDER == G_BIG_ENDIAN ? g_variant_byteswap (own) : g_variant_ref (own);
}

GBytes *
rack_parts_freeze (const RackParts *parts)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a" PART_TYPE));
  for (guint i = 0; i < parts->items->len; i++)
    {
      const RackPartFacts *facts = &g_array_index (parts->items, RackPartFacts, i);
      g_variant_builder_add (&builder, PART_TYPE, facts->section, facts->type, facts->subtype,
                             facts->charset, facts->encoding, facts->name, facts->disposition,
                             facts->content_id, facts->size, facts->depth, facts->multipart);
    }
  GVariant *details = parts->has_details ? freeze_details (&parts->details) : NULL;
  g_autoptr (GVariant) whole =
      swap_if_big (g_variant_new ("(a" PART_TYPE "@m" DETAILS_TYPE ")", &builder,
                                  g_variant_new_maybe (G_VARIANT_TYPE (DETAILS_TYPE), details)));
  if (g_variant_get_size (whole) > FROZEN_MAX)
    return NULL;
  return g_variant_get_data_as_bytes (whole);
}

/* ---- And back ---------------------------------------------------------------------------- */

static const char *
keep (RackParts *parts, const char *text)
{
  return text != NULL ? g_string_chunk_insert (parts->texts, text) : NULL;
}

static void
thaw_part (RackParts *parts, GVariant *part)
{
  const char *section, *type, *subtype, *charset, *encoding, *name, *disposition, *content_id;
  guint64 size;
  guint32 depth;
  gboolean multipart;
  g_variant_get (part, "(&s&s&sm&s&sm&sm&sm&stub)", &section, &type, &subtype, &charset, &encoding,
                 &name, &disposition, &content_id, &size, &depth, &multipart);
  RackPartFacts facts = { .section = keep (parts, section),
                          .type = keep (parts, type),
                          .subtype = keep (parts, subtype),
                          .charset = keep (parts, charset),
                          .encoding = keep (parts, encoding),
                          .name = keep (parts, name),
                          .disposition = keep (parts, disposition),
                          .content_id = keep (parts, content_id),
                          .size = size,
                          .depth = depth,
                          .multipart = multipart };
  g_array_append_val (parts->items, facts);
}

/* A root, and each deeper than what holds it by one. */
static gboolean
is_tree (const GArray *items)
{
  for (guint i = 0; i < items->len; i++)
    {
      guint depth = g_array_index (items, RackPartFacts, i).depth;
      guint before = i > 0 ? g_array_index (items, RackPartFacts, i - 1).depth : 0;
      if (i == 0 ? depth != 0 : depth == 0 || depth > before + 1)
        return FALSE;
    }
  return items->len > 0;
}

static void
thaw_details (RackParts *parts, GVariant *details)
{
  RackDetails *to = &parts->details;
  parts->has_details = TRUE;
  g_variant_get (details, DETAILS_TYPE, &to->sender_name, &to->sender_address, &to->subject,
                 &to->message_id, &to->in_reply_to);
}

RackParts *
rack_parts_thaw (GBytes *frozen)
{
  g_autoptr (GVariant) whole =
      swap_if_big (g_variant_new_from_bytes (G_VARIANT_TYPE (WHOLE_TYPE), frozen, FALSE));
  if (!g_variant_is_normal_form (whole))
    return NULL;
  g_autoptr (GVariant) items = g_variant_get_child_value (whole, 0);
  g_autoptr (GVariant) maybe = g_variant_get_child_value (whole, 1);
  g_autoptr (GVariant) details = g_variant_get_maybe (maybe);
  g_autoptr (RackParts) parts = rack_parts_alloc ();
  for (gsize i = 0; i < g_variant_n_children (items); i++)
    {
      g_autoptr (GVariant) part = g_variant_get_child_value (items, i);
      thaw_part (parts, part);
    }
  if (!is_tree (parts->items))
    return NULL;
  rack_parts_assign (parts->items, parts->texts);
  if (details != NULL)
    thaw_details (parts, details);
  return g_steal_pointer (&parts);
}
