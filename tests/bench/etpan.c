/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * etpan.c - the same work through libetpan, the C library people use today
 *
 *   etpan PORT USER PASSWORD MAILBOX full|light */
#include "meter.h"

#include <libetpan/libetpan.h>
#include <stdlib.h>
#include <string.h>

int
main (int argc, char **argv)
{
  clist *result = NULL;

  if (argc != 6)
    return 64;
  mailimap *imap = mailimap_new (0, NULL);
  if (mailimap_socket_connect (imap, "127.0.0.1", (uint16_t) atoi (argv[1]))
          > MAILIMAP_NO_ERROR_NON_AUTHENTICATED + 2
      || mailimap_login (imap, argv[2], argv[3]) != MAILIMAP_NO_ERROR
      || mailimap_examine (imap, argv[4]) != MAILIMAP_NO_ERROR)
    return 2;
  struct mailimap_fetch_type *type = mailimap_fetch_type_new_fetch_att_list_empty ();
  mailimap_fetch_type_new_fetch_att_list_add (type, mailimap_fetch_att_new_uid ());
  mailimap_fetch_type_new_fetch_att_list_add (type, mailimap_fetch_att_new_flags ());
  mailimap_fetch_type_new_fetch_att_list_add (type, mailimap_fetch_att_new_internaldate ());
  mailimap_fetch_type_new_fetch_att_list_add (type, mailimap_fetch_att_new_rfc822_size ());
  if (strcmp (argv[5], "full") == 0)
    {
      mailimap_fetch_type_new_fetch_att_list_add (type, mailimap_fetch_att_new_envelope ());
      mailimap_fetch_type_new_fetch_att_list_add (type, mailimap_fetch_att_new_bodystructure ());
    }
  double cpu = meter_cpu (), start = meter_now ();
  if (mailimap_uid_fetch (imap, mailimap_set_new_interval (1, 0), type, &result)
      != MAILIMAP_NO_ERROR)
    return 2;
  double wall = meter_now () - start;
  meter_print (wall, meter_cpu () - cpu, (uint64_t) clist_count (result), 0, 0);
  return 0;
}
