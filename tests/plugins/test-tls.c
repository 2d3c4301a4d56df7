/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-tls.c - plugins/tls against a GnuTLS server over a socket pair
 *
 * Every certificate of tests/support/certs.py, each with the sentence a user gets, and that
 * the server saw no octet of ours when it was refused; then versions, ALPN, ends of the
 * stream, channel binding, and time. Argument: certs.py, run here to make the files. */
#include "tls-server.h"
#include "tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <mailrack/mailrack.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

static char *directory;
static GPtrArray *told;

/* ---- The client ------------------------------------------------------------------- */

typedef struct
{
  RackTlsConfig config;
  Server server;
  GThread *thread;
  RackTls *tls;
  RackStream *stream;
  RackHost *host;
  GError *error;
} Fixture;

static void
tell (gpointer data, const char *text)
{
  g_ptr_array_add (told, g_strdup (text));
}

static const RackHostOps host_ops = { .size = sizeof (RackHostOps), .tell = tell };

static void
setup (Fixture *self)
{
  memset (self, 0, sizeof *self);
  self->config = (RackTlsConfig){ .check_hostname = TRUE, .verify_cert = TRUE, .alpn = TRUE };
  self->config.ca_file = g_strdup_printf ("%s/ca.crt", directory);
  self->server.directory = directory;
  self->server.cert = "good";
  self->server.text = g_string_new (NULL);
  self->host = rack_host_new (&host_ops, NULL);
  g_ptr_array_set_size (told, 0);
}

static RackWait
soon (void)
{
  return (RackWait){ sizeof (RackWait), g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND, NULL };
}

static void
dial (Fixture *self, const char *name)
{
  RackPeer peer = { .size = sizeof (RackPeer), .host = name, .port = 993 };
  RackWait wait = soon ();
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  self->server.fd = ends[1];
  self->thread = g_thread_new ("server", tls_serve, &self->server);
  self->tls = rack_tls_new (&self->config, self->host, &self->error);
  g_assert_no_error (self->error);
  RackStream *lower = rack_fd_stream_new (ends[0], RACK_SECURITY_NONE, &self->error);
  g_assert_no_error (self->error);
  self->stream = rack_tls_wrap (self->tls, lower, &peer, &wait, &self->error);
  g_assert_true ((self->stream == NULL) == (self->error != NULL));
}

static void
hang_up (Fixture *self)
{
  RackStream *stream = g_steal_pointer (&self->stream);

  stream->ops->close (stream);
}

static void
teardown (Fixture *self)
{
  if (self->stream != NULL)
    hang_up (self);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  rack_tls_free (self->tls);
  rack_host_free (self->host);
  g_clear_error (&self->error);
  g_free (self->config.ca_file);
  g_string_free (self->server.text, TRUE);
}

/* Reads until size octets, the end (*end TRUE) or an error. */
static gsize
read_some (Fixture *self, char *data, gsize size, gboolean *end)
{
  RackWait wait = soon ();
  gsize at = 0;

  while (at < size)
    {
      gssize n = self->stream->ops->read (self->stream, data + at, size - at, &self->error);
      if (n == RACK_STREAM_AGAIN)
        {
          g_assert_false (self->stream->ops->pending (self->stream));
          g_assert_true (rack_wait_fd (self->stream->ops->fd (self->stream),
                                       self->stream->ops->wants (self->stream, TRUE), &wait, NULL));
          continue;
        }
      if (n <= 0)
        {
          *end = n == 0;
          g_assert_true ((n < 0) == (self->error != NULL));
          return at;
        }
      at += (gsize) n;
    }
  return at;
}

static void
write_text (Fixture *self, const char *text)
{
  RackWait wait = soon ();
  gsize size = strlen (text);

  while (size > 0)
    {
      gssize n = self->stream->ops->write (self->stream, text, size, &self->error);
      g_assert_no_error (self->error);
      if (n == RACK_STREAM_AGAIN)
        {
          g_assert_true (rack_wait_fd (self->stream->ops->fd (self->stream),
                                       self->stream->ops->wants (self->stream, FALSE), &wait,
                                       NULL));
          continue;
        }
      text += n;
      size -= (gsize) n;
    }
}

static const char *
fact (char **facts, const char *name)
{
  for (; *facts != NULL; facts += 2)
    if (strcmp (facts[0], name) == 0)
      return facts[1];
  return NULL;
}

/* ---- Certificates ------------------------------------------------------------------ */

typedef struct
{
  const char *cert, *host;
  const char *refused; /* what the sentence holds; NULL: taken */
} Row;

