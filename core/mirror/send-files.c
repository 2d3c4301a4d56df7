/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * send-files.c - local files become messages on the server
 *
 * APPEND is the one command that must neither be lost nor be done twice. So before a batch goes it
 * is written down what the mailbox would call its next message; a file whose answer was lost is
 * looked for from there on, by its octets, before it is sent again.
 */
#include "outbox.h"
#include "replaced.h"
#include "send.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK           (64 * 1024)
/* In one command. */
#define TOGETHER_MAX    100
#define TOGETHER_OCTETS (8 << 20)

typedef struct
{
  RackOutbox *outbox;
  RackMirror *mirror;
  RackFolder *folder;
  guint32 mark_validity, mark_next;
  char *chunk;
  gboolean can_replace;
  RackSet *gone; /* those that went as others took their place */
  guint32 gone_validity;
} Send;

/* ---- Ends ----------------------------------------------------------------------------------- */

static void
claim (RackFolder *folder, guint32 uid_validity, guint32 uid)
{
  pthread_mutex_lock (&folder->mutex);
  if (rack_overlay_is_about (&folder->overlay, uid_validity) && uid != 0)
    rack_overlay_claim (&folder->overlay, uid);
  pthread_mutex_unlock (&folder->mutex);
}

/* As the file is called, before anybody sees it. */
static void
name_message (RackLocal *local, guint32 uid_validity, guint32 uid)
{
  RackFolder *folder = local->folder;
  char base[RACK_ENTRY_NAME_SIZE];
  pthread_mutex_lock (&folder->mutex);
  if (folder->overlay.uid_validity != uid_validity)
    ;
  else if (local->space == 0)
    rack_overlay_name (&folder->overlay, uid, local->name);
  else if (rack_entry_name_base (local->name, base))
    rack_overlay_set_base (&folder->overlay, uid, base, local->space);
  if (folder->overlay.uid_validity == uid_validity)
    rack_overlay_set_number (&folder->overlay, uid, local->number);
  pthread_mutex_unlock (&folder->mutex);
}

static gboolean
note_name (RackJournal *journal, const RackLocal *local)
{
  const char *mailbox = local->folder->mailbox;
  char base[RACK_ENTRY_NAME_SIZE];
  if (local->space == 0)
    return rack_journal_put_name (journal, mailbox, local->validity, local->uid, local->name, NULL);
  return !rack_entry_name_base (local->name, base)
         || rack_journal_put_base (journal, mailbox, local->validity, local->uid, base,
                                   local->space, NULL);
}

static void
succeed (Send *send, RackLocal *local, guint32 uid_validity, guint32 uid)
{
  RackOutbox *outbox = send->outbox;
  RackFolder *folder = send->folder;
  pthread_mutex_lock (&outbox->mutex);
  claim (folder, uid_validity, uid);
  if (uid != 0)
    name_message (local, uid_validity, uid);
  pthread_mutex_lock (&outbox->shown);
  local->validity = uid_validity;
  local->uid = uid;
  pthread_mutex_unlock (&outbox->shown);
  local->touched = g_get_monotonic_time ();
  local->mark_next = 0;
  local->unsettled = TRUE;
  rack_local_become (local, RACK_LOCAL_SENT);
  pthread_cond_broadcast (&outbox->settled);
  pthread_mutex_unlock (&outbox->mutex);
}

static gboolean
note_one (RackOutbox *outbox, RackLocal *local)
{
  RackJournal *journal = outbox->journal;
  return rack_journal_remove_local (journal, local->id, NULL)
         && (local->uid == 0 || note_name (journal, local))
         && rack_replaced_let_go (outbox, local, NULL);
}

void
rack_send_note (RackOutbox *outbox)
{
  g_autoptr (GPtrArray) sent = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer one;
  g_hash_table_iter_init (&iter, outbox->locals);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    if (((RackLocal *) one)->state == RACK_LOCAL_SENT && ((RackLocal *) one)->unsettled)
      g_ptr_array_add (sent, one);
  if (sent->len == 0)
    return;
  gboolean begun = rack_journal_begin (outbox->journal, NULL), ok = begun;
  for (guint i = 0; ok && i < sent->len; i++)
    ok = note_one (outbox, sent->pdata[i]);
  if (begun)
    ok = rack_journal_end (outbox->journal, ok, NULL);
  for (guint i = 0; ok && i < sent->len; i++)
    ((RackLocal *) sent->pdata[i])->unsettled = FALSE;
}

