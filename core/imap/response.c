/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * response.c - one whole response into one typed record: dispatch and status
 *
 * Response codes are in code.c, FETCH in fetch.c, the other data in
 * mailbox-data.c. */
#include "parse.h"

#include <string.h>

void
rack_list_grow (RackList *list, gsize item_size)
{
  gsize room = list->room == 0 ? 4 : list->room * 2;

  list->items =
      rack_arena_grow (list->arena, list->items, list->room * item_size, room * item_size);
  list->room = room;
}

gboolean
rack_str_starts (RackStr str, const char *prefix)
{
  gsize size = strlen (prefix);

  return str.size >= size && g_ascii_strncasecmp (str.data, prefix, size) == 0;
}

RackStr
rack_token_str (const RackToken *token, RackArena *arena)
{
  if (!token->escaped)
    return token->text;
  char *copy = rack_arena_alloc (arena, token->text.size);
  gsize n = 0;
  for (gsize i = 0; i < token->text.size; i++)
    {
      if (token->text.data[i] == '\\' && i + 1 < token->text.size)
        i++;
      copy[n++] = token->text.data[i];
    }
  return (RackStr){ copy, n };
}

/* Anything but a plain quoted string. */
static gboolean
parse_odd_nstring (RackLexer *lexer, RackArena *arena, RackStr *str)
{
  RackToken token = rack_lex (lexer);

  *str = RACK_STR_NIL;
  if (token.kind == RACK_TOKEN_NIL)
    return TRUE;
  if (token.kind != RACK_TOKEN_STRING && token.kind != RACK_TOKEN_ATOM
      && token.kind != RACK_TOKEN_NUMBER)
    return FALSE;
  *str = rack_token_str (&token, arena);
  return TRUE;
}

gboolean
rack_parse_nstring (RackLexer *lexer, RackArena *arena, RackStr *str)
{
  if (rack_next (lexer) == '"')
    {
      const char *start = lexer->at + 1, *stop = rack_scan_quoted (start, lexer->end);
      if (stop < lexer->end && *stop == '"')
        {
          *str = (RackStr){ start, (gsize) (stop - start) };
          lexer->at = stop + 1;
          return TRUE;
        }
    }
  else if (rack_take_nil (lexer))
    {
      *str = RACK_STR_NIL;
      return TRUE;
    }
  return parse_odd_nstring (lexer, arena, str);
}

gboolean
rack_parse_pairs (RackLexer *lexer, RackArena *arena, RackPairs *pairs)
{
  RackList list = { .arena = arena };

  *pairs = (RackPairs){ NULL, 0 };
  if (rack_take_nil (lexer))
    return TRUE;
  if (rack_next (lexer) != '(')
    {
      RackToken token = rack_lex (lexer);
      if (token.kind != RACK_TOKEN_STRING)
        return FALSE;
      rack_list_add (&list, RackPair)->name = rack_token_str (&token, arena);
      *pairs = (RackPairs){ list.items, 1 };
      return TRUE;
    }
  lexer->at++;
  while (rack_next (lexer) != ')')
    {
      RackPair *pair = rack_list_add (&list, RackPair);
      if (rack_arena_is_full (arena) || !rack_parse_nstring (lexer, arena, &pair->name))
        return FALSE;
      if (rack_next (lexer) == '(') /* a list for a value: the other pairs stand */
        {
          if (!rack_lex_skip_value (lexer, NULL))
            return FALSE;
        }
      else if (rack_next (lexer) != ')' && !rack_parse_nstring (lexer, arena, &pair->value))
        return FALSE;
    }
  lexer->at++;
  *pairs = (RackPairs){ list.items, (guint) list.n };
  return TRUE;
}

gboolean
rack_parse_words (RackLexer *lexer, RackArena *arena, const RackStr **items, guint *n)
{
  RackList list = { .arena = arena };
  gboolean open = rack_next (lexer) == '(';

  if (open)
    lexer->at++;
  for (;;)
    {
      if (rack_next (lexer) == ')')
        break;
      RackToken token = rack_lex (lexer);
      if (token.kind == RACK_TOKEN_END)
        break;
      if (token.kind == RACK_TOKEN_BAD || token.kind == RACK_TOKEN_OPEN
          || rack_arena_is_full (arena))
        return FALSE;
      *rack_list_add (&list, RackStr) = rack_token_str (&token, arena);
    }
  if (open && rack_lex (lexer).kind != RACK_TOKEN_CLOSE)
    return FALSE;
  *items = list.items;
  *n = (guint) list.n;
  return TRUE;
}

