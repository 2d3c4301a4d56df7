# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rights (RFC 4314) and read-only mailboxes: modes show them, and what they forbid is refused at
once, before anything is sent."""

import contextlib
import errno
import os
import stat
import subprocess

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter
from tests.fs.test_write_files import names, refused
from tests.fs.test_write_queue import command, status
from tests.support import imapbox
from tests.support.meddler import Meddler

ALL = "lrswipkxtea"


def set_rights(desk, mailbox, rights):
    with desk.server.connect(desk.user) as connection:
        assert connection.setacl(imapbox.quote(mailbox), desk.user, rights)[0] == "OK"


def mode(directory):
    return stat.S_IMODE(directory.stat().st_mode)


@pytest.fixture
def shelf(desk):
    """A desk whose mailbox Shelf has three messages."""
    desk.fill("Shelf", [letter(number) for number in range(3)])
    desk.fill("Work", [])
    return desk


@contextlib.contextmanager
def with_rights(desk, rights, **keys):
    """The directory of Shelf in a mount, once its rights are known."""
    set_rights(desk, "Shelf", rights)
    with desk.mounted({"poll": "3600", **keys}) as directory:
        os.listdir(directory / "Shelf")
        os.listdir(directory / "Work")
        yield directory / "Shelf"


def said(*command):
    done = subprocess.run([os.fspath(part) for part in command], capture_output=True, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 1, (command, done)
    return done.stderr


def test_nothing_may_be_changed(shelf):
    before = shelf.truth("Shelf")
    with with_rights(shelf, "lr", xattr="yes") as directory:
        wait_for(lambda: mode(directory) == 0o500)
        maildir = directory.parent / ".maildir/Shelf"
        assert mode(maildir / "cur") == mode(maildir / "new") == 0o500
        listed = names(directory)
        path = directory / listed[0]
        assert "Permission denied" in said("rm", "-f", path)
        assert "Permission denied" in said("mv", path, directory.parent / "Work/moved.eml")
        assert "Permission denied" in said("touch", path)
        assert "Permission denied" in said("touch", directory / "new.eml")
        assert "Permission denied" in said("cp", path, directory / "copy.eml")
        assert "Permission denied" in said("touch", directory / ".scratch")
        assert "Permission denied" in said("mkdir", directory / "Below")
        for flags in (b"\\Seen", b"\\Flagged"):
            refused(errno.EACCES, os.setxattr, path, "user.imap.flags", flags)
        (new, *_) = (maildir / "new").iterdir()
        refused(errno.EACCES, os.rename, new, maildir / "cur" / (new.name + ":2,S"))
        assert names(directory) == listed
        assert path.read_bytes() == letter(0)
    assert shelf.truth("Shelf") == before
    assert shelf.truth("Work") == []


@pytest.mark.parametrize("rights", ["lrs", "lrw", "lri", "lrte", "lrt"])
def test_some_of_it(shelf, rights):
    """What is given works, what is not is refused; asked in a Maildir, where flags are names."""
    shown = 0o700 if set(rights) & {"i", "e"} else 0o500
    # Only a mode that changes shows that they are known: this server remembers others for a second.
    with with_rights(shelf, "lr" if shown == 0o700 else rights, poll="1") as directory:
        wait_for(lambda: os.listdir(directory) and mode(directory) == 0o500)
        set_rights(shelf, "Shelf", rights)
        wait_for(lambda: os.listdir(directory) and mode(directory) == shown)
        cur = directory.parent / ".maildir/Shelf/cur"
        (new, second, _) = sorted((cur.parent / "new").iterdir())

        def may(needed, call, *arguments):
            if set(needed) <= set(rights):
                call(*arguments)
            else:
                refused(errno.EACCES, call, *arguments)
        may("i", (directory / "new.eml").write_bytes, letter(7))
        may("s", os.rename, new, cur / (new.name + ":2,S"))
        may("w", os.rename, second, cur / (second.name + ":2,F"))
        may("te", (directory / names(directory)[0]).unlink)
        wait_for(lambda: mode(directory) == shown)
        wait_for(lambda: mode(cur) == (0o700 if set(rights) & {"i", "e", "s", "w"} else 0o500))
    def is_right():
        found = shelf.truth("Shelf")
        flags = set().union(*(message.flags for message in found))
        return (flags == {flag for flag, right in (("\\Seen", "s"), ("\\Flagged", "w"))
                          if right in rights}
                and len(found) == 3 + ("i" in rights) - ("e" in rights))
    wait_for(is_right)


def test_rights_that_change(shelf):
    with with_rights(shelf, ALL, poll="1") as directory:
        assert mode(directory) == 0o700
        (directory / "one.eml").write_bytes(letter(11))
        shelf.holds("Shelf", [*map(letter, range(3)), letter(11)])
        set_rights(shelf, "Shelf", "lr")
        wait_for(lambda: os.listdir(directory) and mode(directory) == 0o500)
        refused(errno.EACCES, (directory / "two.eml").write_bytes, letter(12))
        set_rights(shelf, "Shelf", ALL)
        wait_for(lambda: os.listdir(directory) and mode(directory) == 0o700)

        def written():
            # The server itself remembers rights for a second.
            with contextlib.suppress(PermissionError), open(directory / "three.eml", "wb") as file:
                file.write(letter(13))
                file.flush()
                os.fsync(file.fileno())
                return True
            return False
        wait_for(written)
        shelf.holds("Shelf", [*map(letter, range(3)), letter(11), letter(13)])


def test_a_refusal_teaches(shelf):
    """Rights that went a moment ago: the server refuses, and the next one is refused here."""
    with Meddler(shelf.server.imap) as between, \
            with_rights(shelf, ALL, **between.keys(), commit="server") as directory:
        assert mode(directory) == 0o700
        (directory / "one.eml").write_bytes(letter(11))
        between.answer("UID MOVE", "NO [NOPERM] not any more")
        between.answer("MYRIGHTS", "* MYRIGHTS {mailbox} lr", "OK done", having="Shelf")
        path = directory / names(directory)[0]
        refused(errno.EACCES, path.unlink)
        wait_for(lambda: mode(directory) == 0o500)
        refused(errno.EACCES, path.unlink)
        assert path.name in names(directory)
        assert len(between.sent("UID MOVE")) == 1


def flags_of(path):
    return set(os.getxattr(path, "user.imap.flags").split())


@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
def test_a_flag_that_waited(shelf, known):
    """A STORE that the rights forbid is OK to the server, which does nothing: so it is not sent,
    and rights that were not asked for since the server came back are asked for first."""
    with Meddler(shelf.server.imap) as between:
        keys = {**between.keys(), "offline": "queue", "xattr": "yes", "poll": "3600"}
        with shelf.mounted(keys) as directory:
            listed = names(directory / "Shelf")
        with shelf.mounted(keys) as directory:
            if known:
                path = directory / "Shelf" / listed[1]
                os.setxattr(path, "user.imap.flags", b"\\Flagged")
                wait_for(lambda: "\\Flagged" in shelf.truth("Shelf")[1].flags)
            stored = len(between.sent("UID STORE"))
            command(directory, "offline")
            path = directory / "Shelf" / listed[0]
            os.setxattr(path, "user.imap.flags", b"\\Answered")
            assert flags_of(path) == {b"\\Answered"}
            between.answer("MYRIGHTS", "* MYRIGHTS {mailbox} lrs", "OK done", having="Shelf")
            command(directory, "online")
            wait_for(lambda: flags_of(path) == set())
            assert status(directory)["changes pending"] == "0, failed: 0"
            assert 'takes the right "w"' in status(directory)["last change not done"]
            assert len(between.sent("UID STORE")) == stored
            os.setxattr(path, "user.imap.flags", b"\\Seen")
            wait_for(lambda: "\\Seen" in shelf.truth("Shelf")[0].flags)


def test_rights_are_asked_for_once(shelf):
    """However many flags are set."""
    with Meddler(shelf.server.imap) as between:
        with shelf.mounted({**between.keys(), "xattr": "yes", "poll": "3600"}) as directory:
            for path in sorted((directory / "Shelf").iterdir()):
                for flags in (b"\\Seen", b"\\Flagged", b"\\Seen \\Flagged"):
                    os.setxattr(path, "user.imap.flags", flags)
            wait_for(lambda: all(message.flags == {"\\Seen", "\\Flagged"}
                                 for message in shelf.truth("Shelf")))
            assert len([line for line in between.sent("MYRIGHTS") if b"Shelf" in line]) == 1


def test_a_server_that_lists_rights(shelf):
    """LIST-MYRIGHTS (RFC 8440): no MYRIGHTS is asked."""
    with Meddler(shelf.server.imap) as between:
        between.offer("LIST-MYRIGHTS")
        between.answer("LIST", '* LIST (\\HasNoChildren) "/" INBOX', "* MYRIGHTS INBOX lrswipkxte",
                       '* LIST (\\HasNoChildren) "/" Shelf', "* MYRIGHTS Shelf lr", "OK done",
                       having="MYRIGHTS")
        with shelf.mounted(between.keys()) as directory:
            assert mode(directory / "Shelf") == 0o500
            assert mode(directory / "INBOX") == 0o700
            refused(errno.EACCES, (directory / "Shelf/x.eml").write_bytes, letter(1))
            (directory / "INBOX/x.eml").write_bytes(letter(1))
            shelf.holds("INBOX", [letter(1)])
            assert between.sent("MYRIGHTS") == []


@pytest.mark.parametrize("how", ["create", "rename", "remove"])
def test_a_mailbox_that_is_read_only(shelf, how):
    """A server without ACL: the first change is refused after a SELECT, and then it is known."""
    with Meddler(shelf.server.imap) as between:
        between.hide("ACL", "RIGHTS=texk")
        between.tell("SELECT", b"[READ-WRITE]", b"[READ-ONLY]")
        with shelf.mounted({**between.keys(), "poll": "1"}) as directory:
            path = directory / "Shelf" / names(directory / "Shelf")[0]
            if how == "create":
                refused(errno.EACCES, (directory / "Shelf/x.eml").write_bytes, letter(1))
            elif how == "rename":
                refused(errno.EACCES, path.rename, directory / "Work/x.eml")
            else:
                refused(errno.EACCES, path.unlink)
            wait_for(lambda: mode(directory / "Shelf") == 0o500)
            assert between.sent("APPEND") == between.sent("UID MOVE") == []
            assert len(names(directory / "Shelf")) == 3
            between.tell("SELECT", b"", b"")
            wait_for(lambda: os.listdir(directory / "Shelf")
                     and mode(directory / "Shelf") == 0o700)
            (directory / "Shelf/x.eml").write_bytes(letter(1))
            shelf.holds("Shelf", [*map(letter, range(3)), letter(1)])