/* One that may be there all the same keeps its mark, for when a person says that it is to be tried
 * again. */
static void
refuse (Send *send, RackLocal *local, const GError *problem)
{
  RackOutbox *outbox = send->outbox;
  pthread_mutex_lock (&outbox->mutex);
  g_free (local->problem);
  local->problem = g_strdup (problem->message);
  local->tries++;
  rack_local_become (local, RACK_LOCAL_FAILED);
  rack_local_write (local, NULL);
  rack_outbox_fail (outbox, local->ticket, g_error_copy (problem));
  rack_outbox_tell (send->folder, local->space, local->name);
  pthread_cond_broadcast (&outbox->settled);
  pthread_mutex_unlock (&outbox->mutex);
  if (g_error_matches (problem, RACK_ERROR, RACK_ERROR_DENIED))
    rack_limits_doubt (send->folder);
}

/* Not sent; problem NULL: nobody tried. unknown: the server may have it. */
static void
put_off (Send *send, RackLocal *local, const GError *problem, gboolean unknown)
{
  pthread_mutex_lock (&send->outbox->mutex);
  rack_local_become (local, RACK_LOCAL_QUEUED);
  if (!unknown)
    local->mark_next = 0;
  if (problem != NULL)
    {
      local->tries++;
      g_free (local->problem);
      local->problem = g_strdup (problem->message);
      if (rack_send_is_for_now (problem))
        rack_put_off (&local->off, local->tries, problem);
      pthread_cond_broadcast (&send->outbox->settled);
    }
  /* The row may go on saying that it may be there: that is looked at once more, no harm. */
  pthread_mutex_unlock (&send->outbox->mutex);
}

/* ---- One file ----------------------------------------------------------------------------- */

static gboolean
fail_reading (RackLocal *local, GError **error)
{
  g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "%s cannot be read: %s", local->name,
               errno != 0 ? g_strerror (errno) : "it became shorter");
  return FALSE;
}

static gboolean
pump (Send *send, RackLocal *local, int fd, guint64 size, RackAppend *append, GError **error)
{
  for (guint64 at = 0; at < size;)
    {
      errno = 0;
      ssize_t got = pread (fd, send->chunk, MIN (CHUNK, size - at), (off_t) at);
      if (got <= 0)
        return fail_reading (local, error);
      if (!rack_append_write (append, send->chunk, (gsize) got, error))
        return FALSE;
      at += (guint64) got;
    }
  return TRUE;
}

/* What is said of a file beside its octets. words: (owned) its keywords. */
static gboolean
fill_item (RackLocal *local, RackAppendItem *item, char ***words, GError **error)
{
  RackLocalFacts facts;
  *words = g_strsplit (local->keywords, " ", -1);
  gboolean none = (*words)[0] == NULL || *(*words)[0] == '\0';
  if (rack_local_file (local, error) < 0)
    {
      if (error != NULL && *error != NULL)
        (*error)->code = RACK_ERROR_INVALID; /* asking again is no use */
      return FALSE;
    }
  rack_local_facts (local, &facts);
  *item = (RackAppendItem){
    .size = facts.size,
    .flags = local->flags,
    .keywords = none ? NULL : (const char *const *) *words,
    .date = facts.mtime / 1000000000,
  };
  return TRUE;
}

/* n files in one command. *uids: (owned) in their order, or empty. */
static gboolean
append (Send *send, RackLocal *const *locals, guint n, guint32 *uid_validity, RackSet **uids,
        GError **error)
{
  g_autofree RackAppendItem *items = g_new0 (RackAppendItem, n);
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  for (guint i = 0; i < n; i++)
    {
      char **own = NULL;
      gboolean ok = fill_item (locals[i], &items[i], &own, error);
      g_ptr_array_add (words, own);
      if (!ok)
        return FALSE;
    }
  g_autoptr (RackAppend) append = rack_append_new_many (
      send->mirror->account, send->folder->mailbox, items, n, send->mirror->cancellable, error);
  if (append == NULL)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!pump (send, locals[i], rack_local_file (locals[i], NULL), items[i].size, append, error))
      return FALSE;
  return rack_append_finish_many (append, uid_validity, uids, error);
}

