/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-message.c - commands about messages. Reading never sets \Seen. */
#include "command-table.h"
#include "listing.h"
#include "safe-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* ---- find
 * --------------------------------------------------------------------------------------------------
 */

static gboolean
is_search_key (const char *word)
{
  static const char *const keys[] = {
    "all",        "answered", "bcc",        "before",    "body",    "cc",        "deleted",
    "draft",      "flagged",  "from",       "header",    "keyword", "larger",    "modseq",
    "new",        "not",      "old",        "on",        "or",      "recent",    "seen",
    "sentbefore", "senton",   "sentsince",  "since",     "smaller", "subject",   "text",
    "to",         "uid",      "unanswered", "undeleted", "undraft", "unflagged", "unkeyword",
    "unseen",     "x-gm-raw", NULL,
  };
  g_autofree char *lower = g_ascii_strdown (word, -1);

  return g_strv_contains (keys, lower);
}

/* Appends text in quotes. */
static void
append_quoted (GString *terms, const char *text)
{
  g_string_append_c (terms, '"');
  for (; *text != '\0'; text++)
    {
      if (*text == '"' || *text == '\\')
        g_string_append_c (terms, '\\');
      g_string_append_c (terms, *text);
    }
  g_string_append_c (terms, '"');
}

/* A word of which something was quoted: from:"a b", if that means something, else a text. */
static void
append_quoted_word (GString *terms, const char *word)
{
  gsize prefix = strspn (word, "abcdefghijklmnopqrstuvwxyz");

  if (prefix > 0 && word[prefix] == ':')
    {
      g_autoptr (GString) term = g_string_new_len (word, (gssize) prefix + 1);
      append_quoted (term, word + prefix + 1);
      g_autoptr (RackCriteria) criteria = rack_search_parse (term->str, NULL);
      if (criteria != NULL)
        {
          g_string_append (terms, term->str);
          return;
        }
    }
  append_quoted (terms, word);
}

/* IMAP's own keys as they are; else terms as rack_search_parse() has them. */
static RackCriteria *
parse_find (const CommandWord *words, guint n, GError **error)
{
  gboolean keys =
      n > 0 && !words[0].quoted
      && (is_search_key (words[0].text) || strchr ("(0123456789*", *words[0].text) != NULL);
  g_autoptr (GString) terms = g_string_new (keys ? "imap:" : "");

  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append_c (terms, ' ');
      if (!words[i].quoted)
        g_string_append (terms, words[i].text);
      else if (keys)
        append_quoted (terms, words[i].text);
      else
        append_quoted_word (terms, words[i].text);
    }
  return rack_search_parse (terms->str, error);
}

SHELL_COMMAND (do_find)
{
  Shell *shell = session;
  g_autoptr (RackCriteria) criteria = parse_find (call->words, call->n, error);

  if (criteria == NULL || !listing_need_mailbox (shell, error))
    return FALSE;
  RackCommand *command = rack_command_new ("UID SEARCH");
  rack_command_criteria (command, criteria,
                         rack_session_has (shell->session, "X-GM-EXT-1") ? RACK_SEARCH_GMAIL : 0);
  g_autoptr (RackSet) found = listing_search (shell, command, error);
  if (found == NULL)
    return FALSE;
  if (rack_set_count (found) > 0)
    return listing_messages (shell, found, error);
  rack_set_free (shell->last);
  shell->last = g_steal_pointer (&found);
  return TRUE;
}

/* ---- Reading
 * ---------------------------------------------------------------------------------------------------
 */

