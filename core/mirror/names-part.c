/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names-part.c - the names that attachments have as files
 *
 * A sender's name for a file is kept as people know it, with its spaces and its
 * extension; only what has a meaning to a file system, a command line or a terminal
 * goes. What has no name is called by its section and type: "part-2.1.pdf".
 */
#include "names.h"

#include "names-private.h"

#include <string.h>

/* What follows the last "." is an extension if it is no longer, with the ".". */
#define EXTENSION_MAX 20

static const struct
{
  const char *type, *subtype, *extension;
} extensions[] = {
  { "application", "calendar+xml", "xcs" },
  { "application", "epub+zip", "epub" },
  { "application", "gzip", "gz" },
  { "application", "javascript", "js" },
  { "application", "json", "json" },
  { "application", "ms-tnef", "dat" },
  { "application", "msword", "doc" },
  { "application", "pdf", "pdf" },
  { "application", "pgp-encrypted", "asc" },
  { "application", "pgp-keys", "asc" },
  { "application", "pgp-signature", "asc" },
  { "application", "pkcs7-mime", "p7m" },
  { "application", "pkcs7-signature", "p7s" },
  { "application", "postscript", "ps" },
  { "application", "rtf", "rtf" },
  { "application", "vnd.ms-excel", "xls" },
  { "application", "vnd.ms-powerpoint", "ppt" },
  { "application", "vnd.oasis.opendocument.presentation", "odp" },
  { "application", "vnd.oasis.opendocument.spreadsheet", "ods" },
  { "application", "vnd.oasis.opendocument.text", "odt" },
  { "application", "vnd.openxmlformats-officedocument.presentationml.presentation", "pptx" },
  { "application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx" },
  { "application", "vnd.openxmlformats-officedocument.wordprocessingml.document", "docx" },
  { "application", "x-pkcs7-mime", "p7m" },
  { "application", "x-pkcs7-signature", "p7s" },
  { "application", "x-zip-compressed", "zip" },
  { "application", "xml", "xml" },
  { "application", "zip", "zip" },
  { "audio", "mp4", "m4a" },
  { "audio", "mpeg", "mp3" },
  { "audio", "ogg", "ogg" },
  { "audio", "wav", "wav" },
  { "audio", "x-wav", "wav" },
  { "image", "bmp", "bmp" },
  { "image", "gif", "gif" },
  { "image", "heic", "heic" },
  { "image", "jpeg", "jpg" },
  { "image", "jpg", "jpg" },
  { "image", "png", "png" },
  { "image", "svg+xml", "svg" },
  { "image", "tiff", "tif" },
  { "image", "webp", "webp" },
  { "message", "global", "eml" },
  { "message", "rfc822", "eml" },
  { "text", "calendar", "ics" },
  { "text", "css", "css" },
  { "text", "csv", "csv" },
  { "text", "html", "html" },
  { "text", "markdown", "md" },
  { "text", "rtf", "rtf" },
  { "text", "vcard", "vcf" },
  { "text", "x-vcard", "vcf" },
  { "text", "xml", "xml" },
  { "video", "mp4", "mp4" },
  { "video", "mpeg", "mpg" },
  { "video", "quicktime", "mov" },
  { "video", "webm", "webm" },
};

static const char *
extension_of (const char *type, const char *subtype)
{
  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++)
    if (strcmp (extensions[i].type, type) == 0 && strcmp (extensions[i].subtype, subtype) == 0)
      return extensions[i].extension;
  return strcmp (type, "text") == 0 || strcmp (type, "message") == 0 ? "txt" : "bin";
}

static gboolean
is_control (gunichar c)
{
  return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Not first in a name: hidden files, "..", options, and marks that would change what is before. */
static gboolean
may_begin (gunichar c)
{
  return c != '.' && c != '-' && !g_unichar_ismark (c);
}

/* What is left of text (UTF-8); perhaps nothing. */
static GString *
clean (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *normal = g_utf8_normalize (valid, -1, G_NORMALIZE_DEFAULT_COMPOSE);
  GString *out = g_string_new (NULL);
  gboolean space = FALSE;
  for (const char *p = normal; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (g_unichar_isspace (c) || is_control (c))
        space = TRUE;
      else if (!rack_name_is_invisible (c) && (out->len > 0 || may_begin (c)))
        {
          if (space && out->len > 0)
            g_string_append_c (out, ' ');
          space = FALSE;
          g_string_append_unichar (out, c == '/' || c == '\\' ? '_' : c);
        }
    }
  return out;
}

/* Where the extension of name begins, or its end. */
static gsize
extension_at (const char *name)
{
  gsize length = strlen (name);
  const char *dot = strrchr (name, '.');
  if (dot == NULL || dot == name || dot[1] == '\0' || length - (gsize) (dot - name) > EXTENSION_MAX)
    return length;
  for (const char *p = dot + 1; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p))
      return length;
  return (gsize) (dot - name);
}

/* Cuts name at a character to at most max bytes, and what must not be last off it. */
static void
cut (GString *name, gsize max)
{
  if (name->len > max)
    {
      while (max > 0 && ((guchar) name->str[max] & 0xc0) == 0x80)
        max--;
      g_string_truncate (name, max);
    }
  while (name->len > 0 && strchr (" .", name->str[name->len - 1]) != NULL)
    g_string_truncate (name, name->len - 1);
}

static gboolean
is_message (const char *type, const char *subtype)
{
  return strcmp (type, "message") == 0
         && (strcmp (subtype, "rfc822") == 0 || strcmp (subtype, "global") == 0);
}

char *
rack_name_part (const char *name, const char *section, const char *type, const char *subtype)
{
  g_autoptr (GString) out = clean (name != NULL ? name : "");
  cut (out, out->len);
  if (out->len == 0)
    return g_strdup_printf ("part-%.*s.%s", 100, section, extension_of (type, subtype));

  g_autofree char *extension = g_strdup (out->str + extension_at (out->str));
  g_string_truncate (out, out->len - strlen (extension));
  if (is_message (type, subtype) && g_ascii_strcasecmp (extension, RACK_NAME_SUFFIX) != 0)
    {
      g_string_append (out, extension);
      g_free (extension);
      extension = g_strdup (RACK_NAME_SUFFIX);
    }
  cut (out, RACK_NAME_PART_MAX - strlen (extension));
  g_string_append (out, extension);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
rack_name_numbered (const char *name, guint number)
{
  gsize stem = extension_at (name);
  return g_strdup_printf ("%.*s (%u)%s", (int) stem, name, number, name + stem);
}
