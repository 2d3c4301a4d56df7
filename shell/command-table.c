/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command-table.c - every command with its words, options, help and examples
 *
 * Parsing, "help", completion and the test of the manual read this; what commands do is in
 * command-*.c. */
#include "command-table.h"

/* clang-format off: these stand for one parameter each */
#define MESSAGES                                                                                   \
  {                                                                                                \
    "MESSAGES", TAKES_ONE, COMPLETE_MESSAGES, NULL                                                 \
  }
#define MESSAGE                                                                                    \
  {                                                                                                \
    "MESSAGE", TAKES_ONE, COMPLETE_MESSAGES, NULL                                                  \
  }
#define MAILBOX                                                                                    \
  {                                                                                                \
    "MAILBOX", TAKES_ONE, COMPLETE_MAILBOX, NULL                                                   \
  }
#define MAILBOXES                                                                                  \
  {                                                                                                \
    "MAILBOX", TAKES_SOME, COMPLETE_MAILBOX, NULL                                                  \
  }
#define MAYBE_MAILBOX                                                                              \
  {                                                                                                \
    "MAILBOX", TAKES_MAYBE, COMPLETE_MAILBOX, NULL                                                 \
  }
#define END                                                                                        \
  {                                                                                                \
    0, NULL, NULL, NULL, COMPLETE_NOTHING, NULL                                                    \
  }
/* clang-format on */

/* ---- Options ------------------------------------------------------------------------------------
 */

static const CommandOption cd_options[] = {
  { 'r', "read-only", NULL, "Look only: EXAMINE instead of SELECT", COMPLETE_NOTHING, NULL }, END
};
static const CommandOption transfer_options[] = {
  { 'c', "create", NULL, "Make the mailbox first if it is not there", COMPLETE_NOTHING, NULL }, END
};
static const CommandOption find_options[] = {
  { 0, "uids", NULL, "Only the numbers: fetch nothing", COMPLETE_NOTHING, NULL }, END
};
static const CommandOption ls_options[] = {
  { 'l', "long", NULL, "List mailboxes, with how many messages each holds", COMPLETE_NOTHING,
    NULL },
  { 's', "subscribed", NULL, "List mailboxes, those that are subscribed", COMPLETE_NOTHING, NULL },
  END
};
static const CommandOption put_options[] = {
  { 'f', "flags", "FLAGS", "With these flags, as in seen,$Work", COMPLETE_FLAG_NAME, NULL },
  { 'm', "mailbox", "MAILBOX", "To this mailbox, not the selected one", COMPLETE_MAILBOX, NULL },
  END
};
static const CommandOption rm_options[] = {
  { 0, "expunge", NULL, "For good, not to the trash", COMPLETE_NOTHING, NULL },
  { 'y', "yes", NULL, "Do not ask, however many they are", COMPLETE_NOTHING, NULL },
  END
};
static const CommandOption save_options[] = {
  { 0, "overwrite", NULL, "Replace files that are there", COMPLETE_NOTHING, NULL }, END
};
static const CommandOption watch_options[] = {
  { 'n', "count", "N", "End after so many events", COMPLETE_NOTHING, NULL },
  { 't', "timeout", "SECONDS", "End after this time", COMPLETE_NOTHING, NULL },
  END
};

static const char *const header_words[] = { "authentication-results",
                                            "bcc",
                                            "cc",
                                            "content-type",
                                            "date",
                                            "dkim-signature",
                                            "from",
                                            "in-reply-to",
                                            "list-id",
                                            "list-unsubscribe",
                                            "message-id",
                                            "received",
                                            "references",
                                            "reply-to",
                                            "return-path",
                                            "sender",
                                            "subject",
                                            "to",
                                            "user-agent",
                                            NULL };
static const char *const trace_words[] = { "on", "off", NULL };

/* ---- Commands -----------------------------------------------------------------------------------
 */

