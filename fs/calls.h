/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * calls.h - requests that may have to wait
 *
 * A request becomes a Call: run() does what is asked, reply() answers with what it gave.
 * run() is tried at once, with no cancellable; if it says NODE_WAIT the call moves to a
 * worker and is run there. In both calls it must give the same answer for the same state.
 *
 * Changes are durable on this disk when they are answered, which takes the disk: their run()
 * says NODE_WAIT to the first call whatever it knows.
 */
#pragma once

#include "nodes.h"
#include "workers.h"

/* An open file or directory of a node. It is kept until the last request about it is answered: a
 * program that was killed may have closed it before. */
typedef struct NodeHandle NodeHandle;

typedef struct Call Call;

struct Call
{
  fuse_req_t req;
  Mount *mount;
  fuse_ino_t ino;
  Node *node;         /* ino's, or NULL if it is none */
  NodeHandle *handle; /* or NULL */
  int (*run) (Call *call, GCancellable *cancellable);
  /* run gave 0. */
  void (*reply) (Call *call);
  int result;

  /* What goes in. */
  char *name, *new_name;
  fuse_ino_t new_ino;
  unsigned int flags;
  gboolean directory;
  gboolean changes;    /* it changes mail: with commit = server it is answered when that has it */
  int again;           /* what a program gets in the place of EAGAIN; 0: that */
  const char *written; /* borrowed from the request, or from text */
  size_t size;
  off_t offset;
  struct stat attributes;
  int which; /* of attributes */
  struct fuse_file_info file;
  /* What comes out. */
  char *text;
  struct fuse_entry_param entry;
  NodeOctets octets;
};

/* NULL: ino is a node's, and there is none any more; that was answered. */
Call *call_new (fuse_req_t req, fuse_ino_t ino, int (*run) (Call *, GCancellable *),
                void (*reply) (Call *));
/* About an open file of a node. */
Call *call_new_for_handle (fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi,
                           int (*run) (Call *, GCancellable *), void (*reply) (Call *));
/* Takes call (may be NULL). */
void call_submit (Call *call, Workers *workers);

/* Replies. */
void call_reply_done (Call *call);
void call_reply_entry (Call *call);

/* ---- Handles ---- */

struct NodeHandle
{
  Node *node;
  gint refs; /* atomic */
  gboolean opened;
  gpointer data; /* of a file: the node's own */
  GArray *names; /* of a directory: of NodeName */
};

typedef struct
{
  char *name;
  fuse_ino_t ino;
  mode_t type;
} NodeName;

NodeHandle *node_handle_new (Node *node);
NodeHandle *node_handle_ref (NodeHandle *handle);
void node_handle_unref (NodeHandle *handle);
/* For the kernel, with a reference of its own. In fi->fh of a message it is marked: a draft that is
 * being written is open as a node. */
void node_handle_store (NodeHandle *handle, fuse_ino_t ino, struct fuse_file_info *fi);
/* Drops the kernel's reference. */
void node_handle_close (NodeHandle *handle);
NodeHandle *node_handle_of (const struct fuse_file_info *fi);
/* Whether requests about ino, opened as fi (may be NULL), are about a node. */
gboolean node_handles (fuse_ino_t ino, const struct fuse_file_info *fi);
