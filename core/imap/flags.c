/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flags.c - flags of messages and mailboxes, between names and bits */
#include "parse.h"

static const struct
{
  const char *name;
  RackFlags flag;
} flags_by_name[] = {
  { "\\Answered", RACK_FLAG_ANSWERED }, { "\\Flagged", RACK_FLAG_FLAGGED },
  { "\\Deleted", RACK_FLAG_DELETED },   { "\\Seen", RACK_FLAG_SEEN },
  { "\\Draft", RACK_FLAG_DRAFT },       { "\\Recent", RACK_FLAG_RECENT },
  { "\\*", RACK_FLAG_KEYWORDS },
};

RackFlags
rack_flag_from_name (RackStr name)
{
  if (name.size >= 2 && *name.data == '\\')
    for (gsize i = 0; i < G_N_ELEMENTS (flags_by_name); i++)
      if (rack_str_is (name, flags_by_name[i].name))
        return flags_by_name[i].flag;
  return 0;
}

const char *
rack_flag_name (RackFlags single_flag)
{
  for (gsize i = 0; i < G_N_ELEMENTS (flags_by_name); i++)
    if (flags_by_name[i].flag == single_flag)
      return flags_by_name[i].name;
  return NULL;
}

gboolean
rack_flags_parse (RackLexer *lexer, RackArena *arena, RackFlagList *flags, GError **error)
{
  RackList names = { .arena = arena };
  RackToken token = rack_lex (lexer);
  guint keywords = 0;

  *flags = (RackFlagList){ 0 };
  if (token.kind == RACK_TOKEN_NIL)
    return TRUE;
  if (token.kind != RACK_TOKEN_OPEN)
    goto broken;
  for (;;)
    {
      token = rack_lex (lexer);
      if (token.kind == RACK_TOKEN_CLOSE)
        break;
      if (token.kind == RACK_TOKEN_END || token.kind == RACK_TOKEN_BAD
          || token.kind == RACK_TOKEN_OPEN)
        goto broken;
      RackFlags flag = rack_flag_from_name (token.text);
      flags->system |= flag;
      if (flag == 0)
        keywords++;
      *rack_list_add (&names, RackStr) = rack_token_str (&token, arena);
    }
  flags->names = names.items;
  flags->n_names = (guint) names.n;
  if (keywords > 0)
    {
      RackStr *list = rack_arena_alloc (arena, keywords * sizeof (RackStr));
      for (guint i = 0; i < flags->n_names; i++)
        if (rack_flag_from_name (flags->names[i]) == 0)
          list[flags->n_keywords++] = flags->names[i];
      flags->keywords = list;
    }
  return TRUE;

broken:
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "a list of flags is broken");
  return FALSE;
}
