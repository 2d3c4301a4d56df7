/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-find.c - what the store finds in all mailboxes, and how messages become threads */
#include "find.h"
#include "subjects.h"
#include "threads.h"

#include <string.h>

static char *place;
static RackStore *store;

static void
begin (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *top = g_dir_make_tmp ("find-XXXXXX", NULL);
  char *notice = NULL;
  place = g_build_filename (top, "account", NULL);
  store = rack_store_open (place, "the test", 0, &notice, &error);
  g_assert_no_error (error);
  g_assert_null (notice);
}

static void
end (void)
{
  g_autofree char *top = g_path_get_dirname (place);
  g_autofree char *quoted = g_shell_quote (top);
  g_autofree char *command = g_strdup_printf ("rm -rf -- %s", quoted);
  g_clear_pointer (&store, rack_store_close);
  g_assert_cmpint (system (command), ==, 0);
  g_clear_pointer (&place, g_free);
}

static void
add_box (guint32 row, gboolean complete, gint64 gone)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("box%u", row);
  RackStoreFolder one = {
    .id = row * 10, .mailbox = name, .directory = name, .selectable = TRUE, .gone = gone
  };
  RackStoreBox box = {
    .row = row, .folder = row * 10, .uid_validity = 7, .named = TRUE, .complete = complete
  };
  g_assert_true (rack_store_put_folders (store, &one, 1, &error));
  g_assert_true (rack_store_add_box (store, &box, &error));
}

static RackStr
str (const char *text)
{
  return text != NULL ? (RackStr){ text, strlen (text) } : (RackStr){ 0 };
}

typedef struct
{
  guint32 row, uid;
  gint64 date;
  const char *host; /* of the sender */
  const char *subject, *id, *reply, *thread;
  RackFlags flags;
  const char *keyword;
} Mail;

static void
add_mail (const Mail *mail)
{
  g_autoptr (GError) error = NULL;
  RackRows rows;
  RackAddress from = { .mailbox = str ("Alice"), .host = str (mail->host) };
  RackEnvelope envelope = { .subject = str (mail->subject),
                            .from = { &from, mail->host != NULL },
                            .message_id = str (mail->id),
                            .in_reply_to = str (mail->reply) };
  RackStr word = str (mail->keyword);
  RackMessage message = {
    .fields = RACK_FIELD_UID | RACK_FIELD_FLAGS | RACK_FIELD_DATE | RACK_FIELD_ENVELOPE,
    .uid = mail->uid,
    .flags = { .system = mail->flags, .keywords = &word, .n_keywords = mail->keyword != NULL },
    .date = mail->date,
    .envelope = &envelope
  };
  if (mail->thread != NULL)
    {
      message.fields |= RACK_FIELD_THREADID;
      message.thread_id = str (mail->thread);
    }
  rack_rows_init (&rows);
  rack_rows_add (&rows, &message, TRUE);
  g_assert_true (rack_store_add (store, mail->row, &rows, &error));
  rack_rows_clear (&rows);
}

static void
add_mails (const Mail *mails, guint n)
{
  for (guint i = 0; i < n; i++)
    add_mail (&mails[i]);
}

static void
note (const RackStoreHit *hit, gpointer text)
{
  g_string_append_printf (text, "%u/%u ", hit->row, hit->uid);
}

/* ---- The store ---- */

/* In batches of every size, the same. */
#define CHECK_FOUND(expected, call, ...)                                                           \
  for (guint n = 1; n < 5; n++)                                                                    \
    {                                                                                              \
      GError *problem = NULL;                                                                      \
      g_autoptr (GString) text = g_string_new (NULL);                                              \
      RackStoreCursor cursor = { 0 };                                                              \
      while (call (store, __VA_ARGS__, &cursor, n, note, text, &problem) == n)                     \
        ;                                                                                          \
      g_assert_no_error (problem);                                                                 \
      g_assert_cmpstr (text->str, ==, expected);                                                   \
    }

