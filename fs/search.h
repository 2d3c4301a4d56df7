/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * search.h - the search view: queries, their results, and the links that show them
 */
#pragma once

#include "nodes.h"

/* ---- view-search-query.c: what a name asks for ---- */

typedef struct
{
  RackCriteria *criteria;
  GPtrArray *folders; /* of RackFolder: where to look; not owned */
} SearchQuery;

/* FALSE: RACK_ERROR_INVALID. query: to be cleared. */
gboolean search_query_parse (RackMirror *mirror, const char *name, SearchQuery *query,
                             GError **error);
void search_query_clear (SearchQuery *query);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SearchQuery, search_query_clear)

/* ---- view-search-run.c: what a query finds ---- */

/* Never changes; shared by references. */
typedef struct SearchResult SearchResult;
void search_result_unref (SearchResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SearchResult, search_result_unref)
/* Calls func with each message that is still there; uid: only those with that one, or 0. */
void search_result_each (const SearchResult *result, guint32 uid,
                         void (*func) (const RackFound *found, gpointer data), gpointer data);

Searches *searches_new (RackMirror *mirror);
void searches_free (Searches *searches);
/* Something changed: what was found is not good for listings any more. Any thread. */
void searches_expire (Searches *searches);
/* When that was last. */
struct timespec searches_changed (Searches *searches);
/* Why a query was refused last. Returns: (owned) NULL: none was */
char *searches_refusal (Searches *searches);
void searches_note_refusal (Searches *searches, const char *name, const GError *error);
/* What name finds; fresh: now, not a moment ago. Returns: 0 with *result (owned), an errno or
 * NODE_WAIT. */
int searches_get (Searches *searches, const char *name, gboolean fresh, GCancellable *cancellable,
                  SearchResult **result);

/* ---- view-search-kept.c: the queries that are kept ---- */

typedef struct SearchKept SearchKept;
SearchKept *searches_kept (Searches *searches);
SearchKept *search_kept_new (RackMirror *mirror);
void search_kept_free (SearchKept *kept);
gboolean search_kept_has (SearchKept *kept, const char *name);
/* Returns: (owned) in the order in which they were made, NULL-terminated. */
char **search_kept_names (SearchKept *kept);
/* Write it to the disk, too. Return: 0 or an errno. */
int search_kept_add (SearchKept *kept, const char *name);
int search_kept_remove (SearchKept *kept, const char *name);

/* ---- view-search-link.c: a directory of links to messages ---- */

typedef struct
{
  Node *directory;
  guint depth; /* how many levels below the root its links are */
  /* Listing: */
  NodeListing *listing;
  GHashTable *names; /* how many there are of each */
  /* Looking up: */
  const char *name;
  gboolean found;
  RackFound match;
} SearchLinks;

/* For a listing. */
void search_links_begin_list (SearchLinks *links, Node *directory, guint depth,
                              NodeListing *listing);
/* For a lookup. Returns: the UID that it can only be about; 0: there is no such name. */
guint32 search_links_begin_lookup (SearchLinks *links, Node *directory, guint depth,
                                   const char *name);
/* One message after the other, always in the same order. */
void search_links_add (const RackFound *found, gpointer links);
void search_links_end (SearchLinks *links);
/* ENOENT, or 0 with the answer. */
int search_links_answer (SearchLinks *links, struct fuse_entry_param *out);

/* ---- view-search-index.c: by-date, by-from, by-flag, by-thread ---- */

/* The name of the nth, or NULL. */
const char *search_index_name (guint n);
/* Returns: (owned) NULL if there is none. */
Node *search_index_node (Mount *mount, const char *name);
char *search_index_key (const char *name);

/* ---- view-search.c ---- */

/* Attributes that all directories here have; writable: names can be made in it. */
double search_fill_directory (Node *node, gboolean writable, struct stat *out);
