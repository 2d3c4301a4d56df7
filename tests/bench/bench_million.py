#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mailbox of a million messages, mounted: first listing, remount, resync, memory.

    bench_million.py [--messages 1000000] [--gaps 0] [--names uid,full] [--build build]
                     [--json FILE]

A private Dovecot has the mailbox within a minute or two: some thousand messages are appended, then
copied again and again within the server, which keeps their octets once. For each kind of names:

    floor     a raw client that asks for what the mount asks for and drains it (bench-floor)
    first     nothing on the disk: the mailbox is listed, then "ls -l" twice
    again     the same mailbox with the disk the first mount left behind
    small     mounted again to list a mailbox of a hundred messages
    resync    mounted again after a few messages came, changed and went; until the listing has it

Floor and mount go through the same relay, which counts octets. The last line ("memory") is the same
listings of a mount that holds as many files in memory (bench-memfs), the floor of any mount: most
of it is ls and the kernel, which makes a name and an inode for each. Memory of the mount is
Private_Dirty of smaps_rollup without what it is for an empty mailbox, at its highest (looked at ten
times a second) and in the end; what the kernel keeps of names and attributes is not in it. It is a
measurement, not a test: it judges nothing but that every message is listed.
"""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.bench_disk import Relay, busy, mounted, private  # noqa: E402
from tests.support import mailgen  # noqa: E402
from tests.support.dovecot import Dovecot, PASSWORD, write_ini  # noqa: E402

SEED = 20_000
SMALL = 100
CHANGES = 50
SETTLE = 3                 # seconds in which a mount may give back memory behind an answer
LIGHT = "UID INTERNALDATE RFC822.SIZE FLAGS MODSEQ"
ITEMS = {"uid": LIGHT, "full": LIGHT + " ENVELOPE"}


def prepare(server, count, gaps=0):
    """Large with count messages, between any two of them gaps that are gone; Small, Empty."""
    seed = min(SEED, count) * (1 + gaps)
    mails = mailgen.Generator(1).messages(SMALL + seed, largest=1000)
    flags = ["", "\\Seen"]
    server.fill("alice", "Small", ((mail.octets, "", mail.date)
                                   for mail in itertools.islice(mails, SMALL)))
    server.fill("alice", "Seed", (
        (mail.octets, "\\Deleted" if index % (1 + gaps) else flags[index // (1 + gaps) % 2],
         mail.date) for index, mail in enumerate(mails)))
    with server.connect("alice") as connection:
        for name in ("Large", "Empty"):
            connection.create(name)
        connection.select("Seed", readonly=True)
        left = count * (1 + gaps)
        while left > 0:
            part = min(seed, left)
            answer = connection.copy(f"1:{part}", "Large")
            assert answer[0] == "OK", answer
            left -= part
        connection.select("Large")
        connection.expunge()


def change(server, count):
    """A few messages come, change and go. Returns: how many there are afterwards."""
    mails = mailgen.Generator(2).messages(CHANGES, largest=1000)
    server.fill("alice", "Large", ((mail.octets, "", mail.date) for mail in mails))
    step = count // (2 * CHANGES)
    with server.connect("alice") as connection:
        connection.select("Large")
        flagged = ",".join(str(1 + 2 * step * i) for i in range(CHANGES))
        gone = ",".join(str(1 + step + 2 * step * i) for i in range(CHANGES))
        assert connection.store(flagged, "+FLAGS", "(\\Flagged)")[0] == "OK"
        assert connection.store(gone, "+FLAGS", "(\\Deleted)")[0] == "OK"
        connection.expunge()
    return count


class Watched:
    """A mount's memory, looked at until stop()."""

    def __init__(self, pid):
        self.pid, self.peak, self.ended = pid, private(pid), threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended.wait(0.1):
            self.peak = max(self.peak, private(self.pid))

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.peak


def listed(directory, *options):
    """(seconds, lines that end in .eml)"""
    began = time.monotonic()
    names = subprocess.Popen(["ls", *options, directory], stdout=subprocess.PIPE,
                             env={**os.environ, "LC_ALL": "C"})
    with names:
        done = subprocess.run(["grep", "-c", r"\.eml$"], stdin=names.stdout, check=False,
                              stdout=subprocess.PIPE)
    assert names.returncode == 0, f"ls {directory} failed"
    return time.monotonic() - began, int(done.stdout)


@contextlib.contextmanager
def measured(figures, title, pid, relay):
    before, came, began = busy(pid), relay.came, time.monotonic()
    yield
    figures[title] = {"seconds": round(time.monotonic() - began, 3),
                      "processor": round(busy(pid) - before, 2),
                      "octets": relay.came - came}


