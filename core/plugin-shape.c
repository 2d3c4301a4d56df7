/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plugin-shape.c - what a plugin registered, brought into core's shape
 *
 * Every struct of a plugin comes with its size as its maker knew it. What he did not know is
 * zero; what we do not know must be zero, for it may be the very thing that makes the plugin
 * safe. Nothing here trusts more of a plugin than that its pointers can be followed, and not
 * even that where a table without an end is the likeliest mistake. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "params.h"
#include "plugin.h"

/* Beyond any header to come: a size above it is garbage. */
#define SIZE_MAX_STRUCT 65536
#define MECHANISMS_MAX  64

/* The sizes of version 1, on this machine: up to the end of what was then the last field. They
 * never change, whatever is added behind it. */
#define END_OF(Type, field) (offsetof (Type, field) + sizeof (((Type *) 0)->field))
#define AUTH_SIZE_1         END_OF (RackAuthPlugin, end)
#define TRANSPORT_SIZE_1    END_OF (RackTransportPlugin, upgrade)
#define INFO_SIZE_1         END_OF (RackPluginInfo, config_size)
#define PARAM_SIZE_1        END_OF (RackParam, help)
/* .flags is the last field, and padded. */
#define MECHANISM_SIZE_1    (2 * sizeof (gpointer))

#if GLIB_SIZEOF_VOID_P == 8
G_STATIC_ASSERT (AUTH_SIZE_1 == 80);
G_STATIC_ASSERT (TRANSPORT_SIZE_1 == 48);
G_STATIC_ASSERT (INFO_SIZE_1 == 56);
G_STATIC_ASSERT (PARAM_SIZE_1 == 48);
G_STATIC_ASSERT (MECHANISM_SIZE_1 == 16);
#endif

#define MECHANISM_FLAGS                                                                            \
  (RACK_MECHANISM_PLAIN_TEXT | RACK_MECHANISM_NEEDS_TLS | RACK_MECHANISM_NEEDS_BINDING             \
   | RACK_MECHANISM_WHEN_NAMED | RACK_MECHANISM_LOGIN_COMMAND)
#define TRANSPORT_FLAGS (RACK_TRANSPORT_ENCRYPTS | RACK_TRANSPORT_PREAUTH | RACK_TRANSPORT_NO_HOST)

#define UPDATE "update mailrack, or build the plugin against this one"

static gboolean G_GNUC_PRINTF (2, 3) refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, RACK_ERROR, RACK_ERROR_PLUGIN, text);
  return FALSE;
}

/* Whether there is memory at p: the kernel says no where we would crash. Behind a table that has
 * no end come numbers, which are then taken for pointers. */
static gboolean
is_readable (gconstpointer p)
{
  int fds[2];

  if (p == NULL || pipe2 (fds, O_CLOEXEC | O_NONBLOCK) != 0)
    return p != NULL;
  gboolean readable = write (fds[1], p, 1) == 1;
  close (fds[0]);
  close (fds[1]);
  return readable;
}

/* What a struct of the header is called, and how its maker gives its size. */
typedef struct
{
  const char *name, *sized_by, *end;
} Shape;

static const Shape auth_shape = { "RackAuthPlugin", "RACK_REGISTER_AUTH", NULL };
static const Shape transport_shape = { "RackTransportPlugin", "RACK_REGISTER_TRANSPORT", NULL };
static const Shape info_shape = { "RackPluginInfo", "RACK_PLUGIN_INFO as its beginning", NULL };
static const Shape param_shape = { "parameter", "RACK_PLUGIN_INFO as the beginning of its info",
                                   "RACK_PARAM_END" };
static const Shape mechanism_shape = { "mechanism", ".mechanism_size = sizeof (RackMechanism)",
                                       "{ NULL, 0 }" };

/* Copies the smaller of two sizes; ours is zero beforehand. */
static gboolean
copy_struct (gpointer ours, gsize our_size, gconstpointer theirs, gsize their_size, gsize size_1,
             const Shape *shape, GError **error)
{
  if (their_size < size_1 || their_size > SIZE_MAX_STRUCT)
    return refuse (error,
                   "its %s says that it is %" G_GSIZE_FORMAT " bytes long, which no version of "
                   "mailrack had: build it with %s",
                   shape->name, their_size, shape->sized_by);
  for (gsize i = our_size; i < their_size; i++)
    if (((const char *) theirs)[i] != 0)
      return refuse (error, "its %s uses what this mailrack does not know yet: " UPDATE,
                     shape->name);
  memcpy (ours, theirs, MIN (our_size, their_size));
  return TRUE;
}

