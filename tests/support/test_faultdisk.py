# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk that goes bad (faultdisk.h): what befalls a program on it is what was said."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from tests.support.faultdisk import FaultDisk

# Synced: "old" whole and b's first 1024 octets. Not synced: what follows.
STORY = """
import os, sys
os.chdir(sys.argv[1])
def put(name, octets, sync):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)         # 1  5
    os.write(fd, octets)                                      # 2  6
    if sync:
        os.fsync(fd)                                          # 3  7
    return fd
put("old", b"o" * 100, True)
directory = os.open(".", os.O_RDONLY)
os.fsync(directory)                                           # 4
b = put("b", b"b" * 1024, True)
os.pwrite(b, b"B" * 2048, 512)                                # 8
os.ftruncate(b, 2000)                                         # 9
os.rename("old", "new")                                       # 10
put("young", b"y", False)                                     # 11 12
os.unlink("b")                                                # 13
os.mkdir("late")                                              # 14
"""
CALLS = 14


@pytest.fixture
def disk(build, tmp_path):
    (tmp_path / "disk").mkdir()
    return FaultDisk(build / "tests/support/libfaultdisk.so", tmp_path / "disk",
                     tmp_path / "control")


@pytest.fixture
def tell(disk, tmp_path):
    """tell() runs the story, or tell("a program"), on the disk; its exit status and errors."""
    def run(story=STORY):
        done = subprocess.run([sys.executable, "-c", story, tmp_path / "disk"], text=True,
                              env={**os.environ, **disk.environment}, capture_output=True,
                              timeout=60, check=False)
        return done.returncode, done.stderr
    return run


def octets(path):
    return path.read_bytes() if path.exists() else None


def test_counts(disk, tell, tmp_path):
    disk.good()
    assert tell() == (0, "")
    assert (disk.calls, disk.failed, disk.last) == (CALLS, 0, "")
    assert sorted(os.listdir(tmp_path / "disk")) == ["late", "new", "young"]
    disk.good()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert tell(STORY.replace("sys.argv[1]", repr(str(elsewhere)))) == (0, "")
    assert disk.calls == 0


@pytest.mark.parametrize("at", range(1, CALLS + 1))
def test_fails_once_at_any_call(disk, tell, at):
    disk.fail(at, errno.EDQUOT)
    status, said = tell()
    assert status == 1 and os.strerror(errno.EDQUOT) in said
    assert (disk.failed, disk.calls) == (1, at)
    kind = ("open", "write", "fsync", "fsync", "open", "write", "fsync", "pwrite", "ftruncate",
            "rename", "open", "write", "unlink", "mkdir")[at - 1]
    assert disk.last.split()[0] == kind


def test_fails_until_it_is_good(disk, tell):
    disk.fail(2, errno.ENOSPC, lasts=3, kinds=["writes"])
    many = """
import os, sys
fd = os.open(sys.argv[1] + "/x", os.O_WRONLY | os.O_CREAT)
for octets in b"abcdefgh":
    try:
        print(os.write(fd, bytes([octets]) * 10), file=sys.stderr)
    except OSError as problem:
        print(problem.errno, file=sys.stderr)
"""
    status, said = tell(many)
    # Half of the first one still found room.
    assert (status, said.split()) == (0, ["10", "5", "28", "28", "10", "10", "10", "10"])


def test_killed(disk, tell, tmp_path):
    disk.kill(10)
    assert tell() == (-signal.SIGKILL, "")
    assert sorted(os.listdir(tmp_path / "disk")) == ["b", "old"]
    assert octets(tmp_path / "disk/b") == b"b" * 512 + b"B" * 1488


def test_power_lost_with_all_that_was_not_synced(disk, tell, tmp_path):
    disk.lose_power(CALLS)
    assert tell() == (-signal.SIGKILL, "")
    assert sorted(os.listdir(tmp_path / "disk")) == ["b", "old"]
    assert octets(tmp_path / "disk/b") == b"b" * 1024
    assert octets(tmp_path / "disk/old") == b"o" * 100
    assert disk.unsynced == 6                      # B, its end, the name, y and its name, b's end


def test_power_lost_with_nothing(disk, tell, tmp_path):
    disk.lose_power(10, survives="all")
    assert tell()[0] == -signal.SIGKILL
    assert octets(tmp_path / "disk/b") == b"b" * 512 + b"B" * 1488


def test_power_lost_in_the_middle_of_a_write(disk, tell, tmp_path):
    seen = set()
    for seed in range(24):
        for name in os.listdir(tmp_path / "disk"):
            (tmp_path / "disk" / name).unlink()
        disk.lose_power(9, survives="torn", seed=seed)
        assert tell()[0] == -signal.SIGKILL
        now = octets(tmp_path / "disk/b")
        sectors = [now[at:at + 512] for at in range(0, len(now), 512)]
        assert sectors[0] == b"b" * 512
        assert set(sectors[1:]) <= {b"b" * 512, b"B" * 512, bytes(512)}
        seen.add(now)
    assert len(seen) > 3


def test_what_a_sync_did_not_write_is_forgotten(disk, tell, tmp_path):
    disk.fail(2, errno.EIO, kinds=["syncs"], forgets=True)
    story = """
import os, sys
fd = os.open(sys.argv[1] + "/x", os.O_RDWR | os.O_CREAT)
os.write(fd, b"first")
os.fsync(fd)
os.pwrite(fd, b"again and more", 0)
try:
    os.fsync(fd)
except OSError:
    print(os.pread(fd, 99, 0), file=sys.stderr)
"""
    assert tell(story) == (0, repr(b"first" + bytes(9)) + "\n")
