/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * live.c - checks of the public API on a real account
 *
 *   live CONFIG [ACCOUNT [CHECK]]     runs every check, prints TAP
 *   live --login CONFIG ACCOUNT       logs in and out; exit status 0, or 1 with the error on stderr
 *
 * Everything happens in mailboxes under mailrack-live-PID, which are removed again. */
#include "live.h"

#include <string.h>
#include <unistd.h>

static const char message_text[] =
    "From: Alice <alice@example.org>\r\nTo: bob@example.org\r\n"
    "Subject: Budget =?utf-8?q?f=C3=BCr?= Q4\r\nMessage-ID: <one@example.org>\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nhello world\r\n--b\r\n"
    "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n"
    "\r\nAAAA\r\n--b--\r\n";

char *
live_name (Live *live, const char *name)
{
  return g_strconcat (live->prefix, *live->separator != '\0' ? live->separator : "-", name, NULL);
}

RackMailbox *
live_mailbox (Live *live, const char *name, GError **error)
{
  g_autofree char *full = live_name (live, name);

  if (!rack_account_create (live->account, full, NULL, error))
    return NULL;
  return rack_mailbox_open (live->account, full, FALSE, NULL, error);
}

RackAccount *
live_account (Live *live, const char *key, const char *value, GError **error)
{
  g_autoptr (RackConfig) config = rack_config_load (live->file, error);

  if (config == NULL || !rack_config_set (config, key, value, "live", error))
    return NULL;
  RackAccount *account = rack_account_new (config, live->section, live->host, error);
  g_autofree char *trace = g_strdup_printf ("%s.%s", g_getenv ("LIVE_TRACE"), value);
  if (account != NULL && g_getenv ("LIVE_TRACE") != NULL)
    rack_account_trace (account, trace, NULL);
  return account;
}

gboolean
live_append (Live *live, const char *mailbox, const char *text, gsize size, RackFlags flags,
             gint64 date, guint32 *uid, GError **error)
{
  g_autoptr (RackAppend) append =
      rack_append_new (live->account, mailbox, size, flags, NULL, date, 120, NULL, error);

  for (gsize at = 0; append != NULL && at < size; at += 7000)
    if (!rack_append_write (append, text + at, MIN (7000, size - at), error))
      return FALSE;
  return append != NULL && rack_append_finish (append, NULL, uid, error);
}

/* ---- Checks ------------------------------------------------------------------------------------
 */

static gboolean
check_mailboxes (Live *live, GError **error)
{
  static const char *const names[] = { "plain", "with space", "Entwürfe", "a&b", "123", "台北" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = live_name (live, names[i]);
      g_autofree char *pattern = live_name (live, "*");
      g_autoptr (GPtrArray) list = NULL;
      gboolean found = FALSE;
      if (!rack_account_create (live->account, name, NULL, error))
        return FALSE;
      list = rack_account_list (live->account, pattern, 0, NULL, error);
      if (list == NULL)
        return FALSE;
      for (guint j = 0; j < list->len; j++)
        found |= strcmp (((RackMailboxInfo *) g_ptr_array_index (list, j))->name, name) == 0;
      live_require (found);
      RackMailboxInfo *info = rack_account_status (live->account, name, NULL, error);
      if (info == NULL)
        return FALSE;
      gboolean ok = info->messages == 0 && info->uid_validity > 0;
      rack_mailbox_info_free (info);
      live_require (ok);
    }
  g_autofree char *from = live_name (live, "plain"), *to = live_name (live, "renamed");
  g_autoptr (GError) expected = NULL;
  if (!rack_account_rename (live->account, from, to, NULL, error)
      || !rack_account_subscribe (live->account, to, TRUE, NULL, error)
      || !rack_account_subscribe (live->account, to, FALSE, NULL, error))
    return FALSE;
  live_require (rack_mailbox_open (live->account, from, FALSE, NULL, &expected) == NULL);
  live_require (strstr (expected->message, from) != NULL);
  return rack_account_delete (live->account, to, NULL, error);
}

