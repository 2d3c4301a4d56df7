/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * player.c - one dialogue, one engine; the contract is in player.h */
#include "player.h"

#include "recorder.h"

#include <string.h>

typedef struct
{
  const Script *script;
  const Step *step;
  PlayMode mode;
  gsize cut;

  RackEngine *engine;
  Record record;
  GPtrArray *recorders;
  GHashTable *captured; /* name -> tag */
  GByteArray *input;    /* what the server says, not fed yet */
  GArray *joints;       /* gsize: where octets of input must not be parted */
  gsize fed;
  GString *output; /* what the client wrote, not compared yet */
  gint64 now;
  gsize room; /* octets the client may still write */
  GError *failure;

  gint64 timeout, idle_refresh;
  gboolean preauth;
  char **disabled;
  RackFramerLimits limits;
  char **unparsed, **streamed, **prefaces, **correlated;
} Player;

static gboolean G_GNUC_PRINTF (3, 4)
    wrong (const Player *player, GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *where = player->mode == PLAY_WHOLE ? g_strdup ("whole")
                           : player->mode == PLAY_OCTETS
                               ? g_strdup ("octet by octet")
                               : g_strdup_printf ("cut at octet %zu", player->cut);
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s:%u (%s): %s", player->script->path,
               player->step->line, where, text);
  return FALSE;
}

/* ---- Octets ---------------------------------------------------------------------------- */

static void
pump (Player *player)
{
  RackStr bytes;
  gboolean secret;

  while (rack_engine_to_send (player->engine, &bytes, &secret) && player->room > 0)
    {
      gsize now = player->mode == PLAY_OCTETS ? 1 : MIN (bytes.size, player->room);
      player->room -= player->room == G_MAXSIZE ? 0 : now;
      g_string_append_len (player->output, bytes.data, (gssize) now);
      rack_engine_sent (player->engine, now, player->now);
    }
}

static void
fail (Player *player, GError *failure)
{
  player->failure = failure;
  rack_engine_fail (player->engine, failure);
}

static gboolean
may_part (const Player *player, gsize at)
{
  for (guint i = 0; i < player->joints->len; i++)
    if (g_array_index (player->joints, gsize, i) == at)
      return FALSE;
  return TRUE;
}

static gboolean
is_cut (const Player *player, gsize at)
{
  return player->mode == PLAY_OCTETS || (player->mode == PLAY_CUT && at == player->cut);
}

/* Gives the engine everything in input. */
static void
feed (Player *player)
{
  gsize at = 0, size = player->input->len;

  while (at < size && player->failure == NULL)
    {
      GError *error = NULL;
      gsize room, now = 1;
      char *space = rack_engine_space (player->engine, &room);
      while (now < room && at + now < size
             && !(is_cut (player, player->fed + at + now)
                  && may_part (player, player->fed + at + now)))
        now++;
      memcpy (space, player->input->data + at, now);
      at += now;
      if (!rack_engine_filled (player->engine, now, player->now, &error))
        fail (player, error);
      pump (player);
    }
  player->fed += size;
  g_byte_array_set_size (player->input, 0);
}

/* Replaces {name} by what was captured. What was not is left as it is: {310} is a literal. */
static GString *
expand (const Player *player, const char *text)
{
  GString *line = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at++)
    {
      const char *close = *at == '{' ? strchr (at, '}') : NULL;
      g_autofree char *name = close != NULL ? g_strndup (at + 1, (gsize) (close - at - 1)) : NULL;
      const char *value = name != NULL ? g_hash_table_lookup (player->captured, name) : NULL;
      if (value == NULL)
        g_string_append_c (line, *at);
      else
        {
          g_string_append (line, value);
          at = close;
        }
    }
  return line;
}

static void
server_says (Player *player, const char *octets, gsize size)
{
  g_byte_array_append (player->input, (const guint8 *) octets, (guint) size);
}

static void
server_step (Player *player, const Step *step)
{
  g_autoptr (GString) line = expand (player, step->text);
  gsize joint;

  switch (step->kind)
    {
    case STEP_SERVER_RAW:
      {
        g_autoptr (GString) octets = script_unescape (line->str, line->len);
        server_says (player, octets->str, octets->len);
        return;
      }
    case STEP_SERVER_FILL:
      {
        gsize n = (gsize) g_ascii_strtoull (step->text, NULL, 10);
        g_autofree char *octets = g_strnfill (n, 'z');
        server_says (player, octets, n);
        return;
      }
    default:
      g_string_append (line, "\r\n");
      server_says (player, line->str, line->len);
      joint = player->fed + player->input->len;
      if (step->kind == STEP_SERVER_TOGETHER)
        g_array_append_val (player->joints, joint);
    }
}

