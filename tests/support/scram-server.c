/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An IMAP server for one thing: SCRAM with channel binding (SCRAM-SHA-256-PLUS, tls-exporter),
 * which Dovecot does not have. GNU SASL is the server's side, GnuTLS the stream; --fault makes it
 * cheat in the ways a client has to notice. One process per connection; it prints PORT= and
 * READY=1, and ends with whoever started it.
 *
 * It is not a mail server: after the login there is an empty INBOX and nothing else. */

#include <arpa/inet.h>
#include <glib.h>
#include <gnutls/gnutls.h>
#include <gsasl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct
{
  char *cert, *key, *user, *password, *mechanisms, *fault;
  int port, iterations;
  gboolean starttls;
} options = { .iterations = 4096 };

static const GOptionEntry entries[] = {
  { "cert", 0, 0, G_OPTION_ARG_FILENAME, &options.cert, "Certificate chain (PEM)", "FILE" },
  { "key", 0, 0, G_OPTION_ARG_FILENAME, &options.key, "Private key (PEM)", "FILE" },
  { "user", 0, 0, G_OPTION_ARG_STRING, &options.user, "Who may log in (alice)", "NAME" },
  { "password", 0, 0, G_OPTION_ARG_STRING, &options.password, "With what (sekret)", "TEXT" },
  { "mechanisms", 0, 0, G_OPTION_ARG_STRING, &options.mechanisms,
    "Offered, separated by spaces (SCRAM-SHA-256-PLUS SCRAM-SHA-256)", "LIST" },
  { "iterations", 0, 0, G_OPTION_ARG_INT, &options.iterations, "Of SCRAM (4096)", "N" },
  { "port", 0, 0, G_OPTION_ARG_INT, &options.port, "Port on 127.0.0.1 (any free one)", "N" },
  { "starttls", 0, 0, G_OPTION_ARG_NONE, &options.starttls, "Begin in clear text", NULL },
  { "fault", 0, 0, G_OPTION_ARG_STRING, &options.fault,
    "binding (as with somebody in between), signature (wrong), no-signature (OK without it) or "
    "early-ok (OK before anything is proved)",
    "KIND" },
  { NULL }
};

typedef struct
{
  int fd;
  gnutls_session_t tls;
  GString *input;
  char *mechanism; /* that the client logged in with */
} Client;

