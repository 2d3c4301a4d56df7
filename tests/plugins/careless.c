/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * careless.c - plugins whose callbacks fail as their authors did not mean to
 *
 * Built as an auth and as a transport plugin. The key careless_at says which callback goes wrong:
 * it fails without an error, or with one of another domain, or gives half a stream. What core
 * makes of it is in test_careless.py. */
#include <mailrack/mailrack-plugin.h>

typedef enum
{
  AT_NOTHING,
  AT_OPEN,
  AT_START,
  AT_STEP,
  AT_ACCEPTED,
  AT_CONNECT,
  AT_OPS,
  AT_OPS_SIZE,
  AT_OPS_WRITE,
  AT_READ,
  AT_UPGRADE,
} Place;

typedef struct
{
  Place at;
  gboolean foreign;
} Config;

static const char *const places[] = { "nothing", "open", "start",    "step", "accepted", "connect",
                                      "ops",     "size", "no-write", "read", "upgrade",  NULL };

static const RackParam params[] = {
  RACK_PARAM_ENUM (Config, at, "careless_at", places, OPTIONAL, "nothing", "What goes wrong."),
  RACK_PARAM (Config, foreign, "careless_foreign", BOOL, OPTIONAL, "no",
              "Sets an error of another domain instead of none."),
  RACK_PARAM_END,
};

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO, "careless", "Fails without a word", "1", params, sizeof (Config),
};

/* Whether to fail here; core sees in *error what there was of an explanation. */
static gboolean
fails (const Config *config, Place here, GError **error)
{
  if (config->at != here)
    return FALSE;
  if (config->foreign)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "said in words of another domain");
  return TRUE;
}

static gpointer
careless_open (gconstpointer config, RackHost *host, GError **error)
{
  return fails ((const Config *) config, AT_OPEN, error) ? NULL : (gpointer) config;
}

#ifdef CARELESS_AUTH
typedef struct
{
  const Config *config;
  char *user;
} Attempt;

static gpointer
careless_start (gpointer account, const RackMechanism *mechanism, const RackPeer *peer,
                const RackWait *wait, GError **error)
{
  if (fails (account, AT_START, error))
    return NULL;
  Attempt *attempt = g_new0 (Attempt, 1);
  attempt->config = account;
  attempt->user = g_strdup (peer->user);
  return attempt;
}

static gboolean
careless_step (gpointer data, GBytes *challenge, RackSecret **response, const RackWait *wait,
               GError **error)
{
  Attempt *attempt = data;

  /* A response beside a failure is core's to free. */
  *response = rack_secret_printf ("%c%s%c%s", 0, attempt->user, 0, g_getenv ("ANSWER"));
  return !fails (attempt->config, AT_STEP, error);
}

static gboolean
careless_accepted (gpointer data, GError **error)
{
  return !fails (((Attempt *) data)->config, AT_ACCEPTED, error);
}

static void
careless_end (gpointer data)
{
  g_free (((Attempt *) data)->user);
  g_free (data);
}

static const RackMechanism mechanisms[] = { { "PLAIN", RACK_MECHANISM_PLAIN_TEXT }, { NULL, 0 } };
static const RackAuthPlugin plugin = {
  .info = &info,
  .mechanisms = mechanisms,
  .mechanism_size = sizeof (RackMechanism),
  .open = careless_open,
  .start = careless_start,
  .step = careless_step,
  .accepted = careless_accepted,
  .end = careless_end,
};
RACK_REGISTER_AUTH (plugin)
#endif

#ifdef CARELESS_TRANSPORT
static gssize
careless_read (RackStream *stream, void *data, gsize size, GError **error)
{
  return -1;
}

static gssize
careless_write (RackStream *stream, const void *data, gsize size, GError **error)
{
  return -1;
}

/* Always ready to be read. */
static int
careless_fd (RackStream *stream)
{
  return 0;
}

static void
careless_close (RackStream *stream)
{
}

static RackStream *
broken_stream (Place at)
{
  static RackStreamOps ops;
  static RackStream stream;

  ops = (RackStreamOps){
    .size = at == AT_OPS_SIZE ? 0 : sizeof (RackStreamOps),
    .read = careless_read,
    .write = at == AT_OPS_WRITE ? NULL : careless_write,
    .fd = careless_fd,
    .close = careless_close,
  };
  stream = (RackStream){ .ops = at == AT_OPS ? NULL : &ops };
  return &stream;
}

static RackStream *
careless_connect (gpointer self, const RackPeer *peer, const RackWait *wait, GError **error)
{
  const Config *config = self;

  if (fails (config, AT_CONNECT, error))
    return NULL;
  if (config->at >= AT_OPS && config->at <= AT_READ)
    return broken_stream (config->at);
  return rack_tcp_connect (peer->host, peer->port, wait, error);
}

static RackStream *
careless_upgrade (gpointer self, RackStream *plain, const RackPeer *peer, const RackWait *wait,
                  GError **error)
{
  plain->ops->close (plain);
  fails (self, AT_UPGRADE, error);
  return NULL;
}

static const RackTransportPlugin plugin = {
  .info = &info,
  .default_port = 143,
  .open = careless_open,
  .connect = careless_connect,
  .upgrade = careless_upgrade,
};
RACK_REGISTER_TRANSPORT (plugin)
#endif
