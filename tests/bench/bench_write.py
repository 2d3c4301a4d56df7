#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writing to the mount: many messages copied in, many moved.

    bench_write.py [--messages 10000] [--runs 3] [--work copy,move]

"copy" is `cp` of a directory of messages into the mount until the server has them all, against a
raw client ("raw") that appends the same with LITERAL+ and MULTIAPPEND, a hundred to a command, and
against mbsync pushing them from a Maildir. cp alone, without the wait for the server, is given
too. "move" is `mv` of all of them to another mailbox: how many commands the server gets, counted
on the wire, and how long an `ls` of the growing mailbox and of the shrinking one waits beside it,
each in a loop of its own process. It is a measurement and judges nothing.
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.bench_far import environment, write_ini  # noqa: E402
from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot, PASSWORD  # noqa: E402

TOGETHER = 100


class Relay:
    """Between the mount and the server, and counts the commands that pass."""

    def __init__(self, port):
        self.target, self.lock, self.commands = port, threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            for one, other, up in ((near, far, True), (far, near, False)):
                threading.Thread(target=self.pump, args=(one, other, up), daemon=True).start()

    def pump(self, one, other, up):
        try:
            while octets := one.recv(1 << 16):
                if up:
                    found = re.findall(rb"(?m)^\S+ ((?:UID )?[A-Z]+)\b", octets)
                    with self.lock:
                        self.commands += found
                other.sendall(octets)
        except OSError:
            pass
        for each in (one, other):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


# Lists a directory over and over until a file is there; then says how long each took.
LIST_ON = """
import os, sys, time
while not os.path.exists(sys.argv[2]):
    start = time.monotonic()
    os.listdir(sys.argv[1])
    print(time.monotonic() - start)
    time.sleep(0.01)
"""


class Lister:
    def __init__(self, directory, stop):
        self.process = subprocess.Popen([sys.executable, "-c", LIST_ON, directory, stop],
                                        stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        self.lines += self.process.stdout

    def __str__(self):
        self.reader.join()
        times = sorted(1000 * float(line) for line in self.lines)
        return (f"{len(times)} times, median {statistics.median(times):.0f} ms, "
                f"slowest {times[-1]:.0f} ms")


def count(server, box):
    connection = server.connect("alice")
    try:
        return int(connection.status(box, "(MESSAGES)")[1][0].split()[-1].rstrip(b")"))
    finally:
        connection.logout()


def empty(server, box):
    connection = server.connect("alice")
    if connection.select(box)[0] == "OK" and connection.uid("SEARCH", "ALL")[1][0]:
        connection.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Deleted)")
        connection.expunge()
    connection.logout()


def pending(directory):
    status = (directory / ".mailrack" / "status").read_text()
    return int(re.search(r"changes pending: (\d+)", status)[1])


def wait_until_sent(directory):
    while pending(directory):
        time.sleep(0.02)


class Mounted:
    def __init__(self, build, scratch, port):
        self.directory = scratch / "mnt"
        self.directory.mkdir(exist_ok=True)
        for name in ("cache", "state"):
            shutil.rmtree(scratch / name, ignore_errors=True)
        subprocess.run([build / "fs/mailrack-mount", "--config",
                        write_ini(scratch / "write.ini", port), self.directory], check=True,
                       env=environment(scratch))

    def __enter__(self):
        return self.directory

    def __exit__(self, *_):
        subprocess.run(["fusermount3", "-u", self.directory], check=True)


def copy(build, scratch, server, mail, number):
    empty(server, "INBOX")
    with Mounted(build, scratch, server.imap) as directory:
        os.listdir(directory / "INBOX")
        start = time.monotonic()
        subprocess.run(["cp", "-r", f"{mail}/.", directory / "INBOX"], check=True)
        copied = time.monotonic() - start
        wait_until_sent(directory)
        wall = time.monotonic() - start
    assert count(server, "INBOX") == number
    return wall, copied


