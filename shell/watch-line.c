/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch-line.c - an event of mailrack watch as a line, for people or as JSON */
#include "watch-line.h"

#include <string.h>

#include "json-text.h"
#include "safe-text.h"

static const struct
{
  const char *word;
  RackEventKind kind;
} words[] = { { "new", RACK_EVENT_ADDED },
              { "expunge", RACK_EVENT_REMOVED },
              { "flags", RACK_EVENT_FLAGS },
              { "reset", RACK_EVENT_RESET },
              { "gone", RACK_EVENT_GONE } };

const char *
watch_event_word (RackEventKind kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (words[i].kind == kind)
      return words[i].word;
  return "?";
}

RackEventKind
watch_event_kind (const char *word)
{
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i].word, word) == 0)
      return words[i].kind;
  return (RackEventKind) 0;
}

/* ---- What is kept -----------------------------------------------------------------------------
 */

static char **
all_flags (const RackWatcherEvent *event)
{
  static const struct
  {
    RackFlags flag;
    const char *name;
  } names[] = { { RACK_FLAG_ANSWERED, "\\Answered" },
                { RACK_FLAG_FLAGGED, "\\Flagged" },
                { RACK_FLAG_DELETED, "\\Deleted" },
                { RACK_FLAG_SEEN, "\\Seen" },
                { RACK_FLAG_DRAFT, "\\Draft" } };
  GPtrArray *flags = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (event->flags & names[i].flag)
      g_ptr_array_add (flags, g_strdup (names[i].name));
  for (const char *const *at = event->keywords; at != NULL && *at != NULL; at++)
    g_ptr_array_add (flags, g_strdup (*at));
  g_ptr_array_add (flags, NULL);
  return (char **) g_ptr_array_free (flags, FALSE);
}

static char *
whose (const RackAddresses *from)
{
  if (from->n == 0 || from->items[0].mailbox.data == NULL)
    return NULL;
  const RackAddress *first = &from->items[0];
  g_autofree char *name = first->name.data != NULL ? rack_header_decode (first->name) : NULL;
  g_autofree char *mailbox = rack_str_dup (first->mailbox);
  g_autofree char *host = first->host.data != NULL ? rack_str_dup (first->host) : g_strdup ("");
  g_autofree char *address = g_strdup_printf ("%s%s%s", mailbox, *host != '\0' ? "@" : "", host);

  if (name == NULL || *name == '\0')
    return g_steal_pointer (&address);
  return g_strdup_printf ("%s <%s>", name, address);
}

WatchEvent *
watch_event_new (const RackWatcherEvent *event)
{
  WatchEvent *self = g_new0 (WatchEvent, 1);
  const RackMessage *message = event->message;

  self->kind = event->kind;
  self->time = g_get_real_time () / G_USEC_PER_SEC;
  self->mailbox = g_strdup (event->mailbox);
  self->uid_validity = event->uid_validity;
  self->uid = event->uid;
  self->has_flags = event->kind == RACK_EVENT_FLAGS || message != NULL;
  self->flags = all_flags (event);
  if (message == NULL)
    return self;
  self->has_message = TRUE;
  self->size = message->size;
  self->date = message->fields & RACK_FIELD_DATE ? message->date : 0;
  if (message->envelope == NULL)
    return self;
  self->from = whose (&message->envelope->from);
  if (message->envelope->subject.data != NULL)
    self->subject = rack_header_decode (message->envelope->subject);
  if (message->envelope->message_id.data != NULL)
    self->message_id = rack_str_dup (message->envelope->message_id);
  return self;
}

void
watch_event_free (WatchEvent *event)
{
  g_free (event->mailbox);
  g_strfreev (event->flags);
  g_free (event->from);
  g_free (event->subject);
  g_free (event->message_id);
  g_free (event);
}

/* ---- For people --------------------------------------------------------------------------------
 */

static void
append (GString *line, const char *before, const char *text)
{
  if (text == NULL)
    return;
  g_string_append (line, before);
  safe_text_append (line, text, -1, SAFE_TEXT_LINE);
}

char *
watch_event_text (const WatchEvent *event)
{
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_local (event->time);
  g_autofree char *when = g_date_time_format (now, "%F %T");
  g_autofree char *flags = g_strjoinv (" ", event->flags);
  GString *line = g_string_new (when);

  append (line, "  ", event->mailbox);
  append (line, "  ", watch_event_word (event->kind));
  if (event->uid != 0)
    g_string_append_printf (line, "  %u", event->uid);
  if (event->kind == RACK_EVENT_FLAGS)
    append (line, "  ", *flags != '\0' ? flags : "(none)");
  append (line, "  ", event->from);
  append (line, "  ", event->subject);
  return g_string_free (line, FALSE);
}

/* ---- As JSON
 * ------------------------------------------------------------------------------------- */

static void
add_text (GString *out, const char *key, const char *text)
{
  g_string_append_printf (out, ", \"%s\": ", key);
  if (text != NULL)
    json_append_text (out, text, -1);
  else
    g_string_append (out, "null");
}

static void
add_flags (GString *out, char **flags)
{
  g_string_append (out, ", \"flags\": [");
  for (char **at = flags; *at != NULL; at++)
    {
      g_string_append (out, at != flags ? ", " : "");
      json_append_text (out, *at, -1);
    }
  g_string_append_c (out, ']');
}

char *
watch_event_json (const WatchEvent *event)
{
  GString *out = g_string_new ("{\"time\": ");

  json_append_date (out, event->time);
  add_text (out, "event", watch_event_word (event->kind));
  add_text (out, "mailbox", event->mailbox);
  g_string_append_printf (out, ", \"uidvalidity\": %u", event->uid_validity);
  if (event->uid != 0)
    g_string_append_printf (out, ", \"uid\": %u", event->uid);
  if (event->has_flags)
    add_flags (out, event->flags);
  if (event->has_message)
    {
      g_string_append_printf (out, ", \"size\": %" G_GUINT64_FORMAT ", \"date\": ", event->size);
      if (event->date != 0)
        json_append_date (out, event->date);
      else
        g_string_append (out, "null");
      add_text (out, "from", event->from);
      add_text (out, "subject", event->subject);
      add_text (out, "message_id", event->message_id);
    }
  g_string_append_c (out, '}');
  return g_string_free (out, FALSE);
}
