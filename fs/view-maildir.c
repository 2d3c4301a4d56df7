/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view-maildir.c - .maildir: each mailbox as a Maildir, for mutt, notmuch, mu
 *
 * A file is called UNIQUE:2,FLAGS in cur and UNIQUE in new, as the format has it
 * (https://cr.yp.to/proto/maildir.html). UNIQUE is DATE.RROWUUID.mailrack: INTERNALDATE in
 * seconds, the mailbox' row in hexadecimal, the UID (rack_entry_name_unique()). FLAGS are the
 * letters that the format and its readers know. Keywords have none: which lower-case letter means
 * which one is a private matter of Dovecot's and of nobody who reads a mount.
 *
 * new has the messages without any letter, cur the others. A name changes with the flags, but a
 * program may have the one of a moment ago: any name with the right UNIQUE resolves, in both.
 *
 * A message that a program delivered or renamed keeps the UNIQUE that it gave, and the place:
 * mbsync knows messages by it. What is in new leaves it when it is seen, and has flags in its name
 * if it must.
 */
#include "former.h"
#include "inode.h"

#include <errno.h>
#include <string.h>

enum
{
  PLACE_CUR = 1,
  PLACE_NEW,
  PLACE_TMP,
};

#define INFO      ":2,"
#define UID_MARK  'U'
#define HOST_PART ".mailrack"

static const char *const places[] = { "cur", "new", "tmp", NULL };

/* ---- Names ----------------------------------------------------------------------------- */

/* In the order of ASCII, as the format wants it. No flag: $Forwarded. */
static const struct
{
  RackFlags flag;
  char letter;
} known[] = {
  { RACK_FLAG_DRAFT, 'D' },    { RACK_FLAG_FLAGGED, 'F' }, { 0, 'P' },
  { RACK_FLAG_ANSWERED, 'R' }, { RACK_FLAG_SEEN, 'S' },    { RACK_FLAG_DELETED, 'T' },
};

/* At most 6. */
static void
flag_letters (RackFlags flags, gboolean forwarded, char *letters)
{
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (known[i].flag != 0 ? (flags & known[i].flag) != 0 : forwarded)
      *letters++ = known[i].letter;
  *letters = '\0';
}

static guint
place_of (const RackEntry *entry, const char *letters)
{
  switch (entry->base_space)
    {
    case PLACE_CUR:
      return PLACE_CUR;
    case PLACE_NEW:
      return (entry->flags & RACK_FLAG_SEEN) != 0 ? PLACE_CUR : PLACE_NEW;
    default:
      return *letters == '\0' ? PLACE_NEW : PLACE_CUR;
    }
}

static gboolean
shows (const Directory *directory, const RackEntry *entry)
{
  char letters[8];
  flag_letters (entry->flags, entry->forwarded, letters);
  return directory->place == place_of (entry, letters);
}

static guint32
row_of (const Directory *directory)
{
  RackFolderFacts facts;
  if (directory->row != 0)
    return directory->row;
  rack_folder_facts (directory->folder, &facts);
  return facts.row;
}

static void
entry_name (const Directory *directory, const RackEntry *entry, char *name)
{
  char letters[8];
  flag_letters (entry->flags, entry->forwarded, letters);
  if (entry->base[0] != '\0')
    g_strlcpy (name, entry->base, VIEW_NAME_SIZE);
  else
    rack_entry_name_unique (row_of (directory), entry->date, entry->uid, name);
  if (*letters == '\0' && place_of (entry, letters) == PLACE_NEW)
    return;
  g_strlcat (name, INFO, VIEW_NAME_SIZE);
  g_strlcat (name, letters, VIEW_NAME_SIZE);
}

/* How long the part before the info is. */
static gsize
unique_length (const char *name)
{
  const char *info = strstr (name, INFO);
  return info != NULL ? (gsize) (info - name) : strlen (name);
}

/* Whether what follows UNIQUE is nothing or could be flags. */
static gboolean
is_info (const char *text)
{
  if (*text == '\0')
    return TRUE;
  for (text += strlen (INFO); *text != '\0'; text++)
    if (!g_ascii_isalpha (*text))
      return FALSE;
  return TRUE;
}

static guint32
name_uid (const Directory *directory, const char *name)
{
  gsize length = unique_length (name);
  const char *host = name + length - MIN (length, strlen (HOST_PART));
  const char *mark = memrchr (name, UID_MARK, length);
  guint64 uid;
  char *end;
  if (directory->place == PLACE_TMP || mark == NULL || !is_info (name + length)
      || !g_ascii_isdigit (mark[1]) || strncmp (host, HOST_PART, strlen (HOST_PART)) != 0)
    return 0;
  uid = g_ascii_strtoull (mark + 1, &end, 10);
  return end == host && uid <= G_MAXUINT32 ? (guint32) uid : 0;
}

static gboolean
resolves (const Directory *directory, const char *name, const RackEntry *entry)
{
  char unique[VIEW_NAME_SIZE];
  if (entry->base[0] != '\0' && strlen (entry->base) == unique_length (name)
      && g_str_has_prefix (name, entry->base))
    return TRUE;
  rack_entry_name_unique (row_of (directory), entry->date, entry->uid, unique);
  return strlen (unique) == unique_length (name) && g_str_has_prefix (name, unique);
}

static gboolean
find_given (const Directory *directory, const char *name, RackEntry *entry)
{
  char base[RACK_ENTRY_NAME_SIZE];
  return directory->place != PLACE_TMP && is_info (name + unique_length (name))
         && rack_entry_name_base (name, base)
         && rack_folder_find_base (directory->folder, base, entry);
}

static gboolean
is_given (const Directory *directory, const char *name)
{
  char base[RACK_ENTRY_NAME_SIZE];
  return rack_entry_name_base (name, base) && rack_folder_knows_base (directory->folder, base);
}

static int
keep (const Directory *directory, const RackEntry *entry, const char *name, char *base)
{
  char unique[VIEW_NAME_SIZE];
  if (!rack_entry_name_base (name, base))
    return strchr (name, ':') == strstr (name, INFO) ? ENAMETOOLONG : EINVAL;
  if (entry == NULL)
    return 0;
  rack_entry_name_unique (row_of (directory), entry->date, entry->uid, unique);
  if (strcmp (base, unique) == 0)
    base[0] = '\0';
  return 0;
}

/* ---- What the kernel must forget ------------------------------------------------------- */

/* A change of flags is one of membership here: the directories look different to whoever watches
 * their times, as the readers of a Maildir do. */
static void
set_times (Mount *mount, const Directory *directory, struct stat *out)
{
  RackFolderFacts facts;
  if (directory->place != PLACE_CUR && directory->place != PLACE_NEW)
    return;
  rack_folder_facts (directory->folder, &facts);
  out->st_mtim.tv_sec = facts.flags_changed / 1000000000;
  out->st_mtim.tv_nsec = facts.flags_changed % 1000000000;
  out->st_atim = out->st_ctim = out->st_mtim;
}

/* What messages are called now nobody can have asked for yet; what they were called goes on
 * resolving, but must be asked for. */
static void
forget_messages (Mount *mount, View view, const RackChange *change)
{
  fuse_ino_t inodes[PLACE_TMP];
  for (guint place = PLACE_CUR; place <= PLACE_NEW; place++)
    {
      Directory directory = { view, place, change->folder, 0 };
      inodes[place] = inode_of_directory (mount, &directory);
      fuse_lowlevel_notify_inval_inode (mount->session, inodes[place], 0, 0);
    }
  for (guint i = 0; i < change->n; i++)
    {
      Directory directory;
      char name[VIEW_NAME_SIZE];
      if (view_find_changed (view, change, &change->items[i], FALSE, &directory, name))
        fuse_lowlevel_notify_inval_entry (mount->session, inodes[directory.place], name,
                                          strlen (name));
    }
}

static void
forget (Mount *mount, View view, const RackChange *change)
{
  switch (change->kind)
    {
    case RACK_CHANGE_ADDED:
    case RACK_CHANGE_REMOVED:
    case RACK_CHANGE_FLAGS:
      forget_messages (mount, view, change);
      break;
    case RACK_CHANGE_FOLDERS:
    case RACK_CHANGE_SIZES:
    case RACK_CHANGE_ONLINE:
    case RACK_CHANGE_OFFLINE:
    case RACK_CHANGE_VALIDITY:
    case RACK_CHANGE_LOCAL:
    case RACK_CHANGE_RIGHTS:
    case RACK_CHANGE_COMPLETE:
      view_forget (mount, view, change);
      break;
    }
}

/* ---- What programs deliver ------------------------------------------------------------- */

/* Of files beside cur, new and tmp. */
#define SPACE_FOLDER 4

static int
space (const Directory *directory)
{
  return directory->place != 0 ? (int) directory->place : SPACE_FOLDER;
}

static gboolean
is_mail (const Directory *directory, const char *name)
{
  return directory->place != PLACE_TMP && name[0] != '.';
}

static gboolean
name_flags (const char *name, RackFlags *flags, gboolean *forwarded)
{
  const char *info = strstr (name, INFO);
  *flags = 0;
  *forwarded = FALSE;
  for (guint i = 0; info != NULL && i < G_N_ELEMENTS (known); i++)
    if (strchr (info + strlen (INFO), known[i].letter) == NULL)
      continue;
    else if (known[i].flag != 0)
      *flags |= known[i].flag;
    else
      *forwarded = TRUE;
  return TRUE;
}

static void
fill_former (Mount *mount, const Directory *directory, guint32 row, const RackEntry *entry,
             struct fuse_entry_param *out)
{
  fuse_ino_t ino = inode_of_message (row, entry->uid);
  g_autoptr (Node) node = former_node (mount, ino);
  node_fill_entry (node, out);
  out->entry_timeout = TIMEOUT_UNWATCHED;
}

const ViewOps view_maildir = {
  .name = ".maildir",
  .places = places,
  .nameless = TRUE,
  .arrives = PLACE_TMP,
  .shows = shows,
  .entry_name = entry_name,
  .name_uid = name_uid,
  .resolves = resolves,
  .fill_former = fill_former,
  .fill_directory = set_times,
  .changes = TRUE,
  .space = space,
  .is_mail = is_mail,
  .name_flags = name_flags,
  .find_given = find_given,
  .is_given = is_given,
  .keep = keep,
  .forget = forget,
};
