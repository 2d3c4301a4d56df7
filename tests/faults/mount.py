# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mount that is written to while its connections are cut and it is killed, and what the server
has afterwards.

    with Writer(server, "alice", program, place) as writer:
        writer.cell(OPERATIONS["move"], Fault("F3", "UID MOVE", "up", 7))      # or a reason why not

A cell is one operation of a program with one fault. Then the queue must become empty, by
itself or after the mount was started again, and every mailbox have exactly the messages that it
should have: never none, never two. The state goes on from cell to cell; nothing is put back, so
that hundreds of cells live in one mount.

What it is not: a test of what the operations do; tests/fs has those.
"""

import collections
import dataclasses
import errno
import functools
import itertools
import os
import random
import signal
import subprocess
import threading
import time
import typing

from tests.faults import stage as stages
from tests.fs.conftest import environment_of, is_mounted
from tests.support import imapbox
from tests.support.dovecot import write_ini
from tests.support.faultproxy import Fault, FaultProxy

PATIENCE = 60                    # seconds for what takes a fraction of one
DIED = object()                  # what came of an operation amid which the mount was killed


class Writer:
    """A user's account, mounted through a fault proxy."""

    def __init__(self, server, user, program, place, certificates=None, keys=None):
        self.server, self.user, self.program, self.place = server, user, program, place
        self.directory = place / "mnt"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.stage = stages.Stage(server, user)
        self.stage.restore()
        self.proxy = FaultProxy(server.imap, certificates).__enter__()
        self.child = None
        self.serial = 0
        self.unsent = set()      # names of files written in a burst, or when the mount was killed
        self.known = {digest: f"letter {number}" for number, digest in enumerate(self.stage.octets)}
        self.history = []        # what a burst did
        # What each mailbox must have: digest -> flags that must be there, or None: any.
        self.expected = {name: collections.Counter(each.sha256 for each in messages)
                         for name, messages in self.look().items()}
        secured = certificates is not None
        self.config = write_ini(place / "account.ini", {"DEFAULT": {
            "host": "localhost" if secured else self.proxy.host, "port": self.proxy.port,
            "username": user, "password": server.password(user), "auth_mechanisms": "PLAIN",
            "ssl": "true" if secured else "false", "offline": "queue", "timeout": "5s",
            "xattr": "yes",
            **({"ssl_ca_file": server.ca_file} if secured else {}), **(keys or {})}})

    def look(self):
        """All mailboxes, those with a special use too."""
        names = [line.decode().rpartition(" ")[2].strip('"')
                 for line in imapbox._check(self.stage.connection.list(), "LIST")]
        return {name: imapbox.truth(self.stage.connection, name) for name in names}

    # Life

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.proxy.__exit__()
        self.stage.close()

    def start(self):
        log = open(self.place / "log", "ab")
        with log:
            self.child = subprocess.Popen(
                [self.program, "--foreground", "--config", self.config, self.directory],
                env=environment_of(self.place), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait(lambda: self.child.poll() is not None or is_mounted(self.directory), "the mount")
        if self.child.poll() is not None:
            raise RuntimeError("the mount ended:\n" + (self.place / "log").read_text()[-2000:])
        for name in os.listdir(self.directory):      # each is known before it is written to
            if not name.startswith("."):
                os.listdir(self.directory / name)

    def stop(self):
        if self.child and self.child.poll() is None:
            self.child.terminate()
            self.child.wait(PATIENCE)
        self._unmount()

    def _unmount(self):
        if is_mounted(self.directory):
            subprocess.run(["umount", "-l", self.directory], check=False, capture_output=True)

    def kill(self):
        """F16; as a hook too."""
        os.kill(self.child.pid, signal.SIGKILL)

    def start_again(self):
        self.child.wait(PATIENCE)
        self._unmount()
        self.start()

    @staticmethod
    def _wait(condition, what):
        imapbox.wait_for(condition, PATIENCE, what)

    def status(self):
        text = (self.directory / ".mailrack/status").read_text(encoding="utf-8")
        return dict(line.partition(": ")[::2] for line in text.splitlines())

    def pending(self):
        """(how many changes the server has not confirmed, how many failed)"""
        waiting, _, failed = self.status()["changes pending"].partition(", failed: ")
        return int(waiting), int(failed or 0)

    # One cell

    def cell(self, operation, fault=None):
        """What is wrong, or None."""
        self.serial += 1
        do, expected = operation.prepare(self)
        if fault:
            self.proxy.arm(fault)
        result = self._carry_out(operation.name, do)
        struck = fault and self.proxy.struck
        self.proxy.disarm()
        self._end_killed(result)
        if result is DIED or result is not None and struck and not operation.queued:
            allowed = [expected, self.expected]
        elif result is None:
            allowed = [expected]
        else:
            return f"it failed: {result}"
        wrong = self._settle() or self._compare(allowed)
        return wrong or operation.check and result is None and operation.check(self) or None

    def burst(self, operations, seconds):
        """Operations one after the other, none of which waits for the server, and a kill amid them.
        What was said to be done is done; of the one that was cut off it is open."""
        begun = []
        self.history.clear()

        def run():
            for operation in operations:
                self.serial += 1
                try:
                    do, expected = operation.prepare(self)
                except Nothing:
                    continue
                if operation.name == "write":
                    self.unsent.add(f"w{self.serial}.eml")
                begun.append(expected)
                do()
                self.history[-1] += " done"
                self.expected = expected
        killer = threading.Timer(seconds, self.kill)
        killer.start()
        result = self._carry_out("burst", run)
        killer.join()
        self.start_again()
        if result not in (None, DIED):
            return "; ".join([f"it failed: {result}", *self.history])
        allowed = [self.expected, *begun[-1:]]
        return self._settle() or self._compare(allowed)

    def _carry_out(self, name, do):
        """None: it was said to be done; the OSError; DIED: the mount was killed."""
        results = []

        def run():
            try:
                do()
                results.append(None)
            except (OSError, Wrong) as problem:
                results.append(problem)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        if not results:
            raise TimeoutError(f"{name} has not returned for {PATIENCE} s")
        gone = errno.ENOTCONN, errno.ECONNABORTED
        if isinstance(results[0], OSError) and results[0].errno in gone:
            self.child.wait(PATIENCE)
            return DIED
        return results[0]

    def _end_killed(self, result):
        if result is DIED or self.child.poll() is not None:
            self.start_again()

    def _settle(self):
        try:
            self._wait(lambda: self.pending()[0] == 0, "the queue to become empty")
        except TimeoutError as problem:
            return f"{problem}: {self.pending()} pending and failed"
        self.proxy.settle()
        if self.pending()[1]:
            return "something was given up: " + self.status()["changes: last problem"]
        return None

    def _compare(self, allowed):
        found = {name: collections.Counter(each.sha256 for each in messages)
                 for name, messages in self.look().items()}
        self.expected = found
        if found in allowed:
            return None
        wanted, lines = allowed[0], []
        for name in sorted(found.keys() | wanted.keys()):
            has, had = (each.get(name, collections.Counter()) for each in (found, wanted))
            for word, more in (("too many", has - had), ("too few", had - has)):
                if more:
                    lines.append(f"{name} has {word}: "
                                 + " ".join(self.known[each] for each in more.elements()))
        return "; ".join(lines + self.history[-12:]) or f"the mailboxes are {sorted(found)}"

    def note(self, what, sha256, where):
        self.history.append(f"{what} ({self.known[sha256]}) to {where}, number {self.serial}")

    def becomes(self, **changes):
        """What is expected with (digest, how many) added to mailboxes."""
        result = {name: collections.Counter(found) for name, found in self.expected.items()}
        for mailbox, (sha256, count) in changes.items():
            result[mailbox][sha256] += count
            result[mailbox] = +result[mailbox]
        return result

    def fullest(self):
        return max(("Work", "Target"), key=lambda name: self.expected[name].total())

    def emptiest(self):
        return min(("Target", "Work"), key=lambda name: self.expected[name].total())

    def pick(self, mailbox):
        """A message there that the server has: (its path, its digest)."""
        path = next((each for each in sorted((self.directory / mailbox).iterdir())
                     if each.name not in self.unsent), None)
        if path is None:
            raise Nothing
        octets = path.read_bytes()
        sha256 = stages.digest(octets)
        if not self.expected[mailbox][sha256]:
            raise Wrong(f"{mailbox}/{path.name} ({path.stat()}) has {octets!r}, which is not in "
                        f"{mailbox}")
        return path, sha256


class Nothing(Exception):
    """There is no message to do it with."""


class Wrong(Exception):
    """The mount shows what is not so."""


def sync(path):
    """Wait for the server."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    command: str                 # on the wire
    prepare: typing.Callable     # (writer) -> (what to do, what is expected then)
    check: typing.Callable | None = None
    queued: bool = True          # it does not wait for the server: no fault makes it fail


def _write(writer, waits=True):
    octets = stages.letter(f"w{writer.serial}")
    path = writer.directory / "Work" / f"w{writer.serial}.eml"
    writer.known[stages.digest(octets)] = path.name
    writer.history.append(f"write {path.name}")

    def do():
        with open(path, "xb", buffering=0) as file:
            file.write(octets)
            if waits:
                os.fsync(file.fileno())
    return do, writer.becomes(Work=(stages.digest(octets), 1))


def _move(writer, waits=True):
    there, back = writer.fullest(), writer.emptiest()
    path, sha256 = writer.pick(there)

    def do():
        writer.note(f"move {path.name}", sha256, back)
        os.rename(path, writer.directory / back / f"m{writer.serial}.eml")
        if waits:
            sync(writer.directory / back)
    return do, writer.becomes(**{there: (sha256, -1), back: (sha256, 1)})


def _copy(writer):
    path, sha256 = writer.pick("Work")
    other = writer.directory / "Target" / f"c{writer.serial}.eml"

    def do():
        with open(path, "rb") as source, open(other, "xb") as target:
            size = os.fstat(source.fileno()).st_size
            while size > 0:
                size -= os.copy_file_range(source.fileno(), target.fileno(), size)
            os.fsync(target.fileno())
    return do, writer.becomes(Target=(sha256, 1))


def _remove(writer, waits=True):
    """Into the trash, or back from there."""
    removes = len(os.listdir(writer.directory / "Trash")) == 0
    there, back = (writer.fullest(), "Trash") if removes else ("Trash", writer.emptiest())
    path, sha256 = writer.pick(there)

    def do():
        writer.note(f"remove {path.name}", sha256, back)
        if removes:
            path.unlink()
        else:
            path.rename(writer.directory / back / f"r{writer.serial}.eml")
        if waits:
            sync(writer.directory / there)
    return do, writer.becomes(**{there: (sha256, -1), back: (sha256, 1)})


def _flag(writer, waits=True):
    path, sha256 = writer.pick("Old")
    value = b"\\Flagged" if writer.serial % 2 else b"\\Answered"

    def do():
        writer.history.append("flag")
        os.setxattr(path, "user.imap.flags", value)
        if waits:
            sync(path.parent)
    return do, writer.becomes()


def _flagged(writer):
    wanted = "\\Flagged" if writer.serial % 2 else "\\Answered"
    (message,) = imapbox.truth(writer.stage.connection, "Old")
    return None if message.flags == {wanted} else f"flags are {message.flags}, not {wanted}"


def _make(writer):
    name = f"Made{writer.serial}"
    return (lambda: (writer.directory / name).mkdir()), \
        {**writer.becomes(), name: collections.Counter()}


def _rename(writer):
    name = f"Named{writer.serial}"
    old = next(each for each in writer.expected if each.startswith(("Made", "Named")))
    expected = {each: found for each, found in writer.becomes().items() if each != old}
    return (lambda: os.rename(writer.directory / old, writer.directory / name)), \
        {**expected, name: collections.Counter()}


OPERATIONS = {each.name: each for each in (
    Operation("write", "APPEND", _write),
    Operation("move", "UID MOVE", _move),
    Operation("copy", "UID COPY", _copy),
    Operation("remove", "UID MOVE", _remove),
    Operation("flag", "UID STORE", _flag, _flagged),
    Operation("make", "CREATE", _make, queued=False),
    Operation("rename", "RENAME", _rename, queued=False))}
# A server without MOVE.
STEPS = tuple(dataclasses.replace(OPERATIONS["move"], name=f"move by steps, {command}",
                                  command=command)
              for command in ("UID COPY", "UID STORE", "UID EXPUNGE"))
# The same without waiting for the server.
QUICK = [Operation(name, "", functools.partial(prepare, waits=False)) for name, prepare in (
    ("write", _write), ("move", _move), ("remove", _remove), ("flag", _flag))]


def sweep(writer, operation, kind, direction, step, most=10000):
    """The fault at every step-th octet. Returns (cells, struck, failures)."""
    cells = struck = 0
    failures = []
    for offset in itertools.count(0, step):
        killed = {"kind": "F13", "hook": writer.kill}
        fault = Fault(command=operation.command, direction=direction, offset=offset,
                      **(killed if kind == "F16" else {"kind": kind}))
        del writer.proxy.commands[:]
        wrong = writer.cell(operation, fault)
        cells += 1
        struck += writer.proxy.struck
        if wrong:
            failures.append(f"{operation.name}: {kind} {direction} {offset}: {wrong}")
        seen = next((each for each in writer.proxy.commands if each.name == operation.command),
                    None)
        if seen is None or getattr(seen, direction) < offset or cells == most:
            return cells, struck, failures


def bursts(writer, count, seed):
    """Kills at random moments. Returns (bursts, operations, failures)."""
    draw = random.Random(seed)
    before = writer.serial
    failures = []
    for number in range(count):
        seconds = draw.uniform(0, 0.4)
        wrong = writer.burst(draw.choices(QUICK, k=200), seconds)
        if wrong:
            failures.append(f"burst {number} of seed {seed}, {seconds:.3f} s: {wrong}")
    return count, writer.serial - before, failures


KINDS = (("F3", "up"), ("F3", "down"), ("F8", "down"), ("F16", "up"), ("F16", "down"))


def rows(writer, operations, whole):
    """(title, run) for each operation and fault; run() as sweep() does, whole: at every octet."""
    for operation in operations:
        for kind, direction in KINDS:
            yield f"{operation.name}: {kind} {direction}", functools.partial(
                sweep, writer, operation, kind, direction, 1 if whole else 31)
