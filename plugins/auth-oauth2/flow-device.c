/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flow-device.c - a first token by a code to enter in any browser (RFC 8628)
 *
 * For machines without a browser. The code that is shown is of use only to who may log in at the
 * provider; the one that is not shown is what the token is got with. */
#include "oauth2.h"

/* What RFC 8628 has an application wait more when it is told to slow down. */
#define SLOWER 5

/* FALSE: cancelled. */
static gboolean
sleep_for (gint64 seconds, const RackWait *wait, GError **error)
{
  GPollFD fd;

  if (g_cancellable_make_pollfd (wait->cancellable, &fd))
    {
      g_poll (&fd, 1, (gint) seconds * 1000);
      g_cancellable_release_fd (wait->cancellable);
    }
  else
    g_usleep ((gulong) seconds * G_USEC_PER_SEC);
  if (!g_cancellable_is_cancelled (wait->cancellable))
    return TRUE;
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static gboolean
ask_code (const Config *config, const RackPeer *peer, const RackWait *wait, DeviceGrant *device,
          GError **error)
{
  g_autofree char *url = provider_url (config, peer->host, URL_DEVICE);
  const char *scope = provider_scope (config, peer->host);
  g_auto (HttpAnswer) answer = { 0 };
  Form *form = form_new ();

  form_add_client (form, config);
  if (scope != NULL && *scope != '\0')
    form_add (form, "scope", scope);
  g_autoptr (RackSecret) body = form_finish (form);
  return http_post (url, body, config->ca_file, wait, &answer, error)
         && device_grant_read (device, &answer, error);
}

static void
tell_code (RackHost *host, const DeviceGrant *device)
{
  g_autofree char *uri = rack_text_escape (device->uri, -1);
  g_autofree char *code = rack_text_escape (device->user_code, -1);
  g_autofree char *text =
      g_strdup_printf ("Open %s in a browser, on any machine, and enter this code: %s", uri, code);

  rack_host_tell (host, text);
}

/* Whether the answer is there; a person takes as long as a person takes. */
static gboolean
ask_token (const Config *config, const char *url, const DeviceGrant *device, const RackWait *wait,
           HttpAnswer *answer, GError **error)
{
  Form *form = form_new ();

  form_add (form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
  form_add_secret (form, "device_code", device->device_code);
  form_add_client (form, config);
  g_autoptr (RackSecret) body = form_finish (form);
  http_answer_clear (answer);
  return http_post (url, body, config->ca_file, wait, answer, error);
}

gboolean
flow_device (const Config *config, RackHost *host, const RackPeer *peer, const RackWait *wait,
             Grant *grant, GError **error)
{
  g_autofree char *url = provider_url (config, peer->host, URL_TOKEN);
  g_auto (DeviceGrant) device = { 0 };
  g_auto (HttpAnswer) answer = { 0 };
  gboolean slower;

  if (!ask_code (config, peer, wait, &device, error))
    return FALSE;
  gint64 limit = token_clock () + (device.lifetime > 0 ? device.lifetime : 900) * G_USEC_PER_SEC;
  tell_code (host, &device);
  do
    {
      if (token_clock () > limit)
        {
          g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TIMEOUT,
                               "nobody entered the code in time; run it again for another one");
          return FALSE;
        }
      if (!sleep_for (device.interval, wait, error)
          || !ask_token (config, url, &device, wait, &answer, error))
        return FALSE;
      gboolean pending = grant_is_pending (&answer, &slower);
      if (!pending)
        return grant_read (grant, &answer, error);
      device.interval += slower ? SLOWER : 0;
    }
  while (TRUE);
}
