/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host-run.c - a command of the user's, run for the first line of its output
 *
 * Without a shell, in a process group of its own that ends with the wait. The output may be
 * a password: it stays in memory that is wiped, and no error shows it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "secret.h"
#include "stream.h"

#define OUTPUT_MAX (64 * 1024)
/* For callers who set no deadline. */
#define RUN_MAX    (5 * 60 * G_TIME_SPAN_SECOND)
/* How soon the end of the command is noticed when something it left behind keeps its output
 * open; otherwise the end of the output tells. */
#define LOOK_EVERY (50 * G_TIME_SPAN_MILLISECOND)
/* How long a group may take to end when it is told to. */
#define GRACE      (300 * G_TIME_SPAN_MILLISECOND)

/* Enough to find and use a password manager, and nothing of what else a user may keep there. */
static const char *const kept[] = {
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "LC_MESSAGES",
  "TZ",
  "TMPDIR",
  "TERM",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_CACHE_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "SSH_AUTH_SOCK",
  "GNUPGHOME",
  "GPG_TTY",
  "PASSWORD_STORE_DIR",
};

typedef struct
{
  const char *name;
  GPid pid;
  int fd;
  gboolean exited;
  int status;
  gsize size;
  char output[OUTPUT_MAX + 1];
} Run;

static char **
make_environment (void)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      const char *value = g_getenv (kept[i]);

      if (value != NULL)
        g_ptr_array_add (list, g_strconcat (kept[i], "=", value, NULL));
    }
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&list), FALSE);
}

/* In the child, after fork: async-signal-safe calls only. */
static void
prepare_child (gpointer data)
{
  sigset_t none;

  setpgid (0, 0);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  signal (SIGPIPE, SIG_DFL);
}

static gboolean
spawn (Run *run, const char *const *argv, GError **error)
{
  g_auto (GStrv) environment = make_environment ();
  g_autoptr (GError) cause = NULL;

  if (!g_spawn_async_with_pipes (NULL, (char **) argv, environment,
                                 G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD
                                     | G_SPAWN_CLOEXEC_PIPES,
                                 prepare_child, NULL, &run->pid, NULL, &run->fd, NULL, &cause))
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "the command \"%s\" cannot be run: %s",
                   run->name, cause->message);
      return FALSE;
    }
  fcntl (run->fd, F_SETFL, fcntl (run->fd, F_GETFL) | O_NONBLOCK);
  return TRUE;
}

static gboolean
fail (const Run *run, RackError code, const char *what, GError **error)
{
  g_set_error (error, RACK_ERROR, code, "the command \"%s\" %s", run->name, what);
  return FALSE;
}

static gboolean
may_wait (const Run *run, const RackWait *wait, GError **error)
{
  if (rack_wait_check (wait, error))
    return TRUE;
  g_prefix_error (error, "the command \"%s\": ", run->name);
  return FALSE;
}

/* Whether it has ended by now. */
static gboolean
look (Run *run)
{
  if (!run->exited)
    {
      pid_t got = waitpid (run->pid, &run->status, WNOHANG);

      /* Somebody else took the status (SIGCHLD is ignored): it counts as a failure. */
      if (got < 0 && errno != EINTR)
        run->status = -1;
      run->exited = got == run->pid || (got < 0 && errno != EINTR);
    }
  return run->exited;
}

/* One read. Returns: 1 there may be more, 0 the end, -1 with error set, -2 nothing now. */
static int
read_some (Run *run, GError **error)
{
  gssize got = read (run->fd, run->output + run->size, sizeof (run->output) - run->size);

  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return errno == EINTR ? 1 : RACK_STREAM_AGAIN;
  if (got < 0)
    {
      fail (run, RACK_ERROR_IO, g_strerror (errno), error);
      return -1;
    }
  run->size += (gsize) got;
  if (run->size <= OUTPUT_MAX)
    return got > 0;
  fail (run, RACK_ERROR_TOO_LARGE, "printed more than 64 KiB", error);
  return -1;
}

/* Until the end of the output, or of the command when something else holds its output. */
static gboolean
collect (Run *run, const RackWait *wait, GError **error)
{
  for (;;)
    {
      gboolean ended = look (run);
      int more = read_some (run, error);

      if (more == 0 || (more == RACK_STREAM_AGAIN && ended))
        return TRUE;
      if (more == -1 || !may_wait (run, wait, error))
        return FALSE;
      if (more != RACK_STREAM_AGAIN)
        continue;

      RackWait slice = *wait;
      slice.deadline = MIN (wait->deadline, g_get_monotonic_time () + LOOK_EVERY);
      rack_wait_fd (run->fd, G_IO_IN, &slice, NULL);
    }
}

static gboolean
reap (Run *run, const RackWait *wait, GError **error)
{
  for (gulong pause = 1000; !look (run); pause = MIN (2 * pause, LOOK_EVERY))
    {
      if (!may_wait (run, wait, error))
        return FALSE;
      g_usleep (pause);
    }
  return TRUE;
}

static void
kill_group (Run *run)
{
  RackWait grace = { sizeof (grace), g_get_monotonic_time () + GRACE, NULL };

  kill (-run->pid, SIGTERM);
  reap (run, &grace, NULL);
  kill (-run->pid, SIGKILL);
  while (!run->exited && waitpid (run->pid, &run->status, 0) < 0 && errno == EINTR)
    ;
}

static RackSecret *
first_line (const Run *run, GError **error)
{
  const char *end = memchr (run->output, '\n', run->size);
  gsize size = end != NULL ? (gsize) (end - run->output) : run->size;

  if (size > 0 && run->output[size - 1] == '\r')
    size--;
  if (!WIFEXITED (run->status) || WEXITSTATUS (run->status) != 0)
    {
      g_autofree char *what =
          WIFEXITED (run->status)
              ? g_strdup_printf ("failed with exit status %d", WEXITSTATUS (run->status))
              : g_strdup ("was killed");
      fail (run, RACK_ERROR_IO, what, error);
      return NULL;
    }
  if (size == 0)
    {
      fail (run, RACK_ERROR_IO, "printed nothing in its first line", error);
      return NULL;
    }
  if (memchr (run->output, '\0', size) != NULL)
    {
      fail (run, RACK_ERROR_IO, "printed a NUL byte", error);
      return NULL;
    }
  return rack_secret_new (run->output, (gssize) size);
}

RackSecret *
rack_host_run (RackHost *host, const char *const *argv, const RackWait *wait, GError **error)
{
  RackWait limited = { .size = sizeof (limited) };
  RackSecret *line = NULL;

  if (argv == NULL || argv[0] == NULL || *argv[0] == '\0')
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_INVALID, "a command without a program to run");
      return NULL;
    }
  if (wait != NULL)
    limited = (RackWait){ sizeof (limited), wait->deadline, wait->cancellable };
  if (limited.deadline == 0)
    limited.deadline = g_get_monotonic_time () + RUN_MAX;

  g_autofree char *name = rack_text_escape (argv[0], -1);
  g_autofree Run *run = g_new0 (Run, 1);
  run->name = name;
  if (!spawn (run, argv, error))
    return NULL;
  if (collect (run, &limited, error) && reap (run, &limited, error))
    line = first_line (run, error);
  else
    kill_group (run);
  close (run->fd);
  rack_wipe (run->output, run->size);
  return line;
}