static void
test_batches (void)
{
  g_autoptr (GError) error = NULL;
  const Mail mails[] = {
    { 5, 1, 100, "x.org", .flags = RACK_FLAG_SEEN },
    { 5, 2, 86399, "X.org", .keyword = "Work" },
    { 5, 3, 86400, "y.org", .flags = RACK_FLAG_FLAGGED, .keyword = "Workshop" },
    { 6, 1, 50, "x.org", .flags = RACK_FLAG_SEEN | RACK_FLAG_FLAGGED },
    { 6, 9, 100, .host = NULL },
    { 7, 1, 100, .host = "x.org" }, /* not complete */
    { 8, 1, 100, .host = "z.org" }, /* gone */
  };
  begin ();
  add_box (5, TRUE, 0);
  add_box (6, TRUE, 0);
  add_box (7, FALSE, 0);
  add_box (8, TRUE, 1000);
  add_mails (mails, G_N_ELEMENTS (mails));
  CHECK_FOUND ("6/1 5/1 6/9 5/2 ", rack_store_find_dates, 0, 86400);
  CHECK_FOUND ("5/3 ", rack_store_find_dates, 86400, 2 * 86400);
  CHECK_FOUND ("5/1 5/2 6/1 ", rack_store_find_sender, "alice@x.org");
  CHECK_FOUND ("", rack_store_find_sender, "alice@z.org");
  CHECK_FOUND ("5/2 5/3 6/9 ", rack_store_find_flags, RACK_FLAG_SEEN, 0, NULL);
  CHECK_FOUND ("5/3 6/1 ", rack_store_find_flags, RACK_FLAG_FLAGGED, RACK_FLAG_FLAGGED, NULL);
  CHECK_FOUND ("5/2 ", rack_store_find_flags, 0, 0, "Work");

  g_autoptr (GString) text = g_string_new (NULL);
  g_assert_true (rack_store_find_uid (store, 1, note, text, &error));
  g_assert_cmpstr (text->str, ==, "5/1 6/1 ");
  g_assert_cmpint (rack_store_next_date (store, 0, &error), ==, 50);
  g_assert_cmpint (rack_store_next_date (store, 86400, &error), ==, 86400);
  g_assert_cmpint (rack_store_next_date (store, 86401, &error), ==, -1);
  g_autofree char *first = rack_store_next_sender (store, "", &error);
  g_autofree char *second = rack_store_next_sender (store, first, &error);
  g_assert_cmpstr (first, ==, "alice@x.org");
  g_assert_cmpstr (second, ==, "alice@y.org");
  g_assert_null (rack_store_next_sender (store, second, &error));
  g_autoptr (GHashTable) keywords = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_assert_true (rack_store_each_keyword (store, keywords, &error));
  g_assert_cmpuint (g_hash_table_size (keywords), ==, 2);
  g_assert_no_error (error);
  end ();
}

/* ---- Keys ---- */

static void
test_keys (void)
{
  gint64 first;
  RackFindFlag flag;
  g_assert_true (rack_find_parse_date ("2026-11-20", &first));
  g_assert_cmpint (first, ==, 1795132800);
  g_assert_true (rack_find_parse_date ("1970-01-01", &first));
  g_assert_cmpint (first, ==, 0);
  static const char *const bad[] = { "2026-11-31", "2026-1-1",   "2026-11-20x",
                                     "2026-11-2 ", "+026-11-20", "0000-00-00",
                                     "",           "2026-11- 1" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (rack_find_parse_date (bad[i], &first));

  g_assert_true (rack_find_parse_flag ("unread", &flag));
  g_assert_null (flag.keyword);
  g_assert_true (rack_find_parse_flag ("%unread", &flag));
  g_assert_cmpstr (flag.keyword, ==, "unread");
  g_clear_pointer (&flag.keyword, g_free);
  g_assert_true (rack_find_parse_flag ("a%2Fb", &flag));
  g_assert_cmpstr (flag.keyword, ==, "a/b");
  g_clear_pointer (&flag.keyword, g_free);
  g_assert_false (rack_find_parse_flag ("a%zb", &flag));
  g_assert_true (rack_find_has_keyword ("a b c", "b"));
  g_assert_false (rack_find_has_keyword ("ab c", "b"));
  g_assert_false (rack_find_has_keyword (NULL, "b"));
}

static void
check_subject (const char *subject, const char *expected, gboolean expect_reply)
{
  gboolean reply;
  g_autofree char *base = rack_subject_base (subject, &reply);
  g_assert_cmpstr (base, ==, expected);
  g_assert_cmpint (reply, ==, expect_reply);
}

static void
test_subjects (void)
{
  check_subject ("Budget", "Budget", FALSE);
  check_subject (" Re: AW:re[12] : Fwd:Budget  Q4 ", "Budget  Q4", TRUE);
  check_subject ("Re", "Re", FALSE);
  check_subject ("Re:", "", TRUE);
  check_subject ("Re[x]: a", "Re[x]: a", FALSE);
  check_subject ("Regards: a", "Regards: a", FALSE);
  check_subject ("", "", FALSE);
  g_autofree char *folded = rack_subject_fold ("Budget \t ÄRGER");
  g_assert_cmpstr (folded, ==, "budget ärger");
}

/* ---- Threads ---- */

static void
check_threads (const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RackThreads) threads = rack_threads_new (store, &error);
  g_autoptr (GString) text = g_string_new (NULL);
  g_assert_no_error (error);
  const GPtrArray *names = rack_threads_names (threads);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      guint n;
      const RackThreadMember *members = rack_threads_find (threads, name, &n);
      g_assert_nonnull (members);
      g_assert_null (strchr (name, '/'));
      g_assert_cmpint (name[0], !=, '.');
      g_assert_cmpuint (strlen (name), <, 180);
      g_string_append_len (text, name, strrchr (name, '.') - name);
      for (guint j = 0; j < n; j++)
        g_string_append_printf (text, " %u/%u", members[j].row, members[j].uid);
      g_string_append_c (text, '\n');
    }
  guint none;
  g_assert_null (rack_threads_find (threads, "nothing.1", &none));
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_threads_by_links (void)
{
  const Mail mails[] = {
    /* A reply whose first message came later, into another mailbox. */
    { 6, 1, 300, "x", .subject = "Re: Budget", .id = "<b>", .reply = "<a>" },
    { 5, 4, 100, "x", .subject = "Budget", .id = "<a>" },
    { 5, 5, 400, "x", .subject = "quite another subject", .id = "<c>",
      .reply = "your message <b> of today" },
    /* Two that reply to what nobody has. */
    { 5, 6, 500, "x", .subject = "Re: lost", .id = "<d>", .reply = "<lost>" },
    { 5, 7, 501, "x", .subject = "Re: lost", .id = "<e>", .reply = "<lost>" },
    /* A copy is no conversation, and neither are equal subjects. */
    { 5, 8, 600, "x", .subject = "copy", .id = "<f>" },
    { 6, 2, 600, "x", .subject = "copy", .id = "<f>" },
    { 5, 9, 700, "x", .subject = "Weekly", .id = "<g>" },
    { 5, 10, 701, "x", .subject = "Weekly", .id = "<h>" },
    /* Not complete. */
    { 7, 1, 700, "x", .subject = "Re: Budget", .id = "<z>", .reply = "<a>" },
  };
  begin ();
  add_box (5, TRUE, 0);
  add_box (6, TRUE, 0);
  add_box (7, FALSE, 0);
  add_mails (mails, G_N_ELEMENTS (mails));
  check_threads ("Budget 5/4 6/1 5/5\nlost 5/6 5/7\n");
  end ();
}

