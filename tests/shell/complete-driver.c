/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * complete-driver.c - what completion offers, without a terminal or a server
 *
 * Each line of standard input is a text up to the cursor; what may stand there is printed in one
 * line, with tabs between. The table of commands is the program's own. */
#include "complete.h"
#include "shell.h"

#include <stdlib.h>
#include <string.h>

int
main (void)
{
  const LineContext context = { .commands = shell_commands };
  g_autoptr (Interp) interp = interp_new (NULL, NULL);
  const CompleteSources sources = { .line = &context, .interp = interp };
  char *line = NULL;
  size_t room = 0;

  while (getline (&line, &room, stdin) > 0)
    {
      g_auto (Completion) completion = { 0 };

      line[strcspn (line, "\n")] = '\0';
      complete (&sources, line, &completion);
      for (guint i = 0; completion.candidates != NULL && i < completion.candidates->len; i++)
        printf ("%s%s", i > 0 ? "\t" : "",
                ((const Candidate *) g_ptr_array_index (completion.candidates, i))->text);
      putchar ('\n');
    }
  free (line);
  return 0;
}
