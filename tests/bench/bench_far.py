#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bodies from far away: programs that read a mount, and the whole into the mirror.

    bench_far.py [--messages 10000] [--runs 5] [--delay 25] [--window 0] [--work grep,pull]

"grep" is `grep -r` over uncached messages through a delay each way, against a raw client ("raw")
that asks for the same bodies through the same delay in one command and drains them. "pull" is
every body into the mirror, durable, against mbsync into a Maildir, on loopback without delay.
Pairs run in turn; quote the ratios. It is a measurement, not a test: it judges nothing.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot, PASSWORD  # noqa: E402


class Far:
    """The server behind a delay."""

    def __init__(self, build, port, milliseconds, window):
        self.process = subprocess.Popen(
            [build / "tests/bench/bench-delay", str(port), str(milliseconds), str(window)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().strip().split("=")[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def last_json(command, **options):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout
    return json.loads(out.strip().splitlines()[-1])


def write_ini(path, port):
    path.write_text(f"[DEFAULT]\nhost = 127.0.0.1\nport = {port}\nssl = false\n"
                    f"username = alice\npassword = {PASSWORD}\n")
    path.chmod(0o600)
    return path


def environment(scratch):
    shutil.rmtree(scratch / "cache", ignore_errors=True)
    return {**os.environ, "XDG_CACHE_HOME": str(scratch / "cache"),
            "XDG_STATE_HOME": str(scratch / "state")}


def grep(build, scratch, port, count):
    directory = scratch / "mnt"
    directory.mkdir(exist_ok=True)
    ini = write_ini(scratch / "far.ini", port)
    subprocess.run([build / "fs/mailrack-mount", "--config", ini, directory], check=True,
                   env=environment(scratch))
    try:
        assert len(os.listdir(directory / "INBOX")) == count
        start = time.monotonic()
        found = subprocess.run(["grep", "-r", "-c", "-a", "no such words in it",
                                directory / "INBOX"], stdout=subprocess.PIPE, check=False,
                               text=True).stdout
        wall = time.monotonic() - start
        assert len(found.splitlines()) == count
    finally:
        subprocess.run(["fusermount3", "-u", directory], check=True)
    return {"wall": wall}


def raw(build, port):
    return last_json([build / "tests/bench/bench-floor", str(port), "alice", PASSWORD, "INBOX",
                      "UID BODY.PEEK[]"])


def pull(build, scratch, port, count):
    ini = write_ini(scratch / "near.ini", port)
    found = last_json([build / "tests/bench/bench-pull", ini, "INBOX"], env=environment(scratch))
    assert found["messages"] == count
    return found


def mbsync(scratch, port, count):
    place = scratch / "maildir"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    rc = scratch / "mbsyncrc"
    rc.write_text(f"""IMAPStore far
Host 127.0.0.1
Port {port}
User alice
Pass {PASSWORD}
SSLType None
AuthMechs LOGIN
PipelineDepth 50

MaildirStore near
Path {place}/
Inbox {place}/INBOX

Channel all
Far :far:INBOX
Near :near:INBOX
Create Near
Sync Pull
SyncState *
""")
    start = time.monotonic()
    subprocess.run(["mbsync", "-q", "-c", rc, "all"], check=True)
    wall = time.monotonic() - start
    assert sum(len(list((place / "INBOX" / each).iterdir())) for each in ("new", "cur")) == count
    return {"wall": wall}


def compare(name, runs, one, other):
    pairs = [(one(), other()) for _ in range(runs)]
    walls = [[each["wall"] for each in side] for side in zip(*pairs)]
    ratio = statistics.median(a["wall"] / b["wall"] for a, b in pairs)
    print(f"{name}: {statistics.median(walls[0]):.2f} s ({min(walls[0]):.2f}-{max(walls[0]):.2f})"
          f" against {statistics.median(walls[1]):.2f} s ({min(walls[1]):.2f}-{max(walls[1]):.2f}):"
          f" ratio {ratio:.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--largest", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--delay", type=float, default=25, help="milliseconds each way")
    parser.add_argument("--window", type=int, default=4_000_000,
                        help="octets on their way at most, as a receive buffer has it; 0: no limit")
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--work", default="grep,pull")
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    subprocess.run(["ninja", "-C", build, "tests/bench/bench-floor", "tests/bench/bench-delay",
                    "tests/bench/bench-pull"], check=True, stdout=subprocess.DEVNULL)
    with Dovecot() as server, tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        server.fill("alice", "INBOX", mailgen.Generator(1).messages(args.messages,
                                                                     largest=args.largest))
        octets = raw(build, server.imap)["octets"]
        print(f"{args.messages} messages, {octets / 1e6:.0f} MB", flush=True)
        if "grep" in args.work:
            far = Far(build, server.imap, args.delay, args.window)
            compare("grep -r of uncached mail / raw fetch", args.runs,
                    lambda: grep(build, scratch, far.port, args.messages),
                    lambda: raw(build, far.port))
            far.close()
        if "pull" in args.work:
            compare("everything into the mirror / mbsync", args.runs,
                    lambda: pull(build, scratch, server.imap, args.messages),
                    lambda: mbsync(scratch, server.imap, args.messages))


if __name__ == "__main__":
    main()
