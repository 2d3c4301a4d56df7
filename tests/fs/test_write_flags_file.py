# SPDX-License-Identifier: LGPL-2.1-or-later
""".parts/MAILBOX/MESSAGE/flags is written as it is read: words, which become the flags."""

import errno
import os

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter, run
from tests.fs.test_write_files import refused
from tests.fs.test_write_queue import status


@pytest.fixture
def flags(desk):
    """The flags file of a message that has \\Answered and "work"."""
    desk.fill("INBOX", [(letter(1), r"\Answered work", 1_500_000_000)])
    with desk.mounted() as directory:
        (message,) = (directory / ".parts/INBOX").iterdir()
        yield message / "flags"


def has(desk, path, *words):
    """The server has them, and so has the file."""
    wait_for(lambda: desk.truth()[0].flags == set(words))
    assert set(path.read_text().split()) == set(words)
    assert path.stat().st_size == len(path.read_text())


def shell(script, path, status=0):
    return run("sh", "-c", script, "sh", path, status=status)


def test_set_exactly(desk, flags):
    shell(r"""echo -n '\Seen $Work' >"$1" """, flags)
    has(desk, flags, "\\Seen", "$Work")
    flags.write_text("\\flagged\n\\SEEN\n\nOne\tTwo One\r\n")
    has(desk, flags, "\\Seen", "\\Flagged", "One", "Two")
    flags.write_bytes(flags.read_bytes())
    has(desk, flags, "\\Seen", "\\Flagged", "One", "Two")
    shell(': >"$1"', flags)
    has(desk, flags)


def test_appended(desk, flags):
    shell(r"""echo '\Flagged' >>"$1"; echo -n 'One Two' >>"$1"; echo 'work' >>"$1" """, flags)
    has(desk, flags, "\\Answered", "\\Flagged", "One", "Two", "work")


def test_edited_in_place(desk, flags):
    with open(flags, "r+", encoding="ascii") as file:
        text = file.read()
        file.seek(0)
        file.write(text.replace("work", "play"))
    has(desk, flags, "\\Answered", "play")


def test_durable_at_fsync(desk, flags):
    with open(flags, "w", encoding="ascii") as file:
        file.write("\\Deleted")
        file.flush()
        os.fsync(file.fileno())
        assert desk.truth()[0].flags == {"\\Deleted"}


@pytest.mark.parametrize("text", ["\\Sene", "\\Answered \\Important", "a(b", "50%", "two\\ words",
                                  "x" * 201, "caf\u00e9", "a\0b", 'say"so"'])
def test_refused(desk, flags, text):
    before = flags.read_text()
    with open(flags, "ab", buffering=0) as file:
        refused(errno.EINVAL, file.write, text.encode())
    assert flags.read_text() == before
    assert status(flags.parents[3])["last command"].startswith("flags: ")
    assert desk.truth()[0].flags == {"\\Answered", "work"}
    # The next one is not the worse for it.
    shell(r"""echo '\Seen' >"$1" """, flags)
    has(desk, flags, "\\Seen")


def test_too_long(flags):
    with open(flags, "ab", buffering=0) as file:
        refused(errno.EFBIG, file.write, b"ab " * 40_000)


def test_not_in_a_mount_that_only_reads(desk):
    desk.fill("INBOX", [letter(1)])
    with desk.mounted({"read_only": "yes"}) as directory:
        (message,) = (directory / ".parts/INBOX").iterdir()
        refused(errno.EROFS, open, message / "flags", "w")
        refused(errno.EROFS, open, message / "info.json", "w")


def test_not_without_the_right(desk):
    desk.fill("Shelf", [letter(1)])
    with desk.server.connect(desk.user) as connection:
        assert connection.setacl("Shelf", desk.user, "lrs")[0] == "OK"
    with desk.mounted({"poll": "1"}) as directory:
        (message,) = (directory / ".parts/Shelf").iterdir()
        with open(message / "flags", "w", encoding="ascii") as file:
            file.write("\\Seen")
        wait_for(lambda: desk.truth("Shelf")[0].flags == {"\\Seen"})
        # Once the rights are known: this server says OK to what it does not do, and remembers
        # rights for a second.
        wait_for(lambda: os.listdir(directory / "Shelf")
                 and (directory / "Shelf").stat().st_mode & 0o777 == 0o500)
        with open(message / "flags", "wb", buffering=0) as file:
            file.write(b"\\Seen \\Flagged")
            # At close at the latest.
            refused(errno.EACCES, os.fsync, file.fileno())
        assert "not permitted" in status(directory)["last command"]
        assert desk.truth("Shelf")[0].flags == {"\\Seen"}