gboolean
rack_parse_capabilities (RackLexer *lexer, RackArena *arena, const RackStr **items, guint *n)
{
  if (!rack_parse_words (lexer, arena, items, n))
    return FALSE;
  RackStr *names = (RackStr *) *items; /* ours, from the arena */
  guint kept = 0;
  for (guint i = 0; i < *n; i++)
    if (kept > 0 && rack_str_is (names[i], "+") && rack_str_is (names[kept - 1], "LITERAL"))
      names[kept - 1] = (RackStr){ "LITERAL+", 8 };
    else
      names[kept++] = names[i];
  *n = kept;
  return TRUE;
}

static gboolean
parse_status_kind (RackStr word, RackStatusKind *kind)
{
  static const struct
  {
    const char *word;
    RackStatusKind kind;
  } kinds[] = {
    { "OK", RACK_STATUS_OK },           { "NO", RACK_STATUS_NO },   { "BAD", RACK_STATUS_BAD },
    { "PREAUTH", RACK_STATUS_PREAUTH }, { "BYE", RACK_STATUS_BYE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (rack_str_is_sized (word, kinds[i].word, strlen (kinds[i].word)))
      {
        *kind = kinds[i].kind;
        return TRUE;
      }
  return FALSE;
}

/* The "]" that closes a response code: not one inside a quoted string, in a list of flags (Gmail's
 * may hold one) or in brackets. */
static const char *
code_end (const char *at, const char *end)
{
  gboolean quoted = FALSE;
  guint depth = 0, lists = 0;

  for (; at < end; at++)
    {
      if (quoted && *at == '\\')
        at++;
      else if (*at == '"')
        quoted = !quoted;
      else if (quoted)
        continue;
      else if (*at == '(')
        lists++;
      else if (*at == ')' && lists > 0)
        lists--;
      else if (lists == 0 && *at == '[')
        depth++;
      else if (lists == 0 && *at == ']' && depth-- == 0)
        return at;
    }
  return NULL;
}

static void
parse_status (RackStr rest, RackArena *arena, RackStatus *status)
{
  const char *at = rest.data, *end = rest.data + rest.size;

  memset (&status->code, 0, sizeof status->code);
  while (at < end && *at == ' ')
    at++;
  if (at < end && *at == '[')
    {
      const char *close = code_end (at + 1, end);
      if (close == NULL) /* an odd quote or parenthesis inside: take the first bracket */
        close = memchr (at, ']', (gsize) (end - at));
      if (close != NULL)
        {
          rack_parse_code ((RackStr){ at + 1, (gsize) (close - at - 1) }, arena, &status->code);
          at = close + 1;
          while (at < end && *at == ' ')
            at++;
        }
    }
  status->text = (RackStr){ at, (gsize) (end - at) };
}

static RackStr
without_line_end (RackStr bytes)
{
  if (bytes.size > 0 && bytes.data[bytes.size - 1] == '\n')
    bytes.size--;
  if (bytes.size > 0 && bytes.data[bytes.size - 1] == '\r')
    bytes.size--;
  return bytes;
}

static gboolean
broken (GError **error, const char *what, RackStr bytes)
{
  g_autofree char *text = rack_text_escape (bytes.data, (gssize) MIN (bytes.size, 60));

  g_set_error (error, RACK_ERROR, RACK_ERROR_PROTOCOL, "%s: \"%s%s\"", what, text,
               bytes.size > 60 ? "..." : "");
  return FALSE;
}

static gboolean
parse_untagged (RackLexer *lexer, RackStr bytes, RackArena *arena, RackResponse *response,
                GError **error)
{
  static const struct
  {
    const char *word;
    RackResponseKind kind;
  } numbered[] = {
    { "EXISTS", RACK_RESPONSE_EXISTS },
    { "RECENT", RACK_RESPONSE_RECENT },
    { "EXPUNGE", RACK_RESPONSE_EXPUNGE },
  };
  RackToken first;

  if (rack_next (lexer) == '[') /* "* [COPYUID ...]", the OK forgotten */
    {
      response->kind = RACK_RESPONSE_STATUS;
      response->name = (RackStr){ "OK", 2 };
      response->raw = (RackStr){ lexer->at, (gsize) (lexer->end - lexer->at) };
      response->status.kind = RACK_STATUS_OK;
      parse_status (response->raw, arena, &response->status);
      return TRUE;
    }
  first = rack_lex (lexer);
  if (first.kind == RACK_TOKEN_NUMBER)
    {
      RackToken word = rack_lex (lexer);
      if (word.kind != RACK_TOKEN_ATOM || first.number > G_MAXUINT32)
        return broken (error, "an untagged response makes no sense", bytes);
      response->name = word.text;
      if (rack_str_is (word.text, "FETCH"))
        {
          response->kind = RACK_RESPONSE_FETCH;
          response->raw = (RackStr){ lexer->at, (gsize) (bytes.data + bytes.size - lexer->at) };
          memset (&response->message, 0, sizeof response->message);
          response->message.seq = (guint32) first.number;
          return rack_parse_fetch (lexer, arena, &response->message)
                 || broken (error, "a FETCH response is broken", bytes);
        }
      response->number = (guint32) first.number;
      for (gsize i = 0; i < G_N_ELEMENTS (numbered); i++)
        if (rack_str_is_sized (word.text, numbered[i].word, strlen (numbered[i].word)))
          {
            response->kind = numbered[i].kind;
            response->raw = RACK_STR_NIL;
            return TRUE;
          }
      response->kind = RACK_RESPONSE_OTHER;
      response->raw = (RackStr){ lexer->at, (gsize) (bytes.data + bytes.size - lexer->at) };
      return TRUE;
    }
  /* A negative or overlong number is no name. */
  if (first.kind != RACK_TOKEN_ATOM || g_ascii_isdigit (*first.text.data)
      || *first.text.data == '-')
    return broken (error, "an untagged response makes no sense", bytes);
  response->name = first.text;
  response->raw = (RackStr){ lexer->at, (gsize) (bytes.data + bytes.size - lexer->at) };
  if (parse_status_kind (first.text, &response->status.kind))
    {
      response->kind = RACK_RESPONSE_STATUS;
      parse_status (response->raw, arena, &response->status);
      return TRUE;
    }
  memset (&response->message, 0, sizeof response->message);
  return rack_parse_data (lexer, arena, response)
         || broken (error, "an untagged response is broken", bytes);
}

gboolean
rack_response_parse (RackStr whole, RackArena *arena, RackResponse *response, GError **error)
{
  RackStr bytes = without_line_end (whole);
  const char *end = bytes.data + bytes.size;
  RackLexer lexer = { bytes.data, end };

  if (bytes.size == 0)
    return broken (error, "an empty line is not a response", bytes);
  if (*bytes.data == '+' && (bytes.size == 1 || bytes.data[1] == ' '))
    {
      response->kind = RACK_RESPONSE_CONTINUE;
      response->tag = response->name = (RackStr){ bytes.data, 1 };
      gsize skip = MIN (bytes.size, 2);
      response->raw = (RackStr){ bytes.data + skip, bytes.size - skip };
      memset (&response->status, 0, sizeof response->status);
      response->status.text = response->raw;
      return TRUE;
    }
  const char *space = memchr (bytes.data, ' ', bytes.size);
  if (space == NULL || space == bytes.data)
    return broken (error, "this is not a response", bytes);
  response->tag = (RackStr){ bytes.data, (gsize) (space - bytes.data) };
  lexer.at = space + 1;
  if (response->tag.size == 1 && *bytes.data == '*')
    return parse_untagged (&lexer, bytes, arena, response, error);
  RackToken word = rack_lex (&lexer);
  response->kind = RACK_RESPONSE_STATUS;
  response->name = word.text;
  if (word.kind != RACK_TOKEN_ATOM || !parse_status_kind (word.text, &response->status.kind))
    return broken (error, "a tagged response is neither OK, NO nor BAD", bytes);
  response->raw = (RackStr){ lexer.at, (gsize) (end - lexer.at) };
  parse_status (response->raw, arena, &response->status);
  return TRUE;
}

RackPeek
rack_response_peek (RackStr bytes, guint32 *seq)
{
  const char *at = bytes.data + 2, *end = bytes.data + bytes.size;
  guint64 number = 0;

  if (bytes.size < 2 || bytes.data[1] != ' ' || *bytes.data != '*')
    return bytes.size > 0 && *bytes.data == '+' ? RACK_PEEK_CONTINUE : RACK_PEEK_TAGGED;
  for (; at < end && *at >= '0' && *at <= '9' && number <= G_MAXUINT32; at++)
    number = number * 10 + (guint64) (*at - '0');
  if (at == bytes.data + 2 || number > G_MAXUINT32 || end - at < 7
      || g_ascii_strncasecmp (at, " FETCH ", 7) != 0)
    return RACK_PEEK_UNTAGGED;
  *seq = (guint32) number;
  return RACK_PEEK_FETCH;
}

guint32
rack_response_peek_uid (RackStr bytes)
{
  const char *end = bytes.data + bytes.size;
  const char *open = memchr (bytes.data, '(', MIN (bytes.size, 64));
  RackLexer lexer = { open != NULL ? open + 1 : end, end };

  for (;;)
    {
      RackToken name = rack_lex (&lexer);
      if (name.kind != RACK_TOKEN_ATOM)
        return 0;
      if (rack_str_is (name.text, "UID"))
        {
          RackToken uid = rack_lex (&lexer);
          return uid.kind == RACK_TOKEN_NUMBER && uid.number <= G_MAXUINT32 ? (guint32) uid.number
                                                                            : 0;
        }
      if (!rack_lex_skip_value (&lexer, NULL))
        return 0;
    }
}
