/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pages.c - octets are in the kernel before a program reads them
 *
 * Each mailbox that is read in ascending order has a follower: how far the reader has come
 * by its opens, and how far the kernel has been filled. Only reads begin one, so a second pass
 * over what the kernel still has fills nothing. What is not here yet is the mirror's to fetch
 * ahead; it hears of the opens instead of the reads. Storing takes a page's lock, which a read
 * that nobody has answered holds: so only what is here is stored, and never by a thread that
 * answers requests.
 */
#include "pages.h"

#include "inode.h"

#include <unistd.h>

/* At a time. */
#define FOLLOWERS    4
/* UIDs that still count as the next one. */
#define STEP_MAX     64
/* Reads in a row before a reader is followed. */
#define STREAK_MIN   6
/* Larger messages are left to be read. */
#define MESSAGE_MAX  (1 << 20)
#define AHEAD_OCTETS (16 << 20)
#define AHEAD_COUNT  1024
/* When the reader has overtaken the filling, it goes on so many messages further. */
#define LEAD         4
/* With so many opens, and this share of them read in spite of being stored, it is of no use. */
#define TRIED        64
#define USELESS      4

typedef struct
{
  guint32 uid, octets;
} Stored;

typedef struct
{
  guint32 row; /* 0: nobody */
  guint streak;
  gboolean following;
  guint32 read_uid, opened_uid, stored_uid;
  guint opens, vain; /* since it is followed: all, and those read though they had been stored */
  guint64 used;      /* the latest note, for finding the oldest */
  GQueue ahead;      /* of Stored (owned): not opened yet */
  guint64 octets;    /* of those */
} Follower;

struct Pages
{
  Mount *mount;
  pthread_mutex_t mutex;
  pthread_cond_t cond; /* something was noted, or it ends */
  Follower followers[FOLLOWERS];
  guint64 clock;
  gboolean ending;
  GCancellable *cancellable;
  GThread *thread;
  gint ended;    /* atomic */
  guint64 count; /* stored */
  char *buffer;  /* of the thread: MESSAGE_MAX octets */
};

/* ---- Readers; with the mutex held ------------------------------------------------------ */

static Follower *
find_follower (Pages *pages, guint32 row)
{
  for (guint i = 0; i < FOLLOWERS; i++)
    if (pages->followers[i].row == row)
      return &pages->followers[i];
  return NULL;
}

static void
reset (Follower *follower, guint32 row, guint32 uid)
{
  g_queue_clear_full (&follower->ahead, g_free);
  *follower = (Follower){ .row = row, .read_uid = uid };
  g_queue_init (&follower->ahead);
}

static Follower *
replace_oldest (Pages *pages, guint32 row, guint32 uid)
{
  Follower *oldest = &pages->followers[0];
  for (guint i = 1; i < FOLLOWERS; i++)
    if (pages->followers[i].used < oldest->used)
      oldest = &pages->followers[i];
  reset (oldest, row, uid);
  return oldest;
}

static void
pass (Follower *follower, guint32 uid)
{
  Stored *first;
  follower->opened_uid = uid;
  while ((first = g_queue_peek_head (&follower->ahead)) != NULL && first->uid <= uid)
    {
      follower->octets -= first->octets;
      g_free (g_queue_pop_head (&follower->ahead));
    }
}

static gboolean
is_near (guint32 from, guint32 to)
{
  return to > from && to - from <= STEP_MAX;
}

static void
note_step (Follower *follower, guint32 uid, gboolean whole)
{
  if (uid < follower->read_uid && is_near (uid, follower->read_uid))
    return; /* a slower thread of the same reader */
  if (!whole || !is_near (follower->read_uid, uid))
    {
      reset (follower, follower->row, uid);
      return;
    }
  follower->read_uid = uid;
  if (++follower->streak < STREAK_MIN || follower->following)
    return;
  follower->following = TRUE;
  follower->opened_uid = follower->stored_uid = uid;
}

/* A stored message was asked for all the same: now and then it is not there in time, but if it
 * happens often the kernel has no room for it. */
static void
note_vain (Follower *follower)
{
  follower->vain++;
  if (follower->opens > TRIED && follower->vain > follower->opens / USELESS)
    reset (follower, follower->row, follower->opened_uid);
}

void
pages_note_read (Pages *pages, fuse_ino_t ino, gboolean whole)
{
  guint32 row = inode_row (ino), uid = inode_uid (ino);
  pthread_mutex_lock (&pages->mutex);
  Follower *follower = find_follower (pages, row);
  if (follower == NULL)
    follower = replace_oldest (pages, row, uid);
  else if (!follower->following)
    note_step (follower, uid, whole);
  else if (uid <= follower->stored_uid)
    note_vain (follower);
  follower->used = ++pages->clock;
  gboolean wake = follower->following;
  pthread_mutex_unlock (&pages->mutex);
  if (wake)
    pthread_cond_signal (&pages->cond);
}

void
pages_note_open (Pages *pages, fuse_ino_t ino)
{
  guint32 row = inode_row (ino), uid = inode_uid (ino);
  pthread_mutex_lock (&pages->mutex);
  Follower *follower = find_follower (pages, row);
  gboolean follows = follower != NULL && follower->following && is_near (follower->opened_uid, uid);
  if (follows)
    {
      follower->opens++;
      follower->used = ++pages->clock;
      pass (follower, uid);
    }
  pthread_mutex_unlock (&pages->mutex);
  if (!follows)
    return;
  pthread_cond_signal (&pages->cond);
  RackFolder *folder = rack_mirror_folder_by_row (pages->mount->mirror, row);
  if (folder != NULL)
    rack_folder_follow (folder, row, uid);
}

