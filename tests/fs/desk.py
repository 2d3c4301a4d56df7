# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mount that is written to, and what the server then has, asked with Python's imaplib.

    def test_it(desk):
        with desk.mounted() as directory:
            shutil.copy("x.eml", directory / "INBOX")
            desk.holds("INBOX", [octets])           # waits for that

desk is a fixture of conftest.py. The server's special-use mailboxes are Drafts, Junk, Sent,
Trash and Archive.
"""

import calendar
import hashlib
import imaplib
import os
import subprocess
import time

from tests.support import imapbox

def letter(number, size=0, subject=None):
    """The octets of a message, another for each number."""
    text = b"From: Pen <pen@desk.example>\r\nTo: Ink <ink@desk.example>\r\n" \
        b"Subject: %s\r\nMessage-ID: <%d@desk.example>\r\n\r\nletter %d\r\n" \
        % ((subject or f"letter {number}").encode(), number, number)
    line = b"0123456789abcdef %08d\r\n" % number
    return text + line * (max(0, size - len(text)) // len(line))


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def wait_until(condition, describe, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, describe()
        time.sleep(0.05)


def run(*command, status=0, **options):
    """What a program printed; it must end with that status and complain of nothing if it is 0."""
    done = subprocess.run([os.fspath(part) for part in command], capture_output=True, text=True,
                          timeout=300, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
                          **options)
    assert done.returncode == status, (command, done.returncode, done.stdout, done.stderr)
    assert status != 0 or not done.stderr, (command, done.stderr)
    return done.stdout


class Desk:
    def __init__(self, server, user, mounting, place):
        self.server = server
        self.user = user
        self.mounting = mounting
        self.place = place

    def mounted(self, keys=None, options=()):
        return self.mounting(self.user, self.place, keys, options)

    def fill(self, mailbox, messages):
        self.server.fill(self.user, mailbox, messages)

    def truth(self, mailbox="INBOX", **options):
        """Asked again if something changed meanwhile."""
        for _ in range(20):
            try:
                return self.server.truth(self.user, mailbox, **options)
            except RuntimeError as error:
                problem = error
                time.sleep(0.05)
        raise problem

    def exists(self, mailbox):
        with self.server.connect(self.user) as connection:
            return connection.select(imapbox.quote(mailbox), readonly=True)[0] == "OK"

    def mailboxes(self):
        with self.server.connect(self.user) as connection:
            return sorted(line.decode().rpartition(' "/" ')[2].strip('"')
                          for line in connection.list()[1] if line)

    def holds(self, mailbox, octets):
        """Waits until the mailbox has these messages, no more and no fewer; gives the truth."""
        expected = sorted(map(digest, octets))

        def found():
            if not self.exists(mailbox):
                return None
            return sorted(message.sha256 for message in self.truth(mailbox))
        wait_until(lambda: found() == expected,
                   lambda: f"{mailbox} has {self.truth(mailbox)}, not these "
                           f"{len(expected)}")
        return self.truth(mailbox)


def internal_date(message):
    """imapbox.Message.date in seconds since the epoch."""
    return calendar.timegm(time.gmtime(time.mktime(
        imaplib.Internaldate2tuple(f'INTERNALDATE "{message.date}"'.encode()))))
