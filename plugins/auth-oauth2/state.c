/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * state.c - the refresh token a provider gave in exchange for the configured one
 *
 * Some providers (Microsoft) give a new refresh token with every access token and stop
 * taking the old one. The new one must be on the disk before it is used, and two
 * processes must not renew at once: one file for the lock, one for the token, both the
 * user's alone. The token's file names the configured token it follows on (by hash), so
 * that a new one in the configuration counts at once. */
#include "oauth2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE      (128 * 1024)
/* How often the lock is tried again; the holder is in a request of about a second. */
#define LOCK_EVERY_MS 50

struct State
{
  char *directory, *file;
  int lock;
};

static gboolean
check_wait (const RackWait *wait, gint64 limit, GError **error)
{
  if (wait != NULL && g_cancellable_is_cancelled (wait->cancellable))
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CANCELLED, "cancelled");
  else if (g_get_monotonic_time () >= limit)
    g_set_error_literal (error, RACK_ERROR, RACK_ERROR_TIMEOUT,
                         "another process has been renewing this account's token for too long");
  else
    return TRUE;
  return FALSE;
}

static gboolean
take_lock (int fd, const RackWait *wait, GError **error)
{
  gint64 limit = wait != NULL && wait->deadline > 0
                     ? wait->deadline
                     : g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  while (flock (fd, LOCK_EX | LOCK_NB) < 0)
    {
      if (errno != EWOULDBLOCK && errno != EINTR)
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "locking the token's file: %s",
                       g_strerror (errno));
          return FALSE;
        }
      if (!check_wait (wait, limit, error))
        return FALSE;
      g_usleep (LOCK_EVERY_MS * 1000);
    }
  return TRUE;
}

State *
state_open (RackHost *host, const char *user, const char *token_url, const char *client_id,
            const RackWait *wait, GError **error)
{
  g_autofree char *directory = rack_host_state_dir (host, "oauth2", error);

  if (directory == NULL)
    return NULL;
  g_autofree char *whose = g_strdup_printf ("%s\n%s\n%s", user, token_url, client_id);
  g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, whose, -1);
  g_autofree char *path = g_strdup_printf ("%s/%s.lock", directory, name);
  int lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: %s", path, g_strerror (errno));
      return NULL;
    }
  if (!take_lock (lock, wait, error))
    {
      close (lock);
      return NULL;
    }
  State *state = g_new0 (State, 1);
  state->lock = lock;
  state->file = g_strdup_printf ("%s/%s", directory, name);
  state->directory = g_steal_pointer (&directory);
  return state;
}

void
state_close (State *state)
{
  if (state == NULL)
    return;
  close (state->lock);
  g_free (state->directory);
  g_free (state->file);
  g_free (state);
}

static char *
fingerprint (const RackSecret *configured)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256,
                                      (const guchar *) rack_secret_peek (configured),
                                      rack_secret_size (configured));
}

static gssize
read_all (int fd, char *buffer, gsize size)
{
  gsize at = 0;

  while (at < size)
    {
      gssize n = read (fd, buffer + at, size - at);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      if (n == 0)
        break;
      at += (gsize) n;
    }
  return (gssize) at;
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0)
    {
      gssize n = write (fd, data, size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      size -= (gsize) n;
    }
  return TRUE;
}

/* The file: the fingerprint, a line end, the token. Whatever else it holds counts as none. */
RackSecret *
state_load (State *state, const RackSecret *configured)
{
  RackSecret *found = NULL;
  g_autofree char *mine = fingerprint (configured);
  gsize length = strlen (mine);
  int fd = open (state->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0)
    return NULL;
  char *buffer = g_malloc (MAX_FILE);
  gssize size = read_all (fd, buffer, MAX_FILE);
  close (fd);
  if (size > (gssize) length + 1 && size < MAX_FILE && memcmp (buffer, mine, length) == 0
      && buffer[length] == '\n')
    found = rack_secret_new (buffer + length + 1, size - (gssize) length - 1);
  explicit_bzero (buffer, MAX_FILE);
  g_free (buffer);
  return found;
}

static gboolean
write_file (const char *path, const RackSecret *text)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  gboolean ok = fd >= 0 && write_all (fd, rack_secret_peek (text), rack_secret_size (text))
                && fsync (fd) == 0;
  int saved = errno;

  if (fd >= 0)
    close (fd);
  errno = saved;
  return ok;
}

static void
sync_directory (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0)
    {
      fsync (fd);
      close (fd);
    }
}

gboolean
state_save (State *state, const RackSecret *configured, const RackSecret *refresh_token,
            GError **error)
{
  g_autofree char *fresh = g_strconcat (state->file, ".new", NULL);
  g_autofree char *mine = fingerprint (configured);
  g_autoptr (RackSecret) text =
      rack_secret_printf ("%s\n%s", mine, rack_secret_peek (refresh_token));

  if (write_file (fresh, text) && rename (fresh, state->file) == 0)
    {
      sync_directory (state->directory);
      return TRUE;
    }
  g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "%s: %s", state->file, g_strerror (errno));
  unlink (fresh);
  return FALSE;
}
