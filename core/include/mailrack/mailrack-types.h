/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailrack-types.h - the values of IMAP as plain records
 *
 * Strings, sets, flags, messages and untagged responses as the parser gives
 * them and as every other room and program reads them. There is no behaviour
 * here but that of sets and values; nothing in this file touches a descriptor,
 * a thread or a clock. Programs include <mailrack/mailrack.h>, plugins
 * <mailrack/mailrack-plugin.h>; both include this.
 *
 * A record that a function hands out is borrowed: it and everything it points
 * to stays valid until the function that gave it is called again, or its owner
 * is freed, whichever its own comment says.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define RACK_API __attribute__ ((visibility ("default")))

/* ---- Errors ------------------------------------------------------------- */

#define RACK_ERROR (rack_error_quark ())
RACK_API GQuark rack_error_quark (void);

/* The numbers are part of the ABI and never change. A code exists only where
 * somebody branches on it; the message says the rest. */
typedef enum
{
  RACK_ERROR_CONFIG = 1,           /* the INI file says something we cannot use */
  RACK_ERROR_PLUGIN = 2,           /* a plugin is missing, broken or too new */
  RACK_ERROR_NETWORK = 3,          /* resolve, connect, read or write failed */
  RACK_ERROR_TLS = 4,              /* handshake or certificate refused, STARTTLS not to be had */
  RACK_ERROR_AUTH = 5,             /* the server refused the credentials, or none may be sent */
  RACK_ERROR_INTERACTION = 6,      /* only a person can answer, and none is there */
  RACK_ERROR_PROTOCOL = 7,         /* the server broke IMAP's grammar or its promises */
  RACK_ERROR_REFUSED = 8,          /* tagged NO or BAD without a more exact code */
  RACK_ERROR_NOT_FOUND = 9,        /* no such mailbox or message; also TRYCREATE */
  RACK_ERROR_EXISTS = 10,          /* the mailbox exists already */
  RACK_ERROR_READ_ONLY = 11,       /* opened or configured so */
  RACK_ERROR_QUOTA = 12,           /* OVERQUOTA */
  RACK_ERROR_STALE = 13,           /* UIDVALIDITY changed: every UID you hold is void */
  RACK_ERROR_CLOSED = 14,          /* BYE, or the connection died; the command had no effect */
  RACK_ERROR_TIMEOUT = 15,         /* the account's timeout passed */
  RACK_ERROR_CANCELLED = 16,       /* the GCancellable was cancelled */
  RACK_ERROR_UNKNOWN_OUTCOME = 17, /* sent, and the connection died before the answer */
  RACK_ERROR_INVALID = 18,         /* an argument no server could be sent, for example NUL */
  RACK_ERROR_TOO_LARGE = 19,       /* over APPENDLIMIT, or over a limit of ours */
  RACK_ERROR_UNSUPPORTED = 20,     /* the server lacks the extension this needs */
  RACK_ERROR_IO = 21,              /* this machine's disk or memory, not the network */
  RACK_ERROR_BUSY = 22,            /* another program has what only one may have; also INUSE */
  RACK_ERROR_DENIED = 23,          /* no right to do that: NOPERM, READ-ONLY, an ACL */
  RACK_ERROR_UNAVAILABLE = 24,     /* the server cannot just now: UNAVAILABLE */
  RACK_ERROR_SERVER = 25, /* it is broken, as it says: CORRUPTION, SERVERBUG, CONTACTADMIN */
} RackError;

/* ---- Strings ------------------------------------------------------------ */

/* Borrowed bytes: not NUL-terminated, any octet may occur. data == NULL is
 * IMAP's NIL, data != NULL with size 0 the empty string. */
typedef struct
{
  const char *data;
  gsize size;
} RackStr;

#define RACK_STR_NIL ((RackStr){ NULL, 0 })

/* Returns: (owned) a NUL-terminated copy, or NULL for NIL. */
static inline char *
rack_str_dup (RackStr str)
{
  return str.data != NULL ? g_strndup (str.data, str.size) : NULL;
}

/* ---- Sets --------------------------------------------------------------- */

/* first <= last, both 1 to RACK_SET_STAR. */
typedef struct
{
  guint32 first;
  guint32 last;
} RackRange;

