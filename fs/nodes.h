/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * nodes.h - files and directories whose inode number cannot say what they are
 *
 * Messages and the folders of views have numbers that say everything (inode.h). All else (the
 * parts of a message, searches, .mailrack) is a Node: something with a key, which says
 * for ever what it is, and a table of functions. A node lives while the kernel knows it
 * (lookups minus forgets) or somebody here holds it; then it is disposed of. Its number
 * is a hash of its key, so it is the same the next time, and a listing can give the
 * number without making the node.
 *
 * Keys: a path is a good one, beginning with the name of the view:
 * "parts/ROW/UID/att/report.pdf". A key must hold all that a node's functions depend
 * on; if what it names is replaced by something else (another UIDVALIDITY), the key must
 * change too (the row does).
 *
 * To answer a lookup of a node in another node (or in a view of folders, fill_entry):
 *
 *   static int
 *   lookup (Node *directory, const char *name, GCancellable *cancellable,
 *           struct fuse_entry_param *out)
 *   {
 *     if (strcmp (name, "header") != 0)
 *       return ENOENT;
 *     g_autofree char *key = g_strdup_printf ("%s/header", directory->key);
 *     g_autoptr (Node) node = node_new (directory->mount, &header_ops, key, my_data_new (...));
 *     node_fill_entry (node, out);
 *     return 0;
 *   }
 *
 * node_fill_entry() counts the lookup; if the answer does not reach the kernel, the
 * caller of the functions (ops-node.c) takes that back. A lookup may also answer with a
 * message: fill_message_entry() of inode.h.
 *
 * Waiting. FUSE's threads never wait. A function that takes a GCancellable is called on
 * one of them first, with NULL: it answers from memory or returns NODE_WAIT, and is then
 * called once more on a worker's thread with a real cancellable, where it may block. A
 * program that is interrupted cancels it; it then returns EINTR. In both calls it must
 * give the same answer for the same state. All functions may run on many threads at once.
 *
 * They return 0, an errno (errno_of() has it for a GError), or NODE_WAIT. A function
 * that is NULL answers ENOTDIR, EISDIR, EROFS or whatever says that there is no such
 * thing; getattr must be there.
 */
#pragma once

#include "mount.h"

#define NODE_WAIT  (-1)
#define NODE_STALE (-1.0)

typedef struct NodeListing NodeListing;

/* What a read gives: memory (freed with g_free() after the reply) or a range of a file, whose
 * descriptor must stay valid while the handle of the open file lives. */
typedef struct
{
  char *memory;
  gsize size;
  int fd; /* used if memory is NULL */
  off_t position;
} NodeOctets;

struct NodeOps
{
  mode_t type; /* S_IFDIR, S_IFREG, S_IFLNK */
  /* st_ino, st_mode (0600, 0700, 0777 with the mount's umask), owner and st_nlink = 1 are filled
   * in already. Sizes: a file that programs read through the page cache needs its exact one, or a
   * guess above 0 with a time-out of 0 and an open that waits until it is known; with
   * fi->direct_io it does not matter. Never waits. Returns: how long the kernel may believe it,
   * seconds; NODE_STALE: it is something else now, and whoever comes by its name must look the name
   * up again. */
  double (*getattr) (Node *node, struct stat *out);
  /* which: FUSE_SET_ATTR_ bits; of files and directories. NULL: EROFS, but what can be written may
   * be truncated, which does nothing. */
  int (*set) (Node *node, const struct stat *attributes, int which, GCancellable *cancellable);

  /* ---- Directories ---- */

  /* ENOENT: there is no such name, which the kernel then remembers for entry_timeout of out. */
  int (*lookup) (Node *node, const char *name, GCancellable *cancellable,
                 struct fuse_entry_param *out);
  /* The whole listing, at opendir, by node_list() in the order in which it shall be; without
   * "." and "..". */
  int (*list) (Node *node, GCancellable *cancellable, NodeListing *listing);
  int (*make_directory) (Node *node, const char *name, GCancellable *cancellable,
                         struct fuse_entry_param *out);
  /* unlink, or rmdir if directory. */
  int (*remove) (Node *node, const char *name, gboolean directory, GCancellable *cancellable);

  /* ---- Files ---- */

