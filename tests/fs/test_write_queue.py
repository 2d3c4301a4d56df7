# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the server refuses, and what it has not heard of yet: .mailrack/pending and failed."""

import errno
import os
import re
import subprocess

import pytest

from tests.fs.conftest import environment_of, wait_for
from tests.fs.desk import Desk, letter, run
from tests.fs.test_write_files import names, refused


def status(directory):
    lines = (directory / ".mailrack/status").read_text(encoding="utf-8").splitlines()
    return dict(line.partition(": ")[::2] for line in lines)


@pytest.fixture
def small(dovecot, mounting, tmp_path, request):
    """A desk with room for 20,000 octets."""
    user = dovecot.add_user(f"small-{request.node.name[:20]}-{os.getpid()}",
                            fields="userdb_quota_rule=*:bytes=20000")
    return Desk(dovecot, user, mounting, tmp_path)


def command(directory, line):
    (directory / ".mailrack/ctl").write_text(line + "\n")


def test_over_quota(small, tmp_path):
    large, there = letter(1, 12_000), letter(0, 15_000)
    small.fill("INBOX", [there])
    with small.mounted() as directory:
        with open(directory / "INBOX" / "large.eml", "wb", buffering=0) as file:
            file.write(large)
            refused(errno.EDQUOT, os.fsync, file.fileno())
        wait_for(lambda: "large.eml" not in names(directory / "INBOX"))
        failed = directory / ".mailrack" / "failed"
        (name,) = names(failed)
        assert name.endswith("large.eml")
        run("cp", failed / name, tmp_path / "saved.eml")
        assert (tmp_path / "saved.eml").read_bytes() == large
        assert status(directory)["changes pending"] == "0, failed: 1"
        assert "uota" in status(directory)["last change not done"]
        # Its name is free again.
        (directory / "INBOX" / "large.eml").write_bytes(letter(2))
        small.holds("INBOX", [there, letter(2)])
    with small.mounted() as directory:
        assert names(directory / ".mailrack/failed") == [name]
        number = name.split(".")[0]
        (directory / ".mailrack/ctl").write_text(f"retry {number}\n")
        wait_for(lambda: status(directory)["changes pending"] == "0, failed: 1")
        (name,) = names(directory / ".mailrack/failed")
        assert name.endswith(".large.eml")
        (directory / ".mailrack/failed" / name).unlink()
        assert names(directory / ".mailrack/failed") == []
        assert status(directory)["changes pending"] == "0, failed: 0"
        with pytest.raises(OSError) as caught:
            (directory / ".mailrack/ctl").write_text("drop 4711\n")
        assert caught.value.errno == errno.EINVAL
    small.holds("INBOX", [there, letter(2)])


def test_pending_while_the_network_is_away(desk):
    desk.fill("INBOX", [letter(1), letter(2)])
    desk.fill("Work", [])
    with desk.mounted({"offline": "queue"}) as directory:
        first, second = sorted((directory / "INBOX").iterdir())
        octets = first.read_bytes()
        os.listdir(directory / "Work")
        command(directory, "offline")
        first.rename(directory / "Work" / "moved.eml")
        second.unlink()
        (directory / "Work" / "new.eml").write_bytes(letter(3))
        assert names(directory / "INBOX") == []
        assert names(directory / "Work") == ["moved.eml", "new.eml"]
        wait_for(lambda: status(directory)["changes pending"] == "3, failed: 0")
        pending = directory / ".mailrack/pending"
        texts = {name: (pending / name).read_bytes() for name in names(pending)}
        assert len(texts) == 3 and letter(3) in texts.values()
        assert any(b"change: move\nmailbox: INBOX\nto: Work\n" in text for text in texts.values())
        command(directory, "online")
        desk.holds("Work", [octets, letter(3)])
        desk.holds("INBOX", [])
        wait_for(lambda: status(directory)["changes pending"] == "0, failed: 0")
        assert names(pending) == []


def test_given_up(desk):
    """What is dropped is as it was."""
    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    with desk.mounted({"offline": "queue"}) as directory:
        (path,) = (directory / "INBOX").iterdir()
        os.listdir(directory / "Work")
        command(directory, "offline")
        path.rename(directory / "Work" / "moved.eml")
        (name,) = names(directory / ".mailrack/pending")
        (directory / ".mailrack/pending" / name).unlink()
        wait_for(lambda: names(directory / "INBOX") == [path.name])
        wait_for(lambda: names(directory / "Work") == [])
        command(directory, "online")
    desk.holds("INBOX", [letter(1)])
    desk.holds("Work", [])


def test_refused_while_the_network_is_away(desk):
    """Unless it is to be queued."""
    desk.fill("INBOX", [letter(1)])
    with desk.mounted() as directory:
        (path,) = (directory / "INBOX").iterdir()
        command(directory, "offline")
        refused(errno.EHOSTUNREACH, path.unlink)
        refused(errno.EHOSTUNREACH, (directory / "INBOX" / "x.eml").write_bytes, letter(2))
        assert names(directory / "INBOX") == [path.name]
        command(directory, "online")
    desk.holds("INBOX", [letter(1)])


def test_the_command_that_shows_it(desk, program):
    """mailrack queue, beside the mount and without it."""
    def queue(*words):
        return subprocess.run(
            [program("mailrack"), "queue", "-f", desk.place / "account.ini", *words], text=True,
            env=environment_of(desk.place), capture_output=True, timeout=60, check=False)

    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    with desk.mounted({"offline": "queue"}) as directory:
        assert queue().stdout == "nothing is queued\n"
        (path,) = (directory / "INBOX").iterdir()
        os.listdir(directory / "Work")
        command(directory, "offline")
        path.rename(directory / "Work" / "moved.eml")
        line = re.fullmatch(r"(\d+)  \S+ \S+  pending  move  INBOX UID 1 -> Work moved.eml\n",
                            queue("ls").stdout)
        refused_by = queue("drop", line[1])
        assert refused_by.returncode == 75 and ".mailrack/ctl" in refused_by.stderr
    # The mount goes on trying for a moment.
    wait_for(lambda: queue("drop", line[1]).returncode != 75)
    assert queue().stdout == "nothing is queued\n"
    unknown = queue("drop", "12")
    assert unknown.returncode != 0 and "12" in unknown.stderr
    assert queue("drop").returncode == queue("retry", "x").returncode == 64
    with desk.mounted() as directory:
        assert names(directory / "INBOX") == [path.name]
    desk.holds("INBOX", [letter(1)])
    desk.holds("Work", [])