/* "*" in a set: above every UID a server assigns. "5:*" is { 5, RACK_SET_STAR }
 * and, unlike in IMAP, does not mean the last message when that is below 5. */
#define RACK_SET_STAR G_MAXUINT32

/* Ranges in the order somebody else gave them (COPYUID pairs depend on it):
 * neither sorted nor merged, and a range may run backwards (first > last). */
typedef struct
{
  const RackRange *items;
  gsize n;
} RackRanges;

/* Message numbers or UIDs, sorted and merged. Memory grows with the number of
 * ranges, never with the numbers in them. Not thread-safe. */
typedef struct RackSet RackSet;
RACK_API RackSet *rack_set_new (void);
RACK_API RackSet *rack_set_new_range (guint32 first, guint32 last);
RACK_API RackSet *rack_set_copy (const RackSet *set);
/* "1,3:9,*" (RFC 9051 sequence-set). RACK_ERROR_INVALID says which part is wrong. */
RACK_API RackSet *rack_set_parse (const char *text, GError **error);
RACK_API void rack_set_free (RackSet *set);
/* Amortised constant time when numbers ascend. first and last may be swapped. */
RACK_API void rack_set_add (RackSet *set, guint32 first, guint32 last);
RACK_API void rack_set_add_ranges (RackSet *set, RackRanges ranges);
RACK_API void rack_set_remove (RackSet *set, guint32 first, guint32 last);
/* Adds, takes away, or keeps only what is in other; one pass over the ranges of both. */
RACK_API void rack_set_merge (RackSet *set, const RackSet *other);
RACK_API void rack_set_subtract (RackSet *set, const RackSet *other);
RACK_API void rack_set_intersect (RackSet *set, const RackSet *other);
RACK_API void rack_set_clear (RackSet *set);
RACK_API gboolean rack_set_contains (const RackSet *set, guint32 number);
/* How many numbers; a set with "*" counts up to RACK_SET_STAR. */
RACK_API guint64 rack_set_count (const RackSet *set);
/* The ranges, ascending and disjoint; borrowed until the set changes. */
RACK_API RackRanges rack_set_ranges (const RackSet *set);
/* Returns: (owned) the shortest ascending text; "" for the empty set. */
RACK_API char *rack_set_to_string (const RackSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackSet, rack_set_free)

/* ---- Values ------------------------------------------------------------- */

typedef enum
{
  RACK_VALUE_NIL,
  RACK_VALUE_NUMBER,
  RACK_VALUE_ATOM,   /* also \Flags, and whatever is neither quoted nor a number */
  RACK_VALUE_STRING, /* quoted or literal, unescaped */
  RACK_VALUE_LIST,   /* ( ... ) */
} RackValueKind;

/* Any IMAP data as a tree: for extensions this library does not know, and for
 * programs that show what the server said. */
typedef struct RackValue RackValue;
struct RackValue
{
  RackValueKind kind;
  RackStr text;           /* ATOM, STRING; a NUMBER as it was written */
  guint64 number;         /* NUMBER */
  const RackValue *child; /* LIST: its first element, or NULL */
  const RackValue *next;  /* the next element beside this one */
};

/* Memory for trees of values; freeing it frees them all. */
typedef struct RackArena RackArena;
RACK_API RackArena *rack_arena_new (void);
RACK_API void rack_arena_free (RackArena *arena);
/* Parses text (zero or more values separated by spaces, literals included) and
 * returns the first, or NULL for none (*error unset) or broken text (set). Strings
 * point into text or arena. Nesting is limited to 128. */
RACK_API const RackValue *rack_value_parse (RackArena *arena, RackStr text, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackArena, rack_arena_free)

/* ---- Rights ------------------------------------------------------------- */

