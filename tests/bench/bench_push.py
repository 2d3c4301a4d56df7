#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long a delivered message takes to be seen, beside a raw client in IDLE.

    bench_push.py [--deliveries 30] [--messages 200] [--round-trip MS] [--build build] [--json FILE]

Dovecot's own delivery agent delivers into a mounted mailbox. "idle" is a raw client that waits for
EXISTS; the others wait for the same message through the mount: "list" lists the directory again and
again, "events" reads .mailrack/events, "inotify" watches the directory. Each delay counts from the
end of the delivery. What is ours is the difference to idle; Dovecot itself waits for half a second
before it tells. With --round-trip everything goes through a proxy that delays. It measures and
judges nothing.
"""

import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import select
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.bench_mount import mounted  # noqa: E402
from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot, PASSWORD, write_ini  # noqa: E402
from tests.support.proxy import Proxy  # noqa: E402

PATIENCE = 20
# Longer than Dovecot waits after a change: what was read of the last message must not make it look
# early for the next one.
SETTLE = 1.2
IN_CREATE = 0x100


class Observer(threading.Thread):
    """Notes when it saw the next message; `arm` before each delivery."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.name = name
        self.seen = threading.Event()
        self.at = None
        self.ended = False
        self.start()

    def arm(self):
        self.seen.clear()

    def close(self):
        """After it ended."""

    def note(self):
        if not self.seen.is_set():
            self.at = time.monotonic()
            self.seen.set()


class Idle(Observer):
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")
        self.file.readline()
        for tag, line in (b"a", b"LOGIN alice " + PASSWORD.encode()), (b"b", b"EXAMINE INBOX"):
            self.socket.sendall(tag + b" " + line + b"\r\n")
            while not (answer := self.file.readline()).startswith(tag):
                assert answer, "the server closed the connection"
        self.socket.sendall(b"c IDLE\r\n")
        assert self.file.readline().startswith(b"+")
        super().__init__("idle")

    def run(self):
        for line in self.file:
            if b" EXISTS" in line:
                self.note()


class List(Observer):
    """Its own count of the directory, so that it can be ahead of the others."""

    def __init__(self, directory):
        self.directory = directory
        self.count = len(os.listdir(directory))
        super().__init__("list")

    def run(self):
        while not self.ended:
            count = len(os.listdir(self.directory))
            if count > self.count:
                self.count = count
                self.note()
            time.sleep(0.0005)


class Events(Observer):
    def __init__(self, path):
        self.file = os.open(path, os.O_RDONLY)
        super().__init__("events")

    def close(self):
        os.close(self.file)

    def run(self):
        while not self.ended:
            if select.select([self.file], [], [], 0.2)[0] and b"added" in os.read(self.file, 65536):
                self.note()


class Inotify(Observer):
    def __init__(self, directory):
        libc = ctypes.CDLL(None, use_errno=True)
        self.file = libc.inotify_init()
        if self.file < 0 or libc.inotify_add_watch(self.file, os.fsencode(directory),
                                                   IN_CREATE) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        super().__init__("inotify")

    def close(self):
        os.close(self.file)

    def run(self):
        while not self.ended:
            if not select.select([self.file], [], [], 0.2)[0]:
                continue
            if struct.unpack_from("iI", os.read(self.file, 65536))[1] & IN_CREATE:
                self.note()


def measure(server, observers, deliveries):
    rows = []
    generator = mailgen.Generator(2)
    for mail in generator.messages(deliveries, largest=4000):
        for each in observers:
            each.arm()
        server.deliver("alice", mail.octets)
        start = time.monotonic()
        deadline = start + PATIENCE
        row = {}
        for each in observers:
            if each.seen.wait(max(0, deadline - time.monotonic())):
                row[each.name] = each.at - start
        rows.append(row)
        missing = {each.name for each in observers} - set(row)
        if missing == {"inotify"}:   # nothing raises it in this mount
            observers.remove(next(each for each in observers if each.name == "inotify"))
            continue
        if missing:
            raise RuntimeError(f"{', '.join(missing)}: the message was not seen")
        time.sleep(SETTLE)
    return rows


def table(rows, names):
    print(f"{len(rows)} deliveries, ms after the delivery: median (and the highest)")
    for name in names:
        delays = [row[name] * 1e3 for row in rows if name in row]
        if not delays:
            print(f"{name:8} nothing was seen")
            continue
        more = [(row[name] - row["idle"]) * 1e3 for row in rows if name in row]
        print(f"{name:8}{statistics.median(delays):9.1f} ({max(delays):.1f})   more than idle: "
              f"{statistics.median(more):6.2f} ({max(more):.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=30)
    parser.add_argument("--messages", type=int, default=200, help="in the mailbox before")
    parser.add_argument("--round-trip", type=float, default=0, help="milliseconds")
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--json", help="write every delivery here")
    args = parser.parse_args()
    with Dovecot() as server, tempfile.TemporaryDirectory() as path, contextlib.ExitStack() as use:
        server.fill("alice", "INBOX", mailgen.Generator(1).messages(args.messages, largest=4000))
        port = server.imap
        if args.round_trip > 0:
            proxy = Proxy(server.host, server.imap, args.round_trip / 2000).start()
            use.callback(proxy.close)
            port = proxy.port
        rows, names = run(args, server, port, pathlib.Path(path), use)
        if "inotify" in server.log():
            print("the server has no inotify instance: its delays are those of its polling")
        table(rows, names)
        if args.json:
            pathlib.Path(args.json).write_text(json.dumps(rows, indent=1))


def run(args, server, port, scratch, use):
    account = write_ini(scratch / "account.ini", {"DEFAULT": {
        "host": "127.0.0.1", "port": port, "ssl": "false", "username": "alice",
        "password": PASSWORD}})
    environment = {**os.environ, "HOME": str(scratch), "XDG_CACHE_HOME": str(scratch / "cache"),
                   "XDG_STATE_HOME": str(scratch / "state")}
    program = pathlib.Path(args.build) / "fs" / "mailrack-mount"
    point = scratch / "mnt"
    use.enter_context(mounted([program, "-f", "--config", account], point, scratch / "log",
                              environment))
    observers = [Idle(port), List(point / "INBOX")]
    if (point / ".mailrack" / "events").exists():
        observers.append(Events(point / ".mailrack" / "events"))
    observers.append(Inotify(point / "INBOX"))
    everyone = list(observers)
    try:
        measure(server, observers, 1)   # the watch is on
        return measure(server, observers, args.deliveries), [each.name for each in everyone]
    finally:
        for each in everyone:
            each.ended = True
        for each in everyone[1:]:
            each.join()
            each.close()


if __name__ == "__main__":
    main()
