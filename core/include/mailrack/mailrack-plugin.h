/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mailrack-plugin.h - everything a plugin may use
 *
 * A plugin is one shared object that defines one const struct and registers it
 * with one macro. It includes this header and nothing else of the project, and
 * links with -lmailrack. docs/PLUGINS.md is the guide; plugins/example/ has
 * plugins to copy. Plugins can be written in C11, later C, or C++17.
 *
 * The promise: a plugin compiled against this header keeps loading in every
 * later mailrack with the same RACK_PLUGIN_ABI. Structs only ever grow at their
 * end; each begins with its own size as its maker knew it, and what a maker did
 * not know is zero, with the default its comment states. A plugin that knows
 * more than core does is refused when it relies on it (a callback core would
 * never call may be the one that checks the server).
 */
#pragma once

#include <gio/gio.h>
#include <gmodule.h>
#include <mailrack/mailrack-types.h>

G_BEGIN_DECLS

/* Raised when an existing field changes its meaning. */
#define RACK_PLUGIN_ABI 1

/* ---- Secrets ------------------------------------------------------------ */

/* Bytes that are wiped when freed and never reach a log. Immutable, so they can
 * be read from any thread. */
typedef struct RackSecret RackSecret;

/* size in bytes, or -1 for a NUL-terminated string. Copies data. */
RACK_API RackSecret *rack_secret_new (const char *data, gssize size);
/* "%c" with 0 puts a NUL into the secret, as SASL PLAIN needs it. */
RACK_API RackSecret *rack_secret_printf (const char *format, ...) G_GNUC_PRINTF (1, 2);
RACK_API RackSecret *rack_secret_copy (const RackSecret *secret);
/* Borrowed until the secret is freed; NUL-terminated behind its size bytes. */
RACK_API const char *rack_secret_peek (const RackSecret *secret);
RACK_API gsize rack_secret_size (const RackSecret *secret);
/* Wipes and frees; NULL is allowed. */
RACK_API void rack_secret_free (RackSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackSecret, rack_secret_free)

/* ---- Parameters --------------------------------------------------------- */

typedef enum
{
  RACK_PARAM_STRING = 1,  /* const char *                                        */
  RACK_PARAM_PATH = 2,    /* const char *, a leading "~" expanded                */
  RACK_PARAM_SECRET = 3,  /* RackSecret *                                        */
  RACK_PARAM_BOOL = 4,    /* gboolean: 1 yes true on, 0 no false off             */
  RACK_PARAM_INT = 5,     /* gint64                                              */
  RACK_PARAM_SECONDS = 6, /* gint64 milliseconds, written 90, 1.5, 90s, 5m, 1h   */
  RACK_PARAM_CHOICE = 7,  /* an enum or int: the index into .choices             */
  RACK_PARAM_COMMAND = 8, /* const char *const *, argv split as a shell splits it (no expansion) */
  RACK_PARAM_LIST = 9,    /* const char *const *, words between spaces or commas */
} RackParamType;

typedef enum
{
  RACK_PARAM_OPTIONAL = 0,
  RACK_PARAM_REQUIRED = 1 << 0, /* an account that uses the plugin must set it */
} RackParamFlags;

/* One INI key. Core parses and validates the value, stores it at .offset in the
 * plugin's own config struct before open is called, and frees it after close. The
 * table also makes error messages, `mailrack plugins NAME`, completion and the
 * manual. A key that is not set and has no fallback leaves its field zero.
 * Keys are flat and live in the account's section: prefix yours with your plugin's name. */
typedef struct
{
  const char *key; /* [a-z0-9_]+ */
  RackParamType type;
  RackParamFlags flags;
  gsize offset;
  const char *fallback;       /* as it would be written in the INI file, or NULL */
  const char *const *choices; /* RACK_PARAM_CHOICE: NULL-terminated, else NULL */
  const char *help;           /* one sentence */
} RackParam;