/* What one may do with a mailbox (RFC 4314 section 2.1), by the letters of that. */
typedef enum
{
  RACK_RIGHT_LOOKUP = 1 << 0,  /* l: it is listed */
  RACK_RIGHT_READ = 1 << 1,    /* r: SELECT, FETCH, COPY from it */
  RACK_RIGHT_SEEN = 1 << 2,    /* s: change \Seen */
  RACK_RIGHT_WRITE = 1 << 3,   /* w: change the other flags and keywords */
  RACK_RIGHT_INSERT = 1 << 4,  /* i: APPEND, COPY into it */
  RACK_RIGHT_POST = 1 << 5,    /* p: mail to it */
  RACK_RIGHT_CREATE = 1 << 6,  /* k: CREATE below it, RENAME to there */
  RACK_RIGHT_REMOVE = 1 << 7,  /* x: DELETE it, RENAME it */
  RACK_RIGHT_DELETE = 1 << 8,  /* t: change \Deleted */
  RACK_RIGHT_EXPUNGE = 1 << 9, /* e: EXPUNGE */
  RACK_RIGHT_ADMIN = 1 << 10,  /* a: give rights to others */
  RACK_RIGHTS_ALL = (1 << 11) - 1,
} RackRights;

/* ---- Flags -------------------------------------------------------------- */

typedef enum
{
  RACK_FLAG_ANSWERED = 1 << 0,
  RACK_FLAG_FLAGGED = 1 << 1,
  RACK_FLAG_DELETED = 1 << 2,
  RACK_FLAG_SEEN = 1 << 3,
  RACK_FLAG_DRAFT = 1 << 4,
  RACK_FLAG_RECENT = 1 << 5,   /* IMAP4rev1 only; cannot be stored */
  RACK_FLAG_KEYWORDS = 1 << 6, /* "\*" in PERMANENTFLAGS: new keywords may be made */
} RackFlags;

/* The flags of a message or mailbox: the system's as bits, the others by name
 * (keywords, and system flags this library does not know, with their "\"). */
typedef struct
{
  RackFlags system;
  guint n_keywords;
  const RackStr *keywords;
  const RackStr *names; /* all of them as the server wrote and ordered them */
  guint n_names;
} RackFlagList;

/* ---- Messages (RFC 9051 section 7.5.2) ----------------------------------- */

/* All NIL but name or mailbox: the start or end of a group (RFC 9051 §7.5.2). */
typedef struct
{
  RackStr name, route, mailbox, host;
} RackAddress;

typedef struct
{
  const RackAddress *items;
  guint n;
} RackAddresses;

/* As the server sent them: RFC 2047 words are not decoded. */
typedef struct
{
  RackStr date, subject;
  RackAddresses from, sender, reply_to, to, cc, bcc;
  RackStr in_reply_to, message_id;
} RackEnvelope;

typedef struct
{
  RackStr name, value;
} RackPair;

typedef struct
{
  const RackPair *items;
  guint n;
} RackPairs;

/* One node of a BODYSTRUCTURE. Its children are the parts of a multipart, or the
 * one body of a message/rfc822. */
typedef struct RackPart RackPart;
struct RackPart
{
  const RackPart *parent, *child, *next;
  guint position;     /* 1 for the first part of its parent; 0 at the root */
  gboolean multipart; /* type is "multipart"; of the fields below only subtype, params and on from
                         disposition */
  RackStr type, subtype;
  RackPairs params;
  RackStr id, description, encoding;
  guint64 size;                 /* octets, in transfer encoding */
  guint64 lines;                /* text and message/rfc822 */
  const RackEnvelope *envelope; /* message/rfc822, else NULL */
  RackStr md5;
  RackStr disposition;
  RackPairs disposition_params;
  const RackStr *languages;
  guint n_languages;
  RackStr location;
};

/* Writes the section of a part, as BODY[...] wants it ("1.2"; "1" for a message
 * that is one part, "" for a multipart root), NUL-terminated.
 * Returns: its length, or more than size - 1 when it was cut. */
RACK_API gsize rack_part_section (const RackPart *part, char *buffer, gsize size);

/* An item whose value is octets: BODY[...], BINARY[...], RFC822, RFC822.HEADER, RFC822.TEXT. */
typedef struct
{
  RackStr name;    /* as the server wrote it: "BODY[HEADER.FIELDS (FROM)]" */
  RackStr section; /* inside the brackets; "" for RFC822 */
  guint64 origin;  /* the number in <n>, or 0 */
  gboolean partial;
  RackStr data; /* NIL if there is no such part */
} RackSection;

/* Every item of a FETCH response as it was written, for items without a field. */
typedef struct
{
  RackStr name;
  RackStr raw; /* for rack_value_parse() */
} RackItem;