/* The octets of a section of the one message a set names. */
static GBytes *
read_section (Shell *shell, const CommandWord *word, const char *section, GError **error)
{
  g_autoptr (RackSet) set = listing_set_one (shell, word, error);
  g_autofree char *item = g_strdup_printf ("(UID BODY.PEEK[%s])", section);
  g_autoptr (GError) problem = NULL;
  GBytes *bytes = NULL;
  const RackMessage *message;

  if (set == NULL)
    return NULL;
  RackCommand *command = rack_command_new ("UID FETCH");
  rack_command_set (command, set);
  rack_command_raw (command, item);
  g_autoptr (RackFetch) fetch = shell_fetch (shell, command, error);
  while (fetch != NULL && (message = rack_fetch_next (fetch, &problem)) != NULL)
    if (bytes == NULL && message->n_sections > 0 && message->sections[0].data.data != NULL)
      bytes = g_bytes_new (message->sections[0].data.data, message->sections[0].data.size);
  if (problem != NULL)
    {
      g_clear_pointer (&bytes, g_bytes_unref);
      g_propagate_error (error, g_steal_pointer (&problem));
    }
  else if (bytes == NULL && fetch != NULL)
    listing_none (shell, word, error);
  return bytes;
}

static void
print_safe (Shell *shell, const char *text, gssize size)
{
  g_autofree char *safe = safe_text_dup (text, size, SAFE_TEXT_BLOCK);

  fputs (safe, shell->out);
  if (*safe != '\0' && safe[strlen (safe) - 1] != '\n')
    fputc ('\n', shell->out);
}

