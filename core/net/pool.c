/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool.c - the connections of one account; the contract is in pool.h */
#include "pool.h"

#include <errno.h>

struct RackSlot
{
  RackConn *conn; /* NULL: free, or being opened */
  gboolean opening;
  guint users, bulk_users, line_users;
  gboolean alone;
  char *mailbox; /* selected, or about to be */
  gboolean read_only;
  RackCall *select;
  gint64 last_used;
  gboolean retire; /* close it when the last user is gone */
};

struct RackPool
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  RackSlot *slots;
  guint max;
  RackPoolOpen open;
  gpointer data;
};

RackPool *
rack_pool_new (guint max, RackPoolOpen open, gpointer data)
{
  RackPool *pool = g_new0 (RackPool, 1);

  pool->max = MAX (max, 1);
  pool->slots = g_new0 (RackSlot, pool->max);
  pool->open = open;
  pool->data = data;
  pthread_mutex_init (&pool->lock, NULL);
  pthread_cond_init (&pool->changed, NULL);
  return pool;
}

/* With the lock held; gives back a connection to be closed without it. */
static RackConn *
empty_slot (RackSlot *slot)
{
  RackConn *conn = g_steal_pointer (&slot->conn);

  g_clear_pointer (&slot->mailbox, g_free);
  g_clear_pointer (&slot->select, rack_call_unref);
  slot->retire = slot->alone = FALSE;
  slot->last_used = 0;
  return conn;
}

static void
close_conn (RackConn *conn, gboolean polite)
{
  if (conn == NULL)
    return;
  rack_conn_close (conn, polite);
  rack_conn_unref (conn);
}

void
rack_pool_disconnect (RackPool *pool)
{
  for (guint i = 0; i < pool->max; i++)
    {
      RackConn *conn = NULL;
      pthread_mutex_lock (&pool->lock);
      pool->slots[i].retire = pool->slots[i].users > 0;
      if (pool->slots[i].users == 0 && !pool->slots[i].opening)
        conn = empty_slot (&pool->slots[i]);
      pthread_mutex_unlock (&pool->lock);
      close_conn (conn, TRUE);
    }
}

void
rack_pool_forget (RackPool *pool, const char *mailbox)
{
  for (guint i = 0; i < pool->max; i++)
    {
      RackSlot *slot = &pool->slots[i];
      RackConn *conn = NULL;
      pthread_mutex_lock (&pool->lock);
      if (g_strcmp0 (slot->mailbox, mailbox) == 0)
        {
          slot->retire = slot->users > 0;
          if (slot->users == 0)
            conn = empty_slot (slot);
        }
      pthread_mutex_unlock (&pool->lock);
      close_conn (conn, FALSE);
    }
}

static gboolean
is_answered (RackCall *select)
{
  pthread_mutex_lock (&select->lock);
  gboolean answered = select->done && select->error == NULL;
  pthread_mutex_unlock (&select->lock);
  return answered;
}

void
rack_pool_outdate (RackPool *pool, const char *mailbox,
                   gboolean (*is_current) (const RackCall *select, gpointer data), gpointer data)
{
  pthread_mutex_lock (&pool->lock);
  for (guint i = 0; i < pool->max; i++)
    {
      RackSlot *slot = &pool->slots[i];
      if (g_strcmp0 (slot->mailbox, mailbox) == 0 && slot->select != NULL
          && is_answered (slot->select) && !is_current (slot->select, data))
        g_clear_pointer (&slot->mailbox, g_free);
    }
  pthread_mutex_unlock (&pool->lock);
}

void
rack_pool_free (RackPool *pool)
{
  if (pool == NULL)
    return;
  rack_pool_disconnect (pool);
  pthread_mutex_destroy (&pool->lock);
  pthread_cond_destroy (&pool->changed);
  g_free (pool->slots);
  g_free (pool);
}

/* ---- Choosing, with the lock held -------------------------------------------------- */

static gboolean
fits (const RackSlot *slot, const char *mailbox, RackLeaseFlags flags)
{
  if (slot->conn == NULL || slot->alone || slot->retire
      || ((flags & RACK_LEASE_ALONE) && slot->users > 0))
    return FALSE;
  if (mailbox == NULL)
    return TRUE;
  return slot->mailbox != NULL && g_strcmp0 (slot->mailbox, mailbox) == 0
         && (!slot->read_only || (flags & RACK_LEASE_READ_ONLY));
}

static guint
bulk_slots (const RackPool *pool)
{
  guint n = 0;

  for (guint i = 0; i < pool->max; i++)
    n += pool->slots[i].bulk_users > 0;
  return n;
}

/* The last connection without long work is kept for what is short. */
static gboolean
may_take (const RackPool *pool, const RackSlot *slot, RackLeaseFlags flags)
{
  return !(flags & RACK_LEASE_BULK) || pool->max == 1 || slot->bulk_users > 0
         || bulk_slots (pool) + 1 < pool->max;
}

