/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode.c - octets of a part as they were before they were sent, piece by piece
 */
#include "decode.h"

#include "charsets.h"

#include <gmime/gmime.h>
#include <string.h>

#define FILTERS_MAX 3
/* An octet of any charset is at most so many in UTF-8. */
#define GROWTH      4
/* What a filter may hold back and bring later. */
#define SLACK       256

struct RackDecoder
{
  GMimeFilter *filters[FILTERS_MAX];
  guint n;
  gboolean grows;
  gboolean pads; /* what came may lack the "=" at its end */
};

static void
add (RackDecoder *decoder, GMimeFilter *filter)
{
  if (filter != NULL)
    decoder->filters[decoder->n++] = filter;
}

/* ASCII that was said to be ASCII, or nothing, may be anything: it is left as it is. */
static gboolean
is_foreign (const char *charset)
{
  static const char *const own[] = { "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit" };
  if (charset == NULL || *charset == '\0')
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (own); i++)
    if (strcmp (charset, own[i]) == 0)
      return FALSE;
  return TRUE;
}

static gboolean
is_encoded (GMimeContentEncoding encoding)
{
  return encoding == GMIME_CONTENT_ENCODING_BASE64
         || encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE
         || encoding == GMIME_CONTENT_ENCODING_UUENCODE;
}

gboolean
rack_decoder_is_needed (const RackPartFacts *facts)
{
  return is_encoded (g_mime_content_encoding_from_string (facts->encoding))
         && strcmp (facts->type, "message") != 0;
}

RackDecoder *
rack_decoder_new (const RackPartFacts *facts, RackPartForm form, gboolean decoded)
{
  rack_mime_ready ();
  g_autoptr (RackDecoder) decoder = g_new0 (RackDecoder, 1);
  GMimeContentEncoding encoding = g_mime_content_encoding_from_string (facts->encoding);
  gboolean text = strcmp (facts->type, "text") == 0;
  if (form == RACK_PART_AS_SENT)
    return NULL;
  if (is_encoded (encoding) && !decoded)
    {
      add (decoder, g_mime_filter_basic_new (encoding, FALSE));
      decoder->pads = encoding == GMIME_CONTENT_ENCODING_BASE64;
    }
  if (text && form == RACK_PART_TEXT && is_foreign (facts->charset))
    {
      GMimeFilter *charset = g_mime_filter_charset_new (facts->charset, "UTF-8");
      decoder->grows = charset != NULL;
      add (decoder, charset);
    }
  if (text && (form == RACK_PART_TEXT || encoding != GMIME_CONTENT_ENCODING_BASE64))
    add (decoder, g_mime_filter_dos2unix_new (FALSE));
  return decoder->n > 0 ? g_steal_pointer (&decoder) : NULL;
}

void
rack_decoder_free (RackDecoder *decoder)
{
  if (decoder == NULL)
    return;
  for (guint i = 0; i < decoder->n; i++)
    g_object_unref (decoder->filters[i]);
  g_free (decoder);
}

void
rack_decoder_feed (RackDecoder *decoder, const char *data, gsize size, gboolean last, RackStr *out)
{
  /* The filters take it as theirs to write to nowhere, but are not declared so. */
  char *at = (char *) data;
  gsize before = 0;
  if (last && size == 0 && decoder->pads)
    {
      /* It means nothing after what is whole. */
      at = (char *) "==";
      size = 2;
    }
  for (guint i = 0; i < decoder->n; i++)
    if (last)
      g_mime_filter_complete (decoder->filters[i], at, size, before, &at, &size, &before);
    else
      g_mime_filter_filter (decoder->filters[i], at, size, before, &at, &size, &before);
  *out = (RackStr){ at, size };
}

guint64
rack_decoder_bound (const RackDecoder *decoder, guint64 size)
{
  return (decoder != NULL && decoder->grows ? MIN (size, G_MAXUINT64 / 8) * GROWTH : size) + SLACK;
}
