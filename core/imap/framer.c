/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * framer.c - bytes into whole responses; the contract is in framer.h
 *
 * One block is filled at a time. A response is followed line by line: the end of a
 * line outside a literal either ends the response or announces a literal, whose
 * octets are skipped (kept inline) or handed out (streamed). */
#include "framer.h"

#include <string.h>

#define BLOCK_SIZE (256 * 1024)
#define MIN_SPACE  (16 * 1024)
#define LOOK       64 /* octets that tell what a response is */

struct RackBlock
{
  gint references; /* atomic */
  gsize size;
  char data[];
};

typedef enum
{
  LINE,   /* looking for the end of a line */
  INLINE, /* inside a literal that is kept */
  CHOOSE, /* HEAD was given out */
  STREAM, /* inside a literal that is handed out */
} State;

struct RackFramer
{
  RackFramerLimits limits;
  RackBlock *block;
  gsize start;   /* of the response being read */
  gsize line;    /* of its current line */
  gsize scanned; /* up to here no line end was found */
  gsize end;     /* of what was read */
  gsize outside; /* octets of the response outside literals, before the current line */
  State state;
  guint64 left; /* octets of the literal still to come */
  gsize piece;  /* octets at .line that were given out, to be cut out at the next call */
  gboolean is_status, is_data, known;
  const char *bad;
};

static RackBlock *
block_new (gsize size)
{
  RackBlock *block = g_malloc (sizeof (RackBlock) + size);

  block->references = 1;
  block->size = size;
  return block;
}

RackBlock *
rack_block_ref (RackBlock *block)
{
  g_atomic_int_inc (&block->references);
  return block;
}

void
rack_block_unref (RackBlock *block)
{
  if (g_atomic_int_dec_and_test (&block->references))
    g_free (block);
}

RackFramer *
rack_framer_new (const RackFramerLimits *limits)
{
  RackFramer *framer = g_new0 (RackFramer, 1);

  framer->limits = limits != NULL ? *limits
                                  : (RackFramerLimits){ .max_line = 64 * 1024,
                                                        .max_data = 64 * 1024 * 1024,
                                                        .max_inline = 64 * 1024,
                                                        .max_response = 64 * 1024 * 1024 };
  framer->block = block_new (BLOCK_SIZE);
  return framer;
}

void
rack_framer_free (RackFramer *framer)
{
  if (framer == NULL)
    return;
  rack_block_unref (framer->block);
  g_free (framer);
}

/* Moves the partial response to a block with room for more. The old one lives on as long as
 * somebody holds a frame of it; if nobody does, it is used again. */
static void
make_room (RackFramer *framer)
{
  gsize partial = framer->end - framer->start;
  gsize shift = framer->start;

  if (g_atomic_int_get (&framer->block->references) == 1
      && framer->block->size - partial >= MAX (MIN_SPACE, framer->block->size / 4))
    memmove (framer->block->data, framer->block->data + framer->start, partial);
  else
    {
      RackBlock *block = block_new (MAX (BLOCK_SIZE, partial * 2));
      memcpy (block->data, framer->block->data + framer->start, partial);
      rack_block_unref (framer->block);
      framer->block = block;
    }
  framer->start = 0;
  framer->line -= shift;
  framer->scanned -= shift; /* never before .start, see skip_inline() */
  framer->end -= shift;
}

void *
rack_framer_space (RackFramer *framer, gsize *size)
{
  if (framer->start == framer->end)
    {
      /* A block that grew for one large response is not kept for the small ones. */
      if (framer->block->size > BLOCK_SIZE)
        {
          rack_block_unref (framer->block);
          framer->block = block_new (BLOCK_SIZE);
        }
      if (g_atomic_int_get (&framer->block->references) == 1)
        framer->start = framer->line = framer->scanned = framer->end = 0;
    }
  if (framer->block->size - framer->end < MIN_SPACE)
    make_room (framer);
  *size = framer->block->size - framer->end;
  return framer->block->data + framer->end;
}

void
rack_framer_filled (RackFramer *framer, gsize size)
{
  framer->end += size;
}

