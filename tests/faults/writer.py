# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mount that is written to while its connections are cut and it is killed, and what the server
has afterwards.

    with Writer(server, "alice", program, place) as writer:
        writer.cell(OPERATIONS["move"], Fault("F3", "UID MOVE", "up", 7))      # or a reason why not

A cell is one operation of a program with one fault. Then the queue must become empty, by
itself or after the mount was started again, and every mailbox have exactly the messages that it
should have: never none, never two, and none with other flags. The state goes on from cell to
cell; nothing is put back, so that hundreds of cells live in one mount.

The mount is told to try again at once what it would try after a second.

What it is not: the operations (changes.py), or which faults they meet (mount.py).
"""

import collections
import contextlib
import errno
import os
import pathlib
import signal
import subprocess
import threading

from tests.faults import stage as stages
from tests.fs.conftest import environment_of, is_mounted
from tests.support import imapbox
from tests.support.dovecot import write_ini
from tests.support.faultproxy import FaultProxy

PATIENCE = 60                   # seconds for what takes a fraction of one
STEP = 0.02                      # between two times that the mount is told to try again
DIED = object()                  # what came of an operation amid which the mount was killed


class Nothing(Exception):
    """There is no message to do it with."""


class Wrong(Exception):
    """The mount shows what is not so."""


def only(expected, _before):
    return [expected]


def either(expected, before):
    return [expected, before]


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
        self.subject = None      # (mailbox, digest) of the message that a cell is about
        self.unsent = set()      # names of files written in a burst, or when the mount was killed
        self.known = {digest: f"letter {number}" for number, digest in enumerate(self.stage.octets)}
        self.flags = {}          # digest: what the message is flagged with, wherever it is
        self.history = []        # what a burst did
        self.on_struck = None    # what to do when a fault has struck
        self.expected = {}
        self.take_stock()
        secured = certificates is not None
        self.config = write_ini(place / "account.ini", {"DEFAULT": {
            "host": "localhost" if secured else self.proxy.host, "port": self.proxy.port,
            "username": user, "password": server.password(user), "auth_mechanisms": "PLAIN",
            "ssl": "true" if secured else "false", "offline": "queue", "timeout": "5s",
            "xattr": "yes",
            **({"ssl_ca_file": server.ca_file} if secured else {}), **(keys or {})}})

    def take_stock(self):
        """What the server has now is what it is to have: {mailbox: Counter of digests}."""
        found = self.stage.look_everywhere()
        self.expected = _digests(found)
        for message in (each for messages in found.values() for each in messages):
            self.flags[message.sha256] = message.flags
            self.known.setdefault(message.sha256, message.sha256[:8])

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

    def start_afresh(self):
        """Whatever state it is in."""
        self.proxy.disarm()
        self.proxy.relent()
        self.proxy.recover()
        self.on_struck = None
        if self.child.poll() is None:
            self.kill()
        self.start_again()
        self._settle()
        for name in os.listdir(self.directory / ".mailrack/failed"):
            (self.directory / ".mailrack/failed" / name).unlink()
        self.stage.reconnect()
        self.take_stock()

    def end_of_life(self, check):
        """What is wrong with how it ends and what it leaves. check: a command for its cache."""
        self.child.terminate()
        status = self.child.wait(PATIENCE)
        wrong = [f"it ended with {status}"] if status else []
        if is_mounted(self.directory):
            wrong.append("it is still mounted")
        log = (self.place / "log").read_text(encoding="utf-8", errors="replace")
        if self.server.password(self.user) in log:
            wrong.append("the log has the password")
        done = subprocess.run([check, "cache", "-f", self.config, "check"], check=False, text=True,
                              env=environment_of(self.place), capture_output=True, timeout=PATIENCE)
        if done.returncode or "nothing is wrong" not in done.stdout:
            wrong.append(f"the cache: {done.stdout}{done.stderr}")
        return "; ".join(wrong)

    @staticmethod
    def _wait(condition, what):
        imapbox.wait_for(condition, PATIENCE, what)

    def status(self):
        text = (self.directory / ".mailrack/status").read_text(encoding="utf-8")
        return dict(line.partition(": ")[::2] for line in text.splitlines())

    def tell(self, *lines):
        (self.directory / ".mailrack/ctl").write_text("\n".join(lines) + "\n")

    def pending(self):
        """(how many changes the server has not confirmed, how many failed)"""
        waiting, _, failed = self.status()["changes pending"].partition(", failed: ")
        return int(waiting), int(failed or 0)

    # One cell

    def cell(self, operation, fault=None, allow=None, may_fail=False):
        """What is wrong, or None. allow(expected, before): what the server may have afterwards.
        may_fail: who waits may be told that it has not been done yet."""
        self.serial += 1
        self._be_online()
        do, expected = operation.prepare(self)
        before = self.expected
        if fault:
            self.proxy.arm(fault)
        result = self._carry_out(operation.name, do)
        self.proxy.disarm()          # what a fault does at the moment is over then
        struck = fault and self.proxy.struck
        self.proxy.relent()
        if struck and self.on_struck:
            self.on_struck()
        self._end_killed(result)
        failed = result not in (None, DIED)
        may_fail = operation.after or struck and (may_fail or not operation.queued)
        if failed and not may_fail:
            return f"it failed: {result}"
        if result is DIED or failed and not operation.queued:
            allow = allow or either
        allowed = (allow or only)(expected, before)
        if struck and operation.half:
            allowed.append(operation.half(expected, before))
        wrong = self._settle() or self.compare(allowed)
        self.proxy.recover()
        return wrong or operation.check and result is None and operation.check(self) or None

    def refused_cell(self, operation, fault, numbers):
        """One that the server refuses for good: that is said with one of these errors, it is
        undone, and there is a reason to read."""
        self.serial += 1
        do, _ = operation.prepare(self)
        self.proxy.arm(fault)
        result = self._carry_out(operation.name, do, patient=True)
        struck = self.proxy.struck
        self.proxy.disarm()
        if not struck:
            return "it was not asked for"
        if not isinstance(result, OSError) or result.errno not in numbers:
            return f"it was not refused: {result!r}"
        wrong = self._look_at_the_refused(operation, fault)
        return wrong or self._settle() or self.compare([self.expected])

    def _look_at_the_refused(self, operation, fault):
        self._wait(lambda: self.pending()[0] == 0, "the refusal")
        directory, reasons = self.directory / ".mailrack/failed", self.status()
        kept = os.listdir(directory)
        if operation.name.startswith("write"):
            octets = [(directory / name).read_bytes() for name in kept]
            if len(kept) != 1 or stages.digest(octets[0]) not in self.known:
                return f"failed/ has {kept}"
            (directory / kept[0]).unlink()
        elif kept:
            return f"failed/ has {kept}"
        if operation.queued and not any(fault.code in text for text in reasons.values()):
            return f"no reason in {reasons}"
        return None

    def burst(self, operations, seconds, fault=None):
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
        if fault:
            self.proxy.arm(fault)
        killer = threading.Timer(seconds, self.kill)
        killer.start()
        result = self._carry_out("burst", run, patient=True)
        killer.join()
        self.proxy.disarm()
        self.start_again()
        if result not in (None, DIED):
            return "; ".join([f"it failed: {result}", *self.history])
        allowed = [self.expected, *begun[-1:]]
        return self._settle() or self.compare(allowed)

    def _carry_out(self, name, do, patient=False):
        """None: it was said to be done; the OSError; DIED: the mount was killed. Once the fault has
        struck all is tried again at once, unless we are patient."""
        results = []

        def run():
            try:
                do()
                results.append(None)
            except (OSError, Wrong) as problem:
                results.append(problem)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        for _ in range(int(PATIENCE / STEP)):
            thread.join(STEP)
            if not thread.is_alive():
                break
            if self.proxy.struck and not patient:
                self._hurry()
        if not results:
            raise TimeoutError(f"{name} has not returned for {PATIENCE} s: {self.status()}")
        gone = errno.ENOTCONN, errno.ECONNABORTED
        if isinstance(results[0], OSError) and results[0].errno in gone:
            self.child.wait(PATIENCE)
            return DIED
        return results[0]

    def _hurry(self):
        # Only when the server is done with what it had: what is looked for could still come.
        self.proxy.settle()
        with contextlib.suppress(OSError):           # it may just be dying
            away = self.status()["state"].startswith("offline")
            self.tell(*["sync"] * away, "retry")

    def _be_online(self):
        """The mount may just have found out what an earlier fault did to its connections."""
        while self.status()["state"].startswith("offline"):
            self.tell("sync")
            self._wait(lambda: self.status()["state"].startswith("online"), "the server to be seen")

    def _end_killed(self, result):
        if result is DIED or self.child.poll() is not None:
            self.proxy.settle()
            self.start_again()

    def _settle(self):
        def is_empty():
            if self.pending()[0] == 0:
                return True
            self._hurry()
            return False
        try:
            self._wait(is_empty, "the queue to become empty")
        except TimeoutError as problem:
            return f"{problem}: {self.status()}"
        self.proxy.settle()
        if self.pending()[1]:
            return "something was given up: " + self.status()["last change not done"]
        return None

    def compare(self, allowed):
        """What is wrong with what the server has; it is what is expected from now on."""
        everything = self.stage.look_everywhere()
        found = self.expected = _digests(everything)
        if found in allowed:
            return self._compare_flags(everything)
        wanted, lines = allowed[0], []
        lines += [f"there is no {name}" for name in sorted(wanted.keys() - found.keys())]
        lines += [f"there is a {name}" for name in sorted(found.keys() - wanted.keys())]
        for name in sorted(found.keys() | wanted.keys()):
            has, had = (each.get(name, collections.Counter()) for each in (found, wanted))
            for word, more in (("too many", has - had), ("too few", had - has)):
                if more:
                    lines.append(f"{name} has {word}: "
                                 + " ".join(self.known[each] for each in more.elements()))
        return "; ".join(lines + self.history[-12:])

    def _compare_flags(self, everything):
        """Of those that there is one of."""
        total = sum(self.expected.values(), collections.Counter())
        for mailbox, messages in everything.items():
            for message in messages:
                if total[message.sha256] > 1:
                    self.flags.pop(message.sha256, None)
                    continue
                if self.flags.setdefault(message.sha256, message.flags) != message.flags:
                    had, self.flags[message.sha256] = self.flags[message.sha256], message.flags
                    return (f"{self.known[message.sha256]} in {mailbox} is {sorted(message.flags)} "
                            f"and was {sorted(had)}")
        return None

    def inodes(self):
        """Of the messages of each mailbox: others when it was made anew."""
        return {name: {path.stat().st_ino for path in (self.directory / name).iterdir()}
                for name in ("Work", "Target", "Trash", "Old")}

    def catch_up(self, renewed=None, before=None):
        """Wait until the mount has seen what others did. before: inodes() before renewed was made
        anew."""
        def has_seen():
            try:
                now = self.inodes()
            except OSError:
                return False
            self.tell(*(f"sync {name}" for name in now))
            counts = all(len(os.listdir(self.directory / name)) == self.expected[name].total()
                         for name in now)
            return counts and (renewed not in now or not now[renewed] & before[renewed])
        try:
            self._wait(has_seen, "the mount to see what others did")
        except TimeoutError as problem:
            seen = {name: len(os.listdir(self.directory / name)) for name in self.inodes()}
            wanted = {name: self.expected[name].total() for name in seen}
            raise TimeoutError(f"{problem}: {seen}, not {wanted}; {renewed} was made anew, "
                               f"{self.inodes()} and before {before}, {self.status()}") from None

    # For operations

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
        for _ in range(10):
            path = next((each for each in sorted((self.directory / mailbox).iterdir())
                         if each.name not in self.unsent), None)
            if path is None:
                raise Nothing
            # In the trash it gets another name when the server has put it there.
            with contextlib.suppress(FileNotFoundError):
                return path, self.read(mailbox, path)
        raise Nothing

    def read(self, mailbox, path: pathlib.Path):
        """Its digest."""
        octets = path.read_bytes()
        sha256 = stages.digest(octets)
        if not self.expected[mailbox][sha256]:
            raise Wrong(f"{mailbox}/{path.name} ({path.stat()}) has {octets!r}, which is not in "
                        f"{mailbox}")
        self.subject = mailbox, sha256
        return sha256


def _digests(found):
    return {name: collections.Counter(each.sha256 for each in messages)
            for name, messages in found.items()}