static void
test_threads_by_subject (void)
{
  const Mail mails[] = {
    { 5, 1, 100, "x", .subject = "Weekly", .id = "<a>" },
    { 5, 2, 200, "x", .subject = "RE:  weekly" },
    { 5, 3, 300, "x", .subject = "Weekly", .id = "<b>" },
    { 5, 4, 400, "x", .subject = "AW: Weekly", .id = "<c>" },
    /* Nothing before it; and nothing to compare. */
    { 5, 5, 50, "x", .subject = "Re: Weekly", .id = "<d>" },
    { 5, 6, 60, "x", .subject = "Re:", .id = "<e>" },
    { 5, 7, 70, "x", .subject = "Re: ", .id = "<f>" },
  };
  begin ();
  add_box (5, TRUE, 0);
  add_mails (mails, G_N_ELEMENTS (mails));
  check_threads ("Weekly 5/1 5/2\nWeekly 5/3 5/4\n");
  end ();
}

/* Where the server says what belongs together, nothing else counts. Hostile subjects stay names. */
static void
test_threads_by_server (void)
{
  const Mail mails[] = {
    { 5, 1, 100, "x", .subject = "../../etc/passwd\r\n", .id = "<a>", .thread = "T1" },
    { 5, 2, 200, "x", .subject = "Re: other", .id = "<b>", .thread = "T1" },
    { 5, 3, 300, "x", .subject = "Re: other", .id = "<c>", .reply = "<a>", .thread = "T2" },
    { 5, 4, 300, "x", .subject = "\xe2\x80\xae/", .id = "<d>", .thread = "T3" },
    { 5, 5, 301, "x", .subject = "\xe2\x80\xae/", .id = "<e>", .thread = "T3" },
  };
  begin ();
  add_box (5, TRUE, 0);
  add_mails (mails, G_N_ELEMENTS (mails));
  check_threads ("etc-passwd 5/1 5/2\nno-subject 5/4 5/5\n");
  end ();
}

/* Long chains of replies, in the worst order. */
static void
test_long_thread (void)
{
  begin ();
  add_box (5, TRUE, 0);
  for (guint32 uid = 300; uid > 0; uid--)
    {
      g_autofree char *id = g_strdup_printf ("<%u>", uid);
      g_autofree char *reply = g_strdup_printf ("<%u>", uid - 1);
      Mail mail = { 5, 301 - uid, uid, "x", .subject = "Long", .id = id, .reply = reply };
      add_mail (&mail);
    }
  g_autoptr (RackThreads) threads = rack_threads_new (store, NULL);
  const GPtrArray *names = rack_threads_names (threads);
  guint n;
  g_assert_cmpuint (names->len, ==, 1);
  const RackThreadMember *members = rack_threads_find (threads, names->pdata[0], &n);
  g_assert_cmpuint (n, ==, 300);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (members[i].uid, ==, 300 - i);
  end ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/find/batches", test_batches);
  g_test_add_func ("/find/keys", test_keys);
  g_test_add_func ("/find/subjects", test_subjects);
  g_test_add_func ("/find/threads-by-links", test_threads_by_links);
  g_test_add_func ("/find/threads-by-subject", test_threads_by_subject);
  g_test_add_func ("/find/threads-by-server", test_threads_by_server);
  g_test_add_func ("/find/long-thread", test_long_thread);
  return g_test_run ();
}