/* Names that need quoting on the wire, where the server takes them at all. */
static gboolean
check_quoted_names (Live *live, GError **error)
{
  static const char *const names[] = { "quo\"te", "back\\slash", "par(en", "per%cent" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = live_name (live, names[i]);
      g_autoptr (GError) problem = NULL;
      if (rack_account_create (live->account, name, NULL, &problem))
        {
          g_autoptr (RackMailbox) mailbox =
              rack_mailbox_open (live->account, name, FALSE, NULL, error);
          if (mailbox == NULL)
            return FALSE;
        }
      else
        live_require (g_error_matches (problem, RACK_ERROR, RACK_ERROR_REFUSED)
                      || g_error_matches (problem, RACK_ERROR, RACK_ERROR_DENIED));
    }
  return TRUE;
}

static gboolean
check_append_and_fetch (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "fetch", error);
  g_autoptr (RackSet) all = rack_set_new_range (1, RACK_SET_STAR);
  const gsize size = strlen (message_text);
  guint32 uid = 0;

  if (mailbox == NULL
      || !live_append (live, rack_mailbox_name (mailbox), message_text, size,
                       RACK_FLAG_SEEN | RACK_FLAG_FLAGGED, 1700000000, &uid, error))
    return FALSE;
  g_autoptr (RackFetch) fetch = rack_mailbox_fetch (
      mailbox, all, "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[]", NULL, NULL,
      error);
  const RackMessage *message = fetch != NULL ? rack_fetch_next (fetch, error) : NULL;
  if (message == NULL)
    return FALSE;
  live_require (uid == 0 || message->uid == uid);
  live_require ((message->flags.system & ~RACK_FLAG_RECENT)
                == (RACK_FLAG_SEEN | RACK_FLAG_FLAGGED));
  live_require (message->date == 1700000000);
  live_require (message->size == size);
  live_require (message->envelope->from.n == 1);
  live_require (strncmp (message->envelope->message_id.data, "<one@example.org>", 17) == 0);
  live_require (message->body->multipart && message->body->child->next != NULL);
  live_require (message->n_sections == 1 && message->sections[0].data.size == size
                && memcmp (message->sections[0].data.data, message_text, size) == 0);
  live_require (rack_fetch_next (fetch, error) == NULL && (error == NULL || *error == NULL));
  return TRUE;
}

/* Octets through the reader equal those appended; PEEK leaves \Seen alone; a part comes alone. */
static gboolean
check_reader (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "reader", error);
  g_autoptr (GString) big = g_string_new ("Subject: big\r\n\r\n");
  guint32 uid = 0;

  if (mailbox == NULL)
    return FALSE;
  while (big->len < 3000000)
    g_string_append_printf (
        big, "line %" G_GSIZE_FORMAT " of a message that does not fit in memory\r\n", big->len);
  if (!live_append (live, rack_mailbox_name (mailbox), big->str, big->len, 0, -1, &uid, error))
    return FALSE;
  g_autoptr (RackSet) found = rack_mailbox_search (mailbox, "ALL", NULL, error);
  if (found == NULL)
    return FALSE;
  live_require (rack_set_count (found) == 1);
  uid = rack_set_ranges (found).items[0].first;
  g_autoptr (RackReader) reader = rack_mailbox_read (mailbox, uid, "", NULL, error);
  guint64 size = 0;
  if (reader == NULL || !rack_reader_size (reader, &size, error))
    return FALSE;
  live_require (size == big->len);
  char buffer[10007];
  gsize at = 0;
  for (gssize n; (n = rack_reader_read (reader, buffer, sizeof buffer, error)) != 0;
       at += (gsize) n)
    {
      if (n < 0)
        return FALSE;
      live_require (at + (gsize) n <= big->len && memcmp (buffer, big->str + at, (gsize) n) == 0);
    }
  live_require (at == big->len);
  g_autoptr (RackSet) unseen = rack_mailbox_search (mailbox, "UNSEEN", NULL, error);
  live_require (unseen != NULL && rack_set_contains (unseen, uid));
  g_autoptr (GError) gone = NULL;
  g_autoptr (RackReader) none = rack_mailbox_read (mailbox, uid + 1000, "", NULL, error);
  live_require (none != NULL && rack_reader_read (none, buffer, sizeof buffer, &gone) == -1);
  live_require (g_error_matches (gone, RACK_ERROR, RACK_ERROR_NOT_FOUND));
  return TRUE;
}