/* RACK_PARAM (Config, url, "example_url", STRING, REQUIRED, NULL, "Where it is.")
 * RACK_PARAM_ENUM (Config, mode, "example_mode", modes, OPTIONAL, "fast", "How it goes.")
 * A field of the wrong C type does not compile. RACK_PARAM_END closes the table. */
#define RACK_PARAM(Config, field, key_, TYPE, FLAGS, fallback_, help_)                             \
  {                                                                                                \
    key_, RACK_PARAM_##TYPE, RACK_PARAM_##FLAGS, RACK_PARAM_OFFSET_ (Config, field, TYPE),         \
        fallback_, NULL, help_                                                                     \
  }
#define RACK_PARAM_ENUM(Config, field, key_, choices_, FLAGS, fallback_, help_)                    \
  {                                                                                                \
    key_, RACK_PARAM_CHOICE, RACK_PARAM_##FLAGS, RACK_PARAM_OFFSET_ (Config, field, CHOICE),       \
        fallback_, choices_, help_                                                                 \
  }
#define RACK_PARAM_END                                                                             \
  {                                                                                                \
    NULL, (RackParamType) 0, (RackParamFlags) 0, 0, NULL, NULL, NULL                               \
  }

#ifdef __cplusplus
G_END_DECLS
template <typename T>
constexpr bool rack_is_STRING = __is_same(T, char *) || __is_same(T, const char *);
template <typename T> constexpr bool rack_is_PATH = rack_is_STRING<T>;
template <typename T>
constexpr bool rack_is_SECRET = __is_same(T, RackSecret *) || __is_same(T, const RackSecret *);
template <typename T> constexpr bool rack_is_BOOL = __is_same(T, gboolean);
template <typename T> constexpr bool rack_is_INT = __is_same(T, gint64);
template <typename T> constexpr bool rack_is_SECONDS = __is_same(T, gint64);
template <typename T> constexpr bool rack_is_CHOICE = __is_enum(T) || __is_same(T, int);
template <typename T>
constexpr bool rack_is_COMMAND = __is_same(T, char **) || __is_same(T, const char *const *);
template <typename T> constexpr bool rack_is_LIST = rack_is_COMMAND<T>;
template <bool ok>
constexpr gsize
rack_param_checked_ (gsize offset)
{
  static_assert (ok, "the C++ type of this field does not match its RACK_PARAM type");
  return offset;
}
G_BEGIN_DECLS
#define RACK_PARAM_OFFSET_(Config, field, TYPE)                                                    \
  rack_param_checked_<rack_is_##TYPE<decltype (Config::field)>> (offsetof (Config, field))
#else
#define RACK_SAME_(Config, field, type)                                                            \
  __builtin_types_compatible_p (__typeof__ (((Config *) 0)->field), type)
#define RACK_IS_STRING_(C, f) (RACK_SAME_ (C, f, char *) || RACK_SAME_ (C, f, const char *))
#define RACK_IS_PATH_(C, f)   RACK_IS_STRING_ (C, f)
#define RACK_IS_SECRET_(C, f)                                                                      \
  (RACK_SAME_ (C, f, RackSecret *) || RACK_SAME_ (C, f, const RackSecret *))
#define RACK_IS_BOOL_(C, f)    RACK_SAME_ (C, f, gboolean)
#define RACK_IS_INT_(C, f)     RACK_SAME_ (C, f, gint64)
#define RACK_IS_SECONDS_(C, f) RACK_SAME_ (C, f, gint64)
#define RACK_IS_CHOICE_(C, f)                                                                      \
  (RACK_SAME_ (C, f, int) || RACK_SAME_ (C, f, unsigned)                                           \
   || (sizeof (((C *) 0)->f) == sizeof (int) && (__typeof__ (((C *) 0)->f)) 0.9 == 0))
#define RACK_IS_COMMAND_(C, f)                                                                     \
  (RACK_SAME_ (C, f, char **) || RACK_SAME_ (C, f, const char *const *))