typedef enum
{
  RACK_FIELD_UID = 1 << 0,
  RACK_FIELD_FLAGS = 1 << 1,
  RACK_FIELD_DATE = 1 << 2, /* INTERNALDATE */
  RACK_FIELD_SIZE = 1 << 3, /* RFC822.SIZE */
  RACK_FIELD_ENVELOPE = 1 << 4,
  RACK_FIELD_BODY = 1 << 5, /* BODY or BODYSTRUCTURE */
  RACK_FIELD_MODSEQ = 1 << 6,
  RACK_FIELD_SECTION = 1 << 7,
  RACK_FIELD_EMAILID = 1 << 8,
  RACK_FIELD_THREADID = 1 << 9,
  RACK_FIELD_GMAIL = 1 << 10, /* X-GM-MSGID, X-GM-THRID or X-GM-LABELS */
  RACK_FIELD_PREVIEW = 1 << 11,
  RACK_FIELD_SAVEDATE = 1 << 12,
} RackFields;

/* One FETCH response. A field that is not in .fields is zero. An item that does
 * not parse is left out of .fields and listed in .items: the others stand. */
typedef struct
{
  RackFields fields;
  guint32 seq;
  guint32 uid;
  RackFlagList flags;
  gint64 date;      /* seconds since the epoch, UTC */
  gint16 date_zone; /* the server's zone, minutes east of UTC */
  guint64 size;
  const RackEnvelope *envelope;
  const RackPart *body;
  guint64 modseq;
  const RackSection *sections;
  guint n_sections;
  RackStr email_id, thread_id; /* RFC 8474 */
  guint64 gm_msgid, gm_thrid;
  const RackStr *gm_labels;
  guint n_gm_labels;
  RackStr preview;  /* RFC 8970 */
  gint64 save_date; /* RFC 8514 */
  const RackItem *items;
  guint n_items;
} RackMessage;

/* ---- Responses ----------------------------------------------------------- */

typedef enum
{
  RACK_STATUS_OK,
  RACK_STATUS_NO,
  RACK_STATUS_BAD,
  RACK_STATUS_PREAUTH,
  RACK_STATUS_BYE,
} RackStatusKind;

/* Response codes (RFC 9051 §7.1, RFC 5530 and the registry). */
typedef enum
{
  RACK_CODE_NONE,
  RACK_CODE_UNKNOWN, /* .name and .argument say what it was */
  RACK_CODE_ALERT,
  RACK_CODE_ALREADYEXISTS,
  RACK_CODE_APPENDUID,
  RACK_CODE_AUTHENTICATIONFAILED,
  RACK_CODE_AUTHORIZATIONFAILED,
  RACK_CODE_BADCHARSET,
  RACK_CODE_CANNOT,
  RACK_CODE_CAPABILITY,
  RACK_CODE_CLIENTBUG,
  RACK_CODE_CLOSED,
  RACK_CODE_CONTACTADMIN,
  RACK_CODE_COPYUID,
  RACK_CODE_CORRUPTION,
  RACK_CODE_EXPIRED,
  RACK_CODE_EXPUNGEISSUED,
  RACK_CODE_HASCHILDREN,
  RACK_CODE_HIGHESTMODSEQ,
  RACK_CODE_INUSE,
  RACK_CODE_LIMIT,
  RACK_CODE_MAILBOXID,
  RACK_CODE_MODIFIED,
  RACK_CODE_NOMODSEQ,
  RACK_CODE_NONEXISTENT,
  RACK_CODE_NOPERM,
  RACK_CODE_NOTIFICATIONOVERFLOW,
  RACK_CODE_NOTSAVED,
  RACK_CODE_OVERQUOTA,
  RACK_CODE_PARSE,
  RACK_CODE_PERMANENTFLAGS,
  RACK_CODE_PRIVACYREQUIRED,
  RACK_CODE_READ_ONLY,
  RACK_CODE_READ_WRITE,
  RACK_CODE_REFERRAL,
  RACK_CODE_SERVERBUG,
  RACK_CODE_TOOBIG,
  RACK_CODE_TRYCREATE,
  RACK_CODE_UIDNEXT,
  RACK_CODE_UIDNOTSTICKY,
  RACK_CODE_UIDVALIDITY,
  RACK_CODE_UNAVAILABLE,
  RACK_CODE_UNKNOWN_CTE,
  RACK_CODE_UNSEEN,
} RackCodeKind;

