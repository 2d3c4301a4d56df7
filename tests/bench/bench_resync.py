#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What it costs to learn what changed in a large mailbox, on every rung of the ladder.

    bench_resync.py [--messages 5000] [--changes 50] [--build build] [--holes] [--json FILE]

Prepares a private Dovecot, remembers the mailbox' state, makes so many changes of each kind (new
messages, changed flags, expunged messages) at random places, and asks with extensions overlooked
one by one. --holes: a third of the messages is gone before, so that UIDs are no single range, and
flags are on every fourth. It is a measurement, not a test: it judges nothing but that all changes
were found.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot, PASSWORD  # noqa: E402

RUNGS = ("", "QRESYNC", "CONDSTORE QRESYNC", "CONDSTORE QRESYNC ESEARCH")


def in_sets(uids, size=500):
    uids = sorted(uids)
    for at in range(0, len(uids), size):
        yield ",".join(map(str, uids[at:at + size]))


def expunge(client, uids):
    for text in in_sets(uids):
        client.uid("STORE", text, "+FLAGS.SILENT", "(\\Deleted)")
        client.uid("EXPUNGE", text)


def make_holes(client, count):
    expunge(client, range(2, count + 1, 3))
    for text in in_sets(range(3, count + 1, 4)):
        client.uid("STORE", text, "+FLAGS.SILENT", "(\\Seen)")


def change(client, server, count, changes):
    """Returns what a resync has to find: (expunged, flagged) UIDs."""
    there = [int(uid) for uid in client.uid("SEARCH", "ALL")[1][0].split()]
    picked = random.Random(5).sample(there, 2 * changes)
    gone, flagged = picked[:changes], picked[changes:]
    for text in in_sets(flagged):
        client.uid("STORE", text, "+FLAGS.SILENT", "($Bench)")  # which nobody had
    expunge(client, gone)
    server.fill("alice", "INBOX", mailgen.Generator(2).messages(changes, largest=3000))
    return gone, flagged


def measure(program, ini, state, without):
    out = subprocess.run([program, "ask", ini, "bench", "INBOX", without], input=state, text=True,
                         stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--holes", action="store_true")
    parser.add_argument("--json")
    args = parser.parse_args()
    subprocess.run(["ninja", "-C", args.build, "tests/bench/bench-resync"], check=True,
                   stdout=subprocess.DEVNULL)
    program = pathlib.Path(args.build) / "tests" / "bench" / "bench-resync"
    rows = []
    with Dovecot() as server, tempfile.TemporaryDirectory() as scratch:
        ini = pathlib.Path(scratch) / "bench.ini"
        ini.write_text(f"[DEFAULT]\nhost = 127.0.0.1\nport = {server.imap}\nssl = false\n"
                       f"username = alice\npassword = {PASSWORD}\n[bench]\n")
        ini.chmod(0o600)
        server.fill("alice", "INBOX",
                    mailgen.Generator(1).messages(args.messages, largest=1000))
        client = server.connect("alice")
        client.select("INBOX")
        if args.holes:
            make_holes(client, args.messages)
        state = subprocess.run([program, "save", ini, "bench", "INBOX"], text=True,
                               stdout=subprocess.PIPE, check=True).stdout
        gone, flagged = change(client, server, args.messages, args.changes)
        print(f"{args.messages} messages{' with holes' if args.holes else ''}, "
              f"{args.changes} new, {args.changes} flags, {args.changes} expunged")
        print(f"{'without':28} {'rung':10} {'in':>9} {'out':>7} {'trips':>6} {'wall s':>8} "
              f"{'cpu s':>7} {'told':>7}")
        for without in RUNGS:
            row = measure(program, ini, state, without)
            assert row["vanished"] == len(gone) and row["added"] == args.changes, row
            assert row["told"] >= len(flagged), row
            rows.append({"without": without, **row})
            print(f"{without or '-':28} {row['rung']:10} {row['in']:9} {row['out']:7} "
                  f"{row['trips']:6} {row['wall']:8.3f} {row['cpu']:7.3f} {row['told']:7}")
        client.logout()
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
