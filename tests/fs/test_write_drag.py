# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file manager drags mail: gio, which is what Nautilus uses, and the bare system calls."""

import ctypes
import errno
import os
import subprocess

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import internal_date, letter
from tests.fs.test_write_files import names, refused

DATE = 1_500_000_000
AT_FDCWD = -100
RENAME_NOREPLACE = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def gio(desk, *words, octets=None, status=0):
    """Without a bus: nobody else's daemon has a part in it."""
    environment = {**os.environ, "HOME": str(desk.place), "LC_ALL": "C.UTF-8",
                   "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", "GIO_USE_VFS": "local"}
    done = subprocess.run(["gio", *map(os.fspath, words)], input=octets, capture_output=True,
                          timeout=120, check=False, env=environment)
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done.stderr.decode()


def rename_noreplace(old, new):
    if LIBC.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new),
                      RENAME_NOREPLACE) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), os.fspath(new))


@pytest.fixture
def outside(tmp_path):
    """Files of letters 1, 2, 3 with dates."""
    directory = tmp_path / "outside"
    directory.mkdir()
    for number in (1, 2, 3):
        path = directory / f"letter-{number}.eml"
        path.write_bytes(letter(number, 10_000 * number))
        os.utime(path, (DATE + number, DATE + number))
    return directory


def many(*numbers):
    return [letter(number, 10_000 * number) for number in numbers]


def test_gio_into_it(desk, outside):
    with desk.mounted() as directory:
        inbox = directory / "INBOX"
        gio(desk, "copy", outside / "letter-1.eml", inbox)
        gio(desk, "copy", "--preserve", outside / "letter-2.eml", inbox)
        gio(desk, "move", outside / "letter-3.eml", inbox)
        assert names(outside) == ["letter-1.eml", "letter-2.eml"]
        assert names(inbox) == ["letter-1.eml", "letter-2.eml", "letter-3.eml"]
        truth = {message.octets: message for message in desk.holds("INBOX", many(1, 2, 3))}
        for number in (2, 3):
            (octets,) = many(number)
            assert internal_date(truth[len(octets)]) == DATE + number
        assert names(inbox) == ["letter-1.eml", "letter-2.eml", "letter-3.eml"]
        # Onto what is there it may not; neither is harmed.
        gio(desk, "copy", "--no-target-directory", outside / "letter-1.eml",
            inbox / "letter-2.eml", status=1)
        assert (inbox / "letter-2.eml").read_bytes() == many(2)[0]
        desk.holds("INBOX", many(1, 2, 3))
        assert names(inbox) == ["letter-1.eml", "letter-2.eml", "letter-3.eml"]


def test_gio_within_it(desk):
    desk.fill("INBOX", [(octets, r"\Seen", DATE) for octets in many(1, 2)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        inbox, work = directory / "INBOX", directory / "Work"
        first, second = names(inbox)
        gio(desk, "move", inbox / first, work)
        assert names(inbox) == [second] and names(work) == [first]
        gio(desk, "copy", inbox / second, work)
        assert sorted(names(work)) == sorted([first, second])
        moved = desk.holds("Work", many(1, 2))
        desk.holds("INBOX", many(2))
        assert {"\\Seen"} in [message.flags for message in moved]
        # One already called so is not overwritten.
        before = (work / second).read_bytes()
        gio(desk, "move", "--interactive", inbox / second, work, octets=b"n\n")
        assert (work / second).read_bytes() == before and names(inbox) == [second]
        gio(desk, "rename", work / first, "other.eml", status=1)
        desk.holds("Work", many(1, 2))


def test_gio_out_of_it(desk, outside):
    desk.fill("INBOX", [(octets, "", DATE) for octets in many(4, 5)])
    with desk.mounted() as directory:
        inbox = directory / "INBOX"
        first, second = names(inbox)
        gio(desk, "copy", inbox / first, outside)
        gio(desk, "move", inbox / second, outside)
        assert (outside / first).read_bytes() == many(4)[0]
        assert (outside / second).read_bytes() == many(5)[0]
        desk.holds("INBOX", many(4))
        desk.holds("Trash", many(5))


def test_gio_save(desk):
    """What gedit and others save with: .goutputstream-XXXXXX, then a rename."""
    with desk.mounted() as directory:
        gio(desk, "save", directory / "INBOX/new.eml", octets=letter(1))
        assert names(directory / "INBOX") == ["new.eml"]
        desk.holds("INBOX", [letter(1)])
        gio(desk, "save", directory / "Drafts/draft.eml", octets=letter(2))
        desk.holds("Drafts", [letter(2)])
        wait_for(lambda: names(directory / "Drafts") == ["draft.eml"])
        gio(desk, "save", directory / "Drafts/draft.eml", octets=letter(3))
        (draft,) = desk.holds("Drafts", [letter(3)])
        assert "\\Draft" in draft.flags
        assert names(directory / "Drafts") == ["draft.eml"]
        # Of what is no draft there is only one version.
        gio(desk, "save", directory / "INBOX/new.eml", octets=letter(4), status=2)
        desk.holds("INBOX", [letter(1)])
        assert names(directory / "INBOX") == ["new.eml"]


def drag(source, directory):
    """As a file manager moves one: a rename that replaces nothing, else a copy and unlink."""
    before = os.stat(source)
    target = directory / os.path.basename(source)
    try:
        rename_noreplace(source, target)
        return target
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    with open(source, "rb") as old:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as new:
            for octets in iter(lambda: old.read(8192), b""):
                new.write(octets)
            new.flush()
            os.fsync(descriptor)
            os.fchmod(descriptor, before.st_mode & 0o777)
            os.utime(descriptor, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.unlink(source)
    return target


def test_dragged(desk, outside):
    desk.fill("Work", [])
    with desk.mounted() as directory:
        inbox, work = directory / "INBOX", directory / "Work"
        dragged = drag(outside / "letter-1.eml", inbox)
        desk.holds("INBOX", many(1))
        assert names(outside) == ["letter-2.eml", "letter-3.eml"]
        dragged = drag(dragged, work)
        assert names(inbox) == [] and names(work) == ["letter-1.eml"]
        desk.holds("Work", many(1))
        # Once more, where one is called so: neither is harmed.
        (outside / "letter-1.eml").write_bytes(letter(7))
        refused(errno.EEXIST, drag, outside / "letter-1.eml", work)
        assert (outside / "letter-1.eml").read_bytes() == letter(7)
        assert dragged.read_bytes() == many(1)[0]
        other = drag(outside / "letter-1.eml", inbox)
        refused(errno.EEXIST, drag, other, work)
        refused(errno.EEXIST, os.rename, other, dragged)
        desk.holds("INBOX", [letter(7)])
        desk.holds("Work", many(1))
        # And out again.
        assert drag(dragged, outside).read_bytes() == many(1)[0]
        desk.holds("Work", [])
        desk.holds("Trash", many(1))


def test_a_stream_that_replaces(desk):
    """The bare calls of a save: a hidden file beside it, fsync, and a rename over what is there."""
    with desk.mounted() as directory:
        drafts = directory / "Drafts"
        for number in (1, 2, 3):
            hidden = drafts / ".goutputstream-X1Y2Z3"
            descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            with open(descriptor, "wb") as file:
                file.write(letter(number))
                file.flush()
                os.fsync(descriptor)
            os.rename(hidden, drafts / "draft.eml")
            assert names(drafts) == ["draft.eml"]
            assert (drafts / "draft.eml").read_bytes() == letter(number)
        desk.holds("Drafts", [letter(3)])
