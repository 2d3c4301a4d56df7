# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that watch a directory hear of new and gone mail."""

import errno
import os
import subprocess

import pytest

from tests.fs import inotify
from tests.fs.conftest import wait_for


def deliver_and_expunge(dovecot, user):
    """UID 3 comes, UID 1 goes."""
    dovecot.deliver(user, b"From: Al <a@b.example>\r\nSubject: fresh\r\n\r\nx\r\n")
    connection = dovecot.connect(user)
    connection.select("INBOX")
    connection.store("1", "+FLAGS", r"\Deleted")
    connection.expunge()
    connection.logout()


def heard(watch, n):
    events = [watch.next() for _ in range(n)]
    assert None not in events, events
    return events


def test_new_and_gone_mail(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    with mount({"poll": "0.5"}) as directory:
        inbox = directory / "INBOX"
        (first,) = (name for name in os.listdir(inbox) if name.endswith(".1.eml"))
        with inotify.Watch(inbox) as watch, inotify.Watch(directory) as top, \
                open(inbox / first, "rb") as still_open:
            before = still_open.read(1)
            deliver_and_expunge(dovecot, user)
            events = heard(watch, 2)
            (created,) = (name for mask, name in events if mask == inotify.CREATE)
            (deleted,) = (name for mask, name in events if mask == inotify.DELETE)
            assert created.endswith("_fresh.3.eml") and deleted == first
            assert b"fresh" in (inbox / created).read_bytes()
            assert sorted(os.listdir(inbox)) == sorted(
                [created, *(name for name in os.listdir(inbox) if name.endswith(".2.eml"))])
            assert len(before + still_open.read()) == os.fstat(still_open.fileno()).st_size
            connection = dovecot.connect(user)
            connection.create("News")
            assert heard(top, 1) == [(inotify.CREATE | inotify.ISDIR, "News")]
            connection.delete("News")
            assert heard(top, 1) == [(inotify.DELETE | inotify.ISDIR, "News")]
            connection.logout()
        status = (directory / ".mailrack" / "status").read_text(encoding="utf-8")
        assert "announced by inotify: 4 names, 0 left out\n" in status


def test_other_views_are_announced_once_somebody_looked_there(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    with mount() as directory:
        with inotify.Watch(directory / ".uid" / "INBOX") as watch:
            os.listdir(directory / ".uid" / "INBOX")
            deliver_and_expunge(dovecot, user)
            assert sorted(heard(watch, 2)) == [(inotify.CREATE, "3.eml"),
                                               (inotify.DELETE, "1.eml")]


def store(dovecot, user, uid, action, flags):
    connection = dovecot.connect(user)
    connection.select("INBOX")
    connection.uid("STORE", str(uid), action, flags)
    connection.logout()


def test_a_maildir_is_announced_as_programs_that_deliver_to_one_do(mount, dovecot, user):
    """New mail is renamed from tmp to new, as flags are: mutt hears nothing of what is created."""
    for number in (1, 2):
        dovecot.deliver(user, b"From: Al <a@b.example>\r\nSubject: old %d\r\n\r\nx\r\n" % number)
    with mount() as directory:
        inbox = directory / ".maildir/INBOX"
        names = {name.split("U")[1].split(".")[0]: name for name in os.listdir(inbox / "new")}
        with inotify.Watch(inbox / "tmp") as tmp, inotify.Watch(inbox / "new") as new, \
                inotify.Watch(inbox / "cur") as cur:
            dovecot.deliver(user, b"From: Al <a@b.example>\r\nSubject: fresh\r\n\r\nx\r\n")
            (_, fresh), = heard(tmp, 1)
            assert heard(new, 1) == [(inotify.MOVED_TO, fresh)] and "U3." in fresh
            assert b"fresh" in (inbox / "new" / fresh).read_bytes()

            store(dovecot, user, 2, "+FLAGS", r"(\Seen)")
            assert heard(new, 1) == [(inotify.MOVED_FROM, names["2"])]
            assert heard(cur, 1) == [(inotify.MOVED_TO, names["2"] + ":2,S")]
            store(dovecot, user, 2, "+FLAGS", r"(\Flagged)")
            assert heard(cur, 2) == [(inotify.MOVED_FROM, names["2"] + ":2,S"),
                                     (inotify.MOVED_TO, names["2"] + ":2,FS")]
            # No letter has anything to do with it.
            store(dovecot, user, 2, "+FLAGS", "(Project)")
            store(dovecot, user, 2, "-FLAGS", r"(\Seen \Flagged)")
            assert heard(cur, 1) == [(inotify.MOVED_FROM, names["2"] + ":2,FS")]
            assert heard(new, 1) == [(inotify.MOVED_TO, names["2"])]

            store(dovecot, user, 1, "+FLAGS", r"(\Deleted)")
            assert heard(new, 1) == [(inotify.MOVED_FROM, names["1"])]
            assert heard(cur, 1) == [(inotify.MOVED_TO, names["1"] + ":2,T")]
            connection = dovecot.connect(user)
            connection.select("INBOX")
            connection.expunge()
            connection.logout()
            assert heard(cur, 1) == [(inotify.DELETE, names["1"] + ":2,T")]
            assert sorted(os.listdir(inbox / "new")) == sorted([fresh, names["2"]])
            assert os.listdir(inbox / "cur") == os.listdir(inbox / "tmp") == []
            assert tmp.next(0) is None and new.next(0) is None and cur.next(0) is None


def test_a_name_that_somebody_looked_up_already_is_announced(mount, dovecot, user):
    """Onto the same file a rename does nothing, so the kernel must forget that name first."""
    dovecot.deliver(user, b"From: Al <a@b.example>\r\nSubject: old\r\n\r\nx\r\n")
    with mount() as directory:
        inbox = directory / ".maildir/INBOX"
        (name,) = os.listdir(inbox / "new")
        with inotify.Watch(inbox / "cur") as cur, \
                open(inbox / "cur" / (name + ":2,S"), "rb") as still_open:
            store(dovecot, user, 1, "+FLAGS", r"(\Seen)")
            assert heard(cur, 1) == [(inotify.MOVED_TO, name + ":2,S")]
            assert b"old" in still_open.read()
            assert b"old" in (inbox / "cur" / (name + ":2,S")).read_bytes()


def test_everybody_else_is_refused(mount, dovecot, user, mails):
    """Where nothing may be changed; the helper is above that."""
    dovecot.fill(user, "INBOX", mails(1))
    with mount({"read_only": "yes", "xattr": "yes"}) as directory:
        (name,) = os.listdir(directory / "INBOX")
        path = directory / "INBOX" / name
        attempts = [lambda: os.mknod(directory / "INBOX" / "x.2.eml"), lambda: os.unlink(path),
                    lambda: os.mkdir(directory / "News"), lambda: os.rmdir(directory / "Junk"),
                    lambda: os.rename(path, directory / "INBOX" / "y"),
                    lambda: os.link(path, directory / "INBOX" / "y"),
                    lambda: os.symlink("x", directory / "INBOX" / "y"),
                    lambda: os.truncate(path, 0), lambda: os.chmod(path, 0o600),
                    lambda: os.open(path, os.O_RDWR),
                    lambda: os.setxattr(path, "user.xdg.tags", b"home"),
                    lambda: os.open(directory / "INBOX" / "z", os.O_CREAT | os.O_WRONLY)]
        for attempt in attempts:
            with pytest.raises(OSError) as caught:
                attempt()
            assert caught.value.errno in (errno.EROFS, errno.EACCES)
        assert os.listdir(directory / "INBOX") == [name]
        with inotify.Watch(directory / "INBOX") as watch:
            dovecot.deliver(user, b"From: Al <a@b.example>\r\nSubject: fresh\r\n\r\nx\r\n")
            ((mask, _),) = heard(watch, 1)
            assert mask == inotify.CREATE


def test_it_can_be_switched_off(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    with mount({"inotify": "no"}) as directory:
        inbox = directory / "INBOX"
        os.listdir(inbox)
        with inotify.Watch(inbox) as watch:
            deliver_and_expunge(dovecot, user)
            wait_for(lambda: any(name.endswith(".3.eml") for name in os.listdir(inbox))
                     and not any(name.endswith(".1.eml") for name in os.listdir(inbox)))
            assert watch.next(0) is None
