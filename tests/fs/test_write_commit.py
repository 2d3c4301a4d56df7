# SPDX-License-Identifier: LGPL-2.1-or-later
"""commit = server: whoever changed something looks at the server at once, and it is there; and what
follows quickly upon a change is computed from it, not from what the server knew."""

import errno
import os

import pytest

from tests.fs.conftest import wait_for


def message(number):
    return f"From: a@b.example\r\nSubject: n{number}\r\n\r\nx\r\n".encode(), "", 1700000000


def test_it_is_there_when_it_is_answered(mount, dovecot, user):
    dovecot.fill(user, "INBOX", [message(number) for number in range(4)])
    dovecot.fill(user, "Work", [])
    truth = {each.uid: each.sha256 for each in dovecot.truth(user, "INBOX")}
    with mount(options=["-o", "commit=server,xattr=yes,names=uid"]) as directory:
        inbox = directory / "INBOX"
        os.listdir(inbox)
        (inbox / "1.eml").unlink()
        assert [each.sha256 for each in dovecot.truth(user, "Trash")] == [truth[1]]
        os.rename(inbox / "2.eml", directory / "Work" / "2.eml")
        assert [each.sha256 for each in dovecot.truth(user, "Work")] == [truth[2]]
        os.setxattr(inbox / "3.eml", "user.imap.flags", b"\\Seen \\Flagged")
        flags = {each.uid: each.flags for each in dovecot.truth(user, "INBOX")}
        assert {"\\Seen", "\\Flagged"} <= set(flags[3])
        # A file: fsync is what asks for the server.
        with open(inbox / "new.eml", "wb") as file:
            file.write(message(9)[0])
            file.flush()
            os.fsync(file.fileno())
            assert len(dovecot.truth(user, "INBOX")) == 3


def test_one_change_upon_another(mount, dovecot, user):
    dovecot.fill(user, "INBOX", [message(0)])
    with mount(options=["-o", "xattr=yes,names=uid"]) as directory:
        path = directory / "INBOX" / "1.eml"
        os.listdir(directory / "INBOX")
        for words in (b"one two", b"two three", b"three four"):
            os.setxattr(path, "user.imap.keywords", words)
            assert set(os.getxattr(path, "user.imap.keywords").split()) == set(words.split())
        os.setxattr(path, "user.imap.flags", b"\\Seen")
        os.setxattr(path, "user.imap.flags", b"\\Flagged")
        wait_for(lambda: "changes pending: 0," in (directory / ".mailrack" / "status").read_text())
    flags = set(dovecot.truth(user, "INBOX")[0].flags)
    assert {"three", "four", "\\Flagged"} <= flags
    assert not flags & {"one", "two", "\\Seen"}


def test_a_refusal_is_told_once(mounting, dovecot, tmp_path):
    """To who made the change, and not to those that come after it."""
    user = dovecot.add_user(f"small-{os.getpid()}", fields="userdb_quota_rule=*:bytes=20000")
    dovecot.fill(user, "INBOX", [message(1)])
    dovecot.fill(user, "Work", [])
    with mounting(user, tmp_path, options=["-o", "commit=server,names=uid"]) as directory:
        os.listdir(directory / "INBOX")
        (directory / "INBOX/.large").write_bytes(message(2)[0] + b"x" * 40_000)
        with pytest.raises(OSError) as caught:
            os.rename(directory / "INBOX/.large", directory / "INBOX/large.eml")
        assert caught.value.errno == errno.EDQUOT
        os.rename(directory / "INBOX/1.eml", directory / "Work/1.eml")
        os.rename(directory / "Work/1.eml", directory / "INBOX/again.eml")
        (directory / "Work").rmdir()
        place = os.open(directory / "INBOX", os.O_RDONLY)
        os.fsync(place)
        os.close(place)
