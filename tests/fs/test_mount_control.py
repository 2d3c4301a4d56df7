# SPDX-License-Identifier: LGPL-2.1-or-later
"""The views beside the root, and .mailrack: what a mount says of itself."""

import os
import pathlib
import subprocess

import pytest

from tests.fs.conftest import wait_for


def status(directory):
    text = (directory / ".mailrack" / "status").read_text(encoding="utf-8")
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def test_views_are_reachable_but_not_listed(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    with mount() as directory:
        names = os.listdir(directory)
        assert "INBOX" in names and not any(name.startswith(".") for name in names)
        assert sorted(os.listdir(directory / ".uid" / "INBOX")) == ["1.eml", "2.eml"]
        assert "status" in os.listdir(directory / ".mailrack")
        assert not (directory / ".messages").exists(), "it is at the root itself"
        assert not (directory / "INBOX" / ".uid").exists()
    with mount({"views": "listed"}) as directory:
        assert {"INBOX", ".uid", ".mailrack"} <= set(os.listdir(directory))
        assert len(list(directory.iterdir())) == len(set(os.listdir(directory)))
        kinds = {entry.name: entry.is_dir(follow_symlinks=False) for entry in os.scandir(directory)}
        assert all(kinds.values())


def test_status_and_its_node(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    with mount() as directory:
        facts = status(directory)
        assert user in facts["account"]
        control = directory / ".mailrack"
        assert control.stat().st_ino == os.stat(control).st_ino
        listed = {entry.name: entry.inode() for entry in os.scandir(control)}
        assert listed["status"] == os.stat(control / "status").st_ino
        for path in (control / "other", control / "status" / "below"):
            with pytest.raises(OSError):
                path.stat()
        with pytest.raises(OSError):
            (control / "status").write_text("x")
        with pytest.raises(OSError):
            (control / "new").write_text("x")
        with pytest.raises(OSError):
            (control / "new").mkdir()
        with open(control / "status", encoding="utf-8") as one:
            first = one.read(10)
            assert first + one.read() != ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have the kernel drop its caches")
def test_no_node_stays_when_the_kernel_forgot_it(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    with mount() as directory:
        for path in sorted((directory / ".mailrack").iterdir()):
            path.stat()
        assert subprocess.run(["find", directory], check=True, stdout=subprocess.DEVNULL)

        def forgotten():
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("2")
            return status(directory)["nodes"] == "0"
        wait_for(forgotten)
