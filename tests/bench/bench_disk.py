#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A large mailbox, mounted for the first time and again: time, what went over the wire, memory.

    bench_disk.py [--messages 100000] [--names full] [--build build] [--json FILE]

Prepares a private Dovecot, mounts through a relay that notes what the client sends, and lists the
mailbox with "ls -l"; then the same with the disk the first mount left behind. Memory is what the
process has of its own (Private_Dirty of smaps_rollup), less what it has with an empty mailbox. It
is a measurement, not a test: it judges nothing but that every message is listed.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot, write_ini  # noqa: E402


class Relay:
    """Passes connections on and keeps what the client sent, and how much came."""

    def __init__(self, port):
        self.server = port
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sent, self.came = [], 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.server))
            for pair in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, target, up):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 18):
                with self.lock:
                    if up:
                        self.sent.append((time.monotonic(), data))
                    else:
                        self.came += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def commands(self, until=float("inf")):
        """The names of the commands sent until then, in order."""
        with self.lock:
            text = b"".join(data for moment, data in self.sent if moment <= until)
        lines = [line.split(b" ", 3) for line in text.split(b"\r\n") if line.count(b" ")]
        return [b" ".join(words[1:3] if words[1] == b"UID" else words[1:2])
                .decode("ascii", "replace")
                for words in lines]

    def reset(self):
        with self.lock:
            self.sent, self.came = [], 0


@contextlib.contextmanager
def mounted(options, place, names, home):
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    place.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [ROOT / options.build / "fs/mailrack-mount", "--foreground", "--config",
         home / "account.ini", "-o", f"names={names}", place], env=environment)
    while not os.path.ismount(place):
        assert process.poll() is None
        time.sleep(0.01)
    try:
        yield process.pid
    finally:
        while subprocess.run(["fusermount3", "-u", place], stderr=subprocess.DEVNULL,
                             check=False).returncode != 0:
            time.sleep(0.1)
        process.wait()


def private(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"Private_Dirty:\s+(\d+)", text)[1]) * 1024


def busy(pid):
    """Seconds of processor that a process used so far."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def ls(directory, pid):
    """(seconds, of those by the mount's own processor time, messages listed, when it ended)"""
    began, before = time.monotonic(), busy(pid)
    text = subprocess.run(["ls", "-l", directory], check=True, stdout=subprocess.PIPE).stdout
    end = time.monotonic()
    return end - began, busy(pid) - before, text.count(b".eml\n"), end


def round_trip(options, relay, home, mailbox, title):
    """One mount and its listing."""
    relay.reset()
    place = home / "mnt"
    began = time.monotonic()
    with mounted(options, place, options.names, home) as pid:
        up = time.monotonic() - began
        took, cpu, count, end = ls(place / mailbox, pid)
        commands, came = relay.commands(end), relay.came
        again, cpu_again, _, _ = ls(place / mailbox, pid)
        time.sleep(3)                                   # what goes on behind the answer
        figures = {"mount": up, "ls -l": took, "ls -l, mount's processor": cpu,
                   "ls -l again": again, "again, mount's processor": cpu_again, "listed": count,
                   "octets": came, "memory": private(pid),
                   "commands before the answer": {name: commands.count(name)
                                                  for name in sorted(set(commands))},
                   "octets until later": relay.came}
    print(f"{title}: {json.dumps(figures)}", flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--names", choices=("full", "uid"), default="full")
    parser.add_argument("--build", default="build")
    parser.add_argument("--json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top, Dovecot() as server:
        home = pathlib.Path(top)
        server.fill("alice", "Empty", [])
        began = time.monotonic()
        server.fill("alice", "Large", (
            (mail.octets, "\\Seen" if index % 2 else "", mail.date) for index, mail in
            enumerate(mailgen.Generator(1).messages(options.messages, largest=1500))))
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
        relay = Relay(server.imap)
        write_ini(home / "account.ini", {"DEFAULT": {
            **server.accounts("alice")["DEFAULT"], "port": relay.port, "ssl": "false"}})
        empty = round_trip(options, relay, home, "Empty", "empty")
        first = round_trip(options, relay, home, "Large", "first")
        second = round_trip(options, relay, home, "Large", "second")
        assert first["listed"] == second["listed"] == options.messages
        for title, figures in (("first", first), ("second", second)):
            each = (figures["memory"] - empty["memory"]) / options.messages
            print(f"{title}: {each:.1f} octets of memory a message above an empty mailbox")
        size = sum(file.stat().st_size for file in (home / "cache").rglob("*") if file.is_file())
        print(f"disk: {size / options.messages:.0f} octets a message")
        if options.json:
            pathlib.Path(options.json).write_text(
                json.dumps({"empty": empty, "first": first, "second": second}), encoding="ascii")


if __name__ == "__main__":
    main()
