/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * meter.h - what one benchmarked client says of itself: one JSON line
 *
 * Wall time of the work alone, CPU and peak memory of the whole process. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

static inline double
meter_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static inline double
meter_cpu (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* VmHWM: the peak since exec, unlike ru_maxrss, which a parent's size can hide in. */
static inline long
meter_peak_kib (void)
{
  FILE *status = fopen ("/proc/self/status", "re");
  char line[256];
  long peak = 0;

  while (status != NULL && fgets (line, sizeof line, status) != NULL)
    if (sscanf (line, "VmHWM: %ld", &peak) == 1)
      break;
  if (status != NULL)
    fclose (status);
  return peak;
}

static inline void
meter_print (double wall, double cpu, uint64_t messages, uint64_t octets, uint64_t check)
{
  printf (
      "{\"wall\": %.6f, \"cpu\": %.6f, \"peak_kib\": %ld, \"messages\": %llu, \"octets\": %llu, "
      "\"check\": %llu}\n",
      wall, cpu, meter_peak_kib (), (unsigned long long) messages, (unsigned long long) octets,
      (unsigned long long) check);
}