static gboolean
check_sets (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "sets", error);
  g_autoptr (RackMailbox) other = mailbox != NULL ? live_mailbox (live, "sets-other", error) : NULL;
  RackCopied copied = { 0 };

  if (other == NULL)
    return FALSE;
  for (guint i = 0; i < 10; i++)
    if (!live_append (live, rack_mailbox_name (mailbox), message_text, strlen (message_text), 0, -1,
                      NULL, error))
      return FALSE;
  g_autoptr (RackSet) all = rack_mailbox_search (mailbox, "ALL", NULL, error);
  live_require (all != NULL && rack_set_count (all) == 10);
  guint32 first = rack_set_ranges (all).items[0].first;
  g_autoptr (RackSet) three = rack_set_new_range (first, first + 2);
  g_autoptr (RackSet) two = rack_set_new_range (first + 3, first + 4);
  if (!rack_mailbox_store (mailbox, three, RACK_STORE_ADD, RACK_FLAG_FLAGGED,
                           (const char *const[]){ "$Work", NULL }, NULL, error))
    return FALSE;
  g_autoptr (RackSet) flagged = rack_mailbox_search (mailbox, "FLAGGED KEYWORD $Work", NULL, error);
  live_require (flagged != NULL && rack_set_count (flagged) == 3);
  if (!rack_mailbox_copy (mailbox, three, rack_mailbox_name (other), &copied, NULL, error))
    return FALSE;
  rack_copied_clear (&copied);
  if (!rack_mailbox_move (mailbox, two, rack_mailbox_name (other), &copied, NULL, error))
    return FALSE;
  rack_copied_clear (&copied);
  /* Another client's \Deleted is not ours to expunge. */
  g_autoptr (RackSet) deleted = rack_set_new_range (first + 9, first + 9);
  if (!rack_mailbox_store (mailbox, deleted, RACK_STORE_ADD, RACK_FLAG_DELETED, NULL, NULL, error)
      || !rack_mailbox_expunge (mailbox, three, NULL, error))
    return FALSE;
  g_autoptr (RackSet) left = rack_mailbox_search (mailbox, "ALL", NULL, error);
  g_autoptr (RackSet) there = rack_mailbox_search (other, "ALL", NULL, error);
  live_require (left != NULL && rack_set_count (left) == 5 && rack_set_contains (left, first + 9));
  live_require (there != NULL && rack_set_count (there) == 5);
  g_autoptr (RackSet) words = rack_mailbox_search (other, "SUBJECT \"für\"", NULL, error);
  live_require (words != NULL && rack_set_count (words) == 5);
  return TRUE;
}

static gboolean
next_is (RackWatch *watch, RackEventKind kind, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  RackEvent event;

  do
    if (!rack_watch_next (watch, &event, cancellable, error))
      return FALSE;
  while (event.kind != kind);
  return TRUE;
}

/* The next new message, with what was wanted of it. */
static gboolean
next_is_whole (RackWatch *watch, guint32 *last, GError **error)
{
  RackEvent event;

  do
    if (!rack_watch_next (watch, &event, NULL, error))
      return FALSE;
  while (event.kind != RACK_EVENT_ADDED);
  live_require (event.uid > *last && event.message != NULL && event.message->uid == event.uid);
  live_require (event.message->size == strlen (message_text));
  live_require ((event.message->fields & RACK_FIELD_ENVELOPE) != 0
                && event.message->envelope->from.n == 1);
  live_require ((event.flags & RACK_FLAG_FLAGGED) != 0);
  *last = event.uid;
  return TRUE;
}

static gboolean
check_watch_want (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "watch-want", error);
  g_autoptr (RackWatch) watch = mailbox != NULL ? rack_mailbox_watch (mailbox, NULL, error) : NULL;
  guint32 last = 0;

  if (watch == NULL)
    return FALSE;
  rack_watch_want (watch, "FLAGS RFC822.SIZE ENVELOPE");
  for (guint i = 1; i <= 2; i++)
    {
      for (guint n = 0; n < i; n++)
        if (!live_append (live, rack_mailbox_name (mailbox), message_text, strlen (message_text),
                          RACK_FLAG_FLAGGED, -1, NULL, error))
          return FALSE;
      for (guint n = 0; n < i; n++)
        if (!next_is_whole (watch, &last, error))
          return FALSE;
    }
  return TRUE;
}

