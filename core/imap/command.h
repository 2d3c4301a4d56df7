/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command.h - a command as it is built, and as it goes out
 *
 * The builder's functions are public (mailrack.h). Here is the other end: a
 * writer that turns the pieces into octets in as many runs as the server's
 * literal rules demand. It knows neither tags nor answers; the engine does. */
#pragma once

#include <mailrack/mailrack.h>

/* Octets of a literal that are not in memory yet. Functions are called by whoever writes the
 * command (a connection's owner thread) and must not wait. */
typedef struct RackSource RackSource;
struct RackSource
{
  guint64 size;
  /* Up to size octets into data. Returns: how many, 0 for none yet (the engine is woken again by
   * rack_engine_kick()), or -1: the source failed and the connection must go. */
  gssize (*read) (RackSource *source, void *data, gsize size);
};

/* source is borrowed and must live until the command is done. */
void rack_command_source (RackCommand *command, RackSource *source);
/* A quoted string or literal that no trace shows. Copies secret. */
void rack_command_secret (RackCommand *command, const RackSecret *secret);
/* The same for a bare word (an initial response, already base64). */
void rack_command_secret_atom (RackCommand *command, const RackSecret *secret);

/* The first piece that cannot be sent, or NULL. Borrowed. */
const GError *rack_command_error (const RackCommand *command);
/* The first mailbox among its arguments, or NULL. Returns: (owned) UTF-8 */
char *rack_command_first_mailbox (const RackCommand *command);
/* The first mailbox or string among its arguments, or NULL. Returns: (owned) */
char *rack_command_first_string (const RackCommand *command);

/* What the server can take, as it stands when the command is written. */
typedef struct
{
  gboolean literal_plus;  /* RFC 7888: any literal may be non-synchronising */
  gboolean literal_minus; /* those of up to 4,096 octets */
  gboolean utf8_names;    /* UTF8=ACCEPT or IMAP4rev2 is enabled: names go out as they are */
} RackWireOptions;

typedef struct
{
  const RackCommand *command;
  guint piece;  /* being written */
  gsize offset; /* octets of it that are out */
  guint64 left; /* octets of a literal's data still to be written */
  gboolean in_literal;
  gboolean waiting; /* a synchronising literal was announced: nothing more before "+" */
} RackWriter;

typedef enum
{
  RACK_WRITE_MORE,   /* call again when the buffer was sent */
  RACK_WRITE_WAIT,   /* for a continuation: rack_writer_continue() */
  RACK_WRITE_SOURCE, /* for the source to have octets */
  RACK_WRITE_DONE,   /* all of it and the final CRLF is in the buffer */
  RACK_WRITE_FAILED, /* the source failed */
} RackWriteResult;

void rack_writer_init (RackWriter *writer, const RackCommand *command);
/* Appends to out until about limit octets are in it. Secret octets are appended alone: *secret says
 * that this run is one; out must be empty then and be sent before the next call. */
RackWriteResult rack_writer_fill (RackWriter *writer, const RackWireOptions *options,
                                  GByteArray *out, gsize limit, gboolean *secret);
/* The server said "+". FALSE: it was not waited for. */
gboolean rack_writer_continue (RackWriter *writer);
