/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * delay.c - a proxy on loopback that makes a server far away
 *
 *   delay PORT MILLISECONDS [WINDOW]    passes connections on to 127.0.0.1:PORT; prints its own
 *
 * Every octet is held for MILLISECONDS each way. WINDOW octets of a direction are on their way at
 * most (0: no limit), as a receive window has it. One thread, one poll. Ends when standard input
 * does. tests/support/proxy.py does much more, at a tenth of the speed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define CHUNK       (128 * 1024)

typedef struct Piece Piece;
struct Piece
{
  Piece *next;
  double due;
  size_t size, at;
  char data[];
};

/* One direction of one connection. */
typedef struct
{
  int from, to;
  Piece *first, **last;
  size_t held;
  int ended; /* nothing more will come */
  int closed;
} Way;

/* The two directions of a connection stand beside each other; from -1: a free place. */
static Way ways[2 * CONNECTIONS];
static double delay;
static size_t window;

static double
now (void)
{
  struct timespec at;
  clock_gettime (CLOCK_MONOTONIC, &at);
  return (double) at.tv_sec + (double) at.tv_nsec / 1e9;
}

static int
connect_to (int port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) port) };
  int one = 1, fd = socket (AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    exit (2);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static int
listen_on_loopback (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) != 0 || listen (fd, 16) != 0
      || getsockname (fd, (struct sockaddr *) &address, &size) != 0)
    exit (2);
  printf ("PORT=%d\n", ntohs (address.sin_port));
  fflush (stdout);
  return fd;
}

static void
set_way (Way *way, int from, int to)
{
  *way = (Way){ .from = from, .to = to };
  way->last = &way->first;
}

static void
accept_one (int listener, int port)
{
  int one = 1, fd = accept (listener, NULL, NULL);
  unsigned at = 0;
  while (at < 2 * CONNECTIONS && ways[at].from >= 0)
    at += 2;
  if (fd < 0 || at == 2 * CONNECTIONS)
    exit (3);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int server = connect_to (port);
  set_way (&ways[at], fd, server);
  set_way (&ways[at + 1], server, fd);
}

/* Closes a connection that is over in both directions. */
static void
free_if_over (Way *pair)
{
  if (pair->from < 0 || !pair[0].closed || !pair[1].closed)
    return;
  close (pair[0].from);
  close (pair[1].from);
  pair[0].from = pair[1].from = -1;
}

static void
take (Way *way)
{
  Piece *piece = malloc (sizeof *piece + CHUNK);
  ssize_t n = recv (way->from, piece->data, CHUNK, MSG_DONTWAIT);
  if (n <= 0)
    {
      free (piece);
      way->ended = n == 0 || errno != EAGAIN;
      return;
    }
  piece = realloc (piece, sizeof *piece + (size_t) n);
  *piece = (Piece){ .due = now () + delay, .size = (size_t) n };
  *way->last = piece;
  way->last = &piece->next;
  way->held += (size_t) n;
}

static void
give (Way *way)
{
  Piece *piece = way->first;
  ssize_t n =
      send (way->to, piece->data + piece->at, piece->size - piece->at, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN)
    n = (ssize_t) (piece->size - piece->at); /* nobody is there: it goes nowhere */
  if (n < 0)
    return;
  piece->at += (size_t) n;
  way->held -= (size_t) n;
  if (piece->at < piece->size)
    return;
  way->first = piece->next;
  if (way->first == NULL)
    way->last = &way->first;
  free (piece);
}

/* What a way waits for; *wake is brought forward to when it has something to do. */
static void
prepare (Way *way, struct pollfd *in, struct pollfd *out, double at, double *wake)
{
  *in = (struct pollfd){ .fd = -1 };
  *out = (struct pollfd){ .fd = -1 };
  if (way->from < 0)
    return;
  if (!way->ended && (window == 0 || way->held < window))
    *in = (struct pollfd){ .fd = way->from, .events = POLLIN };
  if (way->first != NULL && way->first->due <= at)
    *out = (struct pollfd){ .fd = way->to, .events = POLLOUT };
  else if (way->first != NULL && way->first->due < *wake)
    *wake = way->first->due;
  else if (way->first == NULL && way->ended && !way->closed)
    {
      shutdown (way->to, SHUT_WR);
      way->closed = 1;
    }
}

int
main (int argc, char **argv)
{
  static struct pollfd fds[2 + 4 * CONNECTIONS];
  if (argc < 3)
    return 64;
  int port = atoi (argv[1]), listener = listen_on_loopback ();
  delay = atof (argv[2]) / 1000;
  window = argc > 3 ? (size_t) atoll (argv[3]) : 0;
  for (unsigned i = 0; i < 2 * CONNECTIONS; i++)
    ways[i].from = -1;
  for (;;)
    {
      double at = now (), wake = at + 1;
      unsigned n = 2 * CONNECTIONS;
      fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
      fds[1] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
      for (unsigned i = 0; i < n; i++)
        prepare (&ways[i], &fds[2 + 2 * i], &fds[3 + 2 * i], at, &wake);
      struct timespec wait = { (time_t) (wake - at), (long) ((wake - at) * 1e9) % 1000000000 };
      if (ppoll (fds, 2 + 2 * n, &wait, NULL) < 0)
        return 2;
      if (fds[1].revents != 0)
        return 0;
      for (unsigned i = 0; i < n; i++)
        {
          if (fds[2 + 2 * i].revents != 0)
            take (&ways[i]);
          if (fds[3 + 2 * i].revents != 0)
            give (&ways[i]);
        }
      for (unsigned i = 0; i < n; i += 2)
        free_if_over (&ways[i]);
      if (fds[0].revents != 0)
        accept_one (listener, port);
    }
}
