# SPDX-License-Identifier: LGPL-2.1-or-later
""".mailrack/events: a line for each change, for readers that block, poll or fall behind."""

import json
import os
import select
import signal
import subprocess

import pytest

from tests.fs.conftest import wait_for


class Reader:
    """Reads events without ever blocking longer than a test may."""

    def __init__(self, directory):
        self.fd = os.open(directory / ".mailrack" / "events", os.O_RDONLY)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def line(self, seconds=30):
        """The next line, parsed; None if none came."""
        while b"\n" not in self.rest:
            poller = select.poll()
            poller.register(self.fd, select.POLLIN)
            if not poller.poll(seconds * 1000):
                return None
            self.rest += os.read(self.fd, 65536)
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)

    def next(self, event):
        """The next line about event; others are passed over."""
        while True:
            line = self.line()
            assert line is not None, f"no {event} came"
            if line["event"] == event:
                return line


def change(dovecot, user, *commands):
    connection = dovecot.connect(user)
    connection.select("INBOX")
    for name, *arguments in commands:
        getattr(connection, name)(*arguments)
    connection.logout()


def test_every_reader_hears_each_change(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    with mount({"poll": "0.5"}) as directory:
        os.listdir(directory / "INBOX")
        with Reader(directory) as one, Reader(directory) as other:
            subject = 'say "\\hi\\" \x01\x7f'
            text = f"From: Eve <e@b.example>\r\nSubject: {subject}\r\n\r\nx\r\n"
            dovecot.deliver(user, text.encode())
            for reader in (one, other):
                line = reader.next("added")
                assert (line["mailbox"], line["uid"], line["flags"]) == ("INBOX", 4, [])
                assert (directory / "INBOX" / line["name"]).exists()
            change(dovecot, user, ("store", "2", "+FLAGS", r"(\Seen \Flagged work)"))
            line = one.next("flags")
            assert line["uid"] == 2 and {"\\Flagged", "\\Seen", "work"} <= set(line["flags"])
            assert line["name"].endswith(".2.eml")
            change(dovecot, user, ("store", "1", "+FLAGS", r"\Deleted"), ("expunge",))
            line = one.next("removed")
            assert line["uid"] == 1 and line["name"].endswith(".1.eml")
            assert not (directory / "INBOX" / line["name"]).exists()
            change(dovecot, user, ("create", "News"))
            line = other.next("folders")
            assert (line["mailbox"], line["name"], line["exists"]) == ("", "News", True)


def test_reading_without_waiting_and_being_interrupted(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    with mount() as directory:
        events = directory / ".mailrack" / "events"
        fd = os.open(events, os.O_RDONLY | os.O_NONBLOCK)
        with pytest.raises(BlockingIOError):
            os.read(fd, 100)
        os.close(fd)
        with pytest.raises(OSError):
            events.write_text("x")
        with subprocess.Popen(["cat", events]) as cat:
            def waits():
                with open(f"/proc/{cat.pid}/stat", encoding="utf-8") as file:
                    return file.read().rpartition(")")[2].split()[0] == "S"
            wait_for(waits)
            cat.send_signal(signal.SIGTERM)
            assert cat.wait(30) == -signal.SIGTERM


def test_a_slow_reader_hears_that_it_lost_something(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    text = b"From: Al <a@b.example>\r\nSubject: " + b"long " * 40 + b"\r\n\r\nx\r\n"
    with mount() as directory:
        os.listdir(directory / "INBOX")
        with Reader(directory) as slow, Reader(directory) as other:
            for first in range(2, 5002, 1000): # 300,000 octets at a time
                dovecot.fill(user, "INBOX", [(text, "", 1700000000)] * 1000)
                uids = [other.next("added")["uid"] for _ in range(1000)]
                assert uids == list(range(first, first + 1000))
            uids = []
            line = slow.line()
            while line["event"] != "lost":
                if line["event"] == "added":
                    uids.append(line["uid"])
                line = slow.line()
            assert uids == list(range(2, 2 + len(uids))) and 1000 < len(uids) < 5000
            dovecot.deliver(user, b"Subject: after\r\n\r\nx\r\n")
            while True:
                line = slow.next("added")
                if line["uid"] == 5002:
                    break