static const Row rows[] = {
  { "good", "localhost", NULL },
  { "good", "LOCALHOST", NULL },
  { "good", "localhost.", NULL },
  { "good", "127.0.0.1", NULL },
  { "good", "::1", NULL },
  { "good-ip", "127.0.0.1", NULL },
  { "good-ip", "localhost", "refused: it is made out to ::1, 127.0.0.1, " },
  { "good-dns", "localhost", NULL },
  { "good-dns", "127.0.0.1", "certificate of 127.0.0.1 is refused: it is made out to localhost" },
  { "good-inter", "localhost", NULL },
  { "wrong-host", "localhost",
    "certificate of localhost is refused: it is made out to mail.example.test, 192.0.2.1" },
  { "cn-only", "localhost", "it names no host (it has no subjectAltName" },
  { "self-signed", "localhost", "it is self-signed; if it is the right one" },
  { "unknown-ca", "localhost", "its issuer (CN=Stranger CA) is not an authority in ssl_ca_file" },
  { "missing-inter", "localhost", "its issuer (CN=Test Intermediate) is not an authority" },
  { "expired", "localhost", "refused: it expired on 20" },
  { "expired-inter", "localhost",
    "the certificate of its issuer (CN=Old Intermediate): it expired on 20" },
  { "not-yet-valid", "localhost", "refused: it is not valid before 20" },
  { "client-only", "localhost", "it is not meant for servers (extended key usage)" },
  { "wildcard", "imap.mail.test", NULL },
  { "wildcard", "mail.test", "it is made out to *.mail.test" },
  { "wildcard", "a.b.mail.test", "it is made out to *.mail.test" },
  { "wildcard-tld", "mail.test", "it is made out to *.test" },
  { "wildcard-partial", "localhost", "it is made out to l*alhost" },
  { "nul-san", "localhost", "it is made out to localhost\\x00.evil.test" },
  { "idn", "bücher.mail.test", NULL },
  { "idn", "xn--bcher-kva.mail.test", NULL },
  { "idn", "bucher.mail.test", "it is made out to xn--bcher-kva.mail.test" },
};

static void
test_certificate (gconstpointer data)
{
  const Row *row = data;
  Fixture self;

  setup (&self);
  self.server.cert = row->cert;
  dial (&self, row->host);
  if (row->refused == NULL)
    {
      char greeting[12];
      gboolean end = FALSE;
      g_assert_no_error (self.error);
      g_assert_cmpint (rack_stream_security (self.stream), ==, RACK_SECURITY_TLS_VERIFIED);
      g_assert_cmpuint (read_some (&self, greeting, 12, &end), ==, 12);
      g_assert_cmpmem (greeting, 12, "* OK hello\r\n", 12);
      g_assert_cmpuint (told->len, ==, 0);
    }
  else
    {
      g_assert_error (self.error, RACK_ERROR, RACK_ERROR_TLS);
      if (strstr (self.error->message, row->refused) == NULL)
        g_error ("\"%s\" is not in \"%s\"", row->refused, self.error->message);
    }
  if (self.stream != NULL)
    hang_up (&self);
  g_thread_join (g_steal_pointer (&self.thread));
  if (row->refused != NULL)
    g_assert_cmpuint (self.server.received, ==, 0);
  teardown (&self);
}

