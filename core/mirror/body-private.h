/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * body-private.h - the insides of bodies, for the three files that have them
 *
 * bodies.c keeps them (table, references, eviction), body.c answers those who read
 * them, fetcher.c fills them. Everything here is under the bodies' mutex, but what a
 * fetching thread alone uses while the state is FETCHING.
 */
#pragma once

#include "mirror-private.h"
#include "slab.h"
#include "store.h"

typedef struct RackKeeper RackKeeper;

typedef enum
{
  RACK_BODY_IDLE,   /* nobody asked for its octets */
  RACK_BODY_QUEUED, /* a job will fetch it */
  RACK_BODY_FETCHING,
  RACK_BODY_HEAD, /* the first octets are here, and nobody fetches more */
  RACK_BODY_DONE,
  RACK_BODY_FAILED,
} RackBodyState;

/* What a body is of. */
typedef struct
{
  guint32 row, uid;
  char *part; /* "" for the whole message, else section and form: see rack_folder_part() */
} RackBodyKey;

struct RackBody
{
  RackBodyKey key;
  char *section; /* "" for the whole message */
  RackPartForm form;
  RackBodies *bodies;
  RackFolder *folder;
  guint refs; /* of readers */
  guint pins; /* of jobs */
  RackBodyState state;
  gboolean ahead; /* QUEUED only to be read ahead */
  gboolean size_known;
  gboolean size_believed; /* it was announced, and no literal showed it yet */
  guint64 goal;           /* only so many octets are wanted; 0: all */
  guint64 read_to;        /* up to where somebody has read */
  guint64 size, have;
  gboolean placed;           /* it has a range: room octets from offset on */
  RackSlab *slab;            /* where that is: the bodies' slab or their refuge */
  guint64 offset, room;      /* at least size */
  guint64 left, left_room;   /* in the refuge: the range in the slab that readers may still have */
  gboolean looked;           /* the store was asked for it */
  gboolean kept;             /* the store has a row for its range */
  gboolean counted;          /* its cost is in the bodies' used */
  gboolean noted;            /* the keeper has it in its queue */
  guint32 crc;               /* of the octets so far */
  gint64 used_at;            /* real time */
  GError *error;             /* FAILED */
  gint64 failed_at;          /* monotonic */
  GCancellable *cancellable; /* while it is fetched for a reader */
  pthread_cond_t cond;       /* something above changed */
  GQueue *list;              /* of those nobody holds, or NULL */
  GList link;                /* in that list */
};

/* What is on its way to be there before anybody asks. */
typedef struct
{
  guint jobs;
  guint64 octets;  /* of them */
  guint64 window;  /* how many there may be */
  gint64 quickest; /* microseconds a job took at least */
} RackFlight;

struct RackBodies
{
  RackMirror *mirror;
  pthread_mutex_t mutex;
  GHashTable *table; /* RackBodyKey -> RackBody */
  GQueue unheld;     /* whole ones, the one unused for longest last */
  GQueue heads;      /* the same, of those in the state HEAD */
  guint64 used, limit;
  guint64 generation; /* grows when rows were taken away: what was read before is void */
  RackSlab slab;
  RackSlab refuge;     /* in memory; fd -1 until it is needed */
  guint64 refuge_used; /* octets of ranges in it */
  GQueue refugees;     /* like unheld, of whole ones in the refuge */
  RackKeeper *keeper;  /* NULL: nothing outlives the process */
  RackJobs *jobs;
  RackFlight flight;
  gboolean closing;
  RackMirrorFigures figures;
};

/* ---- bodies.c; with the mutex held ---- */
void rack_body_pin (RackBody *body);
void rack_body_unpin (RackBody *body);
void rack_bodies_evict (RackBodies *bodies);
/* The body of a whole message; made if it is not in the table. Nobody holds it yet. */
RackBody *rack_bodies_get (RackFolder *folder, guint32 row, guint32 uid);

/* ---- body.c ---- */
/* Only the beginning of it is wanted, of size octets, which are believed. It is IDLE. */
void rack_body_aim_at_head (RackBody *body, guint64 size);

/* ---- bodies.c ---- */
/* Asks the store for a body that somebody wants to read now. Without the mutex. */
void rack_body_look (RackBody *body);
/* Takes a body out of memory if nobody holds it. FALSE: somebody does. */
gboolean rack_bodies_forget (RackBodies *bodies, const RackBodyKey *key);
/* The row of a body that is kept. Borrows the section. */
void rack_body_row (const RackBody *body, RackStoreBody *row);

/* ---- body-whole.c ---- */
/* The octets of a message that is here as a whole; never waits for a server. Returns: (owned), NULL
 * if it is not. */
char *rack_bodies_read_whole (RackFolder *folder, guint32 row, guint32 uid, gsize *size);

/* ---- bodies-refuge.c ---- */
/* Moves a body, of which have octets are in the slab, to memory, because problem (an errno) befell
 * that. Without the mutex, by a thread that is FETCHING it. FALSE: it cannot be, or its octets are
 * not what they were. */
gboolean rack_refuge_take (RackBody *body, guint64 have, int problem, GError **error);
gboolean rack_refuge_has (const RackBody *body);
/* With the mutex held: gives back what a body has there. */
void rack_refuge_leave (RackBody *body);
/* The same: of what nobody holds there goes what is too much, or all. */
void rack_refuge_limit (RackBodies *bodies);
void rack_refuge_empty (RackBodies *bodies);

/* ---- bodies.c; with the mutex held ---- */
/* Out of the table and of memory. */
void rack_body_discard (RackBody *body);

/* ---- fetcher.c ---- */
/* Whether this job is the one that fetches it; if not, it leaves it (unpins). */
gboolean rack_fetcher_begin (RackBody *body, gboolean ahead);
void rack_fetcher_leave (RackBody *body);
/* The first octets of a body that was begun with a goal. Finishes it. */
void rack_fetcher_put_head (RackBody *body, RackStr octets);
/* All the octets of a body that was begun. Finishes it. */
void rack_fetcher_put (RackBody *body, RackStr octets);
/* Takes problem, which is NULL after a success. Unpins. */
void rack_fetcher_finish (RackBody *body, GError *problem);
/* A job: fetches one body that is pinned and QUEUED, and unpins it. */
void rack_fetcher_run (gpointer body);
