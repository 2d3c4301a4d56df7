/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * watch.c - says what happens in mailboxes, for as long as it runs
 *
 *   cc watch.c $(pkg-config --cflags --libs mailrack) -o watch
 *   ./watch ACCOUNT [MAILBOX...]
 *
 * ACCOUNT is a section of the configuration file; without a MAILBOX all are watched. */
#include <mailrack/mailrack.h>
#include <stdio.h>

static void
show_new (const RackWatcherEvent *event)
{
  const RackMessage *message = event->message;
  g_autofree char *subject = NULL;

  /* It is NULL when the message was gone again before it could be looked at. What a message says
   * is hostile: decoded, and then made fit for a terminal. */
  if (message != NULL && message->envelope != NULL && message->envelope->subject.data != NULL)
    {
      g_autofree char *decoded = rack_header_decode (message->envelope->subject);
      subject = rack_text_escape (decoded, -1);
    }
  printf ("%s: new message %u: %s\n", event->mailbox, event->uid,
          subject != NULL ? subject : "(no subject)");
}

static void
show (const RackWatcherEvent *event)
{
  switch (event->kind)
    {
    case RACK_EVENT_ADDED:
      show_new (event);
      break;
    case RACK_EVENT_REMOVED:
      printf ("%s: message %u is gone\n", event->mailbox, event->uid);
      break;
    case RACK_EVENT_FLAGS:
      printf ("%s: message %u is %s\n", event->mailbox, event->uid,
              event->flags & RACK_FLAG_SEEN ? "seen" : "unseen");
      break;
    case RACK_EVENT_RESET:
      printf ("%s: its UIDs mean other messages now\n", event->mailbox);
      break;
    case RACK_EVENT_GONE:
      printf ("%s: it is not there any more\n", event->mailbox);
      break;
    }
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RackConfig) config = rack_config_load (NULL, &error);
  g_autoptr (RackHost) host = rack_host_new (NULL, NULL);
  g_autoptr (RackAccount) account =
      config != NULL ? rack_account_new (config, argc > 1 ? argv[1] : NULL, host, &error) : NULL;
  const RackWatcherOptions options = {
    .size = sizeof options,
    .mailboxes = argc > 2 ? (const char *const *) argv + 2 : NULL,
    .items = "ENVELOPE",
  };
  g_autoptr (RackWatcher) watcher =
      account != NULL ? rack_watcher_new (account, &options, NULL, &error) : NULL;
  RackWatcherEvent event;

  if (watcher != NULL)
    {
      printf ("watching %u mailboxes\n", rack_watcher_mailboxes (watcher, NULL));
      fflush (stdout);
      while (rack_watcher_next (watcher, &event, NULL, &error))
        show (&event);
    }
  fprintf (stderr, "%s\n", error->message);
  return 1;
}
