#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients side by side on the same mailbox, in turn (A B A B ...), and their ratios.

    bench.py [--messages 100000] [--runs 5] [--build build] [--work full,light,body] [--json FILE]

Prepares a private Dovecot once. "floor" is a raw client that only drains the octets. Walls drift on
shared machines: quote the ratios. It is a measurement, not a test: it judges nothing.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot, PASSWORD  # noqa: E402

ITEMS = {
    "full": "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE",
    "light": "FLAGS INTERNALDATE RFC822.SIZE",
    "body": "BODY.PEEK[]",
}


def run(command):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def clients(build, work, port, ini, mailbox):
    bench = pathlib.Path(build) / "tests" / "bench"
    floor = [bench / "bench-floor", str(port), "alice", PASSWORD, mailbox, "UID " + ITEMS[work]]
    ours = [bench / "bench-ours", ini, "bench", mailbox, ITEMS[work]]
    found = {"floor": floor, "ours": ours}
    if work != "body" and (bench / "bench-etpan").exists():
        found["libetpan"] = [bench / "bench-etpan", str(port), "alice", PASSWORD, mailbox, work]
    return found


def table(work, results):
    print(f"\n{work.upper()}: median of {len(results['floor'])} runs (min-max)")
    print(f"{'':10} {'wall s':>22} {'x floor':>8} {'cpu s':>8} {'cpu x etpan':>12} {'peak MiB':>9}")
    for name, rows in results.items():
        walls = [row["wall"] for row in rows]
        ratio = statistics.median(r["wall"] / f["wall"] for r, f in zip(rows, results["floor"]))
        cpu = statistics.median(row["cpu"] for row in rows)
        against = ""
        if "libetpan" in results:
            against = "%.3f" % statistics.median(
                r["cpu"] / e["cpu"] for r, e in zip(rows, results["libetpan"]))
        peak = max(row["peak_kib"] for row in rows) / 1024
        spread = f"{statistics.median(walls):.3f} ({min(walls):.3f}-{max(walls):.3f})"
        print(f"{name:10} {spread:>22} {ratio:8.2f} {cpu:8.3f} {against:>12} {peak:9.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--work", default="full,light")
    parser.add_argument("--octets", type=int, default=4000, help="cap on a message's size")
    parser.add_argument("--json", help="write every run here")
    args = parser.parse_args()
    subprocess.run(["ninja", "-C", args.build, "tests/bench/bench-floor", "tests/bench/bench-ours",
                    "tests/bench/bench-etpan"], check=True, stdout=subprocess.DEVNULL)
    with Dovecot() as server, tempfile.TemporaryDirectory() as scratch:
        start = time.monotonic()
        fill(server, args.messages, args.octets)
        print(f"{args.messages} messages in {time.monotonic() - start:.0f} s", file=sys.stderr)
        ini = pathlib.Path(scratch) / "bench.ini"
        ini.write_text(f"[DEFAULT]\nhost = 127.0.0.1\nport = {server.imap}\nssl = false\n"
                       f"username = alice\npassword = {PASSWORD}\n[bench]\n")
        ini.chmod(0o600)
        everything = {}
        for work in args.work.split(","):
            found = clients(args.build, work, server.imap, ini, "INBOX")
            for command in found.values():
                run(command)  # Dovecot's cache, the page cache
            results = {name: [] for name in found}
            for _ in range(args.runs):
                for name, command in found.items():
                    results[name].append(run(command))
            for rows in results["ours"], results.get("libetpan", []):
                assert all(row["messages"] == args.messages for row in rows), "not all were fetched"
            table(work, results)
            everything[work] = results
        if args.json:
            pathlib.Path(args.json).write_text(json.dumps(everything, indent=1))


def fill(server, count, cap):
    server.fill("alice", "INBOX", mailgen.Generator(1).messages(count, largest=cap))


if __name__ == "__main__":
    main()
