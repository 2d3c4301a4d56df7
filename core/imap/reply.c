/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reply.c - responses kept beyond the buffer they came in */
#include "reply.h"

#include <string.h>

struct RackReply
{
  RackArena *arena;
  GPtrArray *responses; /* RackResponse *, in the arena */
  RackStatus status;
};

RackReply *
rack_reply_new (void)
{
  RackReply *reply = g_new0 (RackReply, 1);

  reply->arena = rack_arena_new ();
  reply->responses = g_ptr_array_new ();
  reply->status.kind = RACK_STATUS_OK;
  return reply;
}

void
rack_reply_free (RackReply *reply)
{
  if (reply == NULL)
    return;
  rack_arena_free (reply->arena);
  g_ptr_array_free (reply->responses, TRUE);
  g_free (reply);
}

void
rack_reply_add (RackReply *reply, const RackResponse *response)
{
  const RackStr *last = response->raw.data != NULL ? &response->raw : &response->name;
  const char *start = response->tag.data;
  RackStr copy = rack_arena_str (reply->arena, start, (gsize) (last->data + last->size - start));
  RackResponse *kept = rack_arena_new0 (reply->arena, RackResponse);

  /* What was parsed once parses again. */
  if (!rack_response_parse (copy, reply->arena, kept, NULL))
    return;
  if (kept->kind == RACK_RESPONSE_STATUS && (kept->tag.size != 1 || *kept->tag.data != '*'))
    reply->status = kept->status;
  else
    g_ptr_array_add (reply->responses, kept);
}

gboolean
rack_reply_is_empty (const RackReply *reply)
{
  return reply->responses->len == 0;
}

const RackStatus *
rack_reply_status (const RackReply *reply)
{
  return &reply->status;
}

const RackResponse *
rack_reply_get (const RackReply *reply, guint index)
{
  return index < reply->responses->len ? g_ptr_array_index (reply->responses, index) : NULL;
}

/* What a response code of a refusal means (RFC 5530, RFC 9051 section 7.1): the only place that
 * says so. What that is to programs is the table of fs/errors.c. */
static RackError
error_code (RackCodeKind code)
{
  switch ((int) code)
    {
    case RACK_CODE_NONEXISTENT:
    case RACK_CODE_TRYCREATE:
    case RACK_CODE_EXPUNGEISSUED:
      return RACK_ERROR_NOT_FOUND;
    case RACK_CODE_ALREADYEXISTS:
      return RACK_ERROR_EXISTS;
    case RACK_CODE_BADCHARSET:
    case RACK_CODE_UNKNOWN_CTE:
      return RACK_ERROR_UNSUPPORTED;
    case RACK_CODE_AUTHORIZATIONFAILED:
    case RACK_CODE_NOPERM:
    case RACK_CODE_PRIVACYREQUIRED:
    case RACK_CODE_READ_ONLY:
      return RACK_ERROR_DENIED;
    case RACK_CODE_CANNOT:
      return RACK_ERROR_INVALID;
    case RACK_CODE_OVERQUOTA:
      return RACK_ERROR_QUOTA;
    case RACK_CODE_TOOBIG:
    case RACK_CODE_LIMIT:
      return RACK_ERROR_TOO_LARGE;
    case RACK_CODE_INUSE:
    case RACK_CODE_HASCHILDREN:
      return RACK_ERROR_BUSY;
    case RACK_CODE_UNAVAILABLE:
      return RACK_ERROR_UNAVAILABLE;
    case RACK_CODE_CONTACTADMIN:
    case RACK_CODE_CORRUPTION:
    case RACK_CODE_SERVERBUG:
      return RACK_ERROR_SERVER;
    case RACK_CODE_AUTHENTICATIONFAILED:
    case RACK_CODE_EXPIRED:
      return RACK_ERROR_AUTH;
    default:
      return RACK_ERROR_REFUSED;
    }
}

/* " (it knows US-ASCII, UTF-8)", or nothing. Returns: (owned) */
static char *
known_charsets (const RackCode *code)
{
  GString *text = g_string_new (NULL);

  if (code->kind != RACK_CODE_BADCHARSET || code->n_atoms == 0)
    return g_string_free (text, FALSE);
  for (guint i = 0; i < code->n_atoms; i++)
    {
      g_autofree char *name = rack_text_escape (code->atoms[i].data, (gssize) code->atoms[i].size);
      g_string_append_printf (text, "%s%s", i == 0 ? " (it knows " : ", ", name);
    }
  g_string_append_c (text, ')');
  return g_string_free (text, FALSE);
}

GError *
rack_reply_to_error (const RackReply *reply)
{
  const RackStatus *status = &reply->status;

  if (status->kind == RACK_STATUS_OK)
    return NULL;
  g_autofree char *text =
      rack_text_escape (status->text.size > 0 ? status->text.data : "", (gssize) status->text.size);
  g_autofree char *code =
      status->code.name.data != NULL
          ? rack_text_escape (status->code.name.data, (gssize) status->code.name.size)
          : NULL;
  g_autofree char *charsets = known_charsets (&status->code);
  return g_error_new (RACK_ERROR, error_code (status->code.kind), "the server says %s: %s%s%s%s%s",
                      status->kind == RACK_STATUS_NO ? "NO" : "BAD", code != NULL ? "[" : "",
                      code != NULL ? code : "", code != NULL ? "] " : "", text, charsets);
}
