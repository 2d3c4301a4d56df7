/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * check-server.c - mailrack check: what the server has, and what is missing for us */
#include "check.h"

#include <string.h>

/* ---- Capabilities ------------------------------------------------------------------------------
 */

static const struct
{
  const char *name, *without; /* what it costs not to have it */
} wanted[] = {
  { "IDLE", "new mail is noticed by asking now and then, not at once" },
  { "UIDPLUS", "appended and copied messages have to be searched for, and expunging one message "
               "may expunge others" },
  { "MOVE", "moving is copying and expunging" },
  { "CONDSTORE", "changes of flags are found by comparing all of them" },
  { "QRESYNC", "messages that vanished are found by comparing" },
};

static void
say_capabilities (CheckReport *report, RackSession *session)
{
  static const char *const others[] = { "NOTIFY",      "ESEARCH",          "LIST-STATUS",
                                        "SPECIAL-USE", "MULTIAPPEND",      "BINARY",
                                        "LITERAL+",    "COMPRESS=DEFLATE", "OBJECTID",
                                        "UTF8=ACCEPT" };
  g_autoptr (GString) there = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    if (rack_session_has (session, wanted[i].name))
      g_string_append_printf (there, " %s", wanted[i].name);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (rack_session_has (session, others[i]))
      g_string_append_printf (there, " %s", others[i]);
  check_say (report, "extensions", CHECK_OK, NULL, "the server has%s",
             there->len > 0 ? there->str : " none that help");
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    if (!rack_session_has (session, wanted[i].name))
      check_say (report, "extensions", CHECK_WARN, NULL, "no %s: %s", wanted[i].name,
                 wanted[i].without);
}

/* ---- Namespaces
 * ----------------------------------------------------------------------------------- */

static void
append_prefixes (GString *text, const char *whose, const RackNamespaceItem *items, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *prefix = rack_mailbox_name_decode (items[i].prefix);
      g_string_append_printf (text, "%s%s \"%s\" (%c)", text->len > 0 ? ", " : "", whose, prefix,
                              items[i].separator != '\0' ? items[i].separator : '-');
    }
}

static void
say_namespaces (CheckReport *report, RackSession *session)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  const RackResponse *response;

  if (!rack_session_has (session, "NAMESPACE"))
    return;
  g_autoptr (RackReply) reply =
      rack_session_expect (session, rack_command_new ("NAMESPACE"), NULL, &problem);
  if (reply == NULL)
    {
      check_fail (report, "namespaces", problem, NULL);
      return;
    }
  for (guint i = 0; (response = rack_reply_get (reply, i)) != NULL; i++)
    if (response->kind == RACK_RESPONSE_NAMESPACE)
      {
        const RackNamespaceData *found = &response->namespaces;
        append_prefixes (text, "personal", found->personal, found->n_personal);
        append_prefixes (text, "other users'", found->others, found->n_others);
        append_prefixes (text, "shared", found->shared, found->n_shared);
      }
  check_say (report, "namespaces", CHECK_OK, NULL, "%s", text->len > 0 ? text->str : "none");
}

/* ---- Mailboxes
 * ---------------------------------------------------------------------------------------- */

static void
say_mailboxes (CheckReport *report, RackAccount *account)
{
  static const struct
  {
    RackListFlags flag;
    const char *name;
  } uses[] = { { RACK_LIST_SENT, "sent" },       { RACK_LIST_DRAFTS, "drafts" },
               { RACK_LIST_TRASH, "trash" },     { RACK_LIST_JUNK, "junk" },
               { RACK_LIST_ARCHIVE, "archive" }, { RACK_LIST_ALL, "all" } };
  g_autoptr (GError) problem = NULL;
  g_autoptr (GPtrArray) list = rack_account_list (account, "*", 0, NULL, &problem);
  g_autoptr (GString) text = g_string_new (NULL);
  guint all = 0;

  if (list == NULL)
    {
      check_fail (report, "mailboxes", problem, NULL);
      return;
    }
  for (guint i = 0; i < list->len; i++)
    {
      const RackMailboxInfo *info = list->pdata[i];
      all |= info->flags;
      for (gsize k = 0; k < G_N_ELEMENTS (uses); k++)
        if (info->flags & uses[k].flag)
          g_string_append_printf (text, "; %s is %s", uses[k].name, info->name);
    }
  check_say (report, "mailboxes", CHECK_OK, NULL, "%u%s", list->len, text->str);
  if (!(all & RACK_LIST_TRASH))
    check_say (report, "mailboxes", CHECK_WARN,
               "write \"trash = NAME\" into the configuration, for what is removed in a mount",
               "the server does not say which mailbox is the trash");
}

static void
say_inbox (CheckReport *report, RackAccount *account)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (RackMailbox) inbox = rack_mailbox_open (account, "INBOX", TRUE, NULL, &problem);
  RackMailboxStatus status;

  if (inbox == NULL)
    {
      check_fail (report, "inbox", problem, "ask the server's administrator");
      return;
    }
  rack_mailbox_status (inbox, &status);
  if (status.uid_validity == 0)
    check_say (report, "inbox", CHECK_WARN, "nothing that is kept of it can be trusted",
               "INBOX has %u messages and no UIDVALIDITY", status.messages);
  else
    check_say (report, "inbox", CHECK_OK, NULL, "%u messages%s", status.messages,
               status.highest_modseq != 0 ? ", with mod-sequences" : "");
}

/* ---- Quota
 * ------------------------------------------------------------------------------------------- */

static void
say_quota (CheckReport *report, RackAccount *account)
{
  g_autoptr (GError) problem = NULL;
  RackQuota quota = { 0 };

  if (!rack_account_quota (account, "INBOX", &quota, NULL, &problem))
    {
      if (!g_error_matches (problem, RACK_ERROR, RACK_ERROR_UNSUPPORTED))
        check_fail (report, "quota", problem, NULL);
      return;
    }
  gboolean full = quota.has_storage && quota.limit > 0 && quota.used / 9 >= quota.limit / 10;
  full |= quota.has_messages && quota.message_limit > 0
          && quota.messages / 9 >= quota.message_limit / 10;
  g_autofree char *used = g_format_size_full (quota.used, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *limit = g_format_size_full (quota.limit, G_FORMAT_SIZE_IEC_UNITS);
  g_autoptr (GString) text = g_string_new (NULL);
  if (quota.has_storage)
    g_string_append_printf (text, "%s of %s used", used, limit);
  if (quota.has_messages)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " messages",
                            text->len > 0 ? ", " : "", quota.messages, quota.message_limit);
  check_say (report, "quota", full ? CHECK_WARN : CHECK_OK,
             full ? "remove mail, or ask for more room: when it is full nothing can be stored"
                  : NULL,
             "%s", text->len > 0 ? text->str : "no limit");
}

void
check_server (CheckReport *report, RackAccount *account, RackSession *session)
{
  say_capabilities (report, session);
  say_namespaces (report, session);
  say_mailboxes (report, account);
  say_inbox (report, account);
  say_quota (report, account);
}
