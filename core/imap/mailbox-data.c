/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailbox-data.c - untagged data about mailboxes: LIST, STATUS, NAMESPACE and the like
 *
 * One function for each response name, found in a table. What is made of numbers
 * (SEARCH and its kin) is in search.c. */
#include "parse.h"

#include <string.h>

typedef gboolean (*ParseData) (RackLexer *lexer, RackArena *arena, RackResponse *response);

static gboolean
parse_atoms (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  return rack_parse_capabilities (lexer, arena, &response->atoms.items, &response->atoms.n);
}

static gboolean
parse_flags (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  return rack_flags_parse (lexer, arena, &response->flags, NULL);
}

static RackListFlags
list_flag (RackStr name)
{
  static const struct
  {
    const char *name;
    RackListFlags flag;
  } names[] = {
    { "\\Noselect", RACK_LIST_NOSELECT },
    { "\\Noinferiors", RACK_LIST_NOINFERIORS },
    { "\\Marked", RACK_LIST_MARKED },
    { "\\Unmarked", RACK_LIST_UNMARKED },
    { "\\HasChildren", RACK_LIST_HASCHILDREN },
    { "\\HasNoChildren", RACK_LIST_HASNOCHILDREN },
    { "\\NonExistent", RACK_LIST_NONEXISTENT | RACK_LIST_NOSELECT },
    { "\\Subscribed", RACK_LIST_SUBSCRIBED },
    { "\\Remote", RACK_LIST_REMOTE },
    { "\\All", RACK_LIST_ALL },
    { "\\AllMail", RACK_LIST_ALL }, /* XLIST's names */
    { "\\Archive", RACK_LIST_ARCHIVE },
    { "\\Drafts", RACK_LIST_DRAFTS },
    { "\\Flagged", RACK_LIST_FLAGGED },
    { "\\Starred", RACK_LIST_FLAGGED },
    { "\\Junk", RACK_LIST_JUNK },
    { "\\Spam", RACK_LIST_JUNK },
    { "\\Sent", RACK_LIST_SENT },
    { "\\Trash", RACK_LIST_TRASH },
    { "\\Important", RACK_LIST_IMPORTANT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (rack_str_is_sized (name, names[i].name, strlen (names[i].name)))
      return names[i].flag;
  return 0;
}

/* Extended data behind the name: ("OLDNAME" ("old")) and others. */
static gboolean
parse_list_extended (RackLexer *lexer, RackArena *arena, RackListData *list)
{
  if (rack_lex_peek (lexer).kind != RACK_TOKEN_OPEN)
    return TRUE;
  rack_lex (lexer);
  while (rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE)
    {
      RackStr tag, value;
      if (!rack_parse_nstring (lexer, arena, &tag))
        return FALSE;
      RackLexer inner = *lexer;
      if (!rack_lex_skip_value (lexer, NULL))
        return FALSE;
      if (rack_str_is (tag, "OLDNAME") && rack_lex (&inner).kind == RACK_TOKEN_OPEN
          && rack_parse_nstring (&inner, arena, &value))
        list->old_name = value;
    }
  return TRUE;
}

static gboolean
parse_list (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackListData *list = &response->list;
  RackStr separator;

  if (rack_lex_peek (lexer).kind != RACK_TOKEN_OPEN
      || !rack_parse_words (lexer, arena, &list->names, &list->n_names)
      || !rack_parse_nstring (lexer, arena, &separator))
    return FALSE;
  for (guint i = 0; i < list->n_names; i++)
    list->flags |= list_flag (list->names[i]);
  list->separator = separator.size > 0 ? *separator.data : '\0';
  /* A mailbox called NIL may come unquoted, so the token's text counts, not its kind. */
  RackToken name = rack_lex (lexer);
  if (name.kind != RACK_TOKEN_STRING && name.kind != RACK_TOKEN_ATOM
      && name.kind != RACK_TOKEN_NUMBER && name.kind != RACK_TOKEN_NIL)
    return FALSE;
  /* foo(bar) or a tab without quotes belongs to the name, it is no extended data. */
  if (name.kind == RACK_TOKEN_ATOM && lexer->at < lexer->end
      && strchr ("(\")\t", *lexer->at) != NULL)
    {
      name.text.size = (gsize) (lexer->end - name.text.data);
      while (g_ascii_isspace (name.text.data[name.text.size - 1]))
        name.text.size--;
      lexer->at = lexer->end;
    }
  list->mailbox = rack_token_str (&name, arena);
  return parse_list_extended (lexer, arena, list);
}

static gboolean
parse_status_item (RackLexer *lexer, RackStr name, RackStatusData *status)
{
  const struct
  {
    const char *name;
    RackStatusItems item;
    guint64 *value;
    guint64 most;
  } items[] = {
    { "MESSAGES", RACK_STATUS_MESSAGES, &status->messages, G_MAXUINT32 },
    { "RECENT", RACK_STATUS_RECENT, &status->recent, G_MAXUINT32 },
    { "UIDNEXT", RACK_STATUS_UIDNEXT, &status->uid_next, G_MAXUINT32 },
    { "UIDVALIDITY", RACK_STATUS_UIDVALIDITY, &status->uid_validity, G_MAXUINT32 },
    { "UNSEEN", RACK_STATUS_UNSEEN, &status->unseen, G_MAXUINT32 },
    { "HIGHESTMODSEQ", RACK_STATUS_HIGHESTMODSEQ, &status->highest_modseq, G_MAXINT64 },
    { "SIZE", RACK_STATUS_SIZE, &status->size, G_MAXINT64 },
    { "DELETED", RACK_STATUS_DELETED, &status->deleted, G_MAXUINT32 },
    { "APPENDLIMIT", RACK_STATUS_APPENDLIMIT, &status->append_limit, G_MAXINT64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (items); i++)
    if (rack_str_is_sized (name, items[i].name, strlen (items[i].name)))
      {
        RackLexer before = *lexer;
        RackToken token = rack_lex (lexer);
        if (token.kind == RACK_TOKEN_NIL && items[i].item == RACK_STATUS_APPENDLIMIT)
          token.number = G_MAXUINT64;
        else if (token.kind != RACK_TOKEN_NUMBER || token.number > items[i].most)
          {
            /* Negative, NIL or odd: this value is not known, the others are. */
            *lexer = before;
            return rack_lex_skip_value (lexer, NULL);
          }
        *items[i].value = token.number;
        status->items |= items[i].item;
        return TRUE;
      }
  return rack_lex_skip_value (lexer, NULL);
}

static gboolean
parse_mailbox_status (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackStatusData *status = &response->mailbox_status;
  RackToken name = rack_lex (lexer);

  status->mailbox = rack_token_str (&name, arena);
  if (name.kind == RACK_TOKEN_END || name.kind == RACK_TOKEN_BAD
      || rack_lex (lexer).kind != RACK_TOKEN_OPEN)
    return FALSE;
  const char *start = lexer->at;
  while (rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE)
    {
      RackToken item = rack_lex (lexer);
      if (item.kind != RACK_TOKEN_ATOM)
        return FALSE;
      if (rack_str_is (item.text, "MAILBOXID"))
        {
          if (rack_lex (lexer).kind != RACK_TOKEN_OPEN
              || !rack_parse_nstring (lexer, arena, &status->mailbox_id)
              || rack_lex (lexer).kind != RACK_TOKEN_CLOSE)
            return FALSE;
          status->items |= RACK_STATUS_MAILBOXID;
        }
      else if (!parse_status_item (lexer, item.text, status))
        return FALSE;
    }
  status->raw = (RackStr){ start, (gsize) (lexer->at - start) };
  return TRUE;
}

static gboolean
parse_raw (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  return TRUE; /* response->raw says it all */
}

static gboolean
parse_namespace_list (RackLexer *lexer, RackArena *arena, const RackNamespaceItem **items, guint *n)
{
  RackList list = { .arena = arena };
  RackToken token = rack_lex (lexer);

  if (token.kind == RACK_TOKEN_NIL || token.kind == RACK_TOKEN_END)
    return TRUE;
  if (token.kind != RACK_TOKEN_OPEN)
    return FALSE;
  while ((token = rack_lex (lexer)).kind == RACK_TOKEN_OPEN)
    {
      RackNamespaceItem *item = rack_list_add (&list, RackNamespaceItem);
      RackStr separator;
      if (!rack_parse_nstring (lexer, arena, &item->prefix)
          || !rack_parse_nstring (lexer, arena, &separator))
        return FALSE;
      item->separator = separator.size > 0 ? *separator.data : '\0';
      while (rack_lex_peek (lexer).kind != RACK_TOKEN_CLOSE)
        if (!rack_lex_skip_value (lexer, NULL))
          return FALSE;
      rack_lex (lexer);
    }
  *items = list.items;
  *n = (guint) list.n;
  return token.kind == RACK_TOKEN_CLOSE;
}

static gboolean
parse_namespace (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackNamespaceData *data = &response->namespaces;

  return parse_namespace_list (lexer, arena, &data->personal, &data->n_personal)
         && parse_namespace_list (lexer, arena, &data->others, &data->n_others)
         && parse_namespace_list (lexer, arena, &data->shared, &data->n_shared);
}

static gboolean
parse_id (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  return rack_parse_pairs (lexer, arena, &response->pairs);
}

static gboolean
parse_quota (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackQuotaData *quota = &response->quota;
  RackList list = { .arena = arena };
  RackToken root = rack_lex (lexer);

  quota->root = rack_token_str (&root, arena);
  if (root.kind == RACK_TOKEN_END || rack_lex (lexer).kind != RACK_TOKEN_OPEN)
    return FALSE;
  for (;;)
    {
      RackToken name = rack_lex (lexer), usage, limit;
      if (name.kind == RACK_TOKEN_CLOSE)
        break;
      usage = rack_lex (lexer);
      limit = rack_lex (lexer);
      if (name.kind != RACK_TOKEN_ATOM || usage.kind != RACK_TOKEN_NUMBER
          || limit.kind != RACK_TOKEN_NUMBER)
        return FALSE;
      *rack_list_add (&list, RackQuotaResource) =
          (RackQuotaResource){ name.text, usage.number, limit.number };
    }
  quota->resources = list.items;
  quota->n_resources = (guint) list.n;
  return TRUE;
}

static gboolean
parse_quota_root (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  return rack_parse_nstring (lexer, arena, &response->quota_roots.mailbox)
         && rack_parse_words (lexer, arena, &response->quota_roots.items, &response->quota_roots.n);
}

static gboolean
parse_acl (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  RackList list = { .arena = arena };

  if (!rack_parse_nstring (lexer, arena, &response->acl.mailbox))
    return FALSE;
  while (rack_lex_peek (lexer).kind != RACK_TOKEN_END)
    {
      RackPair *pair = rack_list_add (&list, RackPair);
      if (!rack_parse_nstring (lexer, arena, &pair->name)
          || !rack_parse_nstring (lexer, arena, &pair->value))
        return FALSE;
    }
  response->acl.items = list.items;
  response->acl.n = (guint) list.n;
  return TRUE;
}

static gboolean
parse_list_rights (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  return rack_parse_nstring (lexer, arena, &response->list_rights.mailbox)
         && rack_parse_nstring (lexer, arena, &response->list_rights.identifier)
         && rack_parse_nstring (lexer, arena, &response->list_rights.required)
         && rack_parse_words (lexer, arena, &response->list_rights.items, &response->list_rights.n);
}

static gboolean
parse_my_rights (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  return rack_parse_nstring (lexer, arena, &response->my_rights.mailbox)
         && rack_parse_nstring (lexer, arena, &response->my_rights.rights);
}

static const struct
{
  const char *name;
  RackResponseKind kind;
  ParseData parse;
} data_kinds[] = {
  { "ACL", RACK_RESPONSE_ACL, parse_acl },
  { "CAPABILITY", RACK_RESPONSE_CAPABILITY, parse_atoms },
  { "ENABLED", RACK_RESPONSE_ENABLED, parse_atoms },
  { "ESEARCH", RACK_RESPONSE_SEARCH, rack_parse_esearch },
  { "FLAGS", RACK_RESPONSE_FLAGS, parse_flags },
  { "ID", RACK_RESPONSE_ID, parse_id },
  { "LIST", RACK_RESPONSE_LIST, parse_list },
  { "LISTRIGHTS", RACK_RESPONSE_LISTRIGHTS, parse_list_rights },
  { "LSUB", RACK_RESPONSE_LSUB, parse_list },
  { "MYRIGHTS", RACK_RESPONSE_MYRIGHTS, parse_my_rights },
  { "NAMESPACE", RACK_RESPONSE_NAMESPACE, parse_namespace },
  { "QUOTA", RACK_RESPONSE_QUOTA, parse_quota },
  { "QUOTAROOT", RACK_RESPONSE_QUOTAROOT, parse_quota_root },
  { "SEARCH", RACK_RESPONSE_SEARCH, rack_parse_search },
  { "SORT", RACK_RESPONSE_SORT, rack_parse_sort },
  { "STATUS", RACK_RESPONSE_MAILBOX_STATUS, parse_mailbox_status },
  { "THREAD", RACK_RESPONSE_THREAD, parse_raw },
  { "VANISHED", RACK_RESPONSE_VANISHED, rack_parse_vanished },
  { "XLIST", RACK_RESPONSE_LIST, parse_list },
};

gboolean
rack_parse_data (RackLexer *lexer, RackArena *arena, RackResponse *response)
{
  for (gsize i = 0; i < G_N_ELEMENTS (data_kinds); i++)
    if (rack_str_is_sized (response->name, data_kinds[i].name, strlen (data_kinds[i].name)))
      {
        response->kind = data_kinds[i].kind;
        return data_kinds[i].parse (lexer, arena, response);
      }
  response->kind = RACK_RESPONSE_OTHER;
  return TRUE;
}
