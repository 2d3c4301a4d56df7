/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * resync-flags.c - the flags of a whole mailbox without mod-sequences
 *
 * One SEARCH for each flag says who has it: with ESEARCH in ranges, without in numbers,
 * which is still a fraction of a FETCH response for each message, since most flags are
 * rare (\Seen is asked for from its rarer side). Messages are then put together from
 * those sets one by one. Where the mailbox has too many keywords, or one that no SEARCH
 * can name, flags are fetched, the newest first. */
#include "resync-private.h"

#include <string.h>

#define MAX_SEARCHES          64
#define MAX_SEARCHES_ONE_BY_1 24 /* each a round trip */
#define FIRST_CHUNK           1024
#define MAX_CHUNK             65536

/* One flag, and who has it. */
typedef struct
{
  RackFlags flag;   /* 0: a keyword */
  RackStr keyword;  /* of keywords */
  gboolean lacking; /* the set holds those that have it not */
  RackCall *call;
  RackSet *set;
  gsize at; /* the range that holds or follows the message at hand */
} Column;

struct RackFlagReader
{
  RackMailbox *mailbox; /* borrowed */
  GCancellable *cancellable;
  const RackSet *uids;
  char **keywords;
  RackMessage message;

  /* Put together. */
  GArray *columns; /* Column */
  RackStr *here;   /* keywords of the message at hand */
  gsize range;     /* of uids */
  guint32 next;    /* the UID that comes; 0: the range's first */

  /* Or fetched. */
  RackSet *rest; /* not asked for yet; NULL: not fetched */
  RackFetch *fetch;
  guint chunk;
};

static void
clear_column (gpointer data)
{
  Column *column = data;

  rack_call_unref (column->call);
  rack_set_free (column->set);
}

void
rack_flag_reader_free (RackFlagReader *reader)
{
  if (reader == NULL)
    return;
  rack_fetch_free (reader->fetch);
  rack_set_free (reader->rest);
  g_array_unref (reader->columns);
  g_strfreev (reader->keywords);
  g_free (reader->here);
  g_free (reader);
}

/* ---- Asking ------------------------------------------------------------------------ */

/* RFC 9051 flag-keyword. Gmail has keywords with "]" and blanks in them. */
static gboolean
is_searchable (const char *keyword)
{
  for (const char *at = keyword; *at != '\0'; at++)
    if (!g_ascii_isgraph (*at) || strchr ("(){%*\"\\]", *at) != NULL)
      return FALSE;
  return *keyword != '\0';
}

static gboolean
can_search (const RackFlagReader *reader, const RackAsk *ask)
{
  guint n = 5;

  for (char **at = reader->keywords; *at != NULL; at++, n++)
    if (!is_searchable (*at))
      return FALSE;
  return n <= (ask->extended ? MAX_SEARCHES : MAX_SEARCHES_ONE_BY_1);
}

static void
add_column (RackFlagReader *reader, const RackAsk *ask, const char *key, Column column)
{
  column.call = rack_ask_post (ask, key, NULL);
  g_array_append_val (reader->columns, column);
}

static void
ask_all (RackFlagReader *reader, const RackAsk *ask, gint64 unseen)
{
  gboolean few_seen = unseen >= 0 && (guint64) unseen > rack_set_count (reader->uids) / 2;

  add_column (reader, ask, few_seen ? "SEEN" : "UNSEEN",
              (Column){ .flag = RACK_FLAG_SEEN, .lacking = !few_seen });
  add_column (reader, ask, "FLAGGED", (Column){ .flag = RACK_FLAG_FLAGGED });
  add_column (reader, ask, "ANSWERED", (Column){ .flag = RACK_FLAG_ANSWERED });
  add_column (reader, ask, "DELETED", (Column){ .flag = RACK_FLAG_DELETED });
  add_column (reader, ask, "DRAFT", (Column){ .flag = RACK_FLAG_DRAFT });
  for (char **at = reader->keywords; *at != NULL; at++)
    {
      g_autofree char *key = g_strconcat ("KEYWORD ", *at, NULL);
      add_column (reader, ask, key, (Column){ .keyword = { *at, strlen (*at) } });
    }
}

/* FALSE with error unset: a question was refused. */
static gboolean
read_all (RackFlagReader *reader, const RackAsk *ask, GError **error)
{
  for (guint i = 0; i < reader->columns->len; i++)
    {
      Column *column = &g_array_index (reader->columns, Column, i);
      g_autoptr (GError) problem = NULL;
      column->set = rack_ask_read (ask, column->call, NULL, &problem);
      if (column->set != NULL)
        continue;
      if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED))
        g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  return TRUE;
}

