/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport = tunnel: the server is a command's standard input and output
 *
 * For "ssh HOST /usr/lib/dovecot/imap" and the like. The command runs without a shell,
 * in a process group of its own, with a small environment and our standard error. When
 * the stream is closed the whole group is told to end, and killed two seconds later.
 *
 * Its input is a socket, so that writing never raises SIGPIPE; its output is a pipe,
 * because Dovecot's imap, run by root, refuses a socket there ("started from inetd"). An
 * epoll descriptor makes one of the two for poll(). */
#include <mailrack/mailrack-plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_MILLISECONDS 2000

typedef struct
{
  char **command;
} Config;

static const RackParam params[] = {
  RACK_PARAM (Config, command, "tunnel_command", COMMAND, REQUIRED, NULL,
              "The command that is the server, for example ssh HOST /usr/lib/dovecot/imap."),
  RACK_PARAM_END,
};

typedef struct
{
  RackStream stream;
  RackStream *input, *output; /* of the command: we write to the one, read from the other */
  int epoll;
  gboolean blocked; /* input took no more: the descriptor tells when it does */
  char *name;       /* of the command */
  pid_t pid;
} Tunnel;

/* ---- Ending ---------------------------------------------------------------------- */

static gpointer
reap (gpointer data)
{
  pid_t pid = GPOINTER_TO_INT (data);
  struct pollfd ended = { .fd = (int) syscall (SYS_pidfd_open, pid, 0), .events = POLLIN };

  if (ended.fd >= 0)
    {
      int n;
      do
        n = poll (&ended, 1, GRACE_MILLISECONDS);
      while (n < 0 && errno == EINTR);
      close (ended.fd);
    }
  /* Not reaped yet, so the number is still this group's. */
  kill (-pid, SIGKILL);
  while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
    ;
  return NULL;
}

static void
tunnel_close (RackStream *stream)
{
  Tunnel *self = (Tunnel *) stream;

  self->input->ops->close (self->input);
  self->output->ops->close (self->output);
  close (self->epoll);
  kill (-self->pid, SIGTERM);
  GThread *thread = g_thread_try_new ("tunnel-reap", reap, GINT_TO_POINTER (self->pid), NULL);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    {
      kill (-self->pid, SIGKILL);
      while (waitpid (self->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    }
  g_free (self->name);
  g_free (self);
}

/* ---- The stream ------------------------------------------------------------------- */

/* A command that failed says more than the end of its output does. */
static gssize
explain_end (Tunnel *self, GError **error)
{
  siginfo_t state = { 0 };

  if (waitid (P_PID, (id_t) self->pid, &state, WEXITED | WNOHANG | WNOWAIT) < 0 || state.si_pid == 0
      || (state.si_code == CLD_EXITED && state.si_status == 0))
    return 0;
  if (state.si_code == CLD_EXITED)
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
                 "the tunnel command \"%s\" ended with exit status %d", self->name,
                 state.si_status);
  else
    g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
                 "the tunnel command \"%s\" was ended by signal %d (%s)", self->name,
                 state.si_status, strsignal (state.si_status));
  return -1;
}

static gssize
tunnel_read (RackStream *stream, void *data, gsize size, GError **error)
{
  Tunnel *self = (Tunnel *) stream;
  gssize n = self->output->ops->read (self->output, data, size, error);

  return n == 0 ? explain_end (self, error) : n;
}

static void
watch (int epoll, RackStream *stream, int operation, guint32 events)
{
  struct epoll_event event = { .events = events };

  epoll_ctl (epoll, operation, stream->ops->fd (stream), &event);
}

static gssize
tunnel_write (RackStream *stream, const void *data, gsize size, GError **error)
{
  Tunnel *self = (Tunnel *) stream;
  gssize n = self->input->ops->write (self->input, data, size, error);
  gboolean blocked = n == RACK_STREAM_AGAIN;

  if (blocked != self->blocked)
    watch (self->epoll, self->input, blocked ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, EPOLLOUT);
  self->blocked = blocked;
  return n;
}

static int
tunnel_fd (RackStream *stream)
{
  return ((Tunnel *) stream)->epoll;
}

/* An epoll descriptor is readable when one of those in it is ready. */
static GIOCondition
tunnel_wants (RackStream *stream, gboolean reading)
{
  return G_IO_IN;
}

static RackSecurity
tunnel_security (RackStream *stream)
{
  return RACK_SECURITY_TUNNEL;
}

static const RackStreamOps tunnel_ops = {
  .size = sizeof (RackStreamOps),
  .read = tunnel_read,
  .write = tunnel_write,
  .fd = tunnel_fd,
  .close = tunnel_close,
  .wants = tunnel_wants,
  .security = tunnel_security,
};

