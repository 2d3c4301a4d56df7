/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * message-view.c - a message as people read it: decoded headers, dates, its text
 *
 * MIME, RFC 2047 and charsets are GMime's; here is what programs ask of it. What comes
 * out is UTF-8 and still hostile: it is made safe where it is shown. */
#include <gmime/gmime.h>
#include <mailrack/mailrack.h>

static void
initialise (void)
{
  static gsize done;

  if (g_once_init_enter (&done))
    {
      g_mime_init ();
      g_once_init_leave (&done, 1);
    }
}

char *
rack_header_decode (RackStr value)
{
  g_autofree char *raw = rack_str_dup (value);

  initialise ();
  return raw != NULL ? g_mime_utils_header_decode_text (NULL, raw) : g_strdup ("");
}

gboolean
rack_header_date (RackStr value, gint64 *date, gint *zone)
{
  g_autofree char *raw = rack_str_dup (value);

  initialise ();
  g_autoptr (GDateTime) parsed = raw != NULL ? g_mime_utils_header_decode_date (raw) : NULL;
  if (parsed == NULL)
    return FALSE;
  *date = g_date_time_to_unix (parsed);
  *zone = (gint) (g_date_time_get_utc_offset (parsed) / G_TIME_SPAN_MINUTE);
  return TRUE;
}

struct RackView
{
  GMimeMessage *message;
};

RackView *
rack_view_new (GBytes *octets)
{
  RackView *view = g_new0 (RackView, 1);

  initialise ();
  gsize size;
  const char *data = g_bytes_get_data (octets, &size); /* NULL if there are none */
  GMimeStream *stream = g_mime_stream_mem_new_with_buffer (data != NULL ? data : "", size);
  GMimeParser *parser = g_mime_parser_new_with_stream (stream);
  view->message = g_mime_parser_construct_message (parser, NULL);
  g_object_unref (parser);
  g_object_unref (stream);
  return view;
}

void
rack_view_free (RackView *view)
{
  if (view == NULL)
    return;
  g_clear_object (&view->message);
  g_free (view);
}

char *
rack_view_header (RackView *view, const char *name)
{
  const char *value =
      view->message != NULL ? g_mime_object_get_header (GMIME_OBJECT (view->message), name) : NULL;

  return value != NULL ? g_mime_utils_header_decode_text (NULL, value) : NULL;
}

static char *
find_text (GMimeObject *part, guint depth)
{
  char *text = NULL;

  if (part == NULL || depth > 128)
    return NULL;
  if (GMIME_IS_TEXT_PART (part))
    return g_mime_text_part_get_text (GMIME_TEXT_PART (part));
  if (GMIME_IS_MULTIPART (part))
    for (int i = 0; text == NULL && i < g_mime_multipart_get_count (GMIME_MULTIPART (part)); i++)
      text = find_text (g_mime_multipart_get_part (GMIME_MULTIPART (part), i), depth + 1);
  else if (GMIME_IS_MESSAGE_PART (part))
    {
      GMimeMessage *inner = g_mime_message_part_get_message (GMIME_MESSAGE_PART (part));
      if (inner != NULL)
        text = find_text (g_mime_message_get_mime_part (inner), depth + 1);
    }
  return text;
}

char *
rack_view_text (RackView *view)
{
  return view->message != NULL ? find_text (g_mime_message_get_mime_part (view->message), 0) : NULL;
}
