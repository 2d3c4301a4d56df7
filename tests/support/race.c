/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * race.c - a race that ThreadSanitizer must report
 *
 * scripts/tsan runs it first: where nothing is found in this, nothing found elsewhere proves
 * anything. Two threads write a number without a lock; nothing else is here. */
#include <pthread.h>
#include <stdio.h>

static int number;

static void *
count (void *data)
{
  number++;
  return NULL;
}

int
main (void)
{
  pthread_t thread;

  if (pthread_create (&thread, NULL, count, NULL) != 0)
    return 2;
  number++;
  pthread_join (thread, NULL);
  printf ("%d\n", number);
  return 0;
}