SHELL_COMMAND (do_headers)
{
  Shell *shell = session;
  g_autoptr (GBytes) bytes = read_section (shell, call->words, "HEADER", error);

  if (bytes == NULL)
    return FALSE;
  print_safe (shell, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  return TRUE;
}

SHELL_COMMAND (do_show)
{
  static const char *const shown[] = { "From", "To", "Cc", "Date", "Subject" };
  Shell *shell = session;
  g_autoptr (GBytes) bytes = read_section (shell, call->words, "", error);

  if (bytes == NULL)
    return FALSE;
  g_autoptr (RackView) view = rack_view_new (bytes);
  for (gsize i = 0; i < G_N_ELEMENTS (shown); i++)
    {
      g_autofree char *value = rack_view_header (view, shown[i]);
      g_autofree char *safe = value != NULL ? safe_text_dup (value, -1, SAFE_TEXT_LINE) : NULL;
      if (safe != NULL)
        fprintf (shell->out, "%s: %s\n", shown[i], safe);
    }
  fputc ('\n', shell->out);
  g_autofree char *text = rack_view_text (view);
  if (text != NULL)
    print_safe (shell, text, -1);
  else
    fprintf (shell->out, "(no text; \"parts %s\" shows what there is)\n", call->words[0].text);
  return TRUE;
}

static void
print_part (Shell *shell, const RackPart *part, guint depth)
{
  char section[256];
  g_autofree char *type = g_strdup_printf (
      "%.*s/%.*s", (int) part->type.size, part->type.data != NULL ? part->type.data : "",
      (int) part->subtype.size, part->subtype.data != NULL ? part->subtype.data : "");
  g_autofree char *safe = safe_text_dup (type, -1, SAFE_TEXT_LINE);

  rack_part_section (part, section, sizeof section);
  fprintf (shell->out, "%*s%-6s %s", (int) depth * 2, "", section, safe);
  if (!part->multipart)
    fprintf (shell->out, ", %" G_GUINT64_FORMAT " octets", part->size);
  for (guint i = 0; i < part->disposition_params.n; i++)
    if (part->disposition_params.items[i].value.data != NULL)
      {
        g_autofree char *value =
            safe_text_dup (part->disposition_params.items[i].value.data,
                           (gssize) part->disposition_params.items[i].value.size, SAFE_TEXT_LINE);
        fprintf (shell->out, ", \"%s\"", value);
      }
  fputc ('\n', shell->out);
  for (const RackPart *child = part->child; child != NULL; child = child->next)
    print_part (shell, child, depth + 1);
}

SHELL_COMMAND (do_parts)
{
  Shell *shell = session;
  g_autoptr (RackSet) set = listing_set_one (shell, call->words, error);
  g_autoptr (GError) problem = NULL;
  const RackMessage *message;
  gboolean any = FALSE;

  if (set == NULL)
    return FALSE;
  RackCommand *command = rack_command_new ("UID FETCH");
  rack_command_set (command, set);
  rack_command_raw (command, "(UID BODYSTRUCTURE)");
  g_autoptr (RackFetch) fetch = shell_fetch (shell, command, error);
  if (fetch == NULL)
    return FALSE;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    if (message->body != NULL)
      {
        any = TRUE;
        print_part (shell, message->body, 0);
      }
  if (problem == NULL)
    return any || listing_none (shell, call->words, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* ---- save and put
 * --------------------------------------------------------------------------------------------------
 */

/* Whole or not at all, and never over a file that is there. */
static gboolean
save_one (const RackMessage *message, const char *directory, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/%u.eml", directory, message->uid);
  g_autofree char *temporary = g_strconcat (path, ".part", NULL);
  RackStr data = message->sections[0].data;
  int fd = open (temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  gboolean ok = fd >= 0;

  for (gsize at = 0; ok && at < data.size;)
    {
      gssize n = write (fd, data.data + at, data.size - at);
      ok = n > 0 || (n < 0 && errno == EINTR);
      at += n > 0 ? (gsize) n : 0;
    }
  ok = ok && fsync (fd) == 0;
  ok = ok && link (temporary, path) == 0;
  int saved = errno;
  if (fd >= 0)
    {
      close (fd);
      unlink (temporary);
    }
  if (!ok)
    g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "save: %s: %s%s", path, g_strerror (saved),
                 saved == EEXIST ? ", and is not overwritten; save to another directory" : "");
  return ok;
}

SHELL_COMMAND (do_save)
{
  Shell *shell = session;
  const char *directory = call->n > 1 ? call->words[1].text : ".";
  g_autoptr (RackSet) set = listing_set (shell, call->words, error);
  g_autoptr (GError) problem = NULL;
  const RackMessage *message;
  guint saved = 0;

  if (set == NULL)
    return FALSE;
  if (g_mkdir_with_parents (directory, 0700) != 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "save: %s: %s", directory, g_strerror (errno));
      return FALSE;
    }
  /* Through the account, in windows, so that memory stays flat. */
  g_autoptr (RackMailbox) mailbox =
      rack_mailbox_open (shell->account, shell->mailbox, TRUE, shell->cancellable, error);
  g_autoptr (RackFetch) fetch =
      mailbox != NULL
          ? rack_mailbox_fetch (mailbox, set, "BODY.PEEK[]", NULL, shell->cancellable, error)
          : NULL;
  if (fetch == NULL)
    return FALSE;
  while ((message = rack_fetch_next (fetch, &problem)) != NULL)
    {
      if (!save_one (message, directory, error))
        return FALSE;
      saved++;
    }
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  if (saved == 0)
    return listing_none (shell, call->words, error);
  fprintf (shell->out, "%u saved in %s\n", saved, directory);
  return TRUE;
}

SHELL_COMMAND (do_put)
{
  Shell *shell = session;

  if (!listing_need_mailbox (shell, error))
    return FALSE;
  for (guint i = 0; i < call->n; i++)
    {
      g_autofree char *data = NULL;
      g_autoptr (GError) problem = NULL;
      gsize size;
      if (!g_file_get_contents (call->words[i].text, &data, &size, &problem))
        {
          g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "put: %s", problem->message);
          return FALSE;
        }
      RackCommand *command = rack_command_new ("APPEND");
      g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&data), size);
      rack_command_mailbox (command, shell->mailbox);
      rack_command_literal (command, bytes);
      g_autoptr (RackReply) reply = shell_expect (shell, command, error);
      if (reply == NULL)
        return FALSE;
    }
  return TRUE;
}

/* ---- Changing
 * ---------------------------------------------------------------------------------------------------------
 */

