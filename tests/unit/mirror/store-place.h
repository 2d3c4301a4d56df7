/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store-place.h - a store in a directory of its own, for tests of one
 *
 * Each test calls begin() and end(), between which there is a place and, once it is opened, a
 * store. */
#pragma once

#include "store.h"

extern char *place;
extern RackStore *store;

void begin (void);
void end (void);
/* Returns: (owned) what was said. */
char *open_store (void);
void open_quietly (void);
void reopen (void);
char *database (void);
/* On the closed database, behind the store's back. */
void execute (const char *sql);
gint64 ask (const char *sql);

/* Borrowed. */
RackStr str (const char *text);
/* A box that has a folder of its own. */
void add_box (guint32 row, guint32 folder);
gboolean add_messages (guint32 row, guint32 first, guint32 last, GError **error);
