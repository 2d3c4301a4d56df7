/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * control-events.c - .mailrack/events: a line of JSON for each change
 *
 * Who opens it hears what happens from then on. Reading blocks until something does
 * (O_NONBLOCK: EAGAIN), poll and select tell. Every reader has a buffer of its own;
 * one that does not keep up loses lines and finds {"event":"lost"} in their place.
 * Lines come after the kernel forgot what they make wrong, so whoever looks sees it.
 *
 * Every line is an object with "event" and "time" (seconds since the epoch, when it was
 * noticed), and:
 *
 *   added       mailbox, uid, name, flags   a message; name is its file's in the plain view
 *   removed     mailbox, uid, name
 *   flags       mailbox, uid, name, flags   flags is a list of strings, "\\Seen" or "work"
 *   folders     mailbox, name, exists       the directory name in mailbox's ("" is the root)
 *   replaced    mailbox                     it has another UIDVALIDITY: UIDs begin anew
 *   online, offline                         the server can be reached, or cannot
 *   lost                                    lines are missing here
 *
 * Other events and other members may come with later versions.
 */
#include "control.h"
#include "flags.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

/* How much waits for one reader, octets. */
#define BUFFER_MAX  (1 << 20)
#define READERS_MAX 64

typedef struct
{
  Events *events;
  GList link;
  /* Under the mutex of events. */
  GQueue lines; /* of GRefString */
  gsize octets; /* in lines, from start on */
  gsize start;  /* so much of the first line was read */
  gboolean lost;
  struct fuse_pollhandle *waker;
} Reader;

struct Events
{
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* a line came, or a reader was interrupted */
  GQueue readers;      /* of Reader */
};

Events *
events_new (void)
{
  Events *events = g_new0 (Events, 1);
  pthread_mutex_init (&events->mutex, NULL);
  pthread_cond_init (&events->cond, NULL);
  g_queue_init (&events->readers);
  return events;
}

void
events_free (Events *events)
{
  pthread_cond_destroy (&events->cond);
  pthread_mutex_destroy (&events->mutex);
  g_free (events);
}

/* ---- Lines --------------------------------------------------------------------------- */

static GString *
line_new (const char *event)
{
  GString *line = g_string_new ("{");
  json_add_string (line, "event", event);
  json_add_number (line, "time", g_get_real_time () / G_USEC_PER_SEC);
  return line;
}

/* With the mutex held. */
static void
append_line (Reader *reader, const char *text, gsize size)
{
  g_queue_push_tail (&reader->lines, g_ref_string_new_len (text, (gssize) size));
  reader->octets += size;
}

static void
append_lost (Reader *reader)
{
  g_autoptr (GString) line = line_new ("lost");
  g_string_append (line, "}\n");
  append_line (reader, line->str, line->len);
  reader->lost = FALSE;
}

/* Whether anybody would hear something now. */
static gboolean
has_listeners (Events *events)
{
  gboolean found = FALSE;
  pthread_mutex_lock (&events->mutex);
  for (GList *at = events->readers.head; at != NULL && !found; at = at->next)
    {
      Reader *reader = at->data;
      /* One that lost lines hears nothing before it has read half of what waits for it. */
      found = !reader->lost || reader->octets <= BUFFER_MAX / 2;
    }
  pthread_mutex_unlock (&events->mutex);
  return found;
}

static void
publish (Events *events, GString *line)
{
  g_autoptr (GPtrArray) wakers = g_ptr_array_new ();
  g_string_append (line, "}\n");
  pthread_mutex_lock (&events->mutex);
  for (GList *at = events->readers.head; at != NULL; at = at->next)
    {
      Reader *reader = at->data;
      if (reader->lost && reader->octets <= BUFFER_MAX / 2)
        append_lost (reader);
      if (reader->lost || reader->octets + line->len > BUFFER_MAX)
        reader->lost = TRUE;
      else
        append_line (reader, line->str, line->len);
      if (reader->waker != NULL)
        g_ptr_array_add (wakers, g_steal_pointer (&reader->waker));
    }
  pthread_cond_broadcast (&events->cond);
  pthread_mutex_unlock (&events->mutex);
  /* Calls into the kernel, without the lock. */
  for (guint i = 0; i < wakers->len; i++)
    {
      fuse_lowlevel_notify_poll (wakers->pdata[i]);
      fuse_pollhandle_destroy (wakers->pdata[i]);
    }
  g_string_free (line, TRUE);
}

static void
publish_messages (Events *events, const RackChange *change, const char *event)
{
  const char *mailbox = rack_folder_mailbox (change->folder);
  for (guint i = 0; i < change->n && has_listeners (events); i++)
    {
      RackEntry entry;
      gboolean known = change->kind != RACK_CHANGE_REMOVED
                       && rack_folder_find (change->folder, change->items[i].uid, &entry);
      const char *name = known ? entry.name : change->items[i].name;
      GString *line = line_new (event);
      json_add_string (line, "mailbox", mailbox);
      json_add_number (line, "uid", change->items[i].uid);
      if (name != NULL)
        json_add_string (line, "name", name);
      if (known)
        {
          g_auto (GStrv) flags = flag_and_keyword_names (change->folder, &entry);
          json_add_strings (line, "flags", (const char *const *) flags);
        }
      publish (events, line);
    }
}

static void
publish_folders (Events *events, const RackChange *change)
{
  for (guint i = 0; i < change->n; i++)
    {
      const char *name = change->items[i].name;
      GString *line = line_new ("folders");
      json_add_string (line, "mailbox", rack_folder_mailbox (change->folder));
      json_add_string (line, "name", name);
      json_add_bool (line, "exists", rack_folder_child (change->folder, name) != NULL);
      publish (events, line);
    }
}