/* The best there is at once, or NULL. *shared: somebody else uses it already. */
static RackSlot *
choose (RackPool *pool, const char *mailbox, RackLeaseFlags flags)
{
  RackSlot *same = NULL, *unselected = NULL, *empty = NULL, *oldest = NULL;

  for (guint i = 0; i < pool->max; i++)
    {
      RackSlot *slot = &pool->slots[i];
      if (slot->conn != NULL && !slot->opening && slot->users == 0 && !rack_conn_alive (slot->conn))
        {
          /* Died while nobody looked: its thread has ended, closing does not wait. */
          close_conn (empty_slot (slot), FALSE);
        }
      if (slot->opening || !may_take (pool, slot, flags))
        continue;
      gboolean fit = fits (slot, mailbox, flags) && rack_conn_alive (slot->conn);
      if (fit && (flags & RACK_LEASE_IN_LINE) && slot->line_users > 0)
        return slot;
      if (fit && (same == NULL || slot->users < same->users))
        same = slot;
      else if (slot->conn == NULL)
        empty = empty != NULL ? empty : slot;
      else if (slot->users == 0 && slot->mailbox == NULL)
        unselected = slot;
      else if (slot->users == 0 && (oldest == NULL || slot->last_used < oldest->last_used))
        oldest = slot;
    }
  if (same != NULL && (same->users == 0 || (empty == NULL && unselected == NULL && oldest == NULL)))
    return same;
  /* Short work shares a connection rather than making another; long work spreads out. */
  if (same != NULL && same->bulk_users == 0 && !(flags & RACK_LEASE_BULK))
    return same;
  if (unselected != NULL)
    return unselected;
  return empty != NULL ? empty : oldest;
}

static void
begin_select (RackSlot *slot, const char *mailbox, gboolean read_only)
{
  RackCommand *command = rack_command_new (read_only ? "EXAMINE" : "SELECT");

  rack_command_mailbox (command, mailbox);
  if (rack_conn_has (slot->conn, "CONDSTORE"))
    rack_command_raw (command, "(CONDSTORE)");
  g_free (slot->mailbox);
  slot->mailbox = g_strdup (mailbox);
  slot->read_only = read_only;
  g_clear_pointer (&slot->select, rack_call_unref);
  slot->select = rack_call_new (command);
  slot->select->exchange.mailbox = g_strdup (mailbox);
  rack_conn_post (slot->conn, slot->select);
}

static gboolean
open_slot (RackPool *pool, RackSlot *slot, const RackWait *wait, GError **error)
{
  slot->opening = TRUE;
  pthread_mutex_unlock (&pool->lock);
  RackConn *conn = pool->open (pool->data, wait, error);
  pthread_mutex_lock (&pool->lock);
  slot->opening = FALSE;
  slot->conn = conn;
  pthread_cond_broadcast (&pool->changed);
  return conn != NULL;
}

/* Waits for a release, looking at the deadline and the cancellable ten times a second. */
static gboolean
wait_for_change (RackPool *pool, const RackWait *wait, GError **error)
{
  struct timespec until;

  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_nsec += 100 * 1000 * 1000;
  if (until.tv_nsec >= 1000 * 1000 * 1000)
    {
      until.tv_sec++;
      until.tv_nsec -= 1000 * 1000 * 1000;
    }
  pthread_cond_timedwait (&pool->changed, &pool->lock, &until);
  return rack_wait_check (wait, error);
}

gboolean
rack_pool_acquire (RackPool *pool, const char *mailbox, RackLeaseFlags flags, const RackWait *wait,
                   RackLease *lease, GError **error)
{
  RackSlot *slot;
  gboolean ok = TRUE;

  pthread_mutex_lock (&pool->lock);
  while ((slot = choose (pool, mailbox, flags)) == NULL
         && (ok = wait_for_change (pool, wait, error)))
    ;
  if (ok && slot->conn == NULL)
    ok = open_slot (pool, slot, wait, error);
  if (ok)
    {
      gboolean reused = FALSE;
      gboolean rested = slot->last_used > 0 && slot->users == 0
                        && g_get_monotonic_time () - slot->last_used > G_USEC_PER_SEC;
      gboolean again = (flags & RACK_LEASE_AGAIN) && slot->users == 0;
      if (mailbox != NULL && (again || !fits (slot, mailbox, flags)))
        begin_select (slot, mailbox, (flags & RACK_LEASE_READ_ONLY) != 0);
      else
        reused = mailbox != NULL;
      slot->users++;
      slot->bulk_users += (flags & RACK_LEASE_BULK) != 0;
      slot->line_users += (flags & RACK_LEASE_IN_LINE) != 0;
      slot->alone = (flags & RACK_LEASE_ALONE) != 0;
      *lease = (RackLease){ .slot = slot,
                            .flags = flags,
                            .conn = slot->conn,
                            .select = mailbox != NULL ? slot->select : NULL,
                            .rested = rested,
                            .reused = reused };
    }
  pthread_mutex_unlock (&pool->lock);
  return ok;
}

void
rack_pool_release (RackPool *pool, RackLease *lease, gboolean deselected)
{
  RackSlot *slot = lease->slot;
  RackConn *close = NULL;

  if (slot == NULL)
    return;
  pthread_mutex_lock (&pool->lock);
  slot->users--;
  slot->bulk_users -= (lease->flags & RACK_LEASE_BULK) != 0;
  slot->line_users -= (lease->flags & RACK_LEASE_IN_LINE) != 0;
  slot->alone = FALSE;
  slot->last_used = g_get_monotonic_time ();
  if (deselected)
    g_clear_pointer (&slot->mailbox, g_free);
  if (!rack_conn_alive (slot->conn))
    slot->retire = TRUE;
  if (slot->users == 0 && slot->retire)
    close = empty_slot (slot);
  pthread_cond_broadcast (&pool->changed);
  pthread_mutex_unlock (&pool->lock);
  close_conn (close, FALSE);
  *lease = (RackLease){ .slot = NULL };
}