#define RACK_IS_LIST_(C, f) RACK_IS_COMMAND_ (C, f)
#define RACK_PARAM_OFFSET_(Config, field, TYPE)                                                    \
  (offsetof (Config, field) + 0 * sizeof (struct {                                                 \
                                char c;                                                            \
                                _Static_assert(RACK_IS_##TYPE##_ (Config, field),                  \
                                               #field ": the C type does not match " #TYPE);       \
                              }))
#endif

/* ---- What core gives a plugin ------------------------------------------- */

/* Every struct that core passes to a plugin begins with its size as core knows
 * it. A field added after version 1 may be read when RACK_HAS (p, field). */
#define RACK_HAS(p, field)                                                                         \
  ((p)->size >= (gsize) ((const char *) &(p)->field - (const char *) (p)) + sizeof (p)->field)

/* How long a blocking callback may wait, and who may interrupt it. */
typedef struct
{
  gsize size;
  gint64 deadline;           /* on g_get_monotonic_time()'s scale; 0 = none */
  GCancellable *cancellable; /* borrowed; may be NULL */
} RackWait;

/* How far what is sent on a stream can be read by others. */
typedef enum
{
  RACK_SECURITY_NONE = 0,           /* clear text over a network */
  RACK_SECURITY_LOOPBACK = 1,       /* clear text that does not leave this machine */
  RACK_SECURITY_TUNNEL = 2,         /* a command of the user's choice carries it */
  RACK_SECURITY_TLS_UNVERIFIED = 3, /* TLS, but ssl_verify_cert or ssl_check_hostname is off */
  RACK_SECURITY_TLS_VERIFIED = 4,
} RackSecurity;

typedef struct RackStream RackStream;

/* The server being talked to. Borrowed: valid during the callback that received it. */
typedef struct
{
  gsize size;
  const char *host; /* as the account names it; "" for a tunnel */
  const char *user; /* NULL when the account names none */
  guint16 port;
  RackSecurity security;           /* auth plugins: of the stream below; transports: NONE */
  RackStream *stream;              /* auth plugins: for rack_stream_binding(); transports: NULL */
  const char *const *capabilities; /* auth plugins: what the server offers now, upper case */
} RackPeer;

/* The program we run in. A shell can ask its user, a mount in the background cannot;
 * functions that need a person then fail with RACK_ERROR_INTERACTION. All may block
 * within wait and may be called from any callback of an auth plugin but close and end.
 * A transport may call tell, run and state_dir, from any of its callbacks but close. */
typedef struct RackHost RackHost;

typedef enum
{
  RACK_ASK_HIDDEN = 0, /* a password: nothing is shown while it is typed */
  RACK_ASK_ECHO = 1,
} RackAskFlags;

/* Returns: (owned) the answer, or NULL with error set. */
RACK_API RackSecret *rack_host_ask (RackHost *host, const char *question, RackAskFlags flags,
                                    const RackWait *wait, GError **error);
/* Shows one line to the user (stderr of a program, the log of a mount). */
RACK_API void rack_host_tell (RackHost *host, const char *text);
/* The user's keyring. Returns: (owned) the secret; NULL with *error unset when there is
 * none of that name, NULL with error set when the keyring cannot be read (locked, absent). */
RACK_API RackSecret *rack_host_load_secret (RackHost *host, const char *name, const RackWait *wait,
                                            GError **error);
RACK_API gboolean rack_host_store_secret (RackHost *host, const char *name,
                                          const RackSecret *secret, const RackWait *wait,
                                          GError **error);
/* Runs a command without a shell: minimal environment, stdin from /dev/null, stderr
 * passed on. Returns: (owned) the first line of its output, without the line end; NULL with
 * error set when it cannot be run, fails, prints nothing, or more than 64 KiB. */
RACK_API RackSecret *rack_host_run (RackHost *host, const char *const *argv, const RackWait *wait,
                                    GError **error);
/* A directory of the user's (0700) where the plugin called name may keep state files.
 * Returns: (owned) its path, or NULL with error set. */
RACK_API char *rack_host_state_dir (RackHost *host, const char *name, GError **error);

/* ---- Byte streams ------------------------------------------------------- */

/* What read and write return when they would have to wait. */
#define RACK_STREAM_AGAIN (-2)

/* A non-blocking stream. One thread uses it at a time. Required: read, write, fd, close. */
typedef struct
{
  gsize size; /* sizeof (RackStreamOps): an op that lies beyond it is absent */
  /* Up to size bytes. Returns: how many, 0 at the end of the stream, RACK_STREAM_AGAIN,
   * or -1 with error set (RACK_ERROR_NETWORK or RACK_ERROR_TLS). Never waits. */
  gssize (*read) (RackStream *stream, void *data, gsize size, GError **error);
  /* As read; what was not taken is offered again, the same bytes at the same address. */
  gssize (*write) (RackStream *stream, const void *data, gsize size, GError **error);
  /* The one descriptor that poll() can wait on. */
  int (*fd) (RackStream *stream);
  /* Closes and frees the stream and what it wraps. Never waits. */
  void (*close) (RackStream *stream);
  /* Whether read has bytes that poll() cannot see. NULL: never. */
  gboolean (*pending) (RackStream *stream);
  /* What to poll for after RACK_STREAM_AGAIN, when it is not IN for read and OUT for
   * write (TLS may turn them round). reading says which call it is about. NULL: the usual. */
  GIOCondition (*wants) (RackStream *stream, gboolean reading);
  /* NULL: RACK_SECURITY_NONE. */
  RackSecurity (*security) (RackStream *stream);
  /* Channel binding data of a type ("tls-exporter", RFC 9266). Returns: (owned) the
   * bytes, or NULL where there are none of that type. NULL: none. */
  GBytes *(*binding) (RackStream *stream, const char *type);
  /* Facts for people, as name and value in turn, NULL-terminated: "protocol", "TLS1.3",
   * "cipher", "AES-256-GCM", "certificate", PEM text, ... Returns: (owned). NULL: none. */
  char **(*facts) (RackStream *stream);
  /* Says goodbye (TLS close_notify) within wait. close follows. NULL: nothing to say. */
  gboolean (*shutdown) (RackStream *stream, const RackWait *wait, GError **error);
} RackStreamOps;

/* Put this first in your own struct and zero it. */
struct RackStream
{
  const RackStreamOps *ops;
  gpointer core; /* for core alone */
};

/* Connects to host and port, all addresses of the name tried (RFC 8305). Its security
 * is LOOPBACK or NONE, for the way to host: where a proxy on this machine passes the
 * octets on, it says too much. Returns: (owned), or NULL with error set */
RACK_API RackStream *rack_tcp_connect (const char *host, guint16 port, const RackWait *wait,
                                       GError **error);
/* A stream over a connected socket, pipe or terminal; takes ownership of fd, also when it
 * fails, and makes it non-blocking. Returns: (owned), or NULL with error set */
RACK_API RackStream *rack_fd_stream_new (int fd, RackSecurity security, GError **error);
/* Waits until fd is ready, or broken, which the next read or write will say. wait may be NULL:
 * without an end. FALSE: RACK_ERROR_TIMEOUT or RACK_ERROR_CANCELLED. */
RACK_API gboolean rack_wait_fd (int fd, GIOCondition condition, const RackWait *wait,
                                GError **error);
/* What a stream's ops say, with their defaults where an op is absent. */
RACK_API RackSecurity rack_stream_security (RackStream *stream);
RACK_API GBytes *rack_stream_binding (RackStream *stream, const char *type);

/* ---- The two kinds of plugin -------------------------------------------- */

typedef struct
{
  gsize size;          /* sizeof (RackPluginInfo) */
  gsize param_size;    /* sizeof (RackParam) */
  const char *name;    /* [a-z0-9-]+, the value of "auth =" or "transport =" */
  const char *summary; /* one line */
  const char *version;
  const RackParam *params; /* ends with RACK_PARAM_END; NULL = none */
  gsize config_size;       /* sizeof the struct the params fill */
} RackPluginInfo; /* it and all it points to must last as long as the program: static const */

/* Begins every RackPluginInfo: static const RackPluginInfo info = { RACK_PLUGIN_INFO, "name", ...
 * }; */
#define RACK_PLUGIN_INFO sizeof (RackPluginInfo), sizeof (RackParam)

typedef enum
{
  RACK_MECHANISM_PLAIN_TEXT = 1 << 0, /* shows the credential to whoever reads the stream */
  RACK_MECHANISM_NEEDS_TLS =
      1 << 1, /* verified TLS or a tunnel, whatever the user allows: bearer tokens */
  RACK_MECHANISM_NEEDS_BINDING = 1 << 2, /* only where the stream has tls-exporter (-PLUS) */
  RACK_MECHANISM_WHEN_NAMED = 1 << 3,    /* only if auth_mechanisms names it */
  RACK_MECHANISM_LOGIN_COMMAND =
      1 << 4, /* not SASL: first response is the user, second the password, sent by LOGIN */
} RackMechanismFlags;

typedef struct
{
  const char *name; /* as the server offers it in AUTH=; "LOGIN" with LOGIN_COMMAND */
  RackMechanismFlags flags;
} RackMechanism;

typedef enum
{
  RACK_AUTH_GIVE_UP = 0,
  RACK_AUTH_RETRY = 1,
} RackAuthVerdict;

/* An auth plugin: a credential, and the SASL mechanisms that can present it.
 *
 *   open ── start ── step ↺ ── accepted | rejected ── end ── start … ── close
 *
 * open and close are once per account; start to end is one attempt on one connection.
 * Core runs at most one callback of an account at a time, so a plugin needs no locks;
 * attempts of two connections may interleave. A callback that got a wait may block
 * within it; the others must not. Callbacks run on the thread that wants the connection.
 * Base64, the initial response, "=", "*" and the literal rules are core's. */
typedef struct
{
  const RackPluginInfo *info;
  const RackMechanism *mechanisms; /* best first; ends with a NULL name */
  gsize mechanism_size;            /* sizeof (RackMechanism) */

  /* config is the struct that params filled, valid until close. NULL: config itself is
   * the account. Returns: the account, never NULL; or NULL with error set, which names the
   * key that is wrong (file and account are put before it). Then close is not called. */
  gpointer (*open) (gconstpointer config, RackHost *host, GError **error);
  void (*close) (gpointer account); /* NULL: nothing to do */

  /* Required. Begins an attempt with one of the mechanisms: a row of the table, valid until
   * end; its flags tell the LOGIN command from AUTH=LOGIN. Returns: the attempt, or NULL with
   * error set. */
  gpointer (*start) (gpointer account, const RackMechanism *mechanism, const RackPeer *peer,
                     const RackWait *wait, GError **error);

  /* Required. challenge is decoded; NULL on the first call. Set *response (owned by core
   * from then on) to what to send; leave it NULL on the first call if the server speaks
   * first. A response never reaches a log. FALSE with error set cancels the attempt. */
  gboolean (*step) (gpointer attempt, GBytes *challenge, RackSecret **response,
                    const RackWait *wait, GError **error);

  /* The server said OK. FALSE with error set if it did not prove itself first (SCRAM's
   * server signature): the connection is closed. NULL: an OK is enough. */
  gboolean (*accepted) (gpointer attempt, GError **error);

  /* The server said NO. code is the response code ("EXPIRED") or NULL; text is the
   * server's and hostile. RETRY means the credential was renewed: core calls end, then
   * start, once. NULL: give up. */
  RackAuthVerdict (*rejected) (gpointer attempt, const char *code, const char *text,
                               const RackWait *wait);

  void (*end) (gpointer attempt); /* NULL: nothing to do */

  /* Gets the first credential of an account from its provider, with the help of a person whom
   * rack_host_tell() says what to do, and keeps it where open or start finds it from then on.
   * config is as open's, which need not take it; of peer there are host, port and user. It may
   * take as long as a person needs: wait has no deadline. NULL: there is nothing of the kind.
   * (Not in the first mailrack with this ABI.) */
  gboolean (*authorize) (gconstpointer config, RackHost *host, const RackPeer *peer,
                         const RackWait *wait, GError **error);
} RackAuthPlugin;

typedef enum
{
  RACK_TRANSPORT_ENCRYPTS = 1 << 0, /* what it returns is TLS, or fails */
  RACK_TRANSPORT_PREAUTH =
      1 << 1, /* a PREAUTH greeting is expected (tunnels); elsewhere it is refused */
  RACK_TRANSPORT_NO_HOST = 1 << 2, /* works without host */
} RackTransportFlags;

/* A transport plugin: how bytes reach the server.
 *
 * connect returns a stream ready for the greeting. If upgrade is set, core first talks
 * plaintext: greeting, CAPABILITY, STARTTLS. It then checks that nothing arrived after
 * the server's OK, calls upgrade, and forgets everything learnt before it.
 * connect and upgrade may run in several threads at once: self is read-only. */
typedef struct
{
  const RackPluginInfo *info;
  guint16 default_port; /* where the account sets none */
  RackTransportFlags flags;

  /* As an auth plugin's. NULL: config is self. */
  gpointer (*open) (gconstpointer config, RackHost *host, GError **error);
  void (*close) (gpointer self); /* NULL: nothing to do */

  /* Required. Returns: (owned) the stream, or NULL with error set. Core's first read of it
   * must get the greeting. */
  RackStream *(*connect) (gpointer self, const RackPeer *peer, const RackWait *wait,
                          GError **error);
  /* Takes ownership of plain, also when it fails. NULL: connect's stream stays. */
  RackStream *(*upgrade) (gpointer self, RackStream *plain, const RackPeer *peer,
                          const RackWait *wait, GError **error);
} RackTransportPlugin;

/* ---- Registration ------------------------------------------------------- */

typedef enum
{
  RACK_PLUGIN_AUTH = 1,
  RACK_PLUGIN_TRANSPORT = 2,
} RackPluginKind;

typedef struct
{
  guint32 abi;
  guint32 kind;
  gsize size; /* of the plugin's struct, as it was compiled */
  const void *plugin;
} RackPluginEntry;

/* RACK_REGISTER_AUTH (plugin) and RACK_REGISTER_TRANSPORT (plugin), once per shared
 * object, at file level, without a semicolon. They export its only symbol. */
#ifdef __cplusplus
#define RACK_EXPORT_ extern "C" G_MODULE_EXPORT
#define RACK_CHECK_KIND_(Type, plugin_)                                                            \
  static const Type *const typed = &(plugin_);                                                     \
  (void) typed;
#else
#define RACK_EXPORT_ G_MODULE_EXPORT
#define RACK_CHECK_KIND_(Type, plugin_)                                                            \
  _Static_assert(__builtin_types_compatible_p (__typeof__ (plugin_), Type),                        \
                 #plugin_ " is no " #Type);
#endif
#define RACK_REGISTER_(Type, KIND, plugin_)                                                        \
  RACK_EXPORT_ const RackPluginEntry *rack_plugin_entry (void);                                    \
  RACK_EXPORT_ const RackPluginEntry *rack_plugin_entry (void)                                     \
  {                                                                                                \
    RACK_CHECK_KIND_ (Type, plugin_)                                                               \
    static const RackPluginEntry entry = { RACK_PLUGIN_ABI, KIND, sizeof (Type), &(plugin_) };     \
    return &entry;                                                                                 \
  }
#define RACK_REGISTER_AUTH(plugin_) RACK_REGISTER_ (RackAuthPlugin, RACK_PLUGIN_AUTH, plugin_)
#define RACK_REGISTER_TRANSPORT(plugin_)                                                           \
  RACK_REGISTER_ (RackTransportPlugin, RACK_PLUGIN_TRANSPORT, plugin_)

G_END_DECLS
