# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reading marks a message as seen if seen_on_read says so, and only who reads it to its end."""

import errno
import os
import subprocess

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter, run
from tests.fs.test_write_files import refused

SMALL, LARGE = letter(1), letter(2, 300_000)


@pytest.fixture
def mail(desk):
    desk.fill("INBOX", [SMALL, LARGE])
    return desk


def seen(desk):
    return [uid + 1 for uid, message in enumerate(desk.truth(bodies=False))
            if "\\Seen" in message.flags]


def paths(directory):
    listed = sorted((directory / "INBOX").iterdir(), key=lambda path: path.stat().st_ino)
    assert len(listed) == 2
    return listed


def by_cat(path):
    subprocess.run(["cat", path], check=True, capture_output=True, timeout=60)


def by_cp(path):
    run("cp", path, path.parents[2] / "copy")


def by_python(path):
    path.read_bytes()


def by_grep(path):
    subprocess.run(["grep", "-c", "no such words", path], check=False, capture_output=True,
                   timeout=60)


@pytest.mark.parametrize("how", [by_cat, by_cp, by_python, by_grep])
def test_never_by_itself(mail, how):
    with mail.mounted() as directory:
        for path in paths(directory):
            how(path)
        # Whatever is on its way to the server is there after this.
        (directory / "INBOX/more.eml").write_bytes(letter(3))
        mail.holds("INBOX", [SMALL, LARGE, letter(3)])
    assert seen(mail) == []


@pytest.mark.parametrize("how", [by_cat, by_python, by_grep])
def test_when_it_is_read(mail, how):
    with mail.mounted({"seen_on_read": "yes"}) as directory:
        small, large = paths(directory)
        how(large)
        wait_for(lambda: seen(mail) == [2])
        how(small)
        wait_for(lambda: seen(mail) == [1, 2])
        assert (small.read_bytes(), large.read_bytes()) == (SMALL, LARGE)
        # It is said once: what is unread again stays so while nobody reads it again.
        with mail.server.connect(mail.user) as connection:
            connection.select("INBOX")
            connection.uid("STORE", "1:2", "-FLAGS", "(\\Seen)")
        wait_for(lambda: seen(mail) == [])
        os.listdir(directory / "INBOX")
    assert seen(mail) == []


def test_not_for_headers(mail):
    with mail.mounted({"seen_on_read": "yes"}) as directory:
        small, large = paths(directory)
        for path in (small, large):
            run("head", "-c", "60", path)
            with open(path, "rb", buffering=4096) as file:
                while file.readline().strip():
                    pass
        (directory / "INBOX/more.eml").write_bytes(letter(3))
        mail.holds("INBOX", [SMALL, LARGE, letter(3)])
    assert seen(mail) == []


def test_not_for_those_who_are_denied(mail):
    with mail.mounted({"seen_on_read": "yes", "deny_readers": "cat"}) as directory:
        _, large = paths(directory)
        done = subprocess.run(["cat", large], capture_output=True, timeout=60, check=False)
        assert done.returncode == 1 and b"denied" in done.stderr
        by_python(large)
        wait_for(lambda: seen(mail) == [2])


def test_in_a_mailbox_where_it_may_not_be_set(mail):
    """It is read all the same."""
    with mail.server.connect(mail.user) as connection:
        assert connection.setacl("INBOX", mail.user, "lr")[0] == "OK"
    with mail.mounted({"seen_on_read": "yes"}) as directory:
        small, large = paths(directory)
        assert (small.read_bytes(), large.read_bytes()) == (SMALL, LARGE)
        refused(errno.EACCES, small.unlink)