/* "+seen" and "-$Work" into two STOREs at most. */
static gboolean
store (Shell *shell, const RackSet *set, const char *mode, const CommandWord *words, guint n,
       char sign, GError **error)
{
  static const char *const system[] = { "seen", "answered", "flagged", "deleted", "draft" };
  g_autoptr (GString) flags = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      const char *name = words[i].text + 1;
      if (*words[i].text != sign)
        continue;
      g_string_append_c (flags, flags->len > 0 ? ' ' : '(');
      for (gsize j = 0; j < G_N_ELEMENTS (system); j++)
        if (g_ascii_strcasecmp (name, system[j]) == 0)
          g_string_append_c (flags, '\\');
      g_string_append (flags, name);
    }
  if (flags->len == 0)
    return TRUE;
  g_string_append_c (flags, ')');
  RackCommand *command = rack_command_new ("UID STORE");
  rack_command_set (command, set);
  rack_command_atom (command, mode);
  rack_command_raw (command, flags->str);
  g_autoptr (RackReply) reply = shell_expect (shell, command, error);
  return reply != NULL;
}

/* A sign and an atom (RFC 9051 section 9, flag), with or without the backslash. */
static gboolean
is_change (const char *text)
{
  const char *name = text + 1;

  if ((*text != '+' && *text != '-') || !g_str_is_ascii (text))
    return FALSE;
  if (*name == '\\')
    name++;
  for (const char *at = name; *at != '\0'; at++)
    if (*at <= ' ' || *at == 0x7f || strchr ("(){%*\"\\]", *at) != NULL)
      return FALSE;
  return *name != '\0';
}

SHELL_COMMAND (do_flag)
{
  for (guint i = 1; i < call->n; i++)
    if (!is_change (call->words[i].text))
      {
        g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID,
                     "flag: \"%s\": write +seen to set, -seen to remove", call->words[i].text);
        return FALSE;
      }
  g_autoptr (RackSet) set = listing_set_there (session, call->words, error);
  if (set == NULL)
    return FALSE;
  return store (session, set, "+FLAGS.SILENT", call->words + 1, call->n - 1, '+', error)
         && store (session, set, "-FLAGS.SILENT", call->words + 1, call->n - 1, '-', error);
}

static gboolean
transfer (Shell *shell, gboolean move, const RackSet *set, const char *to, GError **error)
{
  g_autoptr (RackMailbox) mailbox =
      rack_mailbox_open (shell->account, shell->mailbox, !move, shell->cancellable, error);

  if (mailbox == NULL)
    return FALSE;
  return move ? rack_mailbox_move (mailbox, set, to, NULL, shell->cancellable, error)
              : rack_mailbox_copy (mailbox, set, to, NULL, shell->cancellable, error);
}

SHELL_COMMAND (do_cp)
{
  g_autoptr (RackSet) set = listing_set_there (session, call->words, error);

  return set != NULL && transfer (session, FALSE, set, call->words[1].text, error);
}

SHELL_COMMAND (do_mv)
{
  g_autoptr (RackSet) set = listing_set_there (session, call->words, error);

  return set != NULL && transfer (session, TRUE, set, call->words[1].text, error);
}

SHELL_COMMAND (do_rm)
{
  Shell *shell = session;
  g_autoptr (RackSet) set = listing_set_there (shell, call->words, error);
  g_autoptr (GPtrArray) list =
      set != NULL ? rack_account_list (shell->account, "*", 0, shell->cancellable, error) : NULL;

  if (list == NULL)
    return FALSE;
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = g_ptr_array_index (list, i);
      if (!(info->flags & RACK_LIST_TRASH))
        continue;
      if (strcmp (info->name, shell->mailbox) != 0)
        return transfer (shell, TRUE, set, info->name, error);
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_REFUSED,
                           "rm: these are in the trash already; c.delete_messages and c.expunge "
                           "remove them for good");
      return FALSE;
    }
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_NOT_FOUND,
                       "rm: the server names no mailbox as \\Trash, so nothing was removed; mv "
                       "moves them where you like");
  return FALSE;
}
