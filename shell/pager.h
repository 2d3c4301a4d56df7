/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pager.h - what a line prints on a terminal, through a pager if it is long
 *
 * What is printed is held until it fills the screen, which starts the pager, or until it is over or
 * has come too slowly to wait for, and then goes to standard output. */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct Pager Pager;

typedef struct
{
  const char *command; /* for sh; "": never */
  guint rows, columns; /* of the terminal */
  /* Before anything is shown, and once something is held. Any thread. */
  void (*shows) (gpointer data);
  void (*holds) (gpointer data);
  gpointer data;
} PagerOptions;

/* Options are copied, but for data. *out is what is to be written to, by one thread. */
Pager *pager_new (const PagerOptions *options, FILE **out);
/* Shows what is held. Any thread. */
void pager_release (Pager *pager);
/* Whether a pager was started and has the terminal. Any thread. */
gboolean pager_is_running (Pager *pager);
/* Closes what is written to, shows what is held, and waits until the pager has ended. */
void pager_finish (Pager *pager);
void pager_free (Pager *pager); /* after that */