static gboolean
is_to_replace (const Send *send, const RackLocal *local)
{
  return send->can_replace && local->replaces != 0 && local->replaces_validity != 0;
}

/* As append(), in place of what is there: with one command neither is ever missing. */
static gboolean
replace (Send *send, RackLocal *local, guint32 *uid_validity, RackSet **uids, GError **error)
{
  RackAppendItem item;
  g_auto (GStrv) words = NULL;
  if (!fill_item (local, &item, &words, error))
    return FALSE;
  g_autoptr (RackMailbox) mailbox = rack_mailbox_bind (send->mirror->account, send->folder->mailbox,
                                                       FALSE, local->replaces_validity);
  g_autoptr (RackAppend) append =
      rack_append_new_replacing (mailbox, local->replaces, &item, send->mirror->cancellable, error);
  if (append == NULL || !pump (send, local, rack_local_file (local, NULL), item.size, append, error)
      || !rack_append_finish_many (append, uid_validity, uids, error))
    return FALSE;
  local->replaced = TRUE;
  send->gone_validity = local->replaces_validity;
  rack_set_add (send->gone, local->replaces, local->replaces);
  return TRUE;
}

/* What was not replaced may be appended all the same, unless it is the new one that is unwanted. */
static gboolean
may_append (const GError *problem)
{
  return rack_send_is_final (problem) && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_QUOTA)
         && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_TOO_LARGE);
}

