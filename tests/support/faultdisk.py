# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk that goes bad under a program, for Python; faultdisk.h is the manual.

    disk = FaultDisk(library, directory, control)      # control: a file elsewhere, made here
    subprocess.run(command, env={**os.environ, **disk.environment})
    count = disk.calls                                  # how many calls there were
    disk.fail(17, errno.ENOSPC, lasts=0)                # from the 17th on, in the next program
    disk.good()                                         # also while it runs

    for n in range(1, count + 1):                       # kill -9 between any two steps
        disk.kill(n)

    disk.lose_power(n, survives="torn", seed=4)
"""

import mmap
import os
import struct

FIELDS = ("calls", "action", "at", "lasts", "error", "kinds", "parts", "records", "forgets",
          "survives", "seed", "failed", "unsynced")
SIZE = 8 * len(FIELDS) + 256
GOOD, FAIL, KILL, POWER = range(4)
KINDS = {"writes": 1, "syncs": 2, "sizes": 4, "names": 8, "opens": 16}
SURVIVES = ("nothing", "all", "some", "torn")


class FaultDisk:
    """Says what happens to the disk, and knows what did."""

    def __init__(self, library, directory, control):
        with open(control, "wb") as file:
            file.truncate(SIZE)
        with open(control, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), SIZE)
        # What was preloaded before (a sanitizer's runtime) stays in front.
        before = os.environ.get("LD_PRELOAD")
        self.environment = {
            "LD_PRELOAD": f"{before}:{library}" if before else str(library),
            "FAULTDISK_DIRECTORY": os.path.realpath(directory),
            "FAULTDISK_CONTROL": os.path.realpath(control)}

    def __getattr__(self, name):
        if name not in FIELDS:
            raise AttributeError(name)
        return struct.unpack_from("=Q", self.map, 8 * FIELDS.index(name))[0]

    def set(self, **fields):
        """Sets fields of FaultDisk (faultdisk.h)."""
        for name, value in fields.items():
            struct.pack_into("=Q", self.map, 8 * FIELDS.index(name), value)

    @property
    def last(self):
        """What failed last, or was the last call: "pwrite /cache/index.db"."""
        return self.map[8 * len(FIELDS):].split(b"\0")[0].decode(errors="replace")

    def _begin(self, action, kinds=(), **fields):
        self.map[:] = bytes(SIZE)
        self.set(kinds=sum(KINDS[kind] for kind in kinds), **fields)
        self.set(action=action)

    def good(self, records=False):
        """Nothing happens; counts from 0 again."""
        self._begin(GOOD, records=records)

    def heal(self):
        """Nothing happens from now on; the figures stay."""
        self.set(action=GOOD)

    def fail(self, at, error, lasts=1, kinds=(), forgets=False):
        """Call number at of these kinds (all, if none is named) fails with this errno, and so
        do those after it until lasts (0: all of them)."""
        self._begin(FAIL, kinds, at=at, error=error, lasts=lasts, parts=lasts != 1, forgets=forgets,
                    records=forgets)

    def kill(self, at, kinds=()):
        """The process is killed before call number at."""
        self._begin(KILL, kinds, at=at)

    def lose_power(self, at, survives="nothing", seed=1, kinds=()):
        """The power goes before call number at; of what was not synced this is there after it."""
        self._begin(POWER, kinds, at=at, survives=SURVIVES.index(survives), seed=seed, records=1)
