/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-private.h - what builder (command.c) and writer (writer.c) share
 *
 * Nobody else includes this. */
#pragma once

#include "command.h"

typedef enum
{
  RACK_PIECE_TEXT,    /* bytes as they are */
  RACK_PIECE_STRING,  /* an astring: atom, quoted or literal */
  RACK_PIECE_MAILBOX, /* UTF-8, encoded when written */
  RACK_PIECE_PATTERN, /* the same, never as an atom */
  RACK_PIECE_LITERAL, /* always a literal */
  RACK_PIECE_SOURCE,
  RACK_PIECE_SECRET, /* quoted or literal */
  RACK_PIECE_SECRET_ATOM,
} RackPieceKind;

typedef struct
{
  RackPieceKind kind;
  union
  {
    RackSource *source;
    RackSecret *secret;
  };
  GBytes *bytes; /* NULL for SOURCE and the secrets */
} RackPiece;

struct RackCommand
{
  char *name;
  GString *text;  /* the run of text being built, not yet a piece */
  GArray *pieces; /* RackPiece */
  GError *error;
  gboolean opened; /* behind "(" or at the very beginning: no space before the next argument */
};

/* Makes the text built so far a piece. The writer sees pieces alone. */
void rack_command_flush (RackCommand *command);
