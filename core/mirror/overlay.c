/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * overlay.c - how a folder looks with the changes that the server has not confirmed
 */
#include "overlay.h"

#include <string.h>

void
rack_overlay_init (RackOverlay *overlay)
{
  memset (overlay, 0, sizeof *overlay);
}

static void
given_clear (RackGiven *given)
{
  g_clear_pointer (&given->by_name, g_hash_table_unref);
  g_clear_pointer (&given->by_uid, g_hash_table_unref);
}

void
rack_overlay_clear (RackOverlay *overlay)
{
  rack_set_free (overlay->hidden);
  rack_set_free (overlay->ours);
  g_clear_pointer (&overlay->intents, g_hash_table_unref);
  given_clear (&overlay->names);
  given_clear (&overlay->bases);
  g_clear_pointer (&overlay->numbers, g_hash_table_unref);
  rack_overlay_init (overlay);
}

void
rack_overlay_bind (RackOverlay *overlay, guint32 uid_validity)
{
  if (overlay->uid_validity == uid_validity)
    return;
  rack_overlay_clear (overlay);
  overlay->uid_validity = uid_validity;
}

gboolean
rack_overlay_is_about (RackOverlay *overlay, guint32 uid_validity)
{
  if (overlay->uid_validity == 0)
    rack_overlay_bind (overlay, uid_validity);
  return overlay->uid_validity == uid_validity;
}

void
rack_overlay_hide (RackOverlay *overlay, guint32 uid, gboolean hidden)
{
  if (overlay->hidden == NULL)
    overlay->hidden = rack_set_new ();
  if (hidden)
    rack_set_add (overlay->hidden, uid, uid);
  else
    rack_set_remove (overlay->hidden, uid, uid);
}

gboolean
rack_overlay_hides (const RackOverlay *overlay, guint32 uid)
{
  return overlay->hidden != NULL && rack_set_contains (overlay->hidden, uid);
}

/* ---- Keywords ------------------------------------------------------------------------ */

static gboolean
has_word (char **words, const char *word)
{
  for (; words != NULL && *words != NULL; words++)
    if (g_ascii_strcasecmp (*words, word) == 0)
      return TRUE;
  return FALSE;
}

