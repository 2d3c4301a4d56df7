/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * floor.c - the floor of every client: sends the command, drains the octets
 *
 * Parses nothing but looks for the tagged OK. Plain TCP on loopback.
 *   floor PORT USER PASSWORD MAILBOX ITEMS */
#include "meter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[256 * 1024 + 64];

/* Reads until a line that begins with tag; the tail of what was read before is kept in front. */
static uint64_t
drain (int fd, const char *tag)
{
  size_t keep = 1, size = strlen (tag);
  uint64_t total = 0;

  buffer[0] = '\n';
  for (;;)
    {
      ssize_t n = read (fd, buffer + keep, 256 * 1024);
      if (n <= 0)
        exit (2);
      total += (uint64_t) n;
      size_t end = keep + (size_t) n;
      /* The tagged line is the last, so it is near the end. */
      size_t from = end > 512 ? end - 512 : 0;
      for (size_t i = from; i + size + 1 <= end; i++)
        if (buffer[i] == '\n' && memcmp (buffer + i + 1, tag, size) == 0 && buffer[end - 1] == '\n')
          return total;
      keep = end < 64 ? end : 64;
      memmove (buffer, buffer + end - keep, keep);
    }
}

static void
say (int fd, const char *line)
{
  if (write (fd, line, strlen (line)) < 0)
    exit (2);
}

int
main (int argc, char **argv)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  char line[1024];
  int one = 1;

  if (argc != 6)
    return 64;
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  address.sin_port = htons ((uint16_t) atoi (argv[1]));
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    return 2;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  drain (fd, "* OK");
  snprintf (line, sizeof line, "a LOGIN %s %s\r\n", argv[2], argv[3]);
  say (fd, line);
  drain (fd, "a OK");
  snprintf (line, sizeof line, "b EXAMINE \"%s\"\r\n", argv[4]);
  say (fd, line);
  drain (fd, "b OK");
  double cpu = meter_cpu (), start = meter_now ();
  snprintf (line, sizeof line, "c UID FETCH 1:* (%s)\r\n", argv[5]);
  say (fd, line);
  uint64_t octets = drain (fd, "c OK");
  double wall = meter_now () - start;
  meter_print (wall, meter_cpu () - cpu, 0, octets, 0);
  return 0;
}