static gboolean
check_watch (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "watch", error);
  g_autoptr (RackWatch) watch = mailbox != NULL ? rack_mailbox_watch (mailbox, NULL, error) : NULL;

  if (watch == NULL
      || !live_append (live, rack_mailbox_name (mailbox), message_text, strlen (message_text), 0,
                       -1, NULL, error)
      || !next_is (watch, RACK_EVENT_ADDED, error))
    return FALSE;
  g_autoptr (RackSet) all = rack_mailbox_search (mailbox, "ALL", NULL, error);
  if (all == NULL
      || !rack_mailbox_store (mailbox, all, RACK_STORE_ADD, RACK_FLAG_FLAGGED, NULL, NULL, error)
      || !next_is (watch, RACK_EVENT_FLAGS, error)
      || !rack_mailbox_expunge (mailbox, all, NULL, error)
      || !next_is (watch, RACK_EVENT_REMOVED, error))
    return FALSE;
  return TRUE;
}

/* Cancelling ends a wait at once and leaves the account usable. */
static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (200 * 1000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static gboolean
check_cancel (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "cancel", error);
  g_autoptr (RackWatch) watch = mailbox != NULL ? rack_mailbox_watch (mailbox, NULL, error) : NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) expected = NULL;
  RackEvent event;

  if (watch == NULL)
    return FALSE;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  gboolean got = rack_watch_next (watch, &event, cancellable, &expected);
  g_thread_join (thread);
  live_require (!got && g_error_matches (expected, RACK_ERROR, RACK_ERROR_CANCELLED));
  g_autoptr (RackSet) all = rack_mailbox_search (mailbox, "ALL", NULL, error);
  return all != NULL;
}

/* Several threads on one account: commands are pipelined or spread, and none gets another's answer.
 */
typedef struct
{
  RackMailbox *mailbox;
  guint32 uid;
  guint bad;
} Reading;

static gpointer
read_many (gpointer data)
{
  Reading *reading = data;
  char buffer[4096];

  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *expected =
          g_strdup_printf ("Subject: %u\r\n\r\nbody %u\r\n", reading->uid, reading->uid);
      g_autoptr (GError) error = NULL;
      g_autoptr (RackReader) reader =
          rack_mailbox_read (reading->mailbox, reading->uid, "", NULL, &error);
      gssize n = reader != NULL ? rack_reader_read (reader, buffer, sizeof buffer, &error) : -1;
      if (error != NULL)
        g_print ("# %s\n", error->message);
      if (n != (gssize) strlen (expected) || memcmp (buffer, expected, (gsize) n) != 0)
        reading->bad++;
    }
  return NULL;
}

static gboolean
check_threads (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "threads", error);
  Reading readings[8];
  GThread *threads[8];
  guint bad = 0;

  if (mailbox == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (readings); i++)
    {
      guint32 uid = 0;
      g_autofree char *text = g_strdup_printf ("Subject: %u\r\n\r\nbody %u\r\n", i + 1, i + 1);
      if (!live_append (live, rack_mailbox_name (mailbox), text, strlen (text), 0, -1, &uid, error))
        return FALSE;
      live_require (uid == 0 || uid == i + 1); /* a new mailbox counts from 1 everywhere we know */
      readings[i] = (Reading){ mailbox, i + 1, 0 };
    }
  for (guint i = 0; i < G_N_ELEMENTS (readings); i++)
    threads[i] = g_thread_new ("read", read_many, &readings[i]);
  for (guint i = 0; i < G_N_ELEMENTS (readings); i++)
    {
      g_thread_join (threads[i]);
      bad += readings[i].bad;
    }
  live_require (bad == 0);
  return TRUE;
}