typedef struct
{
  RackCodeKind kind;
  RackStr name;         /* as written, without the brackets; NIL for none */
  RackStr argument;     /* what follows the name, raw; NIL for none */
  guint64 number;       /* UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ; APPENDUID's and COPYUID's
                           UIDVALIDITY */
  RackRanges uids;      /* APPENDUID's UIDs, COPYUID's sources, MODIFIED's set */
  RackRanges copies;    /* COPYUID's new UIDs, pairwise with .uids */
  RackFlagList flags;   /* PERMANENTFLAGS */
  const RackStr *atoms; /* CAPABILITY, BADCHARSET's list */
  guint n_atoms;
} RackCode;

typedef struct
{
  RackStatusKind kind;
  RackCode code;
  RackStr text; /* for people; hostile like all else: see rack_text_escape() */
} RackStatus;

/* Attributes of LIST (RFC 9051 §7.3.1, RFC 6154). */
typedef enum
{
  RACK_LIST_NOSELECT = 1 << 0,
  RACK_LIST_NOINFERIORS = 1 << 1,
  RACK_LIST_MARKED = 1 << 2,
  RACK_LIST_UNMARKED = 1 << 3,
  RACK_LIST_HASCHILDREN = 1 << 4,
  RACK_LIST_HASNOCHILDREN = 1 << 5,
  RACK_LIST_NONEXISTENT = 1 << 6,
  RACK_LIST_SUBSCRIBED = 1 << 7,
  RACK_LIST_REMOTE = 1 << 8,
  RACK_LIST_ALL = 1 << 9,
  RACK_LIST_ARCHIVE = 1 << 10,
  RACK_LIST_DRAFTS = 1 << 11,
  RACK_LIST_FLAGGED = 1 << 12,
  RACK_LIST_JUNK = 1 << 13,
  RACK_LIST_SENT = 1 << 14,
  RACK_LIST_TRASH = 1 << 15,
  RACK_LIST_IMPORTANT = 1 << 16,
} RackListFlags;

typedef struct
{
  RackListFlags flags;
  const RackStr *names; /* all attributes as written */
  guint n_names;
  char separator;   /* '\0' when the server said NIL: no hierarchy */
  RackStr mailbox;  /* as on the wire (modified UTF-7, or UTF-8 when enabled) */
  RackStr old_name; /* OLDNAME of RFC 9051, or NIL */
} RackListData;

typedef enum
{
  RACK_STATUS_MESSAGES = 1 << 0,
  RACK_STATUS_RECENT = 1 << 1,
  RACK_STATUS_UIDNEXT = 1 << 2,
  RACK_STATUS_UIDVALIDITY = 1 << 3,
  RACK_STATUS_UNSEEN = 1 << 4,
  RACK_STATUS_HIGHESTMODSEQ = 1 << 5,
  RACK_STATUS_SIZE = 1 << 6,
  RACK_STATUS_DELETED = 1 << 7,
  RACK_STATUS_APPENDLIMIT = 1 << 8,
  RACK_STATUS_MAILBOXID = 1 << 9,
} RackStatusItems;

/* STATUS, ours and the server's. A value that is not in .items is zero. */
typedef struct
{
  RackStatusItems items;
  RackStr mailbox;
  guint64 messages, recent, uid_next, uid_validity, unseen, highest_modseq, size, deleted;
  guint64 append_limit; /* G_MAXUINT64: no limit (NIL) */
  RackStr mailbox_id;
  RackStr raw; /* "MESSAGES 3 UIDNEXT 5", for rack_value_parse() */
} RackStatusData;

/* SEARCH and ESEARCH (RFC 4731, 9394). */
typedef struct
{
  RackStr tag;       /* ESEARCH's correlator, NIL for SEARCH */
  gboolean extended; /* an ESEARCH response */
  gboolean uid;
  RackRanges all;   /* SEARCH's numbers as they came, merged where they ascend */
  guint32 min, max; /* ESEARCH; 0 = not there */
  gboolean has_count;
  guint64 count;
  guint64 modseq; /* 0 = not there */
} RackSearchData;

typedef struct
{
  RackStr prefix;
  char separator; /* '\0' for NIL */
} RackNamespaceItem;