/* ---- Texts -------------------------------------------------------------- */

/* NULL or hostile texts of a plugin must not reach a terminal or a file name. */
static gboolean
is_text (const char *text, gsize max)
{
  gsize size = is_readable (text) ? strnlen (text, max + 1) : 0;

  if (size == 0 || size > max || !g_utf8_validate (text, (gssize) size, NULL))
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      return FALSE;
  return TRUE;
}

static gboolean
check_info (const RackPluginInfo *info, GError **error)
{
  if (!is_text (info->name, 64)
      || strspn (info->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen (info->name))
    return refuse (error, "its name is not made of a-z, 0-9 and -");
  if (!is_text (info->summary, 200))
    return refuse (error, "its summary is not one line of text");
  if (!is_text (info->version, 64))
    return refuse (error, "its version is not a word");
  if (info->config_size > SIZE_MAX_STRUCT)
    return refuse (error, "its config_size is %" G_GSIZE_FORMAT, info->config_size);
  return TRUE;
}

/* ---- Arrays ------------------------------------------------------------- */

/* Copies an array whose elements are stride bytes apart and that ends with one whose first
 * field, a pointer, is NULL. Returns: (owned) in our stride, NULL for no elements or an error. */
static gpointer
copy_array (const char *theirs, gsize stride, gsize our_size, gsize size_1, gsize max,
            const Shape *shape, GError **error)
{
  gsize n = 0;
  const char *first;

  if (stride < size_1 || stride > SIZE_MAX_STRUCT || stride % sizeof (gpointer) != 0)
    {
      refuse (error, "the size of its %s is %" G_GSIZE_FORMAT ": build it with %s", shape->name,
              stride, shape->sized_by);
      return NULL;
    }
  while (n <= max && (first = *(const char *const *) (theirs + n * stride)) != NULL)
    n = is_readable (first) && is_readable (theirs + (n + 1) * stride) ? n + 1 : G_MAXSIZE;
  if (n > max)
    {
      refuse (error, "its %ss do not end: the last must be %s", shape->name, shape->end);
      return NULL;
    }

  g_autofree char *ours = g_malloc0 ((n + 1) * our_size);
  for (gsize i = 0; i < n; i++)
    if (!copy_struct (ours + i * our_size, our_size, theirs + i * stride, stride, size_1, shape,
                      error))
      return NULL;
  return g_steal_pointer (&ours);
}

static gboolean
adopt_params (RackPlugin *plugin, GError **error)
{
  RackPluginInfo *info = &plugin->info;
  g_autofree RackParam *params = NULL;

  if (info->params != NULL)
    {
      params = copy_array ((const char *) info->params, info->param_size, sizeof (RackParam),
                           PARAM_SIZE_1, RACK_PARAMS_MAX, &param_shape, error);
      if (params == NULL || !rack_params_check (params, info->config_size, error))
        return FALSE;
    }
  for (const RackParam *param = params; param != NULL && param->key != NULL; param++)
    {
      const RackParam *core = rack_params_find (rack_core_params (), param->key);

      if (core == NULL)
        core = rack_params_find (rack_mount_params (), param->key);
      if (core != NULL && core->type != param->type)
        return refuse (error, "its key \"%s\" is mailrack's own and of another type there",
                       param->key);
    }
  info->params = g_steal_pointer (&params);
  info->param_size = sizeof (RackParam);
  info->size = sizeof (RackPluginInfo);
  return TRUE;
}

static gboolean
check_mechanism (const RackMechanism *mechanism, GError **error)
{
  if (!is_text (mechanism->name, 20)
      || strspn (mechanism->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
             != strlen (mechanism->name))
    {
      g_autofree char *shown =
          rack_text_escape (mechanism->name, (gssize) strnlen (mechanism->name, 40));
      return refuse (error,
                     "its mechanism \"%s\" is not made of A-Z, 0-9, - and _, as servers offer it "
                     "behind AUTH=; or { NULL, 0 } is missing before it",
                     shown);
    }
  if (((guint) mechanism->flags & ~(guint) MECHANISM_FLAGS) != 0)
    return refuse (error, "its mechanism %s has flags this mailrack does not know: " UPDATE,
                   mechanism->name);
  return TRUE;
}

/* ---- The two kinds ------------------------------------------------------ */

static gboolean
adopt_auth (RackPlugin *plugin, const RackPluginEntry *entry, GError **error)
{
  RackAuthPlugin *auth = &plugin->auth;

  if (!copy_struct (auth, sizeof (*auth), entry->plugin, entry->size, AUTH_SIZE_1, &auth_shape,
                    error))
    return FALSE;
  if (auth->start == NULL || auth->step == NULL)
    return refuse (error, "it has no %s callback", auth->start == NULL ? "start" : "step");
  if (auth->mechanisms == NULL)
    return refuse (error, "it has no mechanisms");

  g_autofree RackMechanism *mechanisms =
      copy_array ((const char *) auth->mechanisms, auth->mechanism_size, sizeof (RackMechanism),
                  MECHANISM_SIZE_1, MECHANISMS_MAX, &mechanism_shape, error);
  if (mechanisms == NULL)
    return FALSE;
  if (mechanisms[0].name == NULL)
    return refuse (error, "it has no mechanisms");
  for (gsize i = 0; mechanisms[i].name != NULL; i++)
    if (!check_mechanism (&mechanisms[i], error))
      return FALSE;
  auth->mechanisms = g_steal_pointer (&mechanisms);
  auth->mechanism_size = sizeof (RackMechanism);
  return TRUE;
}

static gboolean
adopt_transport (RackPlugin *plugin, const RackPluginEntry *entry, GError **error)
{
  RackTransportPlugin *transport = &plugin->transport;

  if (!copy_struct (transport, sizeof (*transport), entry->plugin, entry->size, TRANSPORT_SIZE_1,
                    &transport_shape, error))
    return FALSE;
  if (transport->connect == NULL)
    return refuse (error, "it has no connect callback");
  if (((guint) transport->flags & ~(guint) TRANSPORT_FLAGS) != 0)
    return refuse (error, "it has flags this mailrack does not know: " UPDATE);
  if (transport->upgrade != NULL && (transport->flags & RACK_TRANSPORT_PREAUTH) != 0)
    return refuse (error, "it expects PREAUTH and upgrades: after PREAUTH nothing can be upgraded");
  return TRUE;
}

static gboolean
check_entry (const RackPluginEntry *entry, GError **error)
{
  if (entry == NULL || entry->plugin == NULL)
    return refuse (error, "rack_plugin_entry() gives no plugin");
  if (entry->abi > RACK_PLUGIN_ABI)
    return refuse (error,
                   "it was built for a newer mailrack (plugin ABI %u, this one has %u): " UPDATE,
                   entry->abi, (guint) RACK_PLUGIN_ABI);
  if (entry->abi < RACK_PLUGIN_ABI)
    return refuse (error,
                   "it was built for an older mailrack (plugin ABI %u, this one has %u): build it "
                   "against this one's headers",
                   entry->abi, (guint) RACK_PLUGIN_ABI);
  if (entry->kind != RACK_PLUGIN_AUTH && entry->kind != RACK_PLUGIN_TRANSPORT)
    return refuse (error, "it is of a kind (%u) this mailrack does not know: " UPDATE, entry->kind);
  return TRUE;
}

static void
drop (RackPlugin *plugin)
{
  if (plugin->kind == RACK_PLUGIN_AUTH && plugin->auth.info == &plugin->info)
    g_free ((gpointer) plugin->auth.mechanisms);
  g_free (plugin);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RackPlugin, drop)

RackPlugin *
rack_plugin_adopt (const RackPluginEntry *entry, const char *file, GError **error)
{
  g_autoptr (RackPlugin) plugin = g_new0 (RackPlugin, 1);

  if (!check_entry (entry, error))
    return NULL;
  plugin->kind = (RackPluginKind) entry->kind;

  /* info is the first field of both, whatever their size. */
  const RackPluginInfo *info = *(const RackPluginInfo *const *) entry->plugin;
  if (info == NULL)
    {
      refuse (error, "it has no info");
      return NULL;
    }
  if (!copy_struct (&plugin->info, sizeof (plugin->info), info, info->size, INFO_SIZE_1,
                    &info_shape, error)
      || !check_info (&plugin->info, error))
    return NULL;
  if (plugin->kind == RACK_PLUGIN_AUTH ? !adopt_auth (plugin, entry, error)
                                       : !adopt_transport (plugin, entry, error))
    return NULL;
  if (plugin->kind == RACK_PLUGIN_AUTH)
    plugin->auth.info = &plugin->info;
  else
    plugin->transport.info = &plugin->info;
  if (!adopt_params (plugin, error))
    return NULL;
  plugin->file = g_strdup (file);
  plugin->label = g_strconcat (rack_plugin_kind_name (plugin->kind), "-", plugin->info.name, NULL);
  return g_steal_pointer (&plugin);
}
