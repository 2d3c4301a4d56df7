/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scram.c - the client's side of SCRAM (RFC 5802, RFC 7677)
 *
 * Strict where a hostile server could gain: the nonce must begin with ours, the number
 * of iterations is bounded, an extension that must be understood is refused, and the
 * server's signature is compared before the dialogue counts as done. */
#include "scram.h"

#include <nettle/pbkdf2.h>
#include <string.h>

/* RFC 7677 asks for at least 4096; above the other a login takes many seconds, which a
 * hostile server must not be able to ask for. */
#define MIN_ITERATIONS 4096
#define MAX_ITERATIONS 1000000

#define NONCE_SIZE 18
#define MAX_SALT   1024
#define MAX_DIGEST 32

typedef enum
{
  SCRAM_FIRST,
  SCRAM_FINAL,
  SCRAM_VERIFY,
  SCRAM_DONE,
} ScramState;

struct Scram
{
  char *name; /* of the mechanism */
  Gsasl_hash hash;
  GChecksumType checksum;
  gsize digest;
  ScramState state;
  char *header; /* gs2-header: "n,,", "y,,", "p=tls-exporter,," */
  GBytes *data;
  char *nonce;
  char *bare; /* client-first-message-bare */
  guint8 signature[MAX_DIGEST];
};

/* "=" and "," have a meaning in a name (RFC 5802 §5.1). */
static char *
escape_name (const char *name)
{
  GString *out = g_string_new (NULL);

  for (; *name != '\0'; name++)
    if (*name == '=' || *name == ',')
      g_string_append (out, *name == '=' ? "=3D" : "=2C");
    else
      g_string_append_c (out, *name);
  return g_string_free (out, FALSE);
}

static char *
make_nonce (void)
{
  char octets[NONCE_SIZE];

  if (gsasl_nonce (octets, sizeof octets) != GSASL_OK)
    return NULL;
  return g_base64_encode ((const guchar *) octets, sizeof octets);
}

Scram *
scram_new (const char *name, const char *user, ScramBinding binding, GBytes *data,
           const char *nonce, GError **error)
{
  char *prepared = NULL;

  if (gsasl_saslprep (user, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) != GSASL_OK)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                   "%s: the user name has characters that cannot be used in one (SASLprep, RFC "
                   "4013)",
                   name);
      return NULL;
    }
  g_autofree char *escaped = escape_name (prepared);
  gsasl_free (prepared);

  gboolean sha1 = g_str_has_prefix (name, "SCRAM-SHA-1");
  Scram *self = g_new0 (Scram, 1);
  self->name = g_strdup (name);
  self->hash = sha1 ? GSASL_HASH_SHA1 : GSASL_HASH_SHA256;
  self->checksum = sha1 ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256;
  self->digest = sha1 ? GSASL_HASH_SHA1_SIZE : GSASL_HASH_SHA256_SIZE;
  self->header = binding == SCRAM_TLS_EXPORTER ? g_strdup ("p=tls-exporter,,")
                                               : g_strdup_printf ("%c,,", (char) binding);
  self->data = data != NULL ? g_bytes_ref (data) : NULL;
  self->nonce = nonce != NULL ? g_strdup (nonce) : make_nonce ();
  if (self->nonce != NULL)
    {
      self->bare = g_strdup_printf ("n=%s,r=%s", escaped, self->nonce);
      return self;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "%s: no random numbers are to be had", name);
  scram_free (self);
  return NULL;
}

void
scram_free (Scram *self)
{
  if (self == NULL)
    return;
  explicit_bzero (self->signature, sizeof self->signature);
  g_clear_pointer (&self->data, g_bytes_unref);
  g_free (self->name);
  g_free (self->header);
  g_free (self->nonce);
  g_free (self->bare);
  g_free (self);
}

gboolean
scram_is_done (const Scram *self)
{
  return self->state == SCRAM_DONE;
}

/* ---- The server's first message ------------------------------------------------------ */