typedef struct
{
  const RackNamespaceItem *personal, *others, *shared;
  guint n_personal, n_others, n_shared;
} RackNamespaceData;

typedef struct
{
  RackStr name; /* "STORAGE" (units of 1024 octets), "MESSAGE", ... */
  guint64 usage, limit;
} RackQuotaResource;

typedef struct
{
  RackStr root;
  const RackQuotaResource *resources;
  guint n_resources;
} RackQuotaData;

typedef enum
{
  RACK_RESPONSE_STATUS,   /* tagged or untagged OK, NO, BAD; PREAUTH, BYE */
  RACK_RESPONSE_CONTINUE, /* "+ text" */
  RACK_RESPONSE_CAPABILITY,
  RACK_RESPONSE_ENABLED,
  RACK_RESPONSE_EXISTS,
  RACK_RESPONSE_RECENT,
  RACK_RESPONSE_EXPUNGE,
  RACK_RESPONSE_FETCH,
  RACK_RESPONSE_FLAGS,
  RACK_RESPONSE_LIST,
  RACK_RESPONSE_LSUB, /* also XLIST as LIST: see .name */
  RACK_RESPONSE_MAILBOX_STATUS,
  RACK_RESPONSE_SEARCH, /* SEARCH and ESEARCH */
  RACK_RESPONSE_SORT,
  RACK_RESPONSE_THREAD,
  RACK_RESPONSE_VANISHED, /* RFC 7162 */
  RACK_RESPONSE_NAMESPACE,
  RACK_RESPONSE_ID,
  RACK_RESPONSE_QUOTA,
  RACK_RESPONSE_QUOTAROOT,
  RACK_RESPONSE_ACL,
  RACK_RESPONSE_LISTRIGHTS,
  RACK_RESPONSE_MYRIGHTS,
  RACK_RESPONSE_OTHER, /* .name and .raw */
} RackResponseKind;

/* One whole response. */
typedef struct
{
  RackResponseKind kind;
  RackStr tag;  /* "*", "+" or ours */
  RackStr name; /* "EXISTS", "XLIST", ...; as written */
  RackStr raw;  /* what follows the name, without the final CRLF, for rack_value_parse() */
  union
  {
    RackStatus status;   /* STATUS, CONTINUE (text alone) */
    guint32 number;      /* EXISTS, RECENT, EXPUNGE */
    RackMessage message; /* FETCH */
    RackFlagList flags;  /* FLAGS */
    struct
    {
      const RackStr *items;
      guint n;
    } atoms;                       /* CAPABILITY, ENABLED */
    RackListData list;             /* LIST, LSUB */
    RackStatusData mailbox_status; /* MAILBOX_STATUS */
    RackSearchData search;         /* SEARCH */
    struct
    {
      const guint32 *items;
      gsize n;
      guint64 modseq;
    } sort; /* SORT, in order */
    struct
    {
      gboolean earlier;
      RackRanges uids;
    } vanished;
    RackNamespaceData namespaces; /* NAMESPACE */
    RackPairs pairs;              /* ID */
    RackQuotaData quota;
    struct
    {
      RackStr mailbox;
      const RackStr *items;
      guint n;
    } quota_roots;
    struct
    {
      RackStr mailbox;
      const RackPair *items;
      guint n;
    } acl; /* ACL: identifier, rights */
    struct
    {
      RackStr mailbox, identifier, required;
      const RackStr *items;
      guint n;
    } list_rights;
    struct
    {
      RackStr mailbox, rights;
    } my_rights;
  };
} RackResponse;

/* Makes text from a server safe for a terminal or log: control, escape, bidi and
 * zero-width characters and invalid UTF-8 become \xNN or \u{NNNN}.
 * Returns: (owned) */
RACK_API char *rack_text_escape (const char *text, gssize size);

/* Mailbox names on the wire (RFC 9051 §5.1, RFC 3501 §5.1.3). encode refuses what
 * is not UTF-8 or holds NUL, CR or LF. decode never fails: a name that is not valid
 * modified UTF-7 comes back escaped so that encode gives the same bytes again.
 * Returns: (owned) */
RACK_API char *rack_mailbox_name_encode (const char *utf8, GError **error);
RACK_API char *rack_mailbox_name_decode (RackStr wire);

G_END_DECLS