  /* Sets *handle (owned) to whatever it wants and direct_io, keep_cache, nonseekable in fi.
   * Opening for writing is refused before unless there is a write function. NULL: nothing is to
   * be done. */
  int (*open) (Node *node, struct fuse_file_info *fi, GCancellable *cancellable, gpointer *handle);
  /* flags: of open(2), O_NONBLOCK among them. */
  int (*read) (Node *node, gpointer handle, gsize size, off_t offset, int flags,
               GCancellable *cancellable, NodeOctets *out);
  /* All of octets, or an error. At the first call they are the request's: not to be kept. */
  int (*write) (Node *node, gpointer handle, const char *octets, gsize size, off_t offset,
                GCancellable *cancellable);
  /* poll(2): returns the events that are there now. waker (owned, may be NULL): to be given to
   * fuse_lowlevel_notify_poll() and fuse_pollhandle_destroy() when that changes, by a thread that
   * serves no request. NULL: always readable. */
  unsigned int (*poll) (Node *node, gpointer handle, struct fuse_pollhandle *waker);
  /* close(2), of each descriptor of the handle: its result is what the program gets. NULL: 0. */
  int (*flush) (Node *node, gpointer handle, GCancellable *cancellable);
  /* fsync(2). NULL: 0. */
  int (*sync) (Node *node, gpointer handle, GCancellable *cancellable);
  /* The last one has closed it and no request uses it any more. */
  void (*release) (Node *node, gpointer handle);
  /* release takes the disk: it is called on a worker's thread. */
  gboolean release_waits;
  /* Reads wait long, for news: they get threads of their own. */
  gboolean waits_for_news;

  /* ---- Symbolic links ---- */

  /* *target: (owned) */
  int (*readlink) (Node *node, GCancellable *cancellable, char **target);

  /* ---- The end ---- */

  /* Frees data. NULL: there is nothing to free. */
  void (*dispose) (gpointer data);
};

struct Node
{
  Mount *mount;
  const NodeOps *ops;
  fuse_ino_t ino;
  char *key;
  gpointer data;

  /* Under the table's mutex. */
  guint64 lookups; /* the kernel's */
  guint refs;      /* ours */
};

/* The table. */
Nodes *nodes_new (void);
void nodes_free (Nodes *nodes);
/* How many there are now. */
guint nodes_count (Nodes *nodes);
/* By inode number. Returns: (owned), or NULL if the kernel does not know it. */
Node *nodes_find (Nodes *nodes, fuse_ino_t ino);
/* The kernel forgets it n times. */
void nodes_forget (Nodes *nodes, fuse_ino_t ino, guint64 n);

/* Takes data. If there is a node with that key already it is given, and data is disposed of.
 * Returns: (owned) */
Node *node_new (Mount *mount, const NodeOps *ops, const char *key, gpointer data);
Node *node_ref (Node *node);
void node_unref (Node *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Node, node_unref)

/* The inode number of the node with that key, there or not. */
fuse_ino_t node_number (const char *key);
/* Its attributes. Returns: their time-out. */
double node_fill (Node *node, struct stat *out);
/* The answer to a lookup: counts it. The kernel may believe the name for TIMEOUT_KNOWN; a caller
 * that knows better changes entry_timeout. */
void node_fill_entry (Node *node, struct fuse_entry_param *out);

/* Adds a name to a listing. type: S_IFREG, S_IFDIR, S_IFLNK. */
void node_list (NodeListing *listing, const char *name, fuse_ino_t ino, mode_t type);

/* ---- ops-node.c: requests about nodes; ino is one ---- */
void node_op_lookup (fuse_req_t req, fuse_ino_t ino, const char *name);
void node_op_getattr (fuse_req_t req, fuse_ino_t ino);
void node_op_setattr (fuse_req_t req, fuse_ino_t ino, const struct stat *attributes, int which);
/* ino is a message, and node what it is being rewritten as. */
void node_op_setattr_as (fuse_req_t req, fuse_ino_t ino, Node *node, const struct stat *attributes,
                         int which);
void node_op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void node_op_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, gboolean plus,
                      struct fuse_file_info *fi);
void node_op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void node_op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                   struct fuse_file_info *fi);
void node_op_write (fuse_req_t req, fuse_ino_t ino, const char *octets, size_t size, off_t offset,
                    struct fuse_file_info *fi);
void node_op_flush (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void node_op_fsync (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void node_op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void node_op_readlink (fuse_req_t req, fuse_ino_t ino);
void node_op_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
                   struct fuse_pollhandle *waker);
void node_op_make_directory (fuse_req_t req, fuse_ino_t ino, const char *name);
void node_op_remove (fuse_req_t req, fuse_ino_t ino, const char *name, gboolean directory);
