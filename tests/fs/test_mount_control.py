# SPDX-License-Identifier: LGPL-2.1-or-later
"""The views beside the root, and .mailrack: what a mount says of itself."""

import errno
import os
import pathlib
import subprocess

import pytest

from tests.fs.conftest import wait_for
from tests.fs.test_mount_events import Reader


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


def command(directory, text):
    (directory / ".mailrack" / "ctl").write_text(text, encoding="utf-8")


def test_commands_and_what_status_says_of_them(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    with mount({"poll": "600"}) as directory:
        assert status(directory)["last error"] == "none"
        with pytest.raises(OSError) as caught:
            command(directory, "make coffee\n")
        assert caught.value.errno == errno.EINVAL
        assert status(directory)["last command"].startswith('"make coffee" is no command')
        with pytest.raises(OSError):
            command(directory, "sync No/such\n")
        assert status(directory)["last command"] == 'sync: there is no mailbox "No/such"'
        assert "mailbox INBOX" not in status(directory)
        command(directory, "sync INBOX\n")
        wait_for(lambda: status(directory).get("mailbox INBOX", "").startswith("3 messages"))
        assert "last command" not in status(directory)
        # The list of mailboxes is only asked for once in ten minutes, or when it is told.
        connection = dovecot.connect(user)
        connection.create("News")
        connection.logout()
        assert "News" not in os.listdir(directory)
        command(directory, "sync\n")
        wait_for(lambda: "News" in os.listdir(directory))


def test_offline_and_online_again(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    dovecot.fill(user, "Archive", mails(2))
    with mount() as directory:
        inbox = directory / "INBOX"
        (first, *_) = sorted(inbox.iterdir())
        octets = first.read_bytes()
        with Reader(directory) as events:
            command(directory, "offline")
            assert events.next("offline")
            assert status(directory)["state"].startswith("offline since ")
            assert first.read_bytes() == octets and len(os.listdir(inbox)) == 3
            with pytest.raises(OSError) as caught:
                os.listdir(directory / "Archive")
            assert caught.value.errno == errno.EHOSTUNREACH
            dovecot.deliver(user, b"Subject: meanwhile\r\n\r\nx\r\n")
            assert len(os.listdir(inbox)) == 3
            command(directory, "online")
            assert events.next("online")
            assert events.next("added")["uid"] == 4
            assert len(os.listdir(inbox)) == 4
            assert len(os.listdir(directory / "Archive")) == 2
            assert status(directory)["state"].startswith("online since ")


def test_an_unreachable_server_is_said(mounting, user, tmp_path, dovecot, mails, slow):
    dovecot.fill(user, "INBOX", mails(1))
    proxy = slow(0)
    keys = {"port": proxy.port, "ssl": "false", "poll": "0.3"}
    with mounting(user, tmp_path, keys) as directory:
        os.listdir(directory / "INBOX")
        with Reader(directory) as events:
            proxy.refuse(True)
            command(directory, "offline\nonline") # so that it needs new connections
            assert [events.line()["event"] for _ in range(3)] == ["offline", "online", "offline"]
            facts = status(directory)
            assert facts["state"].startswith("offline since ") and facts["last error"] != "none"
            proxy.refuse(False)
            events.next("online")


def test_flushing_the_cache(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    with mount() as directory:
        for path in (directory / "INBOX").iterdir():
            path.read_bytes()
        assert int(status(directory)["cached octets"].split()[0]) > 0

        def empty():
            command(directory, "flush-cache")
            return int(status(directory)["cached octets"].split()[0]) == 0
        wait_for(empty) # what is being fetched ahead may come after the first


def test_a_mailbox_that_is_replaced(mount, dovecot, user, mails):
    dovecot.fill(user, "Box", mails(2))
    with mount({"poll": "0.3"}) as directory:
        assert len(os.listdir(directory / "Box")) == 2
        with Reader(directory) as events:
            # Dovecot itself is confused when somebody has it open meanwhile.
            command(directory, "offline")
            connection = dovecot.connect(user)
            connection.delete("Box")
            connection.create("Box")
            connection.append("Box", None, None, b"Subject: other\r\n\r\nx\r\n")
            connection.logout()
            command(directory, "online")
            assert events.next("replaced")["mailbox"] == "Box"
            wait_for(lambda: len(os.listdir(directory / "Box")) == 1)