RackFlagReader *
rack_flag_reader_new (RackMailbox *mailbox, const RackAsk *ask, const RackSet *uids,
                      char **keywords, gint64 unseen, GError **error)
{
  g_autoptr (RackFlagReader) reader = g_new0 (RackFlagReader, 1);
  GError *problem = NULL;

  reader->mailbox = mailbox;
  reader->cancellable = ask->cancellable;
  reader->uids = uids;
  reader->keywords = keywords;
  reader->columns = g_array_new (FALSE, FALSE, sizeof (Column));
  g_array_set_clear_func (reader->columns, clear_column);
  reader->here = g_new (RackStr, g_strv_length (keywords) + 1);
  reader->chunk = FIRST_CHUNK;
  gboolean searched = can_search (reader, ask);
  if (searched)
    {
      ask_all (reader, ask, unseen);
      searched = read_all (reader, ask, &problem);
    }
  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return NULL;
    }
  if (!searched)
    reader->rest = rack_set_copy (uids);
  return g_steal_pointer (&reader);
}

/* ---- Putting together -------------------------------------------------------------------- */

static gboolean
column_has (Column *column, guint32 uid)
{
  RackRanges ranges = rack_set_ranges (column->set);

  while (column->at < ranges.n && ranges.items[column->at].last < uid)
    column->at++;
  gboolean in = column->at < ranges.n && ranges.items[column->at].first <= uid;
  return in != column->lacking;
}

static const RackMessage *
put_together (RackFlagReader *reader, guint32 uid)
{
  RackFlagList *flags = &reader->message.flags;

  *flags = (RackFlagList){ .keywords = reader->here };
  for (guint i = 0; i < reader->columns->len; i++)
    {
      Column *column = &g_array_index (reader->columns, Column, i);
      if (!column_has (column, uid))
        continue;
      if (column->flag != 0)
        flags->system |= column->flag;
      else
        reader->here[flags->n_keywords++] = column->keyword;
    }
  reader->message.fields = RACK_FIELD_UID | RACK_FIELD_FLAGS;
  reader->message.uid = uid;
  return &reader->message;
}

static const RackMessage *
next_from_sets (RackFlagReader *reader)
{
  RackRanges ranges = rack_set_ranges (reader->uids);

  if (reader->range == ranges.n)
    return NULL;
  guint32 uid = reader->next != 0 ? reader->next : ranges.items[reader->range].first;
  gboolean last = uid == ranges.items[reader->range].last;
  reader->range += last;
  reader->next = last ? 0 : uid + 1;
  return put_together (reader, uid);
}

/* ---- Fetching ---------------------------------------------------------------------------- */

/* Takes the newest off rest. */
static RackSet *
take_chunk (RackFlagReader *reader)
{
  RackSet *chunk = rack_set_new ();
  guint64 room = reader->chunk;

  while (room > 0 && rack_set_ranges (reader->rest).n > 0)
    {
      RackRanges ranges = rack_set_ranges (reader->rest);
      RackRange range = ranges.items[ranges.n - 1];
      guint64 n = MIN ((guint64) range.last - range.first + 1, room);
      guint32 first = range.last - (guint32) (n - 1);
      rack_set_add (chunk, first, range.last);
      rack_set_remove (reader->rest, first, range.last);
      room -= n;
    }
  reader->chunk = MIN (reader->chunk * 4, MAX_CHUNK);
  return chunk;
}

static const RackMessage *
next_from_fetch (RackFlagReader *reader, GError **error)
{
  GError *problem = NULL;

  for (;;)
    {
      const RackMessage *message =
          reader->fetch != NULL ? rack_fetch_next (reader->fetch, &problem) : NULL;
      if (message != NULL && !(message->fields & RACK_FIELD_FLAGS))
        continue;
      if (message != NULL)
        {
          reader->message = (RackMessage){ .fields = RACK_FIELD_UID | RACK_FIELD_FLAGS,
                                           .uid = message->uid,
                                           .flags = message->flags };
          return &reader->message;
        }
      g_clear_pointer (&reader->fetch, rack_fetch_free);
      if (problem == NULL && rack_set_ranges (reader->rest).n > 0)
        {
          g_autoptr (RackSet) chunk = take_chunk (reader);
          reader->fetch = rack_mailbox_fetch (reader->mailbox, chunk, "FLAGS", NULL,
                                              reader->cancellable, &problem);
          if (reader->fetch != NULL)
            continue;
        }
      if (problem != NULL)
        g_propagate_error (error, problem);
      return NULL;
    }
}

const RackMessage *
rack_flag_reader_next (RackFlagReader *reader, GError **error)
{
  return reader->rest != NULL ? next_from_fetch (reader, error) : next_from_sets (reader);
}