def raw(server, mail, number):
    empty(server, "INBOX")
    files = sorted(mail.iterdir())
    start = time.monotonic()
    with (socket.create_connection(("127.0.0.1", server.imap)) as line,
          line.makefile("rb") as answers):
        answers.readline()

        def finish(tag):
            while not (answer := answers.readline()).startswith(tag):
                assert answer, "the server hung up"
            assert answer.split()[1] == b"OK", answer

        line.sendall(f"a LOGIN alice {PASSWORD}\r\n".encode())
        finish(b"a ")
        for at in range(0, len(files), TOGETHER):
            parts = [b"b APPEND INBOX"]
            for file in files[at:at + TOGETHER]:
                octets = file.read_bytes()
                parts.append(b" {%d+}\r\n" % len(octets) + octets)
            line.sendall(b"".join(parts) + b"\r\n")
            finish(b"b ")
    wall = time.monotonic() - start
    assert count(server, "INBOX") == number
    return wall


def mbsync(scratch, server, mail, number):
    empty(server, "INBOX")
    place = scratch / "maildir"
    shutil.rmtree(place, ignore_errors=True)
    for each in ("cur", "new", "tmp"):
        (place / "INBOX" / each).mkdir(parents=True)
    for at, file in enumerate(sorted(mail.iterdir())):
        shutil.copy(file, place / "INBOX" / "new" / f"{at}.bench")
    rc = scratch / "mbsyncrc"
    rc.write_text(f"""IMAPStore far
Host 127.0.0.1
Port {server.imap}
User alice
Pass {PASSWORD}
SSLType None
AuthMechs LOGIN

MaildirStore near
Path {place}/
Inbox {place}/INBOX

Channel all
Far :far:INBOX
Near :near:INBOX
Sync Push
SyncState *
""")
    start = time.monotonic()
    subprocess.run(["mbsync", "-q", "-c", rc, "all"], check=True)
    wall = time.monotonic() - start
    assert count(server, "INBOX") == number
    return wall


def move(build, scratch, server, number):
    """(wall until the server has it, mv alone, commands of moving, what the two listers say)"""
    relay = Relay(server.imap)
    stop = scratch / "stop"
    with Mounted(build, scratch, relay.port) as directory:
        names = os.listdir(directory / "INBOX")
        os.listdir(directory / "Target")
        assert len(names) >= number
        relay.commands.clear()
        listers = {name: Lister(directory / name, stop) for name in ("Target", "INBOX")}
        start = time.monotonic()
        subprocess.run("find INBOX -maxdepth 1 -type f -print0 | xargs -0 mv -t Target", shell=True,
                       cwd=directory, check=True)
        moved = time.monotonic() - start
        wait_until_sent(directory)
        wall = time.monotonic() - start
        stop.touch()
        said = {name: str(lister) for name, lister in listers.items()}
        commands = [each.decode() for each in relay.commands]
    relay.listener.close()
    assert count(server, "Target") == number, count(server, "Target")
    return wall, moved, commands, said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--largest", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--work", default="copy,move")
    args = parser.parse_args()
    build, number = pathlib.Path(args.build).resolve(), args.messages
    with Dovecot() as server, tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        mail = scratch / "mail"
        mail.mkdir()
        for at, each in enumerate(mailgen.Generator(1).messages(number, largest=args.largest)):
            (mail / f"{at:06}.eml").write_bytes(each.octets)
        octets = sum(file.stat().st_size for file in mail.iterdir())
        print(f"{number} messages, {octets / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f}",
              flush=True)
        if "copy" in args.work:
            rounds = []
            for _ in range(args.runs):
                ours, alone = copy(build, scratch, server, mail, number)
                rounds.append((ours, alone, raw(server, mail, number),
                               mbsync(scratch, server, mail, number)))
            print("until the server has it %.1f s (cp alone %.1f), raw %.1f, mbsync %.1f"
                  % tuple(statistics.median(each) for each in zip(*rounds)))
            print("ratio to raw %.2f, to mbsync %.2f"
                  % (statistics.median(a / c for a, _, c, _ in rounds),
                     statistics.median(a / d for a, _, _, d in rounds)), flush=True)
        if "move" in args.work:
            connection = server.connect("alice")
            connection.create("Target")
            connection.logout()
            empty(server, "INBOX")
            raw(server, mail, number)
            wall, alone, commands, said = move(build, scratch, server, number)
            print(f"mv: {wall:.1f} s until the server has it (mv alone {alone:.1f}), "
                  f"{commands.count('UID MOVE')} UID MOVE of {len(commands)} commands")
            for name, text in said.items():
                print(f"ls {name} beside it: {text}")
            print({each: commands.count(each) for each in set(commands)})


if __name__ == "__main__":
    main()