static void die (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;
static void leave (void) G_GNUC_NORETURN;
static void say (Client *client, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
die (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (EXIT_FAILURE);
}

static gboolean
faulty (const char *kind)
{
  return g_strcmp0 (options.fault, kind) == 0;
}

/* The client is gone, and with it the process that was for it alone. */
static void
leave (void)
{
  _exit (EXIT_SUCCESS);
}

static void
say (Client *client, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *line = g_strconcat (text, "\r\n", NULL);
  for (size_t sent = 0, size = strlen (line); sent < size;)
    {
      ssize_t n = client->tls ? gnutls_record_send (client->tls, line + sent, size - sent)
                              : send (client->fd, line + sent, size - sent, MSG_NOSIGNAL);
      if (n <= 0)
        leave ();
      sent += n;
    }
}

/* The client's next line without CRLF, owned by the caller; the process ends with the client. */
static char *
listen_to (Client *client)
{
  for (;;)
    {
      char *end = strstr (client->input->str, "\r\n");
      if (end)
        {
          char *line = g_strndup (client->input->str, end - client->input->str);
          g_string_erase (client->input, 0, end + 2 - client->input->str);
          return line;
        }

      char buffer[4096];
      ssize_t n = client->tls ? gnutls_record_recv (client->tls, buffer, sizeof buffer)
                              : recv (client->fd, buffer, sizeof buffer, 0);
      if (n <= 0 || client->input->len > 1 << 20)
        leave ();
      g_string_append_len (client->input, buffer, n);
    }
}

static void
secure (Client *client)
{
  gnutls_certificate_credentials_t credentials;

  if (gnutls_certificate_allocate_credentials (&credentials) < 0
      || gnutls_certificate_set_x509_key_file (credentials, options.cert, options.key,
                                               GNUTLS_X509_FMT_PEM)
             < 0)
    die ("cannot read %s and %s", options.cert, options.key);
  gnutls_init (&client->tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority (client->tls);
  gnutls_credentials_set (client->tls, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int (client->tls, client->fd);

  int status;
  do
    status = gnutls_handshake (client->tls);
  while (status < 0 && !gnutls_error_is_fatal (status));
  if (status < 0)
    leave ();
  g_string_truncate (client->input, 0);
}

/* The tls-exporter of this connection in base64, as GNU SASL wants it; NULL without TLS. */
static char *
channel_binding (Client *client)
{
  gnutls_datum_t data;

  if (!client->tls || !strstr (options.mechanisms, "-PLUS")
      || gnutls_session_channel_binding (client->tls, GNUTLS_CB_TLS_EXPORTER, &data) < 0)
    return NULL;
  if (faulty ("binding"))
    data.data[0] ^= 1;
  char *encoded = g_base64_encode (data.data, data.size);
  gnutls_free (data.data);
  return encoded;
}

static int
property (Gsasl *sasl, Gsasl_session *session, Gsasl_property name)
{
  Client *client = gsasl_callback_hook_get (sasl);

  switch ((int) name)
    {
    case GSASL_PASSWORD:
      if (g_strcmp0 (gsasl_property_fast (session, GSASL_AUTHID), options.user) != 0)
        return GSASL_NO_PASSWORD;
      return gsasl_property_set (session, name, options.password);
    case GSASL_SCRAM_ITER:
      {
        char number[16];
        g_snprintf (number, sizeof number, "%d", options.iterations);
        return gsasl_property_set (session, name, number);
      }
    case GSASL_CB_TLS_EXPORTER:
      {
        g_autofree char *binding = channel_binding (client);
        return binding ? gsasl_property_set (session, name, binding) : GSASL_NO_CB_TLS_EXPORTER;
      }
    case GSASL_VALIDATE_SIMPLE:
      return g_strcmp0 (gsasl_property_fast (session, GSASL_AUTHID), options.user) == 0
                     && g_strcmp0 (gsasl_property_fast (session, GSASL_PASSWORD), options.password)
                            == 0
                 ? GSASL_OK
                 : GSASL_AUTHENTICATION_ERROR;
    default:
      return GSASL_NO_CALLBACK;
    }
}

/* Whether a mechanism is offered on this connection; -PLUS only inside TLS. */
static gboolean
offered (const Client *client, const char *mechanism)
{
  g_auto (GStrv) list = g_strsplit (options.mechanisms, " ", 0);

  return g_strv_contains ((const char *const *) list, mechanism)
         && (client->tls || (!options.starttls && !g_str_has_suffix (mechanism, "-PLUS")));
}

static char *
capabilities (const Client *client)
{
  g_auto (GStrv) list = g_strsplit (options.mechanisms, " ", 0);
  GString *line = g_string_new ("IMAP4rev1 SASL-IR");

  if (client->mechanism)
    return g_string_free (line, FALSE);
  if (options.starttls && !client->tls)
    g_string_append (line, " STARTTLS LOGINDISABLED");
  for (char **mechanism = list; *mechanism; mechanism++)
    if (offered (client, *mechanism))
      g_string_append_printf (line, " AUTH=%s", *mechanism);
  return g_string_free (line, FALSE);
}

/* A challenge, changed where the fault says so. The last one holds the server's signature. */
static void
challenge (Client *client, const char *data, size_t size, gboolean last)
{
  g_autofree char *text = g_strndup (data, size);

  if (last && faulty ("signature") && size > 2)
    text[2] = text[2] == 'A' ? 'B' : 'A'; /* of "v=" and base64 */
  g_autofree char *encoded = g_base64_encode ((guchar *) text, size);
  say (client, "+ %s", encoded);
}

static int
exchange (Client *client, Gsasl_session *session, char *first)
{
  g_autofree char *line = first;
  int status;

  if (!line)
    {
      say (client, "+ ");
      line = listen_to (client);
    }
  if (faulty ("early-ok"))
    return GSASL_OK;
  do
    {
      if (g_str_equal (line, "*"))
        return GSASL_AUTHENTICATION_ERROR;
      gsize length = 0, size;
      g_autofree guchar *decoded = g_str_equal (line, "=") ? NULL : g_base64_decode (line, &length);
      char *output = NULL;
      status = gsasl_step (session, (char *) decoded, length, &output, &size);
      gboolean last = status == GSASL_OK;
      if (last && faulty ("no-signature"))
        size = 0;
      if (status == GSASL_NEEDS_MORE || (last && size > 0))
        {
          challenge (client, output, size, last);
          g_free (line);
          line = listen_to (client);
          if (last && *line != '\0')
            status = GSASL_AUTHENTICATION_ERROR;
        }
      gsasl_free (output);
    }
  while (status == GSASL_NEEDS_MORE);
  return status;
}

static void
authenticate (Client *client, const char *tag, const char *mechanism, const char *initial)
{
  Gsasl *sasl;
  Gsasl_session *session;

  if (!offered (client, mechanism))
    {
      say (client, "%s NO %s is not offered", tag, mechanism);
      return;
    }
  if (gsasl_init (&sasl) != GSASL_OK)
    die ("gsasl_init failed");
  gsasl_callback_hook_set (sasl, client);
  gsasl_callback_set (sasl, property);
  if (gsasl_server_start (sasl, mechanism, &session) != GSASL_OK)
    die ("GNU SASL has no server for %s", mechanism);

  int status = exchange (client, session, g_strdup (initial));
  if (status == GSASL_OK)
    {
      client->mechanism = g_strdup (mechanism);
      say (client, "%s OK logged in with %s", tag, mechanism);
    }
  else
    say (client, "%s NO [AUTHENTICATIONFAILED] %s", tag, gsasl_strerror (status));
  gsasl_finish (session);
  gsasl_done (sasl);
}

static void
obey (Client *client, const char *tag, const char *command, const char *rest)
{
  g_autofree char *offer = capabilities (client);

  if (g_str_equal (command, "CAPABILITY"))
    say (client, "* CAPABILITY %s\r\n%s OK done", offer, tag);
  else if (g_str_equal (command, "NOOP") || g_str_equal (command, "ID"))
    say (client, "%s OK done", tag);
  else if (g_str_equal (command, "LOGOUT"))
    {
      say (client, "* BYE bye\r\n%s OK done", tag);
      if (client->tls)
        gnutls_bye (client->tls, GNUTLS_SHUT_WR);
      leave ();
    }
  else if (g_str_equal (command, "STARTTLS") && options.starttls && !client->tls)
    {
      say (client, "%s OK begin", tag);
      secure (client);
    }
  else if (g_str_equal (command, "AUTHENTICATE") && !client->mechanism)
    {
      g_auto (GStrv) words = g_strsplit (rest, " ", 2);
      if (words[0])
        authenticate (client, tag, words[0], words[1]);
      else
        say (client, "%s BAD no mechanism", tag);
    }
  else if (!client->mechanism)
    say (client, "%s NO log in first", tag);
  else if (g_str_equal (command, "SELECT") || g_str_equal (command, "EXAMINE"))
    say (client,
         "* FLAGS (\\Seen \\Deleted)\r\n* 0 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n"
         "* OK [UIDNEXT 1] next\r\n%s OK [READ-ONLY] done",
         tag);
  else if (g_str_equal (command, "LIST"))
    say (client, "* LIST () \"/\" INBOX\r\n%s OK done", tag);
  else
    say (client, "%s BAD what is %s?", tag, command);
}

static void
serve (int fd)
{
  Client client = { .fd = fd, .input = g_string_new (NULL) };

  if (!options.starttls)
    secure (&client);
  g_autofree char *offer = capabilities (&client);
  say (&client, "* OK [CAPABILITY %s] ready", offer);
  for (;;)
    {
      g_autofree char *line = listen_to (&client);
      g_auto (GStrv) words = g_strsplit (line, " ", 3);
      if (!words[0] || !words[1])
        say (&client, "* BAD no command");
      else
        {
          g_autofree char *command = g_ascii_strup (words[1], -1);
          obey (&client, words[0], command, words[2] ? words[2] : "");
        }
    }
}

static int
bind_port (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (options.port) };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof (int));
  if (bind (fd, (struct sockaddr *) &address, size) < 0 || listen (fd, 16) < 0
      || getsockname (fd, (struct sockaddr *) &address, &size) < 0)
    die ("cannot listen on port %d: %s", options.port, g_strerror (errno));
  printf ("PORT=%d\nREADY=1\n", ntohs (address.sin_port));
  fflush (stdout);
  return fd;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new ("- an IMAP server with SCRAM-PLUS");
  pid_t parent = getppid ();

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    die ("%s", error->message);
  if (!options.cert || !options.key)
    die ("--cert and --key are needed");
  options.user = options.user ? options.user : "alice";
  options.password = options.password ? options.password : "sekret";
  if (!options.mechanisms)
    options.mechanisms = "SCRAM-SHA-256-PLUS SCRAM-SHA-256";

  signal (SIGCHLD, SIG_IGN);
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  if (getppid () != parent)
    return EXIT_SUCCESS;
  int listener = bind_port ();
  for (;;)
    {
      int fd = accept (listener, NULL, NULL);
      if (fd < 0)
        continue;
      if (fork () == 0)
        {
          prctl (PR_SET_PDEATHSIG, SIGTERM);
          close (listener);
          setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof (int));
          serve (fd);
        }
      close (fd);
    }
}
