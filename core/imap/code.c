/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * code.c - response codes: what stands in brackets in a status response
 *
 * A code that does not parse is UNKNOWN with its name and argument, never an error:
 * the status itself stands. */
#include "parse.h"

#include <string.h>

static const struct
{
  const char *name;
  RackCodeKind kind;
} codes[] = {
  { "ALERT", RACK_CODE_ALERT },
  { "ALREADYEXISTS", RACK_CODE_ALREADYEXISTS },
  { "APPENDUID", RACK_CODE_APPENDUID },
  { "AUTHENTICATIONFAILED", RACK_CODE_AUTHENTICATIONFAILED },
  { "AUTHORIZATIONFAILED", RACK_CODE_AUTHORIZATIONFAILED },
  { "BADCHARSET", RACK_CODE_BADCHARSET },
  { "CANNOT", RACK_CODE_CANNOT },
  { "CAPABILITY", RACK_CODE_CAPABILITY },
  { "CLIENTBUG", RACK_CODE_CLIENTBUG },
  { "CLOSED", RACK_CODE_CLOSED },
  { "CONTACTADMIN", RACK_CODE_CONTACTADMIN },
  { "COPYUID", RACK_CODE_COPYUID },
  { "CORRUPTION", RACK_CODE_CORRUPTION },
  { "EXPIRED", RACK_CODE_EXPIRED },
  { "EXPUNGEISSUED", RACK_CODE_EXPUNGEISSUED },
  { "HASCHILDREN", RACK_CODE_HASCHILDREN },
  { "HIGHESTMODSEQ", RACK_CODE_HIGHESTMODSEQ },
  { "INUSE", RACK_CODE_INUSE },
  { "LIMIT", RACK_CODE_LIMIT },
  { "MAILBOXID", RACK_CODE_MAILBOXID },
  { "MODIFIED", RACK_CODE_MODIFIED },
  { "NOMODSEQ", RACK_CODE_NOMODSEQ },
  { "NONEXISTENT", RACK_CODE_NONEXISTENT },
  { "NOPERM", RACK_CODE_NOPERM },
  { "NOTIFICATIONOVERFLOW", RACK_CODE_NOTIFICATIONOVERFLOW },
  { "NOTSAVED", RACK_CODE_NOTSAVED },
  { "OVERQUOTA", RACK_CODE_OVERQUOTA },
  { "PARSE", RACK_CODE_PARSE },
  { "PERMANENTFLAGS", RACK_CODE_PERMANENTFLAGS },
  { "PRIVACYREQUIRED", RACK_CODE_PRIVACYREQUIRED },
  { "READ-ONLY", RACK_CODE_READ_ONLY },
  { "READ-WRITE", RACK_CODE_READ_WRITE },
  { "REFERRAL", RACK_CODE_REFERRAL },
  { "SERVERBUG", RACK_CODE_SERVERBUG },
  { "TOOBIG", RACK_CODE_TOOBIG },
  { "TRYCREATE", RACK_CODE_TRYCREATE },
  { "UIDNEXT", RACK_CODE_UIDNEXT },
  { "UIDNOTSTICKY", RACK_CODE_UIDNOTSTICKY },
  { "UIDVALIDITY", RACK_CODE_UIDVALIDITY },
  { "UNAVAILABLE", RACK_CODE_UNAVAILABLE },
  { "UNKNOWN-CTE", RACK_CODE_UNKNOWN_CTE },
  { "UNSEEN", RACK_CODE_UNSEEN },
};

/* How many numbers, each range for itself: pairs need as many on either side. */
static guint64
count (RackRanges ranges)
{
  guint64 n = 0;

  for (gsize i = 0; i < ranges.n; i++)
    n += (guint64) MAX (ranges.items[i].first, ranges.items[i].last)
         - MIN (ranges.items[i].first, ranges.items[i].last) + 1;
  return n;
}

/* "validity set [set]": APPENDUID has one set, COPYUID two. */
static gboolean
parse_uids (RackLexer *lexer, RackArena *arena, RackCode *code, gboolean pairs)
{
  RackToken validity = rack_lex (lexer), uids = rack_lex (lexer);

  if (validity.kind != RACK_TOKEN_NUMBER || validity.number > G_MAXUINT32)
    return FALSE;
  code->number = validity.number;
  if (uids.kind == RACK_TOKEN_END) /* an empty COPYUID: nothing was copied */
    return TRUE;
  if (!rack_parse_ranges (uids.text, arena, &code->uids))
    return FALSE;
  if (!pairs)
    return TRUE;
  return rack_parse_ranges (rack_lex (lexer).text, arena, &code->copies)
         && count (code->uids) == count (code->copies);
}

static gboolean
parse_argument (RackLexer *lexer, RackArena *arena, RackCode *code)
{
  switch ((int) code->kind)
    {
    case RACK_CODE_APPENDUID:
      return parse_uids (lexer, arena, code, FALSE);
    case RACK_CODE_COPYUID:
      return parse_uids (lexer, arena, code, TRUE);
    case RACK_CODE_MODIFIED:
      return rack_parse_ranges (rack_lex (lexer).text, arena, &code->uids);
    case RACK_CODE_CAPABILITY:
      return rack_parse_capabilities (lexer, arena, &code->atoms, &code->n_atoms);
    case RACK_CODE_BADCHARSET:
      return rack_parse_words (lexer, arena, &code->atoms, &code->n_atoms);
    case RACK_CODE_PERMANENTFLAGS:
      return rack_flags_parse (lexer, arena, &code->flags, NULL);
    case RACK_CODE_HIGHESTMODSEQ:
    case RACK_CODE_UIDNEXT:
    case RACK_CODE_UIDVALIDITY:
    case RACK_CODE_UNSEEN:
      {
        RackToken token = rack_lex (lexer);
        code->number = token.number;
        return token.kind == RACK_TOKEN_NUMBER
               && token.number
                      <= (code->kind == RACK_CODE_HIGHESTMODSEQ ? G_MAXINT64 : G_MAXUINT32);
      }
    default:
      return TRUE;
    }
}

gboolean
rack_parse_code (RackStr inside, RackArena *arena, RackCode *code)
{
  const char *end = inside.data + inside.size;
  const char *space = memchr (inside.data, ' ', inside.size);
  RackLexer lexer = { space != NULL ? space + 1 : end, end };

  code->kind = RACK_CODE_UNKNOWN;
  code->name = (RackStr){ inside.data, (gsize) ((space != NULL ? space : end) - inside.data) };
  if (space != NULL)
    code->argument = (RackStr){ space + 1, (gsize) (end - space - 1) };
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (rack_str_is_sized (code->name, codes[i].name, strlen (codes[i].name)))
      code->kind = codes[i].kind;
  if (parse_argument (&lexer, arena, code))
    return TRUE;
  *code = (RackCode){ .kind = RACK_CODE_UNKNOWN, .name = code->name, .argument = code->argument };
  return FALSE;
}