static gint
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char *
rack_overlay_join (const char *before, const char *add, const char *remove)
{
  g_auto (GStrv) old = g_strsplit (before != NULL ? before : "", " ", -1);
  g_auto (GStrv) plus = g_strsplit (add != NULL ? add : "", " ", -1);
  g_auto (GStrv) minus = g_strsplit (remove != NULL ? remove : "", " ", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  for (char **at = old; *at != NULL; at++)
    if (**at != '\0' && !has_word (minus, *at) && !has_word (plus, *at))
      g_ptr_array_add (words, *at);
  for (char **at = plus; *at != NULL; at++)
    if (**at != '\0')
      g_ptr_array_add (words, *at);
  g_ptr_array_sort (words, by_text);
  g_ptr_array_add (words, NULL);
  return g_strjoinv (" ", (char **) words->pdata);
}

/* ---- Flags ------------------------------------------------------------------------------ */

static void
intent_free (gpointer data)
{
  RackIntent *intent = data;
  g_free (intent->add_keywords);
  g_free (intent->remove_keywords);
  g_free (intent);
}

void
rack_overlay_intend (RackOverlay *overlay, guint32 uid, RackFlags add, RackFlags remove)
{
  if (overlay->intents == NULL)
    overlay->intents = g_hash_table_new_full (NULL, NULL, NULL, intent_free);
  RackIntent *intent = g_hash_table_lookup (overlay->intents, GUINT_TO_POINTER (uid));
  if (intent == NULL)
    {
      intent = g_new0 (RackIntent, 1);
      g_hash_table_insert (overlay->intents, GUINT_TO_POINTER (uid), intent);
    }
  intent->add = (intent->add & ~remove) | add;
  intent->remove = (intent->remove & ~add) | remove;
  intent->refs++;
}

void
rack_overlay_intend_keywords (RackOverlay *overlay, guint32 uid, const char *add,
                              const char *remove)
{
  RackIntent *intent = g_hash_table_lookup (overlay->intents, GUINT_TO_POINTER (uid));
  char *plus = rack_overlay_join (intent->add_keywords, add, remove);
  char *minus = rack_overlay_join (intent->remove_keywords, remove, add);
  g_free (intent->add_keywords);
  g_free (intent->remove_keywords);
  intent->add_keywords = plus;
  intent->remove_keywords = minus;
}

const char *
rack_overlay_keywords (const RackOverlay *overlay, guint32 uid, const char *text, char **owned)
{
  const RackIntent *intent = overlay->intents != NULL
                                 ? g_hash_table_lookup (overlay->intents, GUINT_TO_POINTER (uid))
                                 : NULL;
  if (intent == NULL || (intent->add_keywords == NULL && intent->remove_keywords == NULL))
    return text;
  *owned = rack_overlay_join (text, intent->add_keywords, intent->remove_keywords);
  return *owned;
}

void
rack_overlay_settle (RackOverlay *overlay, guint32 uid)
{
  RackIntent *intent = overlay->intents != NULL
                           ? g_hash_table_lookup (overlay->intents, GUINT_TO_POINTER (uid))
                           : NULL;
  if (intent != NULL && --intent->refs == 0)
    g_hash_table_remove (overlay->intents, GUINT_TO_POINTER (uid));
}

RackFlags
rack_overlay_flags (const RackOverlay *overlay, guint32 uid, RackFlags flags)
{
  const RackIntent *intent = overlay->intents != NULL
                                 ? g_hash_table_lookup (overlay->intents, GUINT_TO_POINTER (uid))
                                 : NULL;
  return intent != NULL ? (flags & ~intent->remove) | intent->add : flags;
}

/* ---- Ours --------------------------------------------------------------------------------- */

void
rack_overlay_claim (RackOverlay *overlay, guint32 uid)
{
  if (overlay->ours == NULL)
    overlay->ours = rack_set_new ();
  rack_set_add (overlay->ours, uid, uid);
}

gboolean
rack_overlay_is_claimed (const RackOverlay *overlay, guint32 uid)
{
  return (overlay->ours != NULL && rack_set_contains (overlay->ours, uid))
         || rack_overlay_name_of (overlay, uid) != NULL
         || rack_overlay_base_of (overlay, uid) != NULL;
}

/* ---- Names ------------------------------------------------------------------------------ */

/* A message that is gone may have been called as another one is now. */
static void
unname (GHashTable *by_name, const char *name, gpointer uid)
{
  if (name != NULL && g_hash_table_lookup (by_name, name) == uid)
    g_hash_table_remove (by_name, name);
}

/* name NULL: none any more. */
static void
give (RackOverlay *overlay, RackGiven *given, guint32 uid, const char *name, guint space)
{
  gpointer key = GUINT_TO_POINTER (uid);
  if (given->by_uid == NULL && name == NULL)
    return;
  if (given->by_uid == NULL)
    {
      given->by_uid = g_hash_table_new_full (NULL, NULL, NULL, g_free);
      given->by_name = g_hash_table_new (g_str_hash, g_str_equal);
    }
  const RackBase *before = g_hash_table_lookup (given->by_uid, key);
  unname (given->by_name, before != NULL ? before->name : NULL, key);
  if (name == NULL)
    {
      g_hash_table_remove (given->by_uid, key);
      return;
    }
  gsize size = strlen (name) + 1;
  RackBase *base = g_malloc (sizeof *base + size);
  base->space = space;
  memcpy (base->name, name, size);
  overlay->last_named = MAX (overlay->last_named, uid);
  g_hash_table_insert (given->by_uid, key, base);
  g_hash_table_replace (given->by_name, base->name, key);
}

static const RackBase *
given_to (const RackGiven *given, guint32 uid)
{
  return given->by_uid != NULL ? g_hash_table_lookup (given->by_uid, GUINT_TO_POINTER (uid)) : NULL;
}

static guint32
given_as (const RackGiven *given, const char *name)
{
  return given->by_name != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (given->by_name, name)) : 0;
}

void
rack_overlay_name (RackOverlay *overlay, guint32 uid, const char *name)
{
  give (overlay, &overlay->names, uid, name, 0);
}

const char *
rack_overlay_name_of (const RackOverlay *overlay, guint32 uid)
{
  const RackBase *given = given_to (&overlay->names, uid);
  return given != NULL ? given->name : NULL;
}

guint32
rack_overlay_uid_of (const RackOverlay *overlay, const char *name)
{
  return given_as (&overlay->names, name);
}

void
rack_overlay_set_base (RackOverlay *overlay, guint32 uid, const char *name, guint space)
{
  give (overlay, &overlay->bases, uid, name != NULL && *name != '\0' ? name : NULL, space);
}

const RackBase *
rack_overlay_base_of (const RackOverlay *overlay, guint32 uid)
{
  return given_to (&overlay->bases, uid);
}

guint32
rack_overlay_uid_of_base (const RackOverlay *overlay, const char *name)
{
  return given_as (&overlay->bases, name);
}

/* ---- Numbers ------------------------------------------------------------------------------ */

void
rack_overlay_set_number (RackOverlay *overlay, guint32 uid, guint64 number)
{
  if (number == 0 && overlay->numbers == NULL)
    return;
  if (overlay->numbers == NULL)
    overlay->numbers = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (number == 0)
    g_hash_table_remove (overlay->numbers, GUINT_TO_POINTER (uid));
  else
    g_hash_table_replace (overlay->numbers, GUINT_TO_POINTER (uid),
                          g_memdup2 (&number, sizeof number));
}

guint64
rack_overlay_number_of (const RackOverlay *overlay, guint32 uid)
{
  const guint64 *number = overlay->numbers != NULL
                              ? g_hash_table_lookup (overlay->numbers, GUINT_TO_POINTER (uid))
                              : NULL;
  return number != NULL ? *number : 0;
}
