/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * keywords.c - the sets of keywords that the messages of one mailbox have
 */
#include "keywords.h"

#include <mailrack/mailrack-mirror.h>
#include <string.h>

/* A server that gives each message a keyword of its own cannot fill our memory. */
#define OCTETS_MAX (2 << 20)
#define SETS_MAX   20000

G_STATIC_ASSERT (SETS_MAX < RACK_KEYWORDS_OWN);

void
rack_keywords_init (RackKeywords *keywords)
{
  memset (keywords, 0, sizeof *keywords);
}

void
rack_keywords_clear (RackKeywords *keywords)
{
  if (keywords->numbers != NULL)
    {
      g_hash_table_unref (keywords->numbers);
      g_ptr_array_unref (keywords->texts);
    }
  rack_keywords_init (keywords);
}

guint16
rack_keywords_number (RackKeywords *keywords, const char *text)
{
  if (text == NULL || *text == '\0')
    return 0;
  if (keywords->numbers == NULL)
    {
      keywords->numbers = g_hash_table_new (g_str_hash, g_str_equal);
      keywords->texts = g_ptr_array_new_with_free_func (g_free);
    }
  guint known = GPOINTER_TO_UINT (g_hash_table_lookup (keywords->numbers, text));
  if (known != 0)
    return (guint16) known;
  gsize size = strlen (text) + 1;
  if (keywords->texts->len == SETS_MAX || keywords->octets + size > OCTETS_MAX)
    return RACK_KEYWORDS_OWN;
  char *copy = g_memdup2 (text, size);
  g_ptr_array_add (keywords->texts, copy);
  keywords->octets += size;
  g_hash_table_insert (keywords->numbers, copy, GUINT_TO_POINTER (keywords->texts->len));
  return (guint16) keywords->texts->len;
}

const char *
rack_keywords_text (const RackKeywords *keywords, guint16 number)
{
  if (number == 0)
    return "";
  return number != RACK_KEYWORDS_OWN ? keywords->texts->pdata[number - 1] : NULL;
}