typedef struct
{
  char *nonce;
  guchar *salt;
  gsize salt_size;
  guint iterations;
} ServerFirst;

static void
server_first_clear (ServerFirst *self)
{
  g_free (self->nonce);
  g_free (self->salt);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ServerFirst, server_first_clear)

static gboolean
refuse (const Scram *self, const char *why, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "%s: %s", self->name, why);
  return FALSE;
}

static gboolean
parse_iterations (const Scram *self, const char *text, guint *iterations, GError **error)
{
  guint64 n = 0;
  gboolean number = g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &n, NULL);

  if (!number)
    return refuse (self, "the server's number of iterations is not a number", error);
  if (n < MIN_ITERATIONS || n > MAX_ITERATIONS)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH,
                   "%s: the server asks for %" G_GUINT64_FORMAT " iterations; %d to %d are taken",
                   self->name, n, MIN_ITERATIONS, MAX_ITERATIONS);
      return FALSE;
    }
  *iterations = (guint) n;
  return TRUE;
}

/* "r=NONCE,s=SALT,i=COUNT", then extensions, which may be ignored. */
static gboolean
parse_first (const Scram *self, const char *text, ServerFirst *first, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", 16);

  if (g_str_has_prefix (text, "m="))
    return refuse (self, "the server wants an extension that nobody has defined", error);
  if (g_strv_length (parts) < 3 || !g_str_has_prefix (parts[0], "r=")
      || !g_str_has_prefix (parts[1], "s=") || !g_str_has_prefix (parts[2], "i="))
    return refuse (self, "the server's first message is not SCRAM's", error);
  if (!g_str_has_prefix (parts[0] + 2, self->nonce)
      || strlen (parts[0] + 2) <= strlen (self->nonce))
    return refuse (self, "the server's nonce does not begin with ours", error);
  if (!parse_iterations (self, parts[2] + 2, &first->iterations, error))
    return FALSE;
  first->nonce = g_strdup (parts[0] + 2);
  first->salt = g_base64_decode (parts[1] + 2, &first->salt_size);
  if (first->salt_size == 0 || first->salt_size > MAX_SALT)
    return refuse (self, "the server's salt is empty or too long", error);
  return TRUE;
}

/* ---- Proof and signature ------------------------------------------------------------- */

static void
hmac (const Scram *self, const char *key, const char *text, guint8 *out)
{
  gsize size = MAX_DIGEST;
  GHmac *state = g_hmac_new (self->checksum, (const guchar *) key, self->digest);

  g_hmac_update (state, (const guchar *) text, -1);
  g_hmac_get_digest (state, out, &size);
  g_hmac_unref (state);
}

static char *
binding_text (const Scram *self)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  gsize size = 0;
  gconstpointer data = self->data != NULL ? g_bytes_get_data (self->data, &size) : NULL;

  g_byte_array_append (input, (const guint8 *) self->header, (guint) strlen (self->header));
  if (size > 0)
    g_byte_array_append (input, data, (guint) size);
  return g_base64_encode (input->data, input->len);
}

/* As gsasl_scram_secrets_from_password(), which takes 5 ms for 4096 rounds where Nettle, which
 * GnuTLS has loaded already, takes 0.7. Returns: GSASL_OK, or why not. */
static int
derive (const Scram *self, const RackSecret *password, const ServerFirst *first, char *client,
        char *server, char *stored)
{
  char salted[MAX_DIGEST];
  char *prepared = NULL;
  int code = gsasl_saslprep (rack_secret_peek (password), 0, &prepared, NULL);

  if (code != GSASL_OK)
    return code;
  (self->hash == GSASL_HASH_SHA1 ? pbkdf2_hmac_sha1 : pbkdf2_hmac_sha256) (
      strlen (prepared), (const guint8 *) prepared, first->iterations, first->salt_size,
      first->salt, self->digest, (guint8 *) salted);
  explicit_bzero (prepared, strlen (prepared));
  gsasl_free (prepared);
  code = gsasl_scram_secrets_from_salted_password (self->hash, salted, client, server, stored);
  explicit_bzero (salted, sizeof salted);
  return code;
}