static gboolean
send_octets (Send *send, RackLocal *local, guint32 *uid_validity, RackSet **uids, GError **error)
{
  g_autoptr (GError) problem = NULL;
  if (!is_to_replace (send, local))
    return append (send, &local, 1, uid_validity, uids, error);
  if (replace (send, local, uid_validity, uids, &problem))
    return TRUE;
  if (may_append (problem))
    return append (send, &local, 1, uid_validity, uids, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* The octets of a file as they are looked for. */
static gboolean
describe (Send *send, RackLocal *local, guint8 *digest, RackSought *sought, GError **error)
{
  RackTextDigest sum;
  ssize_t got = 0;
  int fd = rack_local_file (local, error);
  if (fd < 0)
    return FALSE;
  errno = 0;
  rack_text_digest_init (&sum);
  while ((got = pread (fd, send->chunk, CHUNK, (off_t) sum.octets)) > 0)
    rack_text_digest_feed (&sum, send->chunk, (gsize) got);
  rack_text_digest_end (&sum, digest);
  *sought = (RackSought){
    .size = sum.octets, .largest = sum.octets + sum.bare, .date = -1, .digest = digest
  };
  return got == 0 || fail_reading (local, error);
}

/* Those of locals that are there from an earlier time: uids gets theirs, or 0. */
static gboolean
seek (Send *send, RackLocal *const *locals, guint n, guint32 *uids, GError **error)
{
  g_autofree RackSought *sought = g_new0 (RackSought, n);
  g_autofree guint8 *digests = g_malloc (32 * (gsize) n);
  guint32 next = G_MAXUINT32;
  for (guint i = 0; i < n; i++)
    {
      next = MIN (next, locals[i]->mark_next);
      if (!describe (send, locals[i], digests + 32 * (gsize) i, &sought[i], error))
        return FALSE;
    }
  if (!rack_send_seek (send->folder, locals[0]->mark_validity, next, sought, n, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    uids[i] = sought[i].uid;
  return TRUE;
}

static gboolean
is_unknown (const GError *problem)
{
  return !rack_send_is_for_now (problem)
         && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_CLOSED)
         && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_NETWORK);
}

static void
set_mark (Send *send, RackLocal *local)
{
  local->mark_validity = send->mark_validity;
  local->mark_next = send->mark_next;
}

/* Returns: NULL, or why none of the others need be tried. */
static GError *
send_one (Send *send, RackLocal *local)
{
  GError *problem = NULL;
  guint32 validity = 0, uid = 0;
  g_autoptr (RackSet) uids = NULL;
  set_mark (send, local);
  if (send_octets (send, local, &validity, &uids, &problem))
    {
      if (rack_set_count (uids) > 0)
        uid = rack_set_ranges (uids).items[0].first;
      /* A server without UIDPLUS does not say where it put it. */
      else if (seek (send, &local, 1, &uid, NULL))
        validity = local->mark_validity;
      succeed (send, local, validity, uid);
      return NULL;
    }
  if (rack_send_is_final (problem))
    {
      local->mark_next = 0;
      refuse (send, local, problem);
      g_clear_error (&problem);
    }
  else
    put_off (send, local, problem, is_unknown (problem));
  if (rack_send_is_for_now (problem))
    g_clear_error (&problem);
  return problem;
}

/* Several at once, where the server can. *sent: whether that is the end of it; else each is to be
 * sent alone. Returns: as send_one(). */
static GError *
send_many (Send *send, RackLocal *const *locals, guint n, gboolean *sent)
{
  GError *problem = NULL;
  guint32 validity = 0;
  g_autoptr (RackSet) uids = NULL;
  *sent = FALSE;
  for (guint i = 0; i < n; i++)
    set_mark (send, locals[i]);
  if (append (send, locals, n, &validity, &uids, &problem) && rack_set_count (uids) == n)
    {
      RackCopied pairs = { .from = rack_set_new_range (1, n), .to = uids };
      for (guint i = 0; i < n; i++)
        succeed (send, locals[i], validity, rack_copied_find (&pairs, i + 1));
      rack_set_free (pairs.from);
      *sent = TRUE;
      return NULL;
    }
  if (problem == NULL)
    {
      /* It does not say where they are. */
      g_autofree guint32 *found = g_new0 (guint32, n);
      gboolean known = seek (send, locals, n, found, NULL);
      for (guint i = 0; i < n; i++)
        succeed (send, locals[i], known ? locals[i]->mark_validity : 0, found[i]);
      *sent = TRUE;
      return NULL;
    }
  /* One of them may be the reason; nothing was stored. */
  if (rack_send_is_final (problem))
    {
      g_clear_error (&problem);
      return NULL;
    }
  gboolean for_now = rack_send_is_for_now (problem);
  for (guint i = 0; i < n; i++)
    put_off (send, locals[i], i == 0 || for_now ? problem : NULL, is_unknown (problem));
  *sent = TRUE;
  if (for_now)
    g_clear_error (&problem);
  return problem;
}

/* How many from locals on go together. */
static guint
count_together (const Send *send, RackLocal *const *locals, guint n)
{
  guint64 octets = 0;
  guint together = 0;
  for (; together < MIN (n, TOGETHER_MAX); together++)
    {
      RackLocalFacts facts;
      rack_local_facts (locals[together], &facts);
      octets += facts.size;
      if (octets > TOGETHER_OCTETS || is_to_replace (send, locals[together]))
        break;
    }
  return MAX (together, 1);
}

/* Those whose answer was lost: the ones that are there are done, the others are sent again. Takes
 * the former out of batch. */
static gboolean
find_sent (Send *send, GPtrArray *batch, GError **error)
{
  g_autoptr (GPtrArray) doubtful = g_ptr_array_new ();
  g_autoptr (GError) problem = NULL;
  for (guint i = 0; i < batch->len; i++)
    if (((RackLocal *) batch->pdata[i])->mark_next != 0)
      g_ptr_array_add (doubtful, batch->pdata[i]);
  if (doubtful->len == 0)
    return TRUE;
  g_autofree guint32 *uids = g_new0 (guint32, doubtful->len);
  /* In another mailbox of that name it cannot be. */
  if (!seek (send, (RackLocal *const *) doubtful->pdata, doubtful->len, uids, &problem)
      && !g_error_matches (problem, RACK_ERROR, RACK_ERROR_STALE))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  for (guint i = 0; i < doubtful->len; i++)
    {
      RackLocal *local = doubtful->pdata[i];
      if (uids[i] != 0)
        {
          g_ptr_array_remove (batch, local);
          succeed (send, local, local->mark_validity, uids[i]);
        }
      else
        local->mark_next = 0;
    }
  return TRUE;
}

/* ---- The batch ---------------------------------------------------------------------------- */

/* One transaction for all of them. Those that may be there keep their own mark. */
static gboolean
write_marks (Send *send, GPtrArray *batch, GError **error)
{
  RackOutbox *outbox = send->outbox;
  pthread_mutex_lock (&outbox->mutex);
  gboolean begun = rack_journal_begin (outbox->journal, error), ok = begun;
  for (guint i = 0; ok && i < batch->len; i++)
    {
      RackLocal *local = batch->pdata[i];
      gboolean fresh = local->mark_next == 0;
      if (fresh)
        {
          local->mark_validity = send->mark_validity;
          local->mark_next = send->mark_next;
        }
      ok = rack_local_write (local, error);
      if (fresh)
        local->mark_next = 0;
    }
  if (begun)
    ok = rack_journal_end (outbox->journal, ok, error);
  pthread_mutex_unlock (&outbox->mutex);
  return ok;
}

static gboolean
take_mark (Send *send, GError **error)
{
  RackMailboxInfo *info = rack_account_status (send->mirror->account, send->folder->mailbox,
                                               send->mirror->cancellable, error);
  if (info == NULL)
    return FALSE;
  send->mark_validity = info->uid_validity;
  send->mark_next = MAX (info->uid_next, 1);
  rack_send_heard (send->folder, send->mark_validity, send->mark_next);
  rack_mailbox_info_free (info);
  return TRUE;
}

/* Those from first on are not sent. */
static void
give_up (Send *send, GPtrArray *batch, guint first, const GError *problem, gboolean final)
{
  for (guint i = first; i < batch->len; i++)
    {
      RackLocal *local = batch->pdata[i];
      if (final)
        refuse (send, local, problem);
      else
        put_off (send, local, i == first || rack_send_is_for_now (problem) ? problem : NULL,
                 local->mark_next != 0);
    }
}

/* Asks only if it matters. Not known: it cannot. */
static void
ask_replace (Send *send, const GPtrArray *batch)
{
  gboolean wanted = FALSE;
  for (guint i = 0; !wanted && i < batch->len; i++)
    wanted = ((const RackLocal *) batch->pdata[i])->replaces != 0;
  if (wanted)
    rack_account_has (send->mirror->account, "REPLACE", &send->can_replace,
                      send->mirror->cancellable, NULL);
}

/* Returns: NULL, or why the rest could not be sent. */
static GError *
send_all (Send *send, GPtrArray *batch)
{
  GError *problem = NULL;
  gboolean many = FALSE;
  guint i = 0;
  if (batch->len > 1)
    rack_account_has (send->mirror->account, "MULTIAPPEND", &many, send->mirror->cancellable, NULL);
  ask_replace (send, batch);
  while (i < batch->len && problem == NULL)
    {
      RackLocal *const *locals = (RackLocal *const *) batch->pdata + i;
      guint n = many ? count_together (send, locals, batch->len - i) : 1;
      gboolean sent = FALSE;
      if (n > 1)
        problem = send_many (send, locals, n, &sent);
      for (guint k = 0; !sent && k < n && problem == NULL; k++)
        {
          problem = send_one (send, locals[k]);
          if (problem != NULL)
            n = k + 1;
        }
      i += n;
    }
  if (problem != NULL)
    give_up (send, batch, i, NULL, FALSE);
  return problem;
}

GError *
rack_send_files (RackOutbox *outbox, GPtrArray *batch)
{
  GError *problem = NULL;
  RackFolder *folder = ((RackLocal *) batch->pdata[0])->folder;
  g_autofree char *chunk = g_malloc (CHUNK);
  g_autoptr (RackSet) gone = rack_set_new ();
  Send send = {
    .outbox = outbox, .mirror = outbox->mirror, .folder = folder, .chunk = chunk, .gone = gone
  };
  gboolean ready =
      find_sent (&send, batch, &problem)
      && (batch->len == 0 || (take_mark (&send, &problem) && write_marks (&send, batch, &problem)));
  gboolean final = !ready && rack_send_is_final (problem);
  if (!ready)
    give_up (&send, batch, 0, problem, final);
  else
    problem = send_all (&send, batch);
  pthread_mutex_lock (&outbox->mutex);
  rack_send_note (outbox);
  pthread_mutex_unlock (&outbox->mutex);
  rack_replaced_forget (folder, send.gone_validity, gone);
  if (final || rack_send_is_for_now (problem))
    g_clear_error (&problem);
  rack_send_look (folder);
  return problem;
}