/* ---- What the client must have written --------------------------------------------------- */

static gboolean
expect_octets (Player *player, const char *octets, gsize size, GError **error)
{
  if (player->output->len < size || memcmp (player->output->str, octets, size) != 0)
    {
      g_autofree char *got = g_strescape (player->output->str, NULL);
      g_autofree char *expected = g_strescape (octets, NULL);
      return wrong (player, error, "expected \"%s\", the engine wrote \"%.300s\"", expected, got);
    }
  g_string_erase (player->output, 0, (gssize) size);
  return TRUE;
}

/* A tag at the beginning that was not captured yet is captured. */
static void
capture_tag (Player *player, const char *text)
{
  const char *close = *text == '{' ? strchr (text, '}') : NULL;
  gsize size = strspn (player->output->str, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

  if (close != NULL && g_ascii_isalpha (text[1]) && size > 0)
    {
      char *name = g_strndup (text + 1, (gsize) (close - text - 1));
      if (g_hash_table_contains (player->captured, name))
        g_free (name);
      else
        g_hash_table_insert (player->captured, name, g_strndup (player->output->str, size));
    }
}

static gboolean
client_step (Player *player, const Step *step, GError **error)
{
  pump (player);
  if (step->kind == STEP_CLIENT_NONE)
    {
      g_autofree char *got = g_strescape (player->output->str, NULL);
      return player->output->len == 0
             || wrong (player, error, "expected nothing, the engine wrote \"%.300s\"", got);
    }
  if (step->kind == STEP_CLIENT_BLANKS)
    {
      gsize n = (gsize) g_ascii_strtoull (step->text, NULL, 10);
      const char *kind = strchr (step->text, ' ');
      g_autofree char *blanks = g_strnfill (n, kind != NULL ? kind[1] : ' ');
      return expect_octets (player, blanks, n, error);
    }
  if (step->kind == STEP_CLIENT)
    capture_tag (player, step->text);
  g_autoptr (GString) line = expand (player, step->text);
  if (step->kind == STEP_CLIENT_RAW)
    {
      g_autoptr (GString) octets = script_unescape (line->str, line->len);
      return expect_octets (player, octets->str, octets->len, error);
    }
  g_string_append (line, "\r\n");
  return expect_octets (player, line->str, line->len, error);
}

/* ---- Steps -------------------------------------------------------------------------------- */

static Recorder *
find (Player *player, const char *id)
{
  for (guint i = player->recorders->len; i > 0; i--)
    {
      Recorder *recorder = g_ptr_array_index (player->recorders, i - 1);
      if (g_str_equal (recorder->id, id))
        return recorder;
    }
  g_error ("%s:%u: no command %s", player->script->path, player->step->line, id);
}

static gboolean
is_in (char **ids, const char *id)
{
  return ids != NULL && g_strv_contains ((const char *const *) ids, id);
}

static gboolean
submit (Player *player, const char *text, GError **error)
{
  const char *space = strchr (text, ' ');
  g_autofree char *id = g_strndup (text, (gsize) (space - text));
  Recorder *recorder = recorder_new (&player->record, id, space + 1, is_in (player->unparsed, id),
                                     is_in (player->streamed, id), error);

  g_ptr_array_add (player->recorders, recorder);
  if (is_in (player->prefaces, id))
    recorder->exchange.flags = RACK_EXCHANGE_PREFACE | RACK_EXCHANGE_REPEATABLE;
  if (is_in (player->correlated, id))
    recorder->exchange.flags |= RACK_EXCHANGE_CORRELATED;
  rack_engine_submit (player->engine, &recorder->exchange, player->now);
  return error == NULL || *error == NULL;
}

static void
pass_time (Player *player, const char *seconds)
{
  GError *error = NULL;

  player->now += (gint64) (g_ascii_strtod (seconds, NULL) * G_USEC_PER_SEC);
  if (!rack_engine_tick (player->engine, player->now, &error))
    fail (player, error);
  pump (player);
}

static gboolean
expect_event (Player *player, const char *text, GError **error)
{
  g_autofree char *got = record_take (&player->record);
  g_autoptr (GString) expected = expand (player, text);

  return g_strcmp0 (got, expected->str) == 0
         || wrong (player, error, "expected the event \"%s\", got \"%s\"", expected->str,
                   got != NULL ? got : "(none)");
}

/* text: "PROTOCOL a part of the message" */
static gboolean
expect_failure (Player *player, const char *text, GError **error)
{
  g_autoptr (GError) failure = g_steal_pointer (&player->failure);
  const char *part = strchr (text, ' ');
  g_autofree char *code = part != NULL ? g_strndup (text, (gsize) (part - text)) : g_strdup (text);

  if (failure == NULL)
    return wrong (player, error, "the engine accepted what it had to refuse");
  if (!g_str_equal (record_error_name (failure), code)
      || (part != NULL && strstr (failure->message, part + 1) == NULL))
    return wrong (player, error, "the failure is %s: %s", record_error_name (failure),
                  failure->message);
  return TRUE;
}

static gboolean
expect_eof (Player *player, const char *text, GError **error)
{
  GError *failure = NULL;

  if (!rack_engine_eof (player->engine, &failure))
    fail (player, failure);
  if (g_str_equal (text, "clean"))
    return player->failure == NULL
           || wrong (player, error, "the end is an error: %s", player->failure->message);
  return expect_failure (player, text, error);
}

static char *
state_of (const Player *player, StepKind kind)
{
  static const char *const phases[] = { "greeting",      "not-authenticated", "tls",
                                        "authenticated", "selected",          "closed" };
  RackEngine *engine = player->engine;
  gint64 deadline = rack_engine_deadline (engine);

  switch (kind)
    {
    case STEP_PHASE:
      return g_strdup (phases[rack_engine_phase (engine)]);
    case STEP_SELECTED:
      return g_strdup (rack_engine_selected (engine) != NULL ? rack_engine_selected (engine) : "-");
    case STEP_READ_ONLY:
      return g_strdup (rack_engine_selected_read_only (engine) ? "yes" : "no");
    case STEP_UID_VALIDITY:
      return g_strdup_printf ("%u", rack_engine_uid_validity (engine));
    case STEP_CAPABILITIES:
      return rack_engine_knows_capabilities (engine)
                 ? g_strjoinv (" ", (char **) rack_engine_capabilities (engine))
                 : g_strdup ("unknown");
    case STEP_IN_IDLE:
      return g_strdup (rack_engine_in_idle (engine) ? "yes" : "no");
    case STEP_COUNTS:
      return g_strdup_printf ("%u -%" G_GUINT64_FORMAT, rack_engine_counts (engine)->exists,
                              rack_engine_counts (engine)->removed);
    case STEP_QUIET:
      return g_strdup (rack_engine_is_idle (engine) ? "yes" : "no");
    case STEP_DEADLINE:
      if (deadline == G_MAXINT64)
        return g_strdup ("never");
      return g_strdup_printf ("%g", (double) (deadline - player->now) / G_USEC_PER_SEC);
    default:
      return g_strdup ("?");
    }
}

static gboolean
expect_state (Player *player, const Step *step, GError **error)
{
  g_autofree char *state = state_of (player, step->kind);

  return g_str_equal (state, step->text)
         || wrong (player, error, "expected %s, it is %s", step->text, state);
}

static gboolean
act (Player *player, const Step *step, GError **error)
{
  g_autoptr (RackSecret) line = NULL;

  switch (step->kind)
    {
    case STEP_SUBMIT:
      return submit (player, step->text, error);
    case STEP_DETACH:
      rack_engine_detach (player->engine, &find (player, step->text)->exchange);
      break;
    case STEP_KICK:
      find (player, step->text)->allowed = G_MAXUINT32;
      rack_engine_kick (player->engine);
      break;
    case STEP_GIVE_UP:
      find (player, step->text)->failing = TRUE;
      rack_engine_kick (player->engine);
      pump (player);
      break;
    case STEP_ANSWER:
      line = rack_secret_new (step->text, -1);
      rack_engine_answer (player->engine, line);
      break;
    case STEP_UPGRADED:
      rack_engine_upgraded (player->engine, step->text, player->now);
      break;
    case STEP_WANT_IDLE:
      rack_engine_want_idle (player->engine, g_str_equal (step->text, "yes"));
      break;
    case STEP_PROBE:
      rack_engine_probe (player->engine, g_ascii_strtoll (step->text, NULL, 10) * G_USEC_PER_SEC,
                         player->now);
      pump (player);
      break;
    case STEP_BLOCKED:
      player->room = g_str_equal (step->text, "no")
                         ? G_MAXSIZE
                         : (gsize) g_ascii_strtoull (step->text, NULL, 10);
      pump (player);
      break;
    case STEP_TIME:
      pass_time (player, step->text);
      break;
    case STEP_FAILS:
      return expect_failure (player, step->text, error);
    case STEP_EOF:
      return expect_eof (player, step->text, error);
    default:
      return expect_state (player, step, error);
    }
  return TRUE;
}

static gboolean
run_step (Player *player, const Step *step, GError **error)
{
  player->step = step;
  if (step->kind == STEP_ABOUT || step->kind == STEP_OPTION)
    return TRUE;
  if (step->kind >= STEP_SERVER && step->kind <= STEP_SERVER_FILL)
    {
      server_step (player, step);
      return TRUE;
    }
  feed (player);
  if (step->kind == STEP_EVENT)
    return expect_event (player, step->text, error);
  if (step->kind >= STEP_CLIENT && step->kind <= STEP_CLIENT_NONE)
    return client_step (player, step, error);
  return act (player, step, error);
}

static gboolean
expect_end (Player *player, GError **error)
{
  feed (player);
  pump (player);
  g_autofree char *event = record_take (&player->record);
  if (event != NULL)
    return wrong (player, error, "an event the dialogue does not have: \"%s\"", event);
  if (player->failure != NULL)
    return wrong (player, error, "the engine refused: %s", player->failure->message);
  if (player->output->len > 0)
    return wrong (player, error, "the engine also wrote \"%s\"", player->output->str);
  return TRUE;
}

/* ---- A whole dialogue ----------------------------------------------------------------------- */

static void
set_option (Player *player, const char *text)
{
  const char *value = strchr (text, ' ') + 1;

  if (g_str_has_prefix (text, "timeout "))
    player->timeout = g_ascii_strtoll (value, NULL, 10) * G_USEC_PER_SEC;
  else if (g_str_has_prefix (text, "idle-refresh "))
    player->idle_refresh = g_ascii_strtoll (value, NULL, 10) * G_USEC_PER_SEC;
  else if (g_str_has_prefix (text, "preauth "))
    player->preauth = g_str_equal (value, "yes");
  else if (g_str_has_prefix (text, "disabled "))
    player->disabled = g_strsplit (value, " ", -1);
  else if (g_str_has_prefix (text, "inline "))
    player->limits.max_inline = (gsize) g_ascii_strtoull (value, NULL, 10);
  else if (g_str_has_prefix (text, "unparsed "))
    player->unparsed = g_strsplit (value, " ", -1);
  else if (g_str_has_prefix (text, "preface "))
    player->prefaces = g_strsplit (value, " ", -1);
  else if (g_str_has_prefix (text, "correlated "))
    player->correlated = g_strsplit (value, " ", -1);
  else
    player->streamed = g_strsplit (value, " ", -1);
}

static void
begin (Player *player)
{
  player->limits = (RackFramerLimits){ 64 * 1024, 64 * 1024 * 1024, 64 * 1024, 64 * 1024 * 1024 };
  for (guint i = 0; i < player->script->steps->len; i++)
    {
      const Step *step = &g_array_index (player->script->steps, Step, i);
      if (step->kind == STEP_OPTION)
        set_option (player, step->text);
    }
  record_init (&player->record);
  player->recorders = g_ptr_array_new_with_free_func ((GDestroyNotify) recorder_free);
  player->captured = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  player->input = g_byte_array_new ();
  player->joints = g_array_new (FALSE, FALSE, sizeof (gsize));
  player->output = g_string_new (NULL);
  player->now = 1000 * G_USEC_PER_SEC;
  player->room = G_MAXSIZE;
  RackEngineOptions options = { .tag_prefix = "T",
                                .timeout = player->timeout,
                                .idle_refresh = player->idle_refresh,
                                .preauth = player->preauth,
                                .disabled = (const char *const *) player->disabled,
                                .limits = &player->limits,
                                .news = record_news,
                                .data = &player->record };
  player->engine = rack_engine_new (&options, player->now);
}

static void
end (Player *player)
{
  rack_engine_free (player->engine);
  g_ptr_array_free (player->recorders, TRUE);
  record_clear (&player->record);
  g_hash_table_unref (player->captured);
  g_byte_array_free (player->input, TRUE);
  g_array_free (player->joints, TRUE);
  g_string_free (player->output, TRUE);
  g_clear_error (&player->failure);
  g_strfreev (player->disabled);
  g_strfreev (player->unparsed);
  g_strfreev (player->streamed);
  g_strfreev (player->prefaces);
  g_strfreev (player->correlated);
}

gboolean
play (const Script *script, PlayMode mode, gsize cut, gsize *octets, GError **error)
{
  Player player = { .script = script, .mode = mode, .cut = cut };
  gboolean ok = TRUE;

  begin (&player);
  for (guint i = 0; i < script->steps->len && ok; i++)
    ok = run_step (&player, &g_array_index (script->steps, Step, i), error);
  ok = ok && expect_end (&player, error);
  if (octets != NULL)
    *octets = player.fed;
  end (&player);
  return ok;
}
