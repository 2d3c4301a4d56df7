/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-parts-info.c - info.json of a message: a text made here
 *
 * It changes when the message's flags do, so the kernel keeps neither its size nor its
 * octets: each read gives what is true then.
 */
#include "flags.h"
#include "json.h"
#include "view-parts.h"

#include <errno.h>
#include <string.h>

/* What info.json has while nothing is known of the parts. */
#define INFO_GUESS 1024

static int
slice (GString *text, gsize size, off_t offset, NodeOctets *out)
{
  gsize from = MIN ((guint64) offset, text->len);
  out->size = MIN (size, text->len - from);
  out->memory = g_memdup2 (text->str + from, out->size);
  return 0;
}

/* ---- info.json ------------------------------------------------------------------------------- */

typedef struct
{
  PartsMessage message;
  pthread_mutex_t mutex;
  RackParts *parts; /* under the mutex: while somebody has it open */
  guint opens;
} Info;

static void
add_if_there (GString *out, const char *key, const char *value)
{
  if (value != NULL)
    json_add_string (out, key, value);
}

static const char *
role_name (RackPartRole role)
{
  switch (role)
    {
    case RACK_PART_HOLDER:
      return "multipart";
    case RACK_PART_PLAIN:
      return "text";
    case RACK_PART_HTML:
      return "html";
    case RACK_PART_FILE:
      return "attachment";
    case RACK_PART_INNER:
      return "inner";
    }
  return "";
}

static void
add_part (GString *out, const RackPartFacts *part)
{
  g_autofree char *type = g_strdup_printf ("%s/%s", part->type, part->subtype);
  g_string_append_c (out, '{');
  json_add_string (out, "section", part->section);
  json_add_string (out, "type", type);
  json_add_string (out, "role", role_name (part->role));
  add_if_there (out, "charset", part->charset);
  if (!part->multipart)
    {
      json_add_string (out, "encoding", part->encoding);
      json_add_number (out, "size", (gint64) MIN (part->size, G_MAXINT64));
    }
  add_if_there (out, "disposition", part->disposition);
  add_if_there (out, "name", part->name);
  add_if_there (out, "file", part->file);
  add_if_there (out, "content_id", part->content_id);
  json_add_number (out, "depth", part->depth);
  g_string_append_c (out, '}');
}

static void
add_parts (GString *out, const RackParts *parts)
{
  guint n;
  const RackPartFacts *items = rack_parts_items (parts, &n);
  g_string_append (out, ",\"parts\":[");
  for (guint i = 0; i < n; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      add_part (out, &items[i]);
    }
  g_string_append_c (out, ']');
}

static void
add_date (GString *out, gint64 seconds)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (seconds);
  g_autofree char *text = date != NULL ? g_date_time_format_iso8601 (date) : NULL;
  add_if_there (out, "date", text);
}

static void
add_header (GString *out, const RackDetails *details)
{
  if (details->sender_name != NULL || details->sender_address != NULL)
    {
      g_string_append (out, ",\"from\":{");
      add_if_there (out, "name", details->sender_name);
      add_if_there (out, "address", details->sender_address);
      g_string_append_c (out, '}');
    }
  add_if_there (out, "subject", details->subject);
  add_if_there (out, "message_id", details->message_id);
  add_if_there (out, "in_reply_to", details->in_reply_to);
}

static void
add_details (GString *out, const PartsMessage *message, const RackParts *parts)
{
  g_auto (RackDetails) details = { .uid = 0 };
  const RackDetails *from_server = rack_parts_details (parts);
  rack_folder_details (message->folder, message->uid, &details);
  add_header (out, from_server != NULL ? from_server : &details);
  if (details.modseq != 0)
    json_add_number (out, "modseq", (gint64) MIN (details.modseq, G_MAXINT64));
  add_if_there (out, "email_id", details.email_id);
  add_if_there (out, "thread_id", details.thread_id);
}

/* NULL: the message is gone. */
static GString *
info_text (const PartsMessage *message, const RackParts *parts)
{
  RackEntry entry;
  RackFolderFacts facts;
  if (!parts_find (message, &entry))
    return NULL;
  g_auto (GStrv) flags = flag_names (entry.flags);
  g_auto (GStrv) keywords = keyword_names (message->folder, &entry);
  rack_folder_facts (message->folder, &facts);
  GString *out = g_string_new ("{");
  json_add_number (out, "uid", message->uid);
  json_add_number (out, "uidvalidity", facts.uid_validity);
  json_add_string (out, "mailbox", rack_folder_mailbox (message->folder));
  add_date (out, message->date);
  json_add_number (out, "size", (gint64) MIN (entry.size, G_MAXINT64));
  json_add_bool (out, "size_exact", entry.exact);
  json_add_strings (out, "flags", (const char *const *) flags);
  json_add_strings (out, "keywords", (const char *const *) keywords);
  add_details (out, message, parts);
  add_parts (out, parts);
  g_string_append (out, "}\n");
  return out;
}

/* Returns: (owned) or NULL */
static RackParts *
info_parts (Info *info)
{
  const PartsMessage *message = &info->message;
  pthread_mutex_lock (&info->mutex);
  RackParts *parts = info->parts != NULL ? rack_parts_ref (info->parts) : NULL;
  pthread_mutex_unlock (&info->mutex);
  return parts != NULL ? parts
                       : rack_folder_parts_known (message->folder, message->row, message->uid);
}

static double
info_getattr (Node *node, struct stat *out)
{
  Info *info = node->data;
  g_autoptr (RackParts) parts = info_parts (info);
  GString *text = parts != NULL ? info_text (&info->message, parts) : NULL;
  parts_fill (&info->message, out);
  parts_fill_size (text != NULL ? text->len : INFO_GUESS, out);
  if (text != NULL)
    g_string_free (text, TRUE);
  return 0;
}

static int
info_open (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  Info *info = node->data;
  RackParts *parts;
  int result = parts_get (&info->message, cancellable, &parts);
  if (result != 0)
    return result;
  pthread_mutex_lock (&info->mutex);
  if (info->opens++ == 0)
    info->parts = rack_parts_ref (parts);
  pthread_mutex_unlock (&info->mutex);
  *handle = parts;
  return 0;
}

static int
info_read (Node *node, gpointer handle, gsize size, off_t offset, int flags,
           GCancellable *cancellable, NodeOctets *out)
{
  Info *info = node->data;
  g_autoptr (GString) text = info_text (&info->message, handle);
  return text != NULL ? slice (text, size, offset, out) : ESTALE;
}

static void
info_release (Node *node, gpointer handle)
{
  Info *info = node->data;
  pthread_mutex_lock (&info->mutex);
  if (--info->opens == 0)
    g_clear_pointer (&info->parts, rack_parts_unref);
  pthread_mutex_unlock (&info->mutex);
  rack_parts_unref (handle);
}

static void
info_dispose (gpointer data)
{
  Info *info = data;
  pthread_mutex_destroy (&info->mutex);
  rack_parts_unref (info->parts);
  g_free (info);
}

static const NodeOps info_ops = {
  .type = S_IFREG,
  .getattr = info_getattr,
  .open = info_open,
  .read = info_read,
  .release = info_release,
  .dispose = info_dispose,
};

Node *
parts_info_node (Mount *mount, const PartsMessage *message, const char *key)
{
  Info *info = g_new0 (Info, 1);
  info->message = *message;
  pthread_mutex_init (&info->mutex, NULL);
  return node_new (mount, &info_ops, key, info);
}
