/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test-scram.c - the client's side of SCRAM
 *
 * The dialogues of RFC 5802 and RFC 7677 octet by octet, GNU SASL's server as the other
 * side with each channel binding flag, and servers that lie. */
#include "scram.h"

#include <string.h>

static GBytes *
bytes (const char *text)
{
  return g_bytes_new (text, strlen (text));
}

/* One step; NULL when it failed, with error set. */
static char *
step (Scram *scram, const char *challenge, const char *password, GError **error)
{
  g_autoptr (GBytes) data = challenge != NULL ? bytes (challenge) : NULL;
  g_autoptr (RackSecret) secret = rack_secret_new (password, -1);
  g_autoptr (RackSecret) response = NULL;

  if (!scram_step (scram, data, secret, &response, error))
    return NULL;
  g_assert_nonnull (response);
  return g_strdup (rack_secret_peek (response));
}

/* ---- The RFCs' own dialogues ------------------------------------------------------ */

typedef struct
{
  const char *mechanism, *nonce;
  const char *lines[5]; /* client and server in turn */
} Dialogue;

static const Dialogue rfc5802 = {
  "SCRAM-SHA-1",
  "fyko+d2lbbFgONRv9qkxdawL",
  { "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "" },
};

#define RFC7677_CLIENT "rOprNGfwEbeRWgbNEkqO"
#define RFC7677_NONCE  RFC7677_CLIENT "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"

static const Dialogue rfc7677 = {
  "SCRAM-SHA-256",
  RFC7677_CLIENT,
  { "n,,n=user,r=" RFC7677_CLIENT, "r=" RFC7677_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=" RFC7677_NONCE ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "" },
};

static void
test_dialogue (gconstpointer data)
{
  const Dialogue *dialogue = data;
  g_autoptr (GError) error = NULL;
  Scram *scram =
      scram_new (dialogue->mechanism, "user", SCRAM_CANNOT_BIND, NULL, dialogue->nonce, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < 5; i += 2)
    {
      g_assert_false (scram_is_done (scram));
      g_autofree char *got = step (scram, i > 0 ? dialogue->lines[i - 1] : NULL, "pencil", &error);
      g_assert_no_error (error);
      g_assert_cmpstr (got, ==, dialogue->lines[i]);
    }
  g_assert_true (scram_is_done (scram));
  g_assert_null (step (scram, "v=again", "pencil", &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_AUTH);
  scram_free (scram);
}

/* ---- GNU SASL's server --------------------------------------------------------------- */

typedef struct
{
  const char *password, *binding;
} Server;

static int
server_property (Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
  const Server *server = gsasl_session_hook_get (session);

  if (property == GSASL_PASSWORD)
    return gsasl_property_set (session, property, server->password);
  if (property == GSASL_SCRAM_ITER)
    return gsasl_property_set (session, property, "5000");
  if (property == GSASL_CB_TLS_EXPORTER && server->binding != NULL)
    return gsasl_property_set (session, property, server->binding);
  return GSASL_NO_CALLBACK;
}

/* TRUE when both sides are content. */
static gboolean
converse (const char *mechanism, ScramBinding binding, const char *ours, const Server *server,
          const char *user, const char *password)
{
  g_autoptr (GBytes) data = ours != NULL ? bytes (ours) : NULL;
  g_autofree char *line = NULL;
  Gsasl *gsasl;
  Gsasl_session *session;
  int code = GSASL_NEEDS_MORE;
  gboolean ok = TRUE;
  Scram *scram = scram_new (mechanism, user, binding, data, NULL, NULL);

  g_assert_nonnull (scram);
  g_assert_cmpint (gsasl_init (&gsasl), ==, GSASL_OK);
  gsasl_callback_set (gsasl, server_property);
  g_assert_cmpint (gsasl_server_start (gsasl, mechanism, &session), ==, GSASL_OK);
  gsasl_session_hook_set (session, (gpointer) server);
  line = step (scram, NULL, password, NULL);
  while (ok && !scram_is_done (scram))
    {
      char *output = NULL;
      size_t size = 0;
      code = gsasl_step (session, line, strlen (line), &output, &size);
      g_autofree char *challenge = output != NULL ? g_strndup (output, size) : NULL;
      gsasl_free (output);
      g_free (g_steal_pointer (&line));
      ok = (code == GSASL_OK || code == GSASL_NEEDS_MORE) && challenge != NULL
           && (line = step (scram, challenge, password, NULL)) != NULL;
    }
  if (ok)
    g_assert_cmpstr (gsasl_property_fast (session, GSASL_AUTHID), ==, user);
  ok = ok && code == GSASL_OK && scram_is_done (scram);
  gsasl_finish (session);
  gsasl_done (gsasl);
  scram_free (scram);
  return ok;
}

static void
test_gnu_sasl (void)
{
  const char *odd = "a ;b#c%d\"e\\", *umlaut = "Pässwörd", *name = "j=o,e";
  /* "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456" in base64. */
  const char *exporter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456";
  const char *base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=";
  Server plain = { odd, NULL }, utf8 = { umlaut, NULL }, bound = { odd, base64 };

  for (guint i = 0; i < 2; i++)
    {
      const char *mechanism = i == 0 ? "SCRAM-SHA-256" : "SCRAM-SHA-1";
      const char *plus = i == 0 ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-1-PLUS";
      g_assert_true (converse (mechanism, SCRAM_CANNOT_BIND, NULL, &plain, name, odd));
      g_assert_true (converse (mechanism, SCRAM_NOT_OFFERED, NULL, &plain, "joe", odd));
      g_assert_true (converse (mechanism, SCRAM_CANNOT_BIND, NULL, &utf8, "jürgen", umlaut));
      g_assert_false (converse (mechanism, SCRAM_CANNOT_BIND, NULL, &plain, "joe", "wrong"));
      /* A server that does offer -PLUS and hears that it does not: somebody is in between. */
      g_assert_false (converse (mechanism, SCRAM_NOT_OFFERED, NULL, &bound, "joe", odd));
      g_assert_true (converse (mechanism, SCRAM_CANNOT_BIND, NULL, &bound, "joe", odd));
      g_assert_true (converse (plus, SCRAM_TLS_EXPORTER, exporter, &bound, "joe", odd));
      g_assert_false (converse (plus, SCRAM_TLS_EXPORTER, "another connection's value, 32 o",
                                &bound, "joe", odd));
    }
}

/* ---- Servers that lie -------------------------------------------------------------------- */

static void
test_hostile (void)
{
  static const struct
  {
    const char *first, *message;
  } cases[] = {
    { "", "empty" },
    { "r=", "not SCRAM's" },
    { "r=abc", "not SCRAM's" },
    { "r=other,s=QSXCR+Q6sek8bf92,i=4096", "nonce does not begin with ours" },
    { "r=abc,s=QSXCR+Q6sek8bf92,i=4096", "nonce does not begin with ours" },
    { "r=abcd,s=QSXCR+Q6sek8bf92,i=4095", "4095 iterations; 4096 to 1000000 are taken" },
    { "r=abcd,s=QSXCR+Q6sek8bf92,i=1", "1 iterations" },
    { "r=abcd,s=QSXCR+Q6sek8bf92,i=1000001", "1000001 iterations" },
    { "r=abcd,s=QSXCR+Q6sek8bf92,i=99999999999999999999999", "not a number" },
    { "r=abcd,s=QSXCR+Q6sek8bf92,i=-5000", "not a number" },
    { "r=abcd,s=QSXCR+Q6sek8bf92,i=5000x", "not a number" },
    { "r=abcd,s=QSXCR+Q6sek8bf92,i=", "not a number" },
    { "r=abcd,s=,i=5000", "salt is empty" },
    { "r=abcd,i=5000,s=QSXCR+Q6sek8bf92", "not SCRAM's" },
    { "m=x,r=abcd,s=QSXCR+Q6sek8bf92,i=5000", "extension" },
    { "e=unknown-user", "login by SCRAM-SHA-256 refused: unknown-user" },
    { "e=\033[2J", "refused: \\x1b[2J" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      Scram *scram = scram_new ("SCRAM-SHA-256", "joe", SCRAM_CANNOT_BIND, NULL, "abc", NULL);
      g_free (step (scram, NULL, "sekret", NULL));
      g_assert_null (step (scram, cases[i].first, "sekret", &error));
      g_assert_error (error, RACK_ERROR, RACK_ERROR_AUTH);
      if (strstr (error->message, cases[i].message) == NULL)
        g_error ("\"%s\" is not in \"%s\"", cases[i].message, error->message);
      g_assert_false (scram_is_done (scram));
      scram_free (scram);
    }
}

static void
test_signature (void)
{
  static const char *const finals[] = {
    "v=rmF9pqV8S7suAoZWja4dJRkFsKA=", "v=", "v", "x=rmF9", "", "v=AAAA"
  };

  for (guint i = 0; i < G_N_ELEMENTS (finals); i++)
    {
      g_autoptr (GError) error = NULL;
      Scram *scram =
          scram_new ("SCRAM-SHA-1", "user", SCRAM_CANNOT_BIND, NULL, rfc5802.nonce, NULL);
      g_free (step (scram, NULL, "pencil", NULL));
      g_free (step (scram, rfc5802.lines[1], "pencil", NULL));
      g_assert_null (step (scram, finals[i], "pencil", &error));
      g_assert_error (error, RACK_ERROR, RACK_ERROR_AUTH);
      g_assert_false (scram_is_done (scram));
      scram_free (scram);
    }
}

static void
test_names (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (scram_new ("SCRAM-SHA-1", "bell\007", SCRAM_CANNOT_BIND, NULL, NULL, &error));
  g_assert_error (error, RACK_ERROR, RACK_ERROR_AUTH);
  g_assert_nonnull (strstr (error->message, "SASLprep"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/scram/rfc5802", &rfc5802, test_dialogue);
  g_test_add_data_func ("/scram/rfc7677", &rfc7677, test_dialogue);
  g_test_add_func ("/scram/gnu-sasl", test_gnu_sasl);
  g_test_add_func ("/scram/hostile", test_hostile);
  g_test_add_func ("/scram/signature", test_signature);
  g_test_add_func ("/scram/names", test_names);
  return g_test_run ();
}