static void
publish_state (Events *events, const char *event)
{
  publish (events, line_new (event));
}

static void
publish_validity (Events *events, const RackChange *change)
{
  GString *line = line_new ("replaced");
  json_add_string (line, "mailbox", rack_folder_mailbox (change->folder));
  publish (events, line);
}

void
events_publish (Events *events, const RackChange *change)
{
  if (!has_listeners (events))
    return; /* those who are there know that they lost something */
  switch (change->kind)
    {
    case RACK_CHANGE_ADDED:
      publish_messages (events, change, "added");
      break;
    case RACK_CHANGE_REMOVED:
      publish_messages (events, change, "removed");
      break;
    case RACK_CHANGE_FLAGS:
      publish_messages (events, change, "flags");
      break;
    case RACK_CHANGE_FOLDERS:
      publish_folders (events, change);
      break;
    case RACK_CHANGE_ONLINE:
      publish_state (events, "online");
      break;
    case RACK_CHANGE_OFFLINE:
      publish_state (events, "offline");
      break;
    case RACK_CHANGE_VALIDITY:
      publish_validity (events, change);
      break;
    case RACK_CHANGE_SIZES:
    case RACK_CHANGE_RIGHTS:
    case RACK_CHANGE_COMPLETE:
    case RACK_CHANGE_LOCAL:
      break;
    }
}

/* ---- The file ------------------------------------------------------------------------- */

static double
getattr (Node *node, struct stat *out)
{
  out->st_mode &= ~(mode_t) 0222;
  return TIMEOUT_KNOWN;
}

static int
open_events (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle)
{
  Events *events = node->mount->events;
  Reader *reader = g_new0 (Reader, 1);
  reader->events = events;
  reader->link.data = reader;
  g_queue_init (&reader->lines);
  pthread_mutex_lock (&events->mutex);
  gboolean full = events->readers.length >= READERS_MAX;
  if (!full)
    g_queue_push_tail_link (&events->readers, &reader->link);
  pthread_mutex_unlock (&events->mutex);
  if (full)
    {
      g_free (reader);
      return EMFILE;
    }
  fi->direct_io = 1;
  fi->nonseekable = 1;
  *handle = reader;
  return 0;
}

static void
release (Node *node, gpointer handle)
{
  Reader *reader = handle;
  pthread_mutex_lock (&reader->events->mutex);
  g_queue_unlink (&reader->events->readers, &reader->link);
  pthread_mutex_unlock (&reader->events->mutex);
  if (reader->waker != NULL)
    fuse_pollhandle_destroy (reader->waker);
  g_queue_clear_full (&reader->lines, (GDestroyNotify) g_ref_string_release);
  g_free (reader);
}

/* With the mutex held. */
static gboolean
has_something (const Reader *reader)
{
  return reader->octets > 0 || reader->lost;
}

/* Whole lines as far as they fit, or as much of the first as does. With the mutex held. */
static void
take (Reader *reader, gsize size, NodeOctets *out)
{
  GString *text = g_string_new (NULL);
  char *line;
  if (reader->lost && reader->octets == 0)
    append_lost (reader);
  while ((line = g_queue_peek_head (&reader->lines)) != NULL)
    {
      gsize left = g_ref_string_length (line) - reader->start;
      if (text->len > 0 && text->len + left > size)
        break;
      gsize part = MIN (left, size);
      g_string_append_len (text, line + reader->start, (gssize) part);
      reader->octets -= part;
      reader->start += part;
      if (part < left)
        break;
      reader->start = 0;
      g_ref_string_release (g_queue_pop_head (&reader->lines));
    }
  out->size = text->len;
  out->memory = g_string_free (text, FALSE);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  Events *events = data;
  pthread_mutex_lock (&events->mutex);
  pthread_cond_broadcast (&events->cond);
  pthread_mutex_unlock (&events->mutex);
}

static int
read_events (Node *node, gpointer handle, gsize size, off_t offset, int flags,
             GCancellable *cancellable, NodeOctets *out)
{
  Reader *reader = handle;
  Events *events = reader->events;
  gulong id = 0;
  if (cancellable != NULL)
    id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), events, NULL);
  pthread_mutex_lock (&events->mutex);
  while (cancellable != NULL && !has_something (reader)
         && !g_cancellable_is_cancelled (cancellable))
    pthread_cond_wait (&events->cond, &events->mutex);
  gboolean something = has_something (reader);
  if (something)
    take (reader, size, out);
  pthread_mutex_unlock (&events->mutex);
  g_cancellable_disconnect (cancellable, id);
  if (something)
    return 0;
  if (flags & O_NONBLOCK)
    return EAGAIN;
  return cancellable == NULL ? NODE_WAIT : EINTR;
}

static unsigned int
poll_events (Node *node, gpointer handle, struct fuse_pollhandle *waker)
{
  Reader *reader = handle;
  pthread_mutex_lock (&reader->events->mutex);
  unsigned int now = has_something (reader) ? POLLIN | POLLRDNORM : 0;
  if (waker != NULL)
    {
      struct fuse_pollhandle *before = reader->waker;
      reader->waker = waker;
      waker = before;
    }
  pthread_mutex_unlock (&reader->events->mutex);
  if (waker != NULL)
    fuse_pollhandle_destroy (waker);
  return now;
}

const NodeOps control_events_ops = {
  .type = S_IFREG,
  .getattr = getattr,
  .open = open_events,
  .read = read_events,
  .poll = poll_events,
  .release = release,
  .waits_for_news = TRUE,
};