gsize
rack_framer_pending (const RackFramer *framer)
{
  return framer->end - framer->start;
}

gboolean
rack_framer_in_response (const RackFramer *framer)
{
  return framer->end > framer->start || framer->state != LINE || framer->outside > 0;
}

static RackFrame
bad (RackFramer *framer, const char *reason)
{
  framer->bad = reason;
  return (RackFrame){ .kind = RACK_FRAME_BAD, .reason = reason };
}

static gboolean
word_is (const char *at, const char *end, const char *word)
{
  gsize size = strlen (word);

  return (gsize) (end - at) >= size && ((*at ^ *word) & ~0x20) == 0
         && g_ascii_strncasecmp (at, word, size) == 0
         && ((gsize) (end - at) == size || g_ascii_isspace (at[size]));
}

/* Looks at the beginning of a response: status text has no literals, and only some data may be
 * long. Never farther than LOOK octets, so that it does not depend on how much has arrived. */
static void
look (RackFramer *framer, const char *at, const char *end)
{
  end = MIN (end, at + LOOK);
  framer->known = TRUE;
  framer->is_status = framer->is_data = FALSE;
  if (at < end && *at == '+')
    {
      framer->is_status = TRUE;
      return;
    }
  gboolean untagged = at < end && *at == '*';
  while (at < end && !g_ascii_isspace (*at))
    at++;
  while (at < end && *at == ' ')
    at++;
  const char *number = at;
  while (at < end && g_ascii_isdigit (*at))
    at++;
  if (at > number)
    while (at < end && *at == ' ')
      at++;
  framer->is_status = (at < end && *at == '[') || word_is (at, end, "OK") || word_is (at, end, "NO")
                      || word_is (at, end, "BAD") || word_is (at, end, "BYE")
                      || word_is (at, end, "PREAUTH");
  framer->is_data = untagged
                    && (word_is (at, end, "FETCH") || word_is (at, end, "SEARCH")
                        || word_is (at, end, "ESEARCH") || word_is (at, end, "SORT")
                        || word_is (at, end, "THREAD") || word_is (at, end, "VANISHED"));
}

static gsize
line_limit (const RackFramer *framer)
{
  return framer->is_data ? framer->limits.max_data : framer->limits.max_line;
}

typedef enum
{
  NO_LITERAL,
  LITERAL,
  BAD_LITERAL
} Announced;

/* Whether a line (without its end) announces a literal: {n}, {n+}, ~{n}. What only looks like one
 * ("{name}") is text. */
static Announced
announces_literal (const char *line, const char *end, guint64 *size)
{
  const char *at = end - 1;
  guint64 n = 0;

  if (end - line < 2 || *at != '}')
    return NO_LITERAL;
  while (at > line && *at != '{' && end - at < 28)
    at--;
  if (*at != '{')
    return NO_LITERAL;
  const char *digit = at + 1;
  if (g_ascii_isalpha (*digit))
    return NO_LITERAL;
  for (; digit < end - 1 && g_ascii_isdigit (*digit); digit++)
    {
      if (n > (G_MAXINT64 - 9) / 10)
        return BAD_LITERAL;
      n = n * 10 + (guint64) (*digit - '0');
    }
  if (digit == at + 1 || (digit != end - 1 && !(digit == end - 2 && *digit == '+')))
    return BAD_LITERAL;
  *size = n;
  return LITERAL;
}