/* Adds a message over a connection of its own, which is no news to any other. */
static gboolean
append_elsewhere (RackSession *session, const char *mailbox, GError **error)
{
  static const char text[] = "Subject: elsewhere\r\n\r\nnew\r\n";
  RackCommand *command = rack_command_new ("APPEND");
  g_autoptr (GBytes) octets = g_bytes_new_static (text, sizeof text - 1);

  rack_command_mailbox (command, mailbox);
  rack_command_literal (command, octets);
  g_autoptr (RackReply) reply = rack_session_expect (session, command, NULL, error);
  return reply != NULL;
}

/* Where a limit is set it counts what is there, and "*" with all namespaces holds nothing twice. */
static gboolean
check_quota_and_namespaces (Live *live, GError **error)
{
  g_autofree char *name = live_name (live, "quota");
  g_autoptr (GString) big = g_string_new ("Subject: big\r\n\r\n");
  g_autoptr (GError) problem = NULL;
  RackQuota before, after;

  if (!rack_account_create (live->account, name, NULL, error))
    return FALSE;
  if (!rack_account_quota (live->account, name, &before, NULL, &problem))
    live_require (g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNSUPPORTED));
  else
    {
      while (big->len < 300000)
        g_string_append (big, "a line of a message that counts\r\n");
      if (!live_append (live, name, big->str, big->len, 0, -1, NULL, error)
          || !rack_account_quota (live->account, name, &after, NULL, error))
        return FALSE;
      live_require (after.has_storage == before.has_storage);
      live_require (!after.has_storage
                    || (after.used >= before.used + 290000 && after.used < after.limit));
    }
  g_autoptr (GPtrArray) all =
      rack_account_list (live->account, "*", RACK_LIST_ALL_NAMESPACES, NULL, error);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  if (all == NULL)
    return FALSE;
  for (guint i = 0; i < all->len; i++)
    live_require (g_hash_table_add (names, ((RackMailboxInfo *) all->pdata[i])->name));
  live_require (g_hash_table_contains (names, name));
  return TRUE;
}

/* Somebody heard of a UID before the connection that is asked for it did. */
static gboolean
check_added_elsewhere (Live *live, GError **error)
{
  g_autoptr (RackMailbox) mailbox = live_mailbox (live, "elsewhere", error);
  g_autoptr (RackSession) session =
      mailbox != NULL ? rack_session_open (live->account, NULL, error) : NULL;
  GError *problem = NULL;

  if (session == NULL)
    return FALSE;
  const char *name = rack_mailbox_name (mailbox);
  for (guint32 uid = 1; uid <= 6; uid += 2)
    {
      if (!append_elsewhere (session, name, error))
        return FALSE;
      g_autoptr (RackSet) uids = rack_set_new_range (uid, uid);
      g_autoptr (RackFetch) fetch =
          rack_mailbox_fetch (mailbox, uids, "RFC822.SIZE", NULL, NULL, error);
      if (fetch == NULL)
        return FALSE;
      const RackMessage *message = rack_fetch_next (fetch, &problem);
      live_require (message != NULL && message->uid == uid);
      live_require (rack_fetch_next (fetch, &problem) == NULL && problem == NULL);

      guint64 size = 0;
      if (!append_elsewhere (session, name, error))
        return FALSE;
      g_autoptr (RackReader) reader = rack_mailbox_read (mailbox, uid + 1, "", NULL, error);
      if (reader == NULL || !rack_reader_size (reader, &size, error))
        return FALSE;
      live_require (size == 27);
    }
  return TRUE;
}

static const struct
{
  const char *name;
  LiveCheck check;
} checks[] = {
  { "mailboxes", check_mailboxes },
  { "quoted-names", check_quoted_names },
  { "append-and-fetch", check_append_and_fetch },
  { "reader", check_reader },
  { "sets", check_sets },
  { "watch", check_watch },
  { "watch-want", check_watch_want },
  { "session", live_check_session },
  { "cancel", check_cancel },
  { "threads", check_threads },
  { "added-elsewhere", check_added_elsewhere },
  { "resync", live_check_resync },
  { "watch-account", live_check_watch_account },
  { "quota-and-namespaces", check_quota_and_namespaces },
};

/* ---- Running them
 * --------------------------------------------------------------------------------- */

