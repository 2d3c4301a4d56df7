/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * charsets.c - character sets that are kept ready
 */
#include "charsets.h"

#include <gmime/gmime.h>
#include <pthread.h>
#include <string.h>

/* All that mail is written in, and no more than that because somebody sends us thousands. */
#define KEPT_MAX   48
#define NAME_SIZE  32
/* GMime's guess for what is neither ASCII nor UTF-8. */
#define UNDECLARED "iso-8859-1"

typedef struct
{
  char name[NAME_SIZE];
  iconv_t conversion;
} Charset;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Charset kept[KEPT_MAX];
static guint n_kept;

void
rack_mime_ready (void)
{
  static gsize done;
  if (g_once_init_enter (&done))
    {
      g_mime_init ();
      g_once_init_leave (&done, 1);
    }
}

static gboolean
is_kept (const char *name)
{
  for (guint i = 0; i < n_kept; i++)
    if (g_ascii_strcasecmp (kept[i].name, name) == 0)
      return TRUE;
  return FALSE;
}

static void
keep (const char *name, gsize size)
{
  char copy[NAME_SIZE];
  if (size == 0 || size >= sizeof copy)
    return;
  memcpy (copy, name, size);
  copy[size] = '\0';
  pthread_mutex_lock (&mutex);
  if (n_kept < KEPT_MAX && !is_kept (copy))
    {
      Charset *charset = &kept[n_kept];
      charset->conversion = g_mime_iconv_open ("UTF-8", copy);
      if (charset->conversion != (iconv_t) -1)
        {
          memcpy (charset->name, copy, sizeof copy);
          n_kept++;
        }
    }
  pthread_mutex_unlock (&mutex);
}

void
rack_charsets_keep (const char *text)
{
  if (!g_str_is_ascii (text))
    keep (UNDECLARED, strlen (UNDECLARED));
  for (const char *word = strstr (text, "=?"); word != NULL; word = strstr (word, "=?"))
    {
      word += 2;
      /* RFC 2231 section 5: a language may follow. */
      keep (word, strcspn (word, "?* "));
    }
}
