/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * recorder.h - an exchange that writes down what happens to it
 *
 * Every callback of the engine becomes one line of text in the order of events. */
#pragma once

#include "engine.h"

typedef struct
{
  GQueue lines;   /* char *, owned */
  GString *piece; /* octets of a streamed literal that were not written down yet */
  const char *whose;
} Record;

typedef struct
{
  RackExchange exchange; /* first */
  char *id;
  Record *record;
  RackSet *uids; /* of UID FETCH and UID STORE, or NULL */
  gboolean wants_octets;
  RackSource source;
  guint64 given, allowed;
  gboolean failing;
} Recorder;

void record_init (Record *record);
void record_clear (Record *record);
/* The next line, or NULL. Returns: (owned) */
char *record_take (Record *record);
const char *record_error_name (const GError *error);
/* For RackEngineOptions; data is a Record. */
void record_news (gpointer data, const RackResponse *response);

/* spec: "LOGIN \"alice\" s\"sekret\"", see the README. NULL with error set. Returns: (owned) */
Recorder *recorder_new (Record *record, const char *id, const char *spec, gboolean unparsed,
                        gboolean streamed, GError **error);
void recorder_free (Recorder *recorder);