static gint
by_length (gconstpointer a, gconstpointer b)
{
  const RackMailboxInfo *left = *(RackMailboxInfo *const *) a,
                        *right = *(RackMailboxInfo *const *) b;

  return (gint) strlen (right->name) - (gint) strlen (left->name);
}

/* Children before parents. */
static void
clean_up (Live *live)
{
  g_autofree char *pattern = g_strconcat (live->prefix, "*", NULL);
  g_autoptr (GPtrArray) list = rack_account_list (live->account, pattern, 0, NULL, NULL);

  if (list == NULL)
    return;
  g_ptr_array_sort (list, by_length);
  for (guint i = 0; i < list->len; i++)
    rack_account_delete (live->account, ((RackMailboxInfo *) g_ptr_array_index (list, i))->name,
                         NULL, NULL);
}

/* New mailboxes belong under the personal namespace ("INBOX." on some servers). */
static gboolean
find_prefix (Live *live, GError **error)
{
  g_autoptr (RackSession) session = rack_session_open (live->account, NULL, error);
  g_autofree char *personal = g_strdup ("");
  const RackResponse *response;

  if (session == NULL)
    return FALSE;
  if (rack_session_has (session, "NAMESPACE"))
    {
      g_autoptr (RackReply) reply =
          rack_session_expect (session, rack_command_new ("NAMESPACE"), NULL, error);
      if (reply == NULL)
        return FALSE;
      for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
        if (response->kind == RACK_RESPONSE_NAMESPACE && response->namespaces.n_personal > 0)
          {
            g_free (personal);
            personal = rack_mailbox_name_decode (response->namespaces.personal[0].prefix);
            live->separator[0] = response->namespaces.personal[0].separator;
          }
    }
  live->prefix = g_strdup_printf ("%smailrack-live-%d", personal, (int) getpid ());
  return TRUE;
}

static int
run_all (Live *live, const char *only)
{
  int failed = 0;

  g_print ("1..%u\n", only != NULL ? 1 : (guint) G_N_ELEMENTS (checks));
  for (guint i = 0; i < G_N_ELEMENTS (checks); i++)
    {
      g_autoptr (GError) error = NULL;
      if (only != NULL && strcmp (only, checks[i].name) != 0)
        continue;
      gboolean ok = checks[i].check (live, &error);
      clean_up (live);
      g_print ("%s %u %s\n", ok ? "ok" : "not ok", i + 1, checks[i].name);
      if (!ok)
        g_print ("# %s\n", error != NULL ? error->message : "no reason given");
      failed += !ok;
    }
  return failed > 0;
}

int
main (int argc, char **argv)
{
  gboolean login = argc == 4 && strcmp (argv[1], "--login") == 0;
  const char *file = argv[login ? 2 : 1], *name = login ? argv[3] : argc > 2 ? argv[2] : NULL;
  g_autoptr (GError) error = NULL;
  char separator[2] = "";
  Live live = { .separator = separator };

  if (argc < 2)
    return 64;
  g_autoptr (RackConfig) config = rack_config_load (file, &error);
  g_autoptr (RackHost) host = rack_host_new (NULL, NULL);
  g_autoptr (RackAccount) account =
      config != NULL
          ? rack_account_new (config, g_strcmp0 (name, "DEFAULT") == 0 ? NULL : name, host, &error)
          : NULL;
  if (account != NULL && g_getenv ("LIVE_TRACE") != NULL)
    rack_account_trace (account, g_getenv ("LIVE_TRACE"), NULL);
  if (account == NULL || !rack_account_connect (account, NULL, &error))
    {
      g_printerr ("%s\n", error->message);
      return error->code == RACK_ERROR_CONFIG ? 78 : 1;
    }
  if (login)
    return 0;
  live.account = account;
  live.host = host;
  live.file = file;
  live.section = g_strcmp0 (name, "DEFAULT") == 0 ? NULL : name;
  int status = 2;
  if (!find_prefix (&live, &error))
    g_printerr ("%s\n", error->message);
  else
    status = run_all (&live, argc > 3 ? argv[3] : NULL);
  g_free (live.prefix);
  return status;
}