static gboolean
answer_first (Scram *self, const char *text, const RackSecret *password, RackSecret **response,
              GError **error)
{
  g_auto (ServerFirst) first = { 0 };
  char client[MAX_DIGEST], server[MAX_DIGEST], stored[MAX_DIGEST];
  guint8 proof[MAX_DIGEST];

  if (!parse_first (self, text, &first, error))
    return FALSE;
  int code = derive (self, password, &first, client, server, stored);
  if (code != GSASL_OK)
    return refuse (self,
                   code == GSASL_SASLPREP_ERROR
                       ? "the password has characters that cannot be used in one (SASLprep, RFC "
                         "4013)"
                       : gsasl_strerror (code),
                   error);
  g_autofree char *binding = binding_text (self);
  g_autofree char *final = g_strdup_printf ("c=%s,r=%s", binding, first.nonce);
  g_autofree char *message = g_strdup_printf ("%s,%s,%s", self->bare, text, final);
  hmac (self, stored, message, proof);
  hmac (self, server, message, self->signature);
  for (gsize i = 0; i < self->digest; i++)
    proof[i] ^= (guint8) client[i];
  g_autofree char *shown = g_base64_encode (proof, self->digest);
  *response = rack_secret_printf ("%s,p=%s", final, shown);
  explicit_bzero (client, sizeof client);
  explicit_bzero (server, sizeof server);
  explicit_bzero (stored, sizeof stored);
  return TRUE;
}

/* "v=SIGNATURE", or "e=ERROR", which check_error() has seen. */
static gboolean
verify (Scram *self, const char *text, GError **error)
{
  gsize size = 0;
  guint8 different = 0;
  g_auto (GStrv) parts = g_strsplit (text, ",", 2);
  g_autofree guchar *theirs = parts[0] != NULL && g_str_has_prefix (parts[0], "v=")
                                  ? g_base64_decode (parts[0] + 2, &size)
                                  : NULL;

  if (size == self->digest)
    for (gsize i = 0; i < size; i++)
      different |= theirs[i] ^ self->signature[i];
  if (size == self->digest && different == 0)
    return TRUE;
  return refuse (self, "the server did not prove that it knows the password", error);
}

static gboolean
check_error (const Scram *self, const char *text, GError **error)
{
  if (!g_str_has_prefix (text, "e="))
    return TRUE;
  g_autofree char *safe = rack_text_escape (text + 2, -1);
  g_set_error (error, RACK_ERROR, RACK_ERROR_AUTH, "login by %s refused: %s", self->name, safe);
  return FALSE;
}

gboolean
scram_step (Scram *self, GBytes *challenge, const RackSecret *password, RackSecret **response,
            GError **error)
{
  gsize size = 0;
  const char *data = challenge != NULL ? g_bytes_get_data (challenge, &size) : NULL;

  if (self->state == SCRAM_FIRST)
    {
      /* A server that got no initial response sends an empty challenge. */
      if (size > 0)
        return refuse (self, "the server speaks before its turn", error);
      *response = rack_secret_printf ("%s%s", self->header, self->bare);
      self->state = SCRAM_FINAL;
      return TRUE;
    }
  if (self->state == SCRAM_DONE)
    return refuse (self, "the server asks on after the end of the dialogue", error);
  if (size == 0 || memchr (data, '\0', size) != NULL)
    return refuse (self, "the server's message is empty or holds a NUL", error);
  g_autofree char *text = g_strndup (data, size);
  if (!check_error (self, text, error))
    return FALSE;
  if (self->state == SCRAM_FINAL)
    {
      if (!answer_first (self, text, password, response, error))
        return FALSE;
      self->state = SCRAM_VERIFY;
      return TRUE;
    }
  if (!verify (self, text, error))
    return FALSE;
  *response = rack_secret_new ("", 0);
  self->state = SCRAM_DONE;
  return TRUE;
}
