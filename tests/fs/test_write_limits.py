# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the server would not take is refused before anything is sent: APPENDLIMIT (RFC 7889)."""

import contextlib
import errno
import os
import subprocess

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter
from tests.fs.test_write_files import names, refused
from tests.fs.test_write_queue import small, status  # noqa: F401
from tests.support.meddler import Meddler

LIMIT = 30_000


@pytest.fixture
def between(dovecot):
    with Meddler(dovecot.imap) as meddler:
        yield meddler


@pytest.fixture(params=["the server", "the mailbox"])
def limited(between, request):
    """A server that takes messages of LIMIT octets at most, as it says in either way."""
    if request.param == "the server":
        between.offer(f"APPENDLIMIT={LIMIT}")
    else:
        between.offer("APPENDLIMIT")
        between.answer("STATUS", f"* STATUS {{mailbox}} (APPENDLIMIT {LIMIT})", "OK done",
                       having="APPENDLIMIT")
    return between


def write_all(file, octets):
    """The kernel divides a write, and says of the first piece how long it was."""
    while octets:
        octets = octets[file.write(octets):]


def known(inbox):
    """Waits until the limit is known, which the first file has asked for."""
    probe = inbox / "probe.eml"

    def tried():
        try:
            with open(probe, "wb", buffering=0) as file:
                write_all(file, letter(9, 2 * LIMIT))
        except OSError as error:
            assert error.errno == errno.EFBIG
            return True
        return False
    wait_for(tried)
    wait_for(lambda: names(inbox) == [])
    # Those that were whole when it turned out.
    for path in (inbox.parent / ".mailrack/failed").iterdir():
        path.unlink()


def test_too_large_for_a_write(desk, limited):
    with desk.mounted(limited.keys()) as directory:
        inbox = directory / "INBOX"
        known(inbox)
        file = open(inbox / "large.eml", "wb", buffering=0)
        assert file.write(letter(1)) == len(letter(1))
        refused(errno.EFBIG, write_all, file, b"x" * LIMIT)
        refused(errno.EFBIG, os.truncate, inbox / "large.eml", LIMIT + 1)
        refused(errno.EFBIG, file.close)
        # What is left of it is no message.
        wait_for(lambda: names(inbox) == [])
        assert f"{LIMIT} octets" in status(directory)["last file not sent"]
        assert "APPENDLIMIT" in status(directory)["last file not sent"]
        assert names(directory / ".mailrack/failed") == []
        done = subprocess.run(["cp", "/dev/stdin", inbox / "copy.eml"], input=letter(2, 2 * LIMIT),
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 1 and b"File too large" in done.stderr
        wait_for(lambda: names(inbox) == [])
        assert limited.sent("APPEND") == []
        # Up to the limit it is mail.
        fits = letter(3, LIMIT)
        (inbox / "fits.eml").write_bytes(fits)
        desk.holds("INBOX", [fits])
        assert len(limited.sent("APPEND")) == 1


def test_too_large_at_close(desk, limited):
    """The limit is not known yet when the file is written; it is when it is closed."""
    with desk.mounted(limited.keys()) as directory:
        inbox = directory / "INBOX"
        descriptor = os.open(inbox / "large.eml", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with contextlib.suppress(OSError):
            os.write(descriptor, letter(1, 2 * LIMIT))
        refused(errno.EFBIG, os.close, descriptor)
        wait_for(lambda: names(inbox) == [])
        assert limited.sent("APPEND") == []
        assert "APPENDLIMIT" in (directory / ".mailrack/status").read_text()


def test_too_large_under_its_last_name(desk, limited):
    """Programs that write another file first, and rename it."""
    with desk.mounted(limited.keys()) as directory:
        inbox = directory / "INBOX"
        (inbox / ".large.eml.x1").write_bytes(letter(1, 2 * LIMIT))
        refused(errno.EFBIG, os.rename, inbox / ".large.eml.x1", inbox / "large.eml")
        assert names(inbox) == [".large.eml.x1"]
        assert "APPENDLIMIT" in status(directory)["last file not sent"]
        tmp = directory / ".maildir/INBOX/tmp/large"
        tmp.write_bytes(letter(2, 2 * LIMIT))
        refused(errno.EFBIG, os.rename, tmp, directory / ".maildir/INBOX/new/large")
        tmp.unlink()
        (inbox / ".large.eml.x1").unlink()
        assert limited.sent("APPEND") == []


def test_a_write_that_is_made_good(desk, limited):
    """The program cuts the file and writes a smaller one: that is sent."""
    with desk.mounted(limited.keys()) as directory:
        inbox = directory / "INBOX"
        known(inbox)
        with open(inbox / "x.eml", "wb", buffering=0) as file:
            refused(errno.EFBIG, write_all, file, letter(1, 2 * LIMIT))
            file.truncate(0)
            file.write(letter(2))
        desk.holds("INBOX", [letter(2)])


def test_larger_than_the_whole_quota(small):  # noqa: F811
    """There will never be room for it."""
    with small.mounted() as directory:
        inbox = directory / "INBOX"
        with pytest.raises(OSError) as caught:
            (inbox / "large.eml").write_bytes(letter(1, 60_000))
        assert caught.value.errno == errno.EDQUOT
        wait_for(lambda: names(inbox) == [])
        assert "quota" in status(directory)["last file not sent"]
        (inbox / "small.eml").write_bytes(letter(2))
        small.holds("INBOX", [letter(2)])