/* A line is whole: [framer->line, newline]. */
static RackFrame
end_line (RackFramer *framer, gsize newline)
{
  const char *data = framer->block->data;
  const char *line = data + framer->line;
  /* A bare LF ends a line too: some servers' status texts carry one. */
  const char *end = data + newline - (newline > framer->line && data[newline - 1] == '\r' ? 1 : 0);
  guint64 size = 0;
  Announced literal = NO_LITERAL;

  if (!framer->known)
    look (framer, line, end);
  framer->outside += newline + 1 - framer->line;
  if (framer->outside > line_limit (framer))
    return bad (framer, "a line is longer than any that makes sense");
  if (!framer->is_status)
    literal = announces_literal (line, end, &size);
  if (literal == BAD_LITERAL)
    return bad (framer, "a literal of impossible size is announced");
  framer->line = framer->scanned = newline + 1;
  if (literal == NO_LITERAL)
    {
      RackFrame frame = { .kind = RACK_FRAME_RESPONSE,
                          .bytes = { data + framer->start, newline + 1 - framer->start },
                          .block = framer->block };
      framer->start = newline + 1;
      framer->outside = 0;
      framer->known = FALSE;
      return frame;
    }
  framer->left = size;
  if (size <= framer->limits.max_inline)
    {
      if (framer->line - framer->start + size > framer->limits.max_response)
        return bad (framer, "a response is larger than the limit");
      framer->state = INLINE;
      return (RackFrame){ .kind = RACK_FRAME_MORE };
    }
  framer->state = CHOOSE;
  return (RackFrame){ .kind = RACK_FRAME_HEAD,
                      .bytes = { data + framer->start, framer->line - framer->start },
                      .literal = size };
}

void
rack_framer_stream (RackFramer *framer)
{
  if (framer->state != CHOOSE)
    return;
  framer->state = STREAM;
  /* The lexer knows a literal that is not here by this instead of "{" (framer.h, HEAD). */
  char *brace = framer->block->data + framer->line - 1;
  while (*brace != '{')
    brace--;
  *brace = '\x01';
}

/* Skips what is here of an inline literal. TRUE when it is over. */
static gboolean
skip_inline (RackFramer *framer)
{
  gsize here = framer->end - framer->line;
  gsize now = (gsize) MIN (framer->left, here);

  framer->line += now;
  framer->scanned = framer->line;
  framer->left -= now;
  if (framer->left > 0)
    return FALSE;
  framer->state = LINE;
  return TRUE;
}

/* Gives out what is here of a streamed literal and closes the gap it leaves. */
static RackFrame
stream_piece (RackFramer *framer)
{
  framer->piece = (gsize) MIN (framer->left, framer->end - framer->line);
  framer->left -= framer->piece;
  return (RackFrame){ .kind = RACK_FRAME_LITERAL,
                      .bytes = { framer->block->data + framer->line, framer->piece },
                      .literal = framer->left };
}

static void
cut_piece (RackFramer *framer)
{
  char *at = framer->block->data + framer->line;

  memmove (at, at + framer->piece, framer->end - framer->line - framer->piece);
  framer->end -= framer->piece;
  framer->piece = 0;
  if (framer->left == 0)
    framer->state = LINE;
}

/* FALSE: the response would be kept in memory beyond the limit. */
static gboolean
choose_inline (RackFramer *framer)
{
  framer->state = INLINE;
  return framer->line - framer->start + framer->left <= framer->limits.max_response;
}

RackFrame
rack_framer_next (RackFramer *framer)
{
  if (framer->bad != NULL)
    return bad (framer, framer->bad);
  if (framer->piece > 0)
    cut_piece (framer);
  if (framer->state == CHOOSE && !choose_inline (framer))
    return bad (framer, "a literal is larger than the limit for what is kept in memory");
  for (;;)
    {
      if (framer->state == INLINE && !skip_inline (framer))
        return (RackFrame){ .kind = RACK_FRAME_MORE };
      if (framer->state == STREAM)
        {
          if (framer->end == framer->line)
            return (RackFrame){ .kind = RACK_FRAME_MORE };
          return stream_piece (framer);
        }
      char *data = framer->block->data;
      char *newline = memchr (data + framer->scanned, '\n', framer->end - framer->scanned);
      if (newline == NULL)
        {
          if (!framer->known && framer->end - framer->line >= LOOK)
            look (framer, data + framer->line, data + framer->end);
          framer->scanned = framer->end;
          if (framer->end - framer->line + framer->outside
              > (framer->known ? line_limit (framer) : framer->limits.max_line))
            return bad (framer, "a line is longer than any that makes sense");
          return (RackFrame){ .kind = RACK_FRAME_MORE };
        }
      RackFrame frame = end_line (framer, (gsize) (newline - data));
      if (frame.kind != RACK_FRAME_MORE)
        return frame;
    }
}
