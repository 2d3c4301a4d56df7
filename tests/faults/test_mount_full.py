# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mount whose disk becomes full or fails while it is in use, and becomes good again."""

import errno
import hashlib
import os
import subprocess

import pytest

from tests.fs.conftest import environment_of, mount, mounting, uid_of, wait_for  # noqa: F401
from tests.support.faultdisk import FaultDisk

KINDS = {"full": (errno.ENOSPC, ()), "broken": (errno.EIO, ("writes", "syncs", "sizes", "names"))}


@pytest.fixture
def disk(build, tmp_path):
    (tmp_path / "cache").mkdir()
    return FaultDisk(build / "tests/support/libfaultdisk.so", tmp_path / "cache",
                     tmp_path / "control")


def digests(directory):
    """{uid: SHA-256} of all that is listed."""
    return {uid_of(name): hashlib.sha256((directory / name).read_bytes()).hexdigest()
            for name in os.listdir(directory)}


def status_of(directory):
    return (directory / ".mailrack" / "status").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_goes_on_without_the_disk(mount, disk, program, dovecot, user, mails,  # noqa: F811
                                  tmp_path, monkeypatch, kind):
    def truth(mailbox="INBOX"):
        return {message.uid: message.sha256 for message in dovecot.truth(user, mailbox)}

    dovecot.fill(user, "INBOX", mails(30))
    dovecot.fill(user, "Work", mails(20, 100))
    for name, value in disk.environment.items():
        monkeypatch.setenv(name, value)
    disk.good()
    with mount() as directory:
        assert sorted(uid_of(name) for name in os.listdir(directory / "INBOX")) == sorted(truth())
        error, kinds = KINDS[kind]
        disk.fail(1, error, lasts=0, kinds=kinds)
        assert digests(directory / "INBOX") == truth()
        # A mailbox that was never looked at, and news.
        assert digests(directory / "Work") == truth("Work")
        dovecot.deliver(user, b"Subject: news\r\n\r\non a bad disk\r\n")
        wait_for(lambda: len(os.listdir(directory / "INBOX")) == 31)
        assert digests(directory / "INBOX") == truth()
        said = status_of(directory)
        assert "last error: " in said and "cannot keep a message in " in said
        assert os.strerror(error) in said
        assert "not kept: " in said and "index.db" in said
        assert disk.failed > 0
        disk.heal()
    for name in disk.environment:
        monkeypatch.delenv(name)
    check = subprocess.run(
        [program("mailrack"), "cache", "-f", tmp_path / "account.ini", "check"], text=True,
        env=environment_of(tmp_path), capture_output=True, timeout=120, check=False)
    assert (check.returncode, check.stderr) == (0, "") and "nothing is wrong" in check.stdout
    with mount() as directory:
        assert digests(directory / "INBOX") == truth()
        assert digests(directory / "Work") == truth("Work")
        assert "not kept" not in status_of(directory)