const Command shell_commands[] = {
  { .name = "acl",
    .summary = "Show who may do what with a mailbox, or change it",
    .help = "RIGHTS are letters as RFC 4314 has them; +RIGHTS adds, -RIGHTS takes away, '' takes\n"
            "all. Without a name: the selected mailbox.\n",
    .examples = "acl\nacl Shared/Team\nacl Shared/Team bob lrs\nacl Shared/Team bob -s\n"
                "acl Shared/Team bob ''\n",
    .parameters = { MAYBE_MAILBOX,
                    { "WHO", TAKES_MAYBE, COMPLETE_NOTHING, NULL },
                    { "RIGHTS", TAKES_MAYBE, COMPLETE_NOTHING, NULL } },
    .flags = COMMAND_DASHES,
    .run = do_acl },
  { .name = "alias",
    .summary = "Give a line a name, or show what has one",
    .help = "What follows the alias is added to its line. Nothing behind the = takes it away.\n",
    .examples = "alias\nalias new=find is:unread\nalias new=\n",
    .parameters = { { "NAME=LINE", TAKES_MAYBE, COMPLETE_LINE, NULL } },
    .flags = COMMAND_OFFLINE | COMMAND_VERBATIM,
    .run = do_alias },
  { .name = "capability",
    .summary = "What the server can do",
    .examples = "capability\n",
    .run = do_capability },
  { .name = "cd",
    .summary = "Select a mailbox",
    .help = "Without a name: INBOX.\n",
    .examples = "cd\ncd Work/2026\ncd -r Archive\n",
    .options = cd_options,
    .parameters = { MAYBE_MAILBOX },
    .run = do_cd },
  { .name = "cp",
    .summary = "Copy messages to a mailbox",
    .examples = "cp 1:5,9 Archive\ncp $_ Archive\ncp --create last 50 Archive/New\n",
    .options = transfer_options,
    .parameters = { MESSAGES, MAILBOX },
    .flags = COMMAND_CHANGES,
    .run = do_cp },
  { .name = "exit",
    .summary = "Leave",
    .examples = "exit\n",
    .flags = COMMAND_OFFLINE,
    .run = do_quit },
  { .name = "fetch",
    .summary = "Fetch IMAP's data items of any number of messages",
    .help = "Prints what c.fetch() gives, a message at a time. A name with blanks is one word in\n"
            "quotes.\n",
    .examples = "fetch 1:* FLAGS RFC822.SIZE\nfetch $_ \"BODY.PEEK[HEADER.FIELDS (SUBJECT)]\"\n"
                "fetch last 5 ENVELOPE\n",
    .parameters = { MESSAGES, { "ITEM", TAKES_SOME, COMPLETE_ITEM, NULL } },
    .run = do_fetch },
  { .name = "find",
    .summary = "Search the selected mailbox",
    .help = "Words that must occur somewhere, terms such as from: to: subject: is:unread since:7d\n"
            "before:2026-11-05 larger:10M has:attachment, -TERM, TERM OR TERM. IMAP's own search\n"
            "keys may stand among them in capitals, and in small letters too where the first word\n"
            "is one; quotes make it a word to search for. The result is $_.\n",
    .examples = "find from:bob is:unread \"quarterly report\"\n"
                "find since:2w larger:1M -subject:fwd\nfind unseen from bob\nfind UNKEYWORD $Work "
                "since:7d from:bob\n"
                "find --uids\n",
    .options = find_options,
    .parameters = { { "TERM", TAKES_ANY, COMPLETE_SEARCH, NULL } },
    .flags = COMMAND_DASHES,
    .run = do_find },
  { .name = "flag",
    .summary = "Set or remove flags",
    .help = "seen, answered, flagged, deleted, draft, or keywords such as $Work, which the server\n"
            "keeps if it can. Several with commas behind one sign.\n",
    .examples = "flag 3 +seen -flagged +$Work\nflag $_ +answered,seen\n",
    .parameters = { MESSAGES, { "+FLAG|-FLAG", TAKES_SOME, COMPLETE_FLAG, NULL } },
    .flags = COMMAND_CHANGES | COMMAND_DASHES,
    .run = do_flag },
  { .name = "headers",
    .summary = "Show a message's header, or some fields of it",
    .examples = "headers 5\nheaders 5 received list-id\n",
    .parameters = { MESSAGE, { "FIELD", TAKES_ANY, COMPLETE_WORDS, header_words } },
    .run = do_headers },
  { .name = "help",
    .summary = "Say what there is",
    .examples = "help\nhelp find\n",
    .parameters = { { "COMMAND", TAKES_MAYBE, COMPLETE_COMMAND, NULL } },
    .flags = COMMAND_OFFLINE,
    .run = do_help },
  { .name = "id", .summary = "Which server this is", .examples = "id\n", .run = do_id },
  { .name = "ls",
    .summary = "List messages of the selected mailbox, or mailboxes",
    .help =
        "Messages are numbered by UID; without a set, the newest (\"set listing\" says how\n"
        "many). Without a selected mailbox: mailboxes; so with an option, or a PATTERN that is\n"
        "no message set.\n",
    .examples = "ls\nls 100:*\nls last 10\nls -l Work/*\nls \"*\"\n",
    .options = ls_options,
    .parameters = { { "MESSAGES|PATTERN", TAKES_MAYBE, COMPLETE_MAILBOX | COMPLETE_MESSAGES,
                      NULL } },
    .run = do_ls },
  { .name = "mkdir",
    .summary = "Make mailboxes, and subscribe to them",
    .examples = "mkdir Archive/2026\n",
    .parameters = { MAILBOXES },
    .flags = COMMAND_CHANGES,
    .run = do_mkdir },
  { .name = "mv",
    .summary = "Move messages to a mailbox",
    .examples = "mv 1:5 Archive\nmv --create $_ Archive/2026\n",
    .options = transfer_options,
    .parameters = { MESSAGES, MAILBOX },
    .flags = COMMAND_CHANGES,
    .run = do_mv },
  { .name = "parts",
    .summary = "Show how a message is put together",
    .examples = "parts 5\n",
    .parameters = { MESSAGE },
    .run = do_parts },
  { .name = "put",
    .summary = "Append messages from files",
    .help = "To the selected mailbox. Lines that end with LF alone get CR LF, as mail has them.\n",
    .examples = "put draft.eml\nput --mailbox Archive --flags seen old.eml\n",
    .options = put_options,
    .parameters = { { "FILE", TAKES_SOME, COMPLETE_FILE, NULL } },
    .flags = COMMAND_CHANGES,
    .run = do_put },
  { .name = "pwd",
    .summary = "Which mailbox is selected",
    .examples = "pwd\n",
    .flags = COMMAND_OFFLINE,
    .run = do_pwd },
  { .name = "quit",
    .summary = "Leave",
    .examples = "quit\n",
    .flags = COMMAND_OFFLINE,
    .run = do_quit },
  { .name = "quota",
    .summary = "How full a mailbox may become, and how full it is",
    .help = "STORAGE is in units of 1024 octets. Without a name: the selected mailbox.\n",
    .examples = "quota\nquota Archive\n",
    .parameters = { MAYBE_MAILBOX },
    .run = do_quota },
  { .name = "raw",
    .summary = "Send an IMAP command and show the wire, both directions",
    .examples = "raw NOOP\nraw UID FETCH 1 (BODY.PEEK[HEADER])\n",
    .parameters = { { "COMMAND", TAKES_ONE, COMPLETE_NOTHING, NULL } },
    .flags = COMMAND_VERBATIM,
    .run = do_raw },
  { .name = "rename",
    .summary = "Rename a mailbox",
    .help = "If it, or one below it, is selected, that is selected by its new name afterwards.\n",
    .examples = "rename Work Office\n",
    .parameters = { MAILBOX, { "NEWNAME", TAKES_ONE, COMPLETE_MAILBOX, NULL } },
    .flags = COMMAND_CHANGES,
    .run = do_rename },
  { .name = "repeat",
    .summary = "Run a line several times, and say how long it took",
    .examples = "repeat 5 -- status INBOX\nrepeat 100 -- c.noop()\n",
    .parameters = { { "N -- LINE", TAKES_ONE, COMPLETE_LINE, NULL } },
    .flags = COMMAND_OFFLINE | COMMAND_VERBATIM,
    .run = do_repeat },
  { .name = "rm",
    .summary = "Move messages to the trash",
    .help =
        "Where there is no mailbox for \\Trash, nothing is done; \"set trash\" names one. More\n"
        "messages than \"set confirm\" says are asked about on a terminal, and elsewhere need\n"
        "--yes.\n",
    .examples = "rm 17\nrm $_\nrm --yes 1:*\nrm --expunge 17\n",
    .options = rm_options,
    .parameters = { MESSAGES },
    .flags = COMMAND_CHANGES,
    .run = do_rm },
  { .name = "rmdir",
    .summary = "Delete empty mailboxes",
    .help =
        "And their subscriptions. One that is selected is left before, so that none is selected\n"
        "afterwards; if the server refuses to delete it, it is selected as it was.\n",
    .examples = "rmdir Archive/2024\n",
    .parameters = { MAILBOXES },
    .flags = COMMAND_CHANGES,
    .run = do_rmdir },
  { .name = "save",
    .summary = "Save messages as UID.eml",
    .help = "In the current directory, or another that is made if need be. Files that are there\n"
            "are not overwritten.\n",
    .examples = "save 5\nsave 1:* backup\nsave --overwrite last 10 backup\n",
    .options = save_options,
    .parameters = { MESSAGES, { "DIRECTORY", TAKES_MAYBE, COMPLETE_FILE, NULL } },
    .run = do_save },
  { .name = "set",
    .summary = "Show or change a setting of this session",
    .examples = "set\nset output\nset output json\n",
    .parameters = { { "SETTING", TAKES_MAYBE, COMPLETE_SETTING, NULL },
                    { "VALUE", TAKES_MAYBE, COMPLETE_VALUE, NULL } },
    .flags = COMMAND_OFFLINE | COMMAND_DASHES,
    .run = do_set },
  { .name = "show",
    .summary = "Show a message: header lines and text; or the text of a part",
    .help = "Does not mark it as read. \"parts\" shows how parts are numbered.\n",
    .examples = "show 5\nshow 5 1.2\n",
    .parameters = { MESSAGE, { "PART", TAKES_MAYBE, COMPLETE_NOTHING, NULL } },
    .run = do_show },
  { .name = "source",
    .summary = "Run the lines of a file",
    .examples = "source ~/mail/tidy\n",
    .parameters = { { "FILE", TAKES_ONE, COMPLETE_FILE, NULL } },
    .flags = COMMAND_OFFLINE,
    .run = do_source },
  { .name = "status",
    .summary = "Count a mailbox' messages",
    .examples = "status\nstatus Archive\n",
    .parameters = { MAYBE_MAILBOX },
    .run = do_status },
  { .name = "subscribe",
    .summary = "Subscribe to mailboxes",
    .examples = "subscribe Lists/kernel\n",
    .parameters = { MAILBOXES },
    .flags = COMMAND_CHANGES,
    .run = do_subscribe },
  { .name = "time",
    .summary = "Run a line, and say how long it took and what went over the wire",
    .examples = "time status INBOX\ntime c.search('TEXT invoice')\n",
    .parameters = { { "LINE", TAKES_ONE, COMPLETE_LINE, NULL } },
    .flags = COMMAND_OFFLINE | COMMAND_VERBATIM,
    .run = do_time },
  { .name = "trace",
    .summary = "Write the wire to a file, from now on",
    .help = "\"on\" is a file of its own below ~/.local/state/mailrack. What is secret is not\n"
            "written.\n",
    .examples = "trace on\ntrace /tmp/wire\ntrace off\n",
    .parameters = { { "on|off|FILE", TAKES_MAYBE, COMPLETE_FILE | COMPLETE_WORDS, trace_words } },
    .flags = COMMAND_OFFLINE,
    .run = do_trace },
  { .name = "unsubscribe",
    .summary = "Unsubscribe from mailboxes",
    .examples = "unsubscribe Lists/kernel\n",
    .parameters = { MAILBOXES },
    .flags = COMMAND_CHANGES,
    .run = do_unsubscribe },
  { .name = "watch",
    .summary = "Show what happens in a mailbox, as it happens",
    .help = "On a connection of its own, until Ctrl-C. Without a name: the selected mailbox.\n",
    .examples = "watch\nwatch --count 1 INBOX\nwatch --timeout 60\n",
    .options = watch_options,
    .parameters = { MAYBE_MAILBOX },
    .run = do_watch },
  { .name = NULL },
};
