# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a mount says of files beside their octets: extended attributes, modes, room."""

import errno
import os

import pytest

from tests.fs.conftest import wait_for


def test_extended_attributes(mount, dovecot, user):
    dovecot.fill(user, "INBOX", [(b"Subject: one\r\n\r\nx\r\n", r"\Seen work", 1700000000),
                                 (b"Subject: two\r\n\r\nx\r\n", "", 1700000000)])
    connection = dovecot.connect(user)
    connection.select("INBOX", readonly=True)
    validity = connection.response("UIDVALIDITY")[1][0]
    connection.logout()
    with mount({"xattr": "yes"}) as directory:
        one, two = sorted((directory / "INBOX").iterdir(), key=lambda path: path.stat().st_ino)
        expected = {"user.imap.uid": b"1", "user.imap.uidvalidity": validity,
                    "user.imap.flags": rb"\Seen", "user.imap.keywords": b"work",
                    "user.imap.internaldate": b"2023-11-14T22:13:20Z", "user.xdg.tags": b"work",
                    "user.mime_type": b"message/rfc822"}
        found = {name: os.getxattr(one, name) for name in os.listxattr(one)}
        assert expected.items() <= found.items()
        assert set(found) - set(expected) <= {"user.imap.modseq", "user.imap.emailid",
                                              "user.imap.threadid"}
        assert int(found["user.imap.modseq"]) > 0
        assert os.getxattr(two, "user.imap.flags") == b""
        assert "user.xdg.tags" not in os.listxattr(two)
        for name in ("user.xdg.tags", "user.other", "security.capability"):
            with pytest.raises(OSError) as caught:
                os.getxattr(two, name)
            assert caught.value.errno == errno.ENODATA
        assert os.listxattr(directory / "INBOX") == []
        connection = dovecot.connect(user)
        connection.select("INBOX")
        connection.store("2", "+FLAGS", r"\Flagged")
        connection.logout()
        wait_for(lambda: os.getxattr(two, "user.imap.flags") == rb"\Flagged")


def test_none_unless_wanted(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    with mount() as directory:
        (path,) = (directory / "INBOX").iterdir()
        with pytest.raises(OSError) as caught:
            os.getxattr(path, "user.imap.uid")
        assert caught.value.errno == errno.ENOTSUP


def test_modes_links_and_blocks(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1, largest=20000))
    dovecot.fill(user, "Work/a", mails(1))
    dovecot.fill(user, "Work/b", mails(1))
    with mount() as directory:
        inbox = (directory / "INBOX").stat()
        assert inbox.st_mode & 0o777 == 0o700 and inbox.st_nlink == 2
        assert (directory / "Work").stat().st_nlink == 4
        (path,) = (directory / "INBOX").iterdir()
        facts = path.stat()
        assert facts.st_mode & 0o777 == 0o600
        assert facts.st_blocks == (facts.st_size + 511) // 512


def test_room_is_the_quota(mount, dovecot, user, mails):
    """The tests' Dovecot gives everybody 100 GiB."""
    dovecot.fill(user, "INBOX", mails(20))
    with mount() as directory:
        def known():
            room = os.statvfs(directory)
            return room.f_blocks * room.f_frsize == 100 << 30
        wait_for(known)
        room = os.statvfs(directory)
        assert 0 < room.f_blocks - room.f_bavail < 1000
    with mount({"disable_extensions": "QUOTA"}) as directory:
        assert os.statvfs(directory).f_bavail > 1 << 30
