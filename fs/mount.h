/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount.h - what the files of mailrack-mount share
 *
 * The file system is a thin skin: what is known comes from the mirror and is answered
 * on FUSE's threads; whatever has to wait becomes a task for the workers (workers.h).
 * What there is to be seen is in a table of views (view.h). An inode number says what
 * it is (inode.h) but for a few things, which have a table of nodes (nodes.h).
 */
#pragma once

#define FUSE_USE_VERSION 312

#include <fuse_lowlevel.h>
#include <mailrack/mailrack-mirror.h>
#include <mailrack/mailrack-outgoing.h>
#include <pthread.h>

typedef struct Workers Workers;
typedef struct Notifier Notifier;
typedef struct Nodes Nodes;
typedef struct Events Events;
typedef struct Announcer Announcer;
typedef struct Quota Quota;
typedef struct Pages Pages;
typedef struct Searches Searches;
typedef struct Drafts Drafts;
typedef struct Opened Opened;
typedef struct Node Node;
typedef struct NodeOps NodeOps;

typedef struct
{
  RackMirror *mirror;
  struct fuse_session *session;
  Workers *bodies;  /* open and read */
  Workers *lists;   /* everything else, so that slow reads cannot keep a listing waiting */
  Workers *news;    /* reads that wait for something to happen */
  Workers *changes; /* what is written to this disk before it is answered, or to the server */
  Nodes *nodes;
  Opened *opened;
  Events *events;
  Quota *quota;
  Pages *pages;
  Searches *searches;
  Drafts *drafts;
  Notifier *notifier;
  Announcer *announcer;            /* NULL: nothing is announced */
  gint views_known;                /* atomic: bits of the Views that the kernel knows, and root */
  gint views_used;                 /* the same, of those that somebody looked into */
  guint root;                      /* the View at the root */
  gboolean commit_server;          /* changes are answered when the server has them */
  gboolean seen_on_read;           /* who reads a message to its end has seen it */
  gboolean xattr;                  /* messages have extended attributes */
  gboolean list_views;             /* the other views are listed there */
  gint64 cache_limit;              /* MiB; 0: none */
  const char *label;               /* of the account, for people */
  const char *const *deny_readers; /* names of programs, or NULL */
  uid_t uid;
  gid_t gid;
  mode_t umask;
  pthread_mutex_t mutex;
  GQueue handles;    /* of Handle: the open messages */
  char *ctl_problem; /* why the last command could not be done, or NULL */
  char *problem;     /* why the last file could not be sent that nobody waited for, or NULL */
} Mount;

/* How long the kernel may believe what it was told; the notifier takes it back when something
 * changes. Seconds. */
#define TIMEOUT_KNOWN     3600.0
#define TIMEOUT_NEGATIVE  10.0
#define TIMEOUT_UNWATCHED 1.0

extern const struct fuse_lowlevel_ops mount_ops;

/* ---- errors.c ---- */
/* The errno a program gets for an error of the library. */
int errno_of (const GError *error);
/* The exit status (sysexits.h) for an error before the mount is there. */
int exit_status_of (const GError *error);

/* ---- quota.c ---- */
Quota *quota_start (Mount *mount);
void quota_stop (Quota *quota);
void op_statfs (fuse_req_t req, fuse_ino_t ino);

/* ---- xattr.c ---- */
void op_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void op_listxattr (fuse_req_t req, fuse_ino_t ino, size_t size);

/* ---- xattr-change.c ---- */
void op_setxattr (fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
                  int flags);
void op_removexattr (fuse_req_t req, fuse_ino_t ino, const char *name);

/* ---- readers.c ---- */
/* Whether the program that asks may not open files (deny_readers). */
gboolean reader_is_denied (const Mount *mount, fuse_req_t req);

/* ---- notify.c ---- */
/* One thread that tells the kernel what to forget. */
Notifier *notifier_start (Mount *mount);
/* After the workers are gone. FALSE: the kernel does not let it go, because a request that nobody
 * reads any more holds a lock; the process must end without it. */
gboolean notifier_stop (Notifier *notifier);
/* The kernel forgets a name soon. Never waits. */
void notifier_forget_name (Notifier *notifier, fuse_ino_t directory, const char *name);
/* The same for octets and attributes. */
void notifier_forget_file (Notifier *notifier, fuse_ino_t ino);
/* Waits a moment until a thread that may be in such a call has set *ended (atomic). */
gboolean thread_ended (gint *ended);

/* ---- ops-*.c ---- */
void op_lookup (fuse_req_t req, fuse_ino_t parent, const char *name);
void op_readlink (fuse_req_t req, fuse_ino_t ino);
void op_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int which,
                 struct fuse_file_info *fi);
void op_access (fuse_req_t req, fuse_ino_t ino, int mask);
void op_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                 struct fuse_file_info *fi);
void op_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                     struct fuse_file_info *fi);
void op_releasedir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_fsyncdir (fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void op_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi);
void op_write (fuse_req_t req, fuse_ino_t ino, const char *octets, size_t size, off_t offset,
               struct fuse_file_info *fi);
void op_flush (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_fsync (fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void op_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
              struct fuse_pollhandle *waker);
void op_copy_file_range (fuse_req_t req, fuse_ino_t ino, off_t offset, struct fuse_file_info *fi,
                         fuse_ino_t new_ino, off_t new_offset, struct fuse_file_info *new_fi,
                         size_t size, int flags);
void op_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                struct fuse_file_info *fi);
void op_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev);
void op_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void op_unlink (fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                const char *new_name, unsigned int flags);

/* Fills attributes of an open message that is not in the index any more. */
gboolean find_open_message (Mount *mount, fuse_ino_t ino, struct stat *attributes);
/* What could not be done, and nobody hears of: for status. */
void mount_note_problem (Mount *mount, const char *problem);
