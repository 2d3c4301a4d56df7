/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * flags.c - flags of messages and mailboxes, between names and bits */
#include "parse.h"

#define FLAG(name, flag)                                                                           \
  {                                                                                                \
    name, sizeof name - 1, flag                                                                    \
  }

static const struct
{
  const char *name;
  gsize size;
  RackFlags flag;
} flags_by_name[] = {
  FLAG ("\\Seen", RACK_FLAG_SEEN),       FLAG ("\\Answered", RACK_FLAG_ANSWERED),
  FLAG ("\\Flagged", RACK_FLAG_FLAGGED), FLAG ("\\Deleted", RACK_FLAG_DELETED),
  FLAG ("\\Draft", RACK_FLAG_DRAFT),     FLAG ("\\Recent", RACK_FLAG_RECENT),
  FLAG ("\\*", RACK_FLAG_KEYWORDS),
};

RackFlags
rack_flag_from_name (RackStr name)
{
  if (name.size >= 2 && *name.data == '\\')
    for (gsize i = 0; i < G_N_ELEMENTS (flags_by_name); i++)
      if (rack_str_is_sized (name, flags_by_name[i].name, flags_by_name[i].size))
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

/* The names, up to and with ")"; counts those that are no system flag's. */
static gboolean
parse_names (RackLexer *lexer, RackList *names, RackFlags *system, guint *n_keywords)
{
  for (;;)
    {
      RackToken token = rack_lex (lexer);
      if (token.kind == RACK_TOKEN_CLOSE)
        return TRUE;
      if (token.kind == RACK_TOKEN_END || token.kind == RACK_TOKEN_BAD
          || token.kind == RACK_TOKEN_OPEN || rack_arena_is_full (names->arena))
        return FALSE;
      RackFlags flag = rack_flag_from_name (token.text);
      *system |= flag;
      if (flag == 0)
        ++*n_keywords;
      *rack_list_add (names, RackStr) = rack_token_str (&token, names->arena);
    }
}

gboolean
rack_flags_parse (RackLexer *lexer, RackArena *arena, RackFlagList *flags, GError **error)
{
  RackList names = { .arena = arena };
  RackToken token = rack_lex (lexer);
  RackFlags system = 0;
  guint n_keywords = 0;

  *flags = (RackFlagList){ 0 };
  if (token.kind == RACK_TOKEN_NIL)
    return TRUE;
  if (token.kind != RACK_TOKEN_OPEN || !parse_names (lexer, &names, &system, &n_keywords))
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "a list of flags is broken");
      return FALSE;
    }
  flags->system = system;
  flags->names = names.items;
  flags->n_names = (guint) names.n;
  if (n_keywords > 0)
    {
      RackStr *list = rack_arena_alloc (arena, n_keywords * sizeof (RackStr));
      for (guint i = 0; i < flags->n_names; i++)
        if (rack_flag_from_name (flags->names[i]) == 0 && flags->n_keywords < n_keywords)
          list[flags->n_keywords++] = flags->names[i];
      flags->keywords = list;
    }
  return TRUE;
}
