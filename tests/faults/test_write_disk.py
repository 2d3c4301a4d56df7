# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes through a mount whose journal's disk kills it, loses power, becomes full or fails at any
call: what was answered with success is on the server exactly once, all else once at most, and no
message that was there is lost.

MAILRACK_FAULT_POINTS says how many points of each kind are tried; all: every one; 90-100: those.
"""

import collections
import errno
import hashlib
import os
import pathlib
import random
import subprocess
import time

import pytest

from tests.fs.conftest import environment_of, is_mounted, mount, mounting, wait_for  # noqa: F401
from tests.support import dovecot as private_dovecot
from tests.support.faultdisk import FaultDisk

POINTS = os.environ.get("MAILRACK_FAULT_POINTS", "5")
BEYOND = 5                      # points in a row that the work did not come to: it has no more
MOST = 400                      # calls on the disk that the work below may take


def message(name, size=400):
    head = f"From: a@b.example\r\nSubject: {name}\r\nMessage-ID: <{name}@faults>\r\n\r\n".encode()
    line = f"{name} ".encode() * 6 + b"\r\n"
    return head + line * (size // len(line) + 1)


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def write_all(fd, octets):
    """write(2) may take a part only, and say so: of what it takes in pieces one was refused."""
    while octets:
        octets = octets[os.write(fd, octets):]


def write(path, octets):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    try:
        for at in range(0, len(octets), 100_000):
            write_all(fd, octets[at:at + 100_000])
    finally:
        os.close(fd)


def commit(directory, octets):
    """The name makes it mail, also while it is open (as for us it may be after a close)."""
    fd = os.open(directory / "INBOX" / ".scratch.5", os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    try:
        write_all(fd, octets)
        os.rename(directory / "INBOX" / ".scratch.5", directory / "INBOX" / "new-5.eml")
    finally:
        os.close(fd)


def steps(directory, names):
    """(what, whether it makes a message, how)."""
    inbox = directory / "INBOX"
    for number, size in ((1, 400), (2, 20_000), (3, 300_000)):
        octets = message(f"new-{number}", size)
        yield digest(octets), True, lambda n=number, o=octets: write(inbox / f"new-{n}.eml", o)
    yield "moved", False, lambda: os.rename(inbox / names[0], directory / "Work" / names[0])
    yield "removed", False, lambda: os.unlink(inbox / names[1])
    octets = message("new-5")
    yield digest(octets), True, lambda: commit(directory, octets)
    yield "moved too", False, lambda: os.rename(inbox / names[2], directory / "Work" / names[2])


def start(program, place, keys):
    directory = place / "mnt"
    directory.mkdir(exist_ok=True)
    account = private_dovecot.write_ini(place / "account.ini", {"DEFAULT": keys})
    done = subprocess.run([program("mailrack-mount"), "--config", account, directory],
                          env=environment_of(place), text=True, capture_output=True, timeout=60,
                          check=False)
    return directory, done


def end(directory):
    """Whatever state it is in."""
    for command in (["fusermount3", "-u", directory], ["umount", "-l", directory]):
        for _ in range(50):
            if not is_mounted(directory):
                return
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)


def pending(directory):
    status = (directory / ".mailrack" / "status").read_text()
    return int(status.split("changes pending: ")[1].split(",")[0])


class Life:
    """One account whose mount goes through a fault, and what must be there after it."""

    def __init__(self, program, dovecot, place, user):
        self.program, self.dovecot, self.place, self.user = program, dovecot, place, user
        self.keys = {**dovecot.accounts(user)["DEFAULT"]}
        self.old = [message(f"old-{number}") for number in range(4)]
        dovecot.fill(user, "INBOX", [(octets, "", 1700000000) for octets in self.old])
        dovecot.fill(user, "Work", [])

    def work(self):
        """{what: whether it was said to have succeeded}; stops when the mount is gone."""
        said = {}
        directory, done = start(self.program, self.place, self.keys)
        try:
            if done.returncode != 0:
                return said
            names = sorted(os.listdir(directory / "INBOX"))
            os.listdir(directory / "Work")
            for what, _, how in steps(directory, names):
                said[what] = False
                how()
                said[what] = True
        except OSError:
            pass
        finally:
            end(directory)
        return said

    def recover(self):
        # The one before may still be trying to send what it has.
        for _ in range(20):
            directory, done = start(self.program, self.place, self.keys)
            if "in use" not in done.stderr:
                break
        assert done.returncode == 0, done.stderr
        try:
            os.listdir(directory / "INBOX")
            wait_for(lambda: pending(directory) == 0, 60)
        finally:
            end(directory)

    def check(self, said):
        found = collections.Counter(
            each.sha256 for box in ("INBOX", "Work", "Trash")
            for each in self.dovecot.truth(self.user, box))
        for octets in self.old:
            assert found[digest(octets)] == 1, "a message that was there"
        for what, made in said.items():
            if len(what) == 64:
                assert found[what] == 1 if made else found[what] <= 1, (what, made, found[what])
        work = {each.sha256 for each in self.dovecot.truth(self.user, "Work")}
        if said.get("moved"):
            assert digest(self.old[0]) in work
        assert sum(found.values()) - len(self.old) <= 4


def points():
    if POINTS == "all":
        return range(1, MOST)
    if "-" in POINTS:
        first, last = map(int, POINTS.split("-"))
        return range(first, last + 1)
    draw = random.Random(7)
    return sorted(draw.sample(range(1, MOST // 4), int(POINTS)))


KINDS = {
    "kill": lambda disk, n: disk.kill(n),
    "power, nothing survives": lambda disk, n: disk.lose_power(n),
    "power, torn": lambda disk, n: disk.lose_power(n, survives="torn", seed=n),
    "full from then on": lambda disk, n: disk.fail(n, errno.ENOSPC, lasts=0),
    "fails once": lambda disk, n: disk.fail(n, errno.EIO),
}


@pytest.mark.parametrize("kind", KINDS)
def test_changes_on_a_bad_disk(program, build, dovecot, tmp_path, kind, monkeypatch):
    reached = 0
    for n in points():
        place = tmp_path / f"at-{n}"
        state = place / "state"
        state.mkdir(parents=True)
        user = dovecot.add_user(f"wd-{os.getpid()}-{abs(hash((kind, n))) % 10**8}")
        disk = FaultDisk(pathlib.Path(build) / "tests/support/libfaultdisk.so", state,
                         place / "control")
        life = Life(program, dovecot, place, user)
        with monkeypatch.context() as patch:
            for name, value in disk.environment.items():
                patch.setenv(name, value)
            KINDS[kind](disk, n)
            said = life.work()
            last = disk.last
            reached += disk.calls >= disk.at
        life.recover()
        try:
            life.check(said)
        except AssertionError as wrong:
            raise AssertionError(f"{kind} at {n} ({last}): {wrong}") from wrong
        if POINTS == "all" and n - reached > BEYOND:
            break
    print(f"{kind}: {n} was the last point, {reached} lives came to the fault")
    assert reached > 0