guint64
pages_count (Pages *pages)
{
  pthread_mutex_lock (&pages->mutex);
  guint64 count = pages->count;
  pthread_mutex_unlock (&pages->mutex);
  return count;
}

/* ---- Filling; without the mutex ---------------------------------------------------------- */

static gboolean
read_octets (Pages *pages, RackBody *body, guint64 size)
{
  guint64 offset, total, have = 0;
  int fd = rack_body_file (body, &offset, &total);
  if (total != size)
    return FALSE;
  while (have < size)
    {
      ssize_t got = pread (fd, pages->buffer + have, size - have, (off_t) (offset + have));
      if (got <= 0)
        return FALSE;
      have += (guint64) got;
    }
  return TRUE;
}

/* Returns: whether more may be stored: FALSE if it is not here and nobody fetches it. */
static gboolean
store (Pages *pages, guint32 row, const RackEntry *entry)
{
  RackFolder *folder = rack_mirror_folder_by_row (pages->mount->mirror, row);
  g_autoptr (RackBody) body = folder != NULL ? rack_folder_body (folder, row, entry->uid) : NULL;
  if (body == NULL || !rack_body_await (body, pages->cancellable))
    return FALSE;
  struct fuse_bufvec octets = FUSE_BUFVEC_INIT (entry->size);
  octets.buf[0].mem = pages->buffer;
  /* What the kernel believes of its size is corrected when it is opened. */
  if (!entry->corrected && read_octets (pages, body, entry->size))
    fuse_lowlevel_notify_store (pages->mount->session, inode_of_message (row, entry->uid), 0,
                                &octets, 0);
  return TRUE;
}

/* ---- The thread -------------------------------------------------------------------------- */

static gboolean
has_room (const Follower *follower)
{
  return follower->following && follower->octets < AHEAD_OCTETS
         && follower->ahead.length < AHEAD_COUNT;
}

/* With the mutex held. */
static Follower *
next_follower (Pages *pages)
{
  Follower *next = NULL;
  for (guint i = 0; i < FOLLOWERS; i++)
    if (has_room (&pages->followers[i])
        && (next == NULL || pages->followers[i].octets < next->octets))
      next = &pages->followers[i];
  return next;
}

/* Fills what comes after the follower's last, at most one. Returns: whether anything was done. With
 * the mutex held, which is let go meanwhile. */
static gboolean
fill_one (Pages *pages, Follower *follower)
{
  RackEntry entries[1 + LEAD];
  guint32 row = follower->row;
  gboolean late = follower->stored_uid <= follower->opened_uid;
  guint32 after = MAX (follower->stored_uid, follower->opened_uid);
  pthread_mutex_unlock (&pages->mutex);
  RackFolder *folder = rack_mirror_folder_by_row (pages->mount->mirror, row);
  guint n =
      folder != NULL ? rack_folder_stat_entries (folder, after, entries, late ? 1 + LEAD : 1) : 0;
  const RackEntry *entry = n > 0 ? &entries[n - 1] : NULL;
  gboolean fits = entry != NULL && entry->size <= MESSAGE_MAX;
  gboolean stored = fits && store (pages, row, entry);
  pthread_mutex_lock (&pages->mutex);
  if (follower->row != row || !follower->following || entry == NULL || (fits && !stored))
    return FALSE;
  follower->stored_uid = entry->uid;
  pages->count += stored;
  if (stored && entry->uid > follower->opened_uid)
    {
      Stored *one = g_new (Stored, 1);
      *one = (Stored){ entry->uid, (guint32) entry->size };
      g_queue_push_tail (&follower->ahead, one);
      follower->octets += entry->size;
    }
  return TRUE;
}

static gpointer
run (gpointer data)
{
  Pages *pages = data;
  pthread_mutex_lock (&pages->mutex);
  while (!pages->ending)
    {
      Follower *follower = next_follower (pages);
      if (follower == NULL || !fill_one (pages, follower))
        pthread_cond_wait (&pages->cond, &pages->mutex);
    }
  pthread_mutex_unlock (&pages->mutex);
  g_atomic_int_set (&pages->ended, 1);
  return NULL;
}

Pages *
pages_start (Mount *mount)
{
  Pages *pages = g_new0 (Pages, 1);
  pages->mount = mount;
  pthread_mutex_init (&pages->mutex, NULL);
  pthread_cond_init (&pages->cond, NULL);
  for (guint i = 0; i < FOLLOWERS; i++)
    reset (&pages->followers[i], 0, 0);
  pages->cancellable = g_cancellable_new ();
  pages->buffer = g_malloc (MESSAGE_MAX);
  pages->thread = g_thread_new ("mount-pages", run, pages);
  return pages;
}

gboolean
pages_stop (Pages *pages)
{
  pthread_mutex_lock (&pages->mutex);
  pages->ending = TRUE;
  pthread_mutex_unlock (&pages->mutex);
  pthread_cond_signal (&pages->cond);
  g_cancellable_cancel (pages->cancellable);
  if (!thread_ended (&pages->ended))
    return FALSE;
  g_thread_join (pages->thread);
  for (guint i = 0; i < FOLLOWERS; i++)
    reset (&pages->followers[i], 0, 0);
  g_object_unref (pages->cancellable);
  g_free (pages->buffer);
  pthread_cond_destroy (&pages->cond);
  pthread_mutex_destroy (&pages->mutex);
  g_free (pages);
  return TRUE;
}
