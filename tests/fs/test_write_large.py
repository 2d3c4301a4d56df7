# SPDX-License-Identifier: LGPL-2.1-or-later
"""A large message goes into a mount and out of it without being in the mount's memory."""

import filecmp
import os
import pathlib
import re
import shutil

from tests.fs.conftest import process_of
from tests.fs.desk import letter, wait_until

SIZE = 64 << 20
ROOM = 16 << 10                  # KiB that the mount may take for it


def peak(process):
    """VmHWM of a process, in KiB; what it was before is forgotten."""
    text = (pathlib.Path("/proc") / str(process) / "status").read_text()
    (pathlib.Path("/proc") / str(process) / "clear_refs").write_text("5")
    return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1])


def test_in_and_out(desk, tmp_path):
    source, back = tmp_path / "large.eml", tmp_path / "back.eml"
    source.write_bytes(letter(1, SIZE))
    with desk.mounted() as directory:
        os.listdir(directory / "INBOX")
        process = process_of(desk.place)
        (directory / "INBOX/first.eml").write_bytes(letter(2))
        desk.holds("INBOX", [letter(2)])
        peak(process)
        before = peak(process)
        with open(directory / "INBOX/large.eml", "wb") as target, open(source, "rb") as octets:
            shutil.copyfileobj(octets, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        sent = peak(process)
        assert sent < before + ROOM, f"{sent - before} KiB more to send it"
        wait_until(lambda: any(message.size == source.stat().st_size
                               for message in desk.truth(bodies=False)),
                   lambda: "it is not there")
    # From the server, in a mount that has nothing of it.
    shutil.rmtree(desk.place / "cache")
    with desk.mounted() as directory:
        (large,) = (path for path in (directory / "INBOX").iterdir()
                    if path.stat().st_size > SIZE // 2)
        process = process_of(desk.place)
        peak(process)
        before = peak(process)
        shutil.copyfile(large, back)
        read = peak(process)
        assert read < before + ROOM, f"{read - before} KiB more to read it"
        assert filecmp.cmp(source, back, shallow=False)
