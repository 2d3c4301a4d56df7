# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mirror on a disk that is full, fails, or loses power, at any of its steps.

mirror-on-disk.c lives through a first sync, a second one with changes and a third one, on a disk
that goes bad at the n-th call that changes it; then a later process looks at what that left, on
a good disk.  Never may anything wrong be answered.  A bad disk may keep the mirror from keeping
things, not from answering.

MAILRACK_FAULT_POINTS says at how many calls each kind of fault is tried ("all": at each).
"""

import concurrent.futures
import errno
import os
import random
import subprocess

import pytest

from tests.support.faultdisk import FaultDisk

POINTS = os.environ.get("MAILRACK_FAULT_POINTS", "7")
LANES = 4
FAULTS = {
    "full": lambda disk, at: disk.fail(at, errno.ENOSPC, lasts=0),
    "full-once": lambda disk, at: disk.fail(at, errno.ENOSPC),
    "broken": lambda disk, at: disk.fail(at, errno.EIO, lasts=0),
    "broken-once": lambda disk, at: disk.fail(at, errno.EIO),
    "killed": lambda disk, at: disk.kill(at),
    "power-nothing": lambda disk, at: disk.lose_power(at, "nothing"),
    "power-some": lambda disk, at: disk.lose_power(at, "some", seed=at),
    "power-torn": lambda disk, at: disk.lose_power(at, "torn", seed=at),
}


class Life:
    """One mirror in a directory of its own."""

    def __init__(self, build, place):
        place.mkdir()
        (place / "cache").mkdir()
        self.program = build / "tests/faults/mirror-on-disk"
        self.cache = place / "cache"
        self.disk = FaultDisk(build / "tests/support/libfaultdisk.so", self.cache,
                              place / "control")
        self.environment = {**os.environ, "TMPDIR": str(place), "HOME": str(place)}

    def run(self, *arguments, bad=False):
        environment = {**self.environment, **(self.disk.environment if bad else {})}
        return subprocess.run([self.program, self.cache, *arguments], env=environment, text=True,
                              capture_output=True, timeout=120, check=False)

    def problems(self, looks_first):
        """What is wrong, in lines; [] it should be."""
        live = self.run("live", bad=True)
        dies = self.disk.action > 1 and self.disk.calls >= self.disk.at
        found = [f"{self.disk.last}: exit status {live.returncode}: {live.stderr}"] \
            if live.returncode != (-9 if dies else 0) else []
        after = self.run("after", "3", *([] if looks_first else ["unchecked"]))
        if after.returncode != 0:
            found.append(f"afterwards: exit status {after.returncode}: {after.stderr}")
        said = live.stdout + after.stdout
        return found + [line for line in said.splitlines()
                        if line.startswith(("wrong: ", "refused: "))]


def spread(count, chance):
    """Calls to go bad at: all of them, or some all over the place."""
    if POINTS == "all":
        return range(1, count + 1)
    n = int(POINTS)
    return sorted({1 + int((part + chance.random()) * count / n) for part in range(n)})


@pytest.fixture(scope="module")
def count(build, tmp_path_factory):
    """How many calls there are when nothing goes wrong; and nothing does."""
    life = Life(build, tmp_path_factory.mktemp("good") / "life")
    life.disk.good()
    assert life.problems(True) == []
    assert life.disk.calls > 100
    return life.disk.calls


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_call_goes_bad(build, tmp_path, count, fault):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    reached = 0

    def at(call):
        life = Life(build, tmp_path / f"{call}")
        FAULTS[fault](life.disk, call)
        found = life.problems(call % 2 == 0)
        return call, life.disk.calls >= call, [f"{fault} at {call}: {line}" for line in found]

    with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
        for _, happened, problems in lanes.map(at, spread(count, random.Random(seed))):
            assert problems == []
            reached += happened
    assert reached > 0


@pytest.mark.parametrize("at", range(1, 4) if POINTS != "all" else range(1, 30))
def test_what_a_failed_sync_lost_is_not_served(build, tmp_path, at):
    """A sync fails and what it was to write is gone from memory too."""
    life = Life(build, tmp_path / "life")
    life.disk.fail(at, errno.EIO, lasts=0, kinds=["syncs"], forgets=True)
    assert life.problems(True) == []
    assert life.disk.failed > 0


def test_what_was_kept_is_there_on_a_full_disk(build, tmp_path):
    life = Life(build, tmp_path / "life")
    assert life.run("live").returncode == 0
    life.disk.fail(1, errno.ENOSPC, lasts=0)
    done = life.run("offline", "3", bad=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "notice: what is new is only held in memory: " in done.stdout
    assert "index.db" in done.stdout
    assert life.disk.failed > 0