/* Without a check of the name or the chain, the other one still holds, and the user is told. */
static void
test_unverified (void)
{
  static const struct
  {
    const char *cert, *host;
    gboolean check_hostname, verify_cert;
    const char *refused, *told;
  } cases[] = {
    { "expired", "localhost", TRUE, FALSE, NULL, "ssl_verify_cert = false" },
    { "wrong-host", "localhost", TRUE, FALSE, "made out to mail.example.test", NULL },
    { "wrong-host", "localhost", FALSE, TRUE, NULL, "ssl_check_hostname = false" },
    { "unknown-ca", "localhost", FALSE, TRUE, "is not an authority in", NULL },
    { "self-signed", "elsewhere.test", FALSE, FALSE, NULL, "ssl_verify_cert = false" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Fixture self;
      setup (&self);
      self.server.cert = cases[i].cert;
      self.config.check_hostname = cases[i].check_hostname;
      self.config.verify_cert = cases[i].verify_cert;
      dial (&self, cases[i].host);
      if (cases[i].refused != NULL)
        {
          g_assert_error (self.error, RACK_ERROR, RACK_ERROR_TLS);
          g_assert_nonnull (strstr (self.error->message, cases[i].refused));
          g_assert_cmpuint (told->len, ==, 0);
        }
      else
        {
          g_assert_no_error (self.error);
          g_assert_cmpint (rack_stream_security (self.stream), ==, RACK_SECURITY_TLS_UNVERIFIED);
          g_assert_cmpuint (told->len, ==, 1);
          g_assert_nonnull (strstr (told->pdata[0], cases[i].told));
        }
      teardown (&self);
    }
}

static void
test_no_host (void)
{
  Fixture self;

  setup (&self);
  dial (&self, ".");
  g_assert_error (self.error, RACK_ERROR, RACK_ERROR_TLS);
  g_assert_nonnull (strstr (self.error->message, "needs the name of the host"));
  teardown (&self);
}

static void
test_files (void)
{
  g_autofree char *empty = g_build_filename (directory, "empty.pem", NULL);
  g_autofree char *key = g_build_filename (directory, "good.key", NULL);
  g_assert_true (g_file_set_contents (empty, "", 0, NULL));
  struct
  {
    RackTlsConfig config;
    const char *message;
  } cases[] = {
    { { TRUE, TRUE, TRUE, (char *) "/nowhere/ca.pem", NULL, NULL },
      "ssl_ca_file: \"/nowhere/ca.pem\": " },
    { { TRUE, TRUE, TRUE, empty, NULL, NULL }, "ssl_ca_file: \"" },
    { { TRUE, TRUE, TRUE, key, NULL, NULL }, "ssl_ca_file: \"" },
    { { TRUE, FALSE, TRUE, NULL, NULL, key }, "ssl_client_cert is not" },
    { { TRUE, FALSE, TRUE, NULL, (char *) "/nowhere/me.pem", NULL }, "ssl_client_cert: \"" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (rack_tls_new (&cases[i].config, NULL, &error));
      g_assert_error (error, RACK_ERROR, RACK_ERROR_CONFIG);
      if (strstr (error->message, cases[i].message) == NULL)
        g_error ("\"%s\" is not in \"%s\"", cases[i].message, error->message);
    }
}

/* ---- Handshakes --------------------------------------------------------------------- */

static void
expect_refusal (const char *priority, const char *alpn, const char *message)
{
  Fixture self;

  setup (&self);
  self.server.priority = priority;
  self.server.alpn = alpn;
  dial (&self, "localhost");
  g_assert_error (self.error, RACK_ERROR, RACK_ERROR_TLS);
  if (strstr (self.error->message, message) == NULL)
    g_error ("\"%s\" is not in \"%s\"", message, self.error->message);
  g_thread_join (g_steal_pointer (&self.thread));
  g_assert_cmpuint (self.server.received, ==, 0);
  teardown (&self);
}

static void
test_versions (void)
{
  expect_refusal ("NORMAL:-VERS-ALL:+VERS-TLS1.1", NULL, "TLS 1.2 or 1.3 is needed");
  expect_refusal ("NORMAL:-VERS-ALL:+VERS-TLS1.0", NULL, "TLS 1.2 or 1.3 is needed");
}

static void
test_alpn (void)
{
  Fixture self;

  expect_refusal (NULL, "pop3", "ssl_alpn = false");
  setup (&self);
  self.server.alpn = "pop3";
  self.config.alpn = FALSE;
  dial (&self, "localhost");
  g_assert_no_error (self.error);
  teardown (&self);

  setup (&self);
  self.server.alpn = "imap";
  dial (&self, "localhost");
  g_assert_no_error (self.error);
  g_auto (GStrv) facts = self.stream->ops->facts (self.stream);
  g_assert_cmpstr (fact (facts, "alpn"), ==, "imap");
  teardown (&self);
}

/* The certificate may be in one file with its key, or apart; without one the server refuses. */
static void
test_client_certificate (void)
{
  g_autofree char *cert = g_strdup_printf ("%s/good.pem", directory);
  g_autofree char *key = g_strdup_printf ("%s/good.key", directory);
  g_autofree char *both = g_strdup_printf ("%s/both.pem", directory);
  g_autofree char *cert_text = NULL, *key_text = NULL;
  char greeting[12];

  g_assert_true (g_file_get_contents (cert, &cert_text, NULL, NULL));
  g_assert_true (g_file_get_contents (key, &key_text, NULL, NULL));
  g_autofree char *both_text = g_strconcat (cert_text, key_text, NULL);
  g_assert_true (g_file_set_contents (both, both_text, -1, NULL));
  for (guint i = 0; i < 3; i++)
    {
      gboolean end = FALSE;
      Fixture self;
      setup (&self);
      self.server.wants_client = TRUE;
      self.config.client_cert = i == 0 ? NULL : i == 1 ? cert : both;
      self.config.client_key = i == 1 ? key : NULL;
      dial (&self, "localhost");
      /* TLS 1.3: the refusal comes after the handshake, as far as the client can tell. */
      gsize n = self.stream != NULL ? read_some (&self, greeting, 12, &end) : 0;
      g_assert_cmpuint (n, ==, i == 0 ? 0 : 12);
      /* The alert, or a broken pipe when the server was quicker than our last message. */
      if (i == 0)
        g_assert_true (self.error != NULL && self.error->domain == RACK_ERROR);
      teardown (&self);
    }
}

static void
test_facts (void)
{
  Fixture self;

  setup (&self);
  self.server.cert = "good-inter";
  dial (&self, "localhost");
  g_assert_no_error (self.error);
  g_auto (GStrv) facts = self.stream->ops->facts (self.stream);
  g_assert_cmpstr (fact (facts, "protocol"), ==, "TLS1.3");
  g_assert_nonnull (fact (facts, "cipher"));
  g_assert_cmpstr (fact (facts, "subject"), ==, "CN=localhost");
  g_assert_cmpstr (fact (facts, "issuer"), ==, "CN=Test Intermediate");
  g_assert_true (g_str_has_prefix (fact (facts, "names"), "localhost, ::1, 127.0.0.1, "));
  g_assert_true (g_str_has_prefix (fact (facts, "certificate"), "-----BEGIN CERTIFICATE-----"));
  g_assert_nonnull (fact (facts, "expires"));
  g_assert_cmpstr (fact (facts, "chain"), ==, "CN=Test Intermediate");
  teardown (&self);
}

typedef struct
{
  int fd;
  const char *text;
} Raw;

static gpointer
answer_raw (gpointer data)
{
  Raw *raw = data;
  char buffer[4096];

  if (raw->text != NULL)
    g_assert_cmpint (write (raw->fd, raw->text, strlen (raw->text)), >, 0);
  if (raw->text != NULL)
    while (read (raw->fd, buffer, sizeof buffer) > 0)
      ;
  close (raw->fd);
  return NULL;
}

/* A server that does not speak TLS, or nothing at all. */
static void
expect_raw (const char *text, const char *message)
{
  RackPeer peer = { .size = sizeof (RackPeer), .host = "localhost", .port = 143 };
  RackWait wait = soon ();
  Fixture self;
  int ends[2];

  setup (&self);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  Raw raw = { ends[1], text };
  self.thread = g_thread_new ("raw", answer_raw, &raw);
  self.tls = rack_tls_new (&self.config, self.host, &self.error);
  RackStream *lower = rack_fd_stream_new (ends[0], RACK_SECURITY_NONE, &self.error);
  g_assert_null (rack_tls_wrap (self.tls, lower, &peer, &wait, &self.error));
  g_assert_nonnull (self.error);
  if (strstr (self.error->message, message) == NULL)
    g_error ("\"%s\" is not in \"%s\"", message, self.error->message);
  teardown (&self);
}

static void
test_not_tls (void)
{
  expect_raw ("* OK IMAP4rev1 ready\r\n", "write \"starttls = true\"");
  expect_raw (NULL, "localhost");
}

/* Nobody answers: the deadline and the cancellable end the handshake. */
static void
test_waits (void)
{
  RackPeer peer = { .size = sizeof (RackPeer), .host = "localhost", .port = 993 };

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      RackWait wait = { sizeof (RackWait), g_get_monotonic_time () + 100 * G_TIME_SPAN_MILLISECOND,
                        cancellable };
      Fixture self;
      int ends[2];

      setup (&self);
      if (i == 1)
        {
          wait.deadline = 0;
          g_cancellable_cancel (cancellable);
        }
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
      self.tls = rack_tls_new (&self.config, self.host, &self.error);
      RackStream *lower = rack_fd_stream_new (ends[0], RACK_SECURITY_NONE, &self.error);
      g_assert_null (rack_tls_wrap (self.tls, lower, &peer, &wait, &self.error));
      int expected = i == 0 ? RACK_ERROR_TIMEOUT : RACK_ERROR_CANCELLED;
      g_assert_error (self.error, RACK_ERROR, expected);
      close (ends[1]);
      teardown (&self);
    }
}

/* ---- The stream ------------------------------------------------------------------------ */

static void
test_ends (void)
{
  static const End ends[] = { END_BYE, END_CUT };
  char greeting[13];
  gboolean end;

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    for (guint tls12 = 0; tls12 < 2; tls12++)
      {
        Fixture self;
        setup (&self);
        self.server.end = ends[i];
        self.server.priority = tls12 ? NO_TLS13 : NULL;
        dial (&self, "localhost");
        g_assert_no_error (self.error);
        end = FALSE;
        g_assert_cmpuint (read_some (&self, greeting, 13, &end), ==, 12);
        if (ends[i] == END_BYE)
          {
            g_assert_no_error (self.error);
            g_assert_true (end);
          }
        else
          {
            g_assert_error (self.error, RACK_ERROR, RACK_ERROR_NETWORK);
            g_assert_nonnull (strstr (self.error->message, "closed without close_notify"));
          }
        teardown (&self);
      }
}

static void
test_data (void)
{
  const gsize size = 5 * 1024 * 1024 + 17;
  g_autofree char *data = g_malloc (size);
  g_autofree char *lines = g_strnfill (200000, 'x');
  char greeting[12];
  gboolean end = FALSE;
  RackWait wait = soon ();
  Fixture self;

  setup (&self);
  self.server.send = size;
  self.server.end = END_NONE;
  dial (&self, "localhost");
  g_assert_no_error (self.error);
  read_some (&self, greeting, 12, &end);
  g_assert_cmpuint (read_some (&self, data, size, &end), ==, size);
  for (gsize i = 0; i < size; i++)
    if (data[i] != (char) (i * 31 + (i >> 10)))
      g_error ("octet %" G_GSIZE_FORMAT " is wrong", i);
  write_text (&self, lines);
  g_assert_true (self.stream->ops->shutdown (self.stream, &wait, &self.error));
  hang_up (&self);
  g_thread_join (g_steal_pointer (&self.thread));
  g_assert_cmpuint (self.server.received, ==, 200000);
  g_assert_cmpstr (self.server.text->str, ==, lines);
  g_assert_true (self.server.goodbye);
  teardown (&self);
}

static void
test_binding (void)
{
  Fixture self;

  setup (&self);
  dial (&self, "localhost");
  g_assert_no_error (self.error);
  g_autoptr (GBytes) ours = rack_stream_binding (self.stream, "tls-exporter");
  g_assert_nonnull (ours);
  g_assert_null (rack_stream_binding (self.stream, "tls-unique"));
  hang_up (&self);
  g_thread_join (g_steal_pointer (&self.thread));
  g_assert_true (self.server.has_binding);
  g_assert_cmpmem (g_bytes_get_data (ours, NULL), g_bytes_get_size (ours), self.server.binding, 32);
  teardown (&self);

  setup (&self);
  self.server.priority = NO_TLS13;
  dial (&self, "localhost");
  g_assert_no_error (self.error);
  g_assert_null (rack_stream_binding (self.stream, "tls-exporter"));
  teardown (&self);
}

/* ---- All --------------------------------------------------------------------------------- */

static void
make_certificates (const char *script)
{
  const char *argv[] = { "python3", script, "--dir", directory, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               NULL, &status, &error));
  g_assert_true (g_spawn_check_wait_status (status, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  directory = g_dir_make_tmp ("mailrack-tls-XXXXXX", NULL);
  told = g_ptr_array_new_with_free_func (g_free);
  make_certificates (argv[1]);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/tls/certificate/%s/%s", rows[i].cert, rows[i].host);
      g_test_add_data_func (path, &rows[i], test_certificate);
    }
  g_test_add_func ("/tls/unverified", test_unverified);
  g_test_add_func ("/tls/no-host", test_no_host);
  g_test_add_func ("/tls/files", test_files);
  g_test_add_func ("/tls/versions", test_versions);
  g_test_add_func ("/tls/alpn", test_alpn);
  g_test_add_func ("/tls/client-certificate", test_client_certificate);
  g_test_add_func ("/tls/facts", test_facts);
  g_test_add_func ("/tls/not-tls", test_not_tls);
  g_test_add_func ("/tls/waits", test_waits);
  g_test_add_func ("/tls/ends", test_ends);
  g_test_add_func ("/tls/data", test_data);
  g_test_add_func ("/tls/binding", test_binding);
  int status = g_test_run ();
  const char *rm[] = { "rm", "-rf", directory, NULL };
  g_spawn_sync (NULL, (char **) rm, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_ptr_array_free (told, TRUE);
  g_free (directory);
  return status;
}
