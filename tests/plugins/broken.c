/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broken.c - auth plugins that core must refuse, and two it must not
 *
 * Built once for each defect, with -DDEFECT=N. They are what a wrong build, a newer or older
 * header, or a mistake of a plugin's author give; the right outcome is in test-plugin.c. */
#include <mailrack/mailrack-plugin.h>

#define NONE           0
#define ABI_NEWER      1
#define ABI_OLDER      2
#define KIND_UNKNOWN   3
#define TOO_SMALL      4
#define SURPLUS_NULL   5
#define SURPLUS_USED   6
#define NO_ENTRY       7
#define NO_FUNCTION    8
#define NO_STEP        9
#define NO_MECHANISM   10
#define MECHANISM_FLAG 11
#define KEY_NAME       12
#define KEY_TWICE      13
#define KEY_OUTSIDE    14
#define KEY_TYPE       15
#define KEY_FALLBACK   16
#define KEY_OVERLAP    17
#define KEY_OF_CORE    18
#define INFO_SURPLUS   19
#define PARAM_SURPLUS  20
#define PLUGIN_NAME    21
#define ENTRY_NULL     22
#define INFO_NULL      23
#define CHOICES        24
#define MECHANISM_NAME 25
#define MECHANISM_SIZE 26
#define MECHANISM_END  27
#define KEY_END        28

typedef struct
{
  gint64 number, other;
  int choice;
} Config;

#if DEFECT == PARAM_SURPLUS
/* A RackParam of a header to come. */
typedef struct
{
  RackParam known;
  const char *unit;
} Param;
#define PARAM(...)                                                                                 \
  {                                                                                                \
    __VA_ARGS__, "seconds"                                                                         \
  }
#define END                                                                                        \
  {                                                                                                \
    RACK_PARAM_END, NULL                                                                           \
  }
#else
typedef RackParam Param;
#define PARAM(...) __VA_ARGS__
#define END        RACK_PARAM_END
#endif

static const Param params[] = {
#if DEFECT == KEY_NAME
  PARAM (RACK_PARAM (Config, number, "Broken-Number", INT, OPTIONAL, NULL, "A number.")),
#elif DEFECT == KEY_OUTSIDE
  { "broken_number", RACK_PARAM_INT, RACK_PARAM_OPTIONAL, sizeof (Config), NULL, NULL, "Away." },
#elif DEFECT == KEY_TYPE
  { "broken_number", (RackParamType) 99, RACK_PARAM_OPTIONAL, 0, NULL, NULL, "Of a new type." },
#elif DEFECT == KEY_FALLBACK
  PARAM (RACK_PARAM (Config, number, "broken_number", INT, OPTIONAL, "many", "A number.")),
#elif DEFECT == KEY_OF_CORE
  PARAM (RACK_PARAM (Config, number, "host", INT, OPTIONAL, NULL, "A number.")),
#elif DEFECT == CHOICES
  { "broken_choice", RACK_PARAM_CHOICE, RACK_PARAM_OPTIONAL, offsetof (Config, choice), NULL, NULL,
    "Nothing to choose from." },
#else
  PARAM (RACK_PARAM (Config, number, "broken_number", INT, OPTIONAL, "3", "A number.")),
#endif
#if DEFECT == KEY_TWICE
  PARAM (RACK_PARAM (Config, other, "broken_number", INT, OPTIONAL, NULL, "Again.")),
#elif DEFECT == KEY_OVERLAP
  PARAM (RACK_PARAM (Config, number, "broken_other", INT, OPTIONAL, NULL, "In the same place.")),
#endif
#if DEFECT == KEY_END
  /* What may lie behind a table without an end. */
  { (const char *) 56, RACK_PARAM_INT, RACK_PARAM_OPTIONAL, 0, NULL, NULL, NULL },
#else
  END,
#endif
};

/* As a header to come may have it: what we know, and one field more. */
typedef struct
{
  RackPluginInfo known;
  const char *licence;
} LongInfo;

static const LongInfo info = {
  .known = {
    .size = DEFECT == INFO_SURPLUS ? sizeof (LongInfo) : sizeof (RackPluginInfo),
    .param_size = sizeof (Param),
    .name = DEFECT == PLUGIN_NAME ? "somebody-else" : BROKEN_NAME,
    .summary = "Broken on purpose",
    .version = "1",
    .params = (const RackParam *) params,
    .config_size = sizeof (Config),
  },
  .licence = DEFECT == INFO_SURPLUS ? "LGPL" : NULL,
};

static const RackMechanism mechanisms[] = {
#if DEFECT == MECHANISM_FLAG
  { "PLAIN", (RackMechanismFlags) (1 << 30) },
#elif DEFECT == MECHANISM_NAME
  { "AUTH=PLAIN", RACK_MECHANISM_PLAIN_TEXT },
#elif DEFECT != NO_MECHANISM
  { "PLAIN", RACK_MECHANISM_PLAIN_TEXT },
#endif
#if DEFECT == MECHANISM_END
  { (const char *) 56, RACK_MECHANISM_PLAIN_TEXT },
#else
  { NULL, 0 },
#endif
};

static gpointer
start (gpointer account, const RackMechanism *mechanism, const RackPeer *peer, const RackWait *wait,
       GError **error)
{
  return account;
}

#if DEFECT == NO_FUNCTION
extern RackSecret *rack_there_is_no_such_function (void);
#endif

#if DEFECT != NO_STEP
static gboolean
step (gpointer attempt, GBytes *challenge, RackSecret **response, const RackWait *wait,
      GError **error)
{
#if DEFECT == NO_FUNCTION
  *response = rack_there_is_no_such_function ();
#endif
  return TRUE;
}
#endif

typedef struct
{
  RackAuthPlugin known;
  gboolean (*check_server) (gpointer attempt);
} LongPlugin;

#if DEFECT == SURPLUS_USED
static gboolean
check_server (gpointer attempt)
{
  return TRUE;
}
#endif

static const LongPlugin plugin = {
  .known = {
    .info = DEFECT == INFO_NULL ? NULL : &info.known,
    .mechanisms = mechanisms,
    .mechanism_size = DEFECT == MECHANISM_SIZE ? 0 : sizeof (RackMechanism),
    .start = start,
#if DEFECT != NO_STEP
    .step = step,
#endif
  },
#if DEFECT == SURPLUS_USED
  .check_server = check_server,
#endif
};

#if DEFECT != NO_ENTRY
G_MODULE_EXPORT const RackPluginEntry *rack_plugin_entry (void);
G_MODULE_EXPORT const RackPluginEntry *
rack_plugin_entry (void)
{
  static const RackPluginEntry entry = {
    .abi = DEFECT == ABI_NEWER   ? 2
           : DEFECT == ABI_OLDER ? 0
                                 : RACK_PLUGIN_ABI,
    .kind = DEFECT == KIND_UNKNOWN ? 3 : RACK_PLUGIN_AUTH,
    .size = DEFECT == TOO_SMALL                                ? offsetof (RackAuthPlugin, end)
            : DEFECT == SURPLUS_NULL || DEFECT == SURPLUS_USED ? sizeof (LongPlugin)
                                                               : sizeof (RackAuthPlugin),
    .plugin = &plugin,
  };

  return DEFECT == ENTRY_NULL ? NULL : &entry;
}
#else
/* Something must use it. */
G_MODULE_EXPORT const void *rack_other_entry (void);
G_MODULE_EXPORT const void *
rack_other_entry (void)
{
  return &plugin;
}
#endif