/* ---- Starting --------------------------------------------------------------------- */

/* What ssh and its like need, and nothing that others left in ours. */
static char **
small_environment (void)
{
  static const char *const kept[] = {
    "PATH",   "HOME",     "USER",          "LOGNAME",    "SHELL", "LANG",
    "LC_ALL", "LC_CTYPE", "SSH_AUTH_SOCK", "KRB5CCNAME", "TERM",  "XDG_RUNTIME_DIR",
    "TMPDIR", "DISPLAY",  "SSH_ASKPASS",   NULL
  };
  char **environment = g_new0 (char *, G_N_ELEMENTS (kept));
  guint n = 0;

  for (guint i = 0; kept[i] != NULL; i++)
    if (g_getenv (kept[i]) != NULL)
      environment[n++] = g_strconcat (kept[i], "=", g_getenv (kept[i]), NULL);
  return environment;
}

static int
spawn (char **command, int input, int output, pid_t *pid)
{
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  sigset_t none, all;
  g_auto (GStrv) environment = small_environment ();

  sigemptyset (&none);
  sigfillset (&all);
  posix_spawn_file_actions_init (&files);
  posix_spawn_file_actions_adddup2 (&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2 (&files, output, STDOUT_FILENO);
  posix_spawnattr_init (&how);
  posix_spawnattr_setflags (&how,
                            POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup (&how, 0);
  posix_spawnattr_setsigmask (&how, &none);
  posix_spawnattr_setsigdefault (&how, &all);
  int code = posix_spawnp (pid, command[0], &files, &how, command, environment);
  posix_spawnattr_destroy (&how);
  posix_spawn_file_actions_destroy (&files);
  return code;
}

static gboolean
start (Tunnel *self, char **command, int input, int output, GError **error)
{
  int code = spawn (command, input, output, &self->pid);

  if (code == 0)
    return TRUE;
  g_set_error (error, RACK_ERROR, RACK_ERROR_NETWORK,
               "the tunnel command \"%s\" cannot be started: %s", command[0], g_strerror (code));
  return FALSE;
}

/* Our ends of both, as streams, and the descriptor that stands for them. */
static gboolean
wrap (Tunnel *self, int input, int output, GError **error)
{
  self->input = rack_fd_stream_new (input, RACK_SECURITY_TUNNEL, error);
  self->output =
      rack_fd_stream_new (output, RACK_SECURITY_TUNNEL, self->input != NULL ? error : NULL);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (self->input == NULL || self->output == NULL)
    return FALSE;
  if (self->epoll < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "waiting for the tunnel: %s",
                   g_strerror (errno));
      return FALSE;
    }
  watch (self->epoll, self->output, EPOLL_CTL_ADD, EPOLLIN);
  return TRUE;
}

static void
give_up (Tunnel *self)
{
  if (self->input != NULL)
    self->input->ops->close (self->input);
  if (self->output != NULL)
    self->output->ops->close (self->output);
  if (self->epoll >= 0)
    close (self->epoll);
  g_free (self);
}

static RackStream *
tunnel_connect (gpointer data, const RackPeer *peer, const RackWait *wait, GError **error)
{
  const Config *config = data;
  int input[2], output[2];

  if (config->command == NULL || config->command[0] == NULL)
    {
      g_set_error_literal (error, RACK_ERROR, RACK_ERROR_CONFIG, "tunnel_command is empty");
      return NULL;
    }
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "making a socket for the tunnel: %s",
                   g_strerror (errno));
      return NULL;
    }
  if (pipe2 (output, O_CLOEXEC) < 0)
    {
      g_set_error (error, RACK_ERROR, RACK_ERROR_IO, "making a pipe for the tunnel: %s",
                   g_strerror (errno));
      close (input[0]);
      close (input[1]);
      return NULL;
    }
  Tunnel *self = g_new0 (Tunnel, 1);
  self->stream.ops = &tunnel_ops;
  gboolean ok = wrap (self, input[0], output[0], error)
                && start (self, config->command, input[1], output[1], error);
  close (input[1]);
  close (output[1]);
  if (!ok)
    {
      give_up (self);
      return NULL;
    }
  self->name = g_strdup (config->command[0]);
  return &self->stream;
}

static const RackPluginInfo info = {
  RACK_PLUGIN_INFO,
  .name = "tunnel",
  .summary = "The server is a command (ssh HOST /usr/lib/dovecot/imap)",
  .version = "0.1.0",
  .params = params,
  .config_size = sizeof (Config),
};

static const RackTransportPlugin plugin = {
  .info = &info,
  .flags = RACK_TRANSPORT_PREAUTH | RACK_TRANSPORT_NO_HOST,
  .connect = tunnel_connect,
};
RACK_REGISTER_TRANSPORT (plugin)