class Bench:
    def __init__(self, options, server, home):
        self.options, self.server, self.home = options, server, home
        self.relay = Relay(server.imap)
        self.place = home / "mnt"
        write_ini(home / "account.ini", {"DEFAULT": {
            **server.accounts("alice")["DEFAULT"], "port": self.relay.port, "ssl": "false"}})

    @contextlib.contextmanager
    def mount(self, names, figures):
        began = time.monotonic()
        with mounted(self.options, self.place, names, self.home) as pid:
            figures["mounted"] = round(time.monotonic() - began, 3)
            watched = Watched(pid)
            yield pid
            time.sleep(SETTLE)
            figures["memory"], figures["peak"] = private(pid), watched.stop()

    def floor(self, names):
        program = ROOT / self.options.build / "tests/bench/bench-floor"
        text = subprocess.run([program, str(self.relay.port), "alice", PASSWORD, "Large",
                               ITEMS[names]], check=True, stdout=subprocess.PIPE).stdout
        return json.loads(text)

    def listings(self, names, mailbox, count, more=()):
        """One mount: the first listing, and what more is said of it."""
        figures = {}
        with self.mount(names, figures) as pid:
            for title, *options in (("ls -f", "-f"), *more):
                with measured(figures, title, pid, self.relay):
                    _, found = listed(self.place / mailbox, *options)
                assert found == count, f"{mailbox}: {found} of {count} were listed"
        return figures

    def resync(self, names, count):
        figures = {}
        with self.mount(names, figures) as pid, measured(figures, "right", pid, self.relay):
            figures["first answer"] = round(listed(self.place / "Large", "-f")[0], 3)
            directory = self.place / ("Large" if names == "uid" else ".uid/Large")
            newest = directory / f"{self.newest()}.eml"
            while not newest.exists() or listed(self.place / "Large", "-f")[1] != count:
                time.sleep(0.05)
        return figures

    def newest(self):
        with self.server.connect("alice") as connection:
            status = connection.status("Large", "(UIDNEXT)")[1][0]
        return int(status.split(b"UIDNEXT ")[1].strip(b") ")) - 1

    def run(self, names):
        count = self.options.messages
        shutil.rmtree(self.home / "cache", ignore_errors=True)
        self.floor(names)                                      # Dovecot's own cache
        found = {"empty": self.listings(names, "Empty", 0), "floor": self.floor(names)}
        found["first"] = self.listings(names, "Large", count, (
            ("ls -f again", "-f"), ("ls -l", "-l"), ("ls -l again", "-l")))
        found["floor after"] = self.floor(names)
        found["again"] = self.listings(names, "Large", count, (("ls -l", "-l"),))
        found["small"] = self.listings(names, "Small", SMALL)
        change(self.server, count)
        found["resync"] = self.resync(names, count)
        found["disk"] = sum(file.stat().st_size for file in (self.home / "cache").rglob("*")
                            if file.is_file())
        return found


def memory(options, names, home):
    """The listings of a mount that holds as many files of one octet in memory (bench-memfs)."""
    program = ROOT / options.build / "tests/bench/bench-memfs"
    place = home / "memory"
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as top:
        for number in range(1, options.messages + 1):
            name = str(number) if names == "uid" else f"2024-01-01T0000Z_{'x' * 50}.{number}"
            file = os.open(f"{top}/{name}.eml", os.O_CREAT | os.O_WRONLY)
            os.write(file, b".")
            os.close(file)
        process = subprocess.Popen([program, top, place])
        while not os.path.ismount(place):
            assert process.poll() is None
            time.sleep(0.01)
    try:
        return {title: listed(place / "mail", option)[0] for title, option in
                (("ls -f", "-f"), ("ls -f again", "-f"), ("ls -l", "-l"), ("ls -l again", "-l"))}
    finally:
        subprocess.run(["fusermount3", "-u", place], check=True)
        process.wait()


def summary(names, found, count):
    floor = (found["floor"]["wall"] + found["floor after"]["wall"]) / 2
    base = found["empty"]["memory"]
    print(f"\nnames = {names}, {count} messages; floor {floor:.1f} s, "
          f"{found['floor']['octets']} octets; disk {found['disk'] / count:.0f} octets a message")
    for title in ("first", "again", "small", "resync"):
        figures = found[title]
        print(f"{title}: mounted {figures['mounted']} s"
              + (f", first answer {figures['first answer']} s" if title == "resync" else ""))
        for name, row in figures.items():
            if isinstance(row, dict):
                print(f"  {name:12} {row['seconds']:8.2f} s {row['seconds'] / floor:7.2f} x floor, "
                      f"processor {row['processor']:7.2f} s, "
                      f"{row['octets']} octets")
        print(f"  memory a message: {(figures['memory'] - base) / count:.1f} octets, "
              f"at its highest {(figures['peak'] - base) / count:.1f}")
    print("memory: " + ", ".join(f"{title} {seconds:.2f} s"
                                 for title, seconds in found["memory"].items()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--gaps", type=int, default=0,
                        help="so many messages are gone between any two that are there")
    parser.add_argument("--names", default="uid,full", help="uid, full or both")
    parser.add_argument("--build", default="build")
    parser.add_argument("--json", help="write all figures here")
    options = parser.parse_args()
    subprocess.run(["ninja", "-C", ROOT / options.build, "tests/bench/bench-floor",
                    "tests/bench/bench-memfs"], check=True,
                   stdout=subprocess.DEVNULL)
    everything = {}
    with tempfile.TemporaryDirectory() as top, Dovecot() as server:
        began = time.monotonic()
        prepare(server, options.messages, options.gaps)
        print(f"{options.messages} messages in {time.monotonic() - began:.0f} s", flush=True)
        bench = Bench(options, server, pathlib.Path(top))
        for names in options.names.split(","):
            found = bench.run(names)
            found["memory"] = memory(options, names, pathlib.Path(top))
            summary(names, found, options.messages)
            everything[names] = found
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(everything, indent=1), encoding="ascii")


if __name__ == "__main__":
    main()
