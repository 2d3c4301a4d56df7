/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* value-dict.c - dictionaries: pairs in order of insertion, and a hash index once they are many
 *
 * The result of a fetch is one dictionary with a key per message, so setting and looking up must
 * not depend on how many there are. Nothing is ever removed: values do not change.
 */
#include "value-private.h"

#include <string.h>

enum
{
  INDEX_FROM = 8, /* up to here a walk along the pairs is as fast */
};

/* The index has twice as many slots as there is room for pairs; a slot is an index plus one. */
static guint
n_slots (const Value *dict)
{
  return dict->dict.room * 2;
}

static guint32 *
find_slot (const Value *dict, const Value *key)
{
  guint mask = n_slots (dict) - 1; /* room is a power of two */
  guint at = value_hash (key) & mask;

  while (dict->dict.slots[at] != 0
         && !value_equal (dict->dict.pairs[dict->dict.slots[at] - 1].key, key))
    at = (at + 1) & mask;
  return &dict->dict.slots[at];
}

static void
enlarge (Value *dict)
{
  dict->dict.room = MAX (INDEX_FROM, dict->dict.room * 2);
  dict->dict.pairs = g_renew (ValuePair, dict->dict.pairs, dict->dict.room);
  if (dict->dict.room <= INDEX_FROM)
    return;
  g_free (dict->dict.slots);
  dict->dict.slots = g_new0 (guint32, n_slots (dict));
  for (guint i = 0; i < dict->dict.n; i++)
    *find_slot (dict, dict->dict.pairs[i].key) = i + 1;
}

static ValuePair *
find_pair (const Value *dict, const Value *key)
{
  if (dict->dict.slots != NULL)
    {
      guint32 slot = *find_slot (dict, key);

      return slot == 0 ? NULL : &dict->dict.pairs[slot - 1];
    }
  for (guint i = 0; i < dict->dict.n; i++)
    if (value_equal (dict->dict.pairs[i].key, key))
      return &dict->dict.pairs[i];
  return NULL;
}

void
value_dict_set (Value *dict, Value *key, Value *value)
{
  ValuePair *pair = find_pair (dict, key);

  if (pair != NULL)
    {
      value_unref (pair->value);
      pair->value = value;
      value_unref (key);
      value_grow (dict, value);
      return;
    }
  if (dict->dict.n == dict->dict.room)
    enlarge (dict);
  if (dict->dict.slots != NULL)
    *find_slot (dict, key) = dict->dict.n + 1;
  dict->dict.pairs[dict->dict.n++] = (ValuePair){ key, value };
  value_grow (dict, key);
  value_grow (dict, value);
}

Value *
value_dict_get (const Value *dict, const Value *key)
{
  ValuePair *pair = find_pair (dict, key);

  return pair == NULL ? NULL : pair->value;
}

Value *
value_dict_get_bytes (const Value *dict, const char *key)
{
  gsize size = strlen (key);

  for (guint i = 0; i < dict->dict.n; i++)
    {
      const Value *k = dict->dict.pairs[i].key;

      if (k->kind == VALUE_BYTES && k->text.size == size && memcmp (k->text.bytes, key, size) == 0)
        return dict->dict.pairs[i].value;
    }
  return NULL;
}

void
value_dict_clear (Value *dict)
{
  for (guint i = 0; i < dict->dict.n; i++)
    {
      value_unref (dict->dict.pairs[i].key);
      value_unref (dict->dict.pairs[i].value);
    }
  g_free (dict->dict.pairs);
  g_free (dict->dict.slots);
}
