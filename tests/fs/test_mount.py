# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real mounts of the private Dovecot's mail, read by real programs, compared with the server."""

import hashlib
import os
import pathlib
import subprocess

import pytest

from tests.fs.conftest import wait_for


def hashes(directory):
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.glob("*.eml"))


def truth(dovecot, user, mailbox="INBOX"):
    return sorted(message.sha256 for message in dovecot.truth(user, mailbox))


def seen(dovecot, user):
    connection = dovecot.connect(user)
    connection.select("INBOX", readonly=True)
    found = connection.search(None, "SEEN")[1][0].split()
    connection.logout()
    return found


def test_attributes(mount, dovecot, user):
    text = b"From: Alice Doe <a@b.example>\r\nSubject: Budget / Q4\r\n\r\nx\r\n"
    dovecot.fill(user, "INBOX", [(text, "", 1700000000)])
    with mount() as directory:
        (name,) = os.listdir(directory / "INBOX")
        assert name == "2023-11-14T2213Z_Alice-Doe_Budget-Q4.1.eml"
        status = os.stat(directory / "INBOX" / name)
        assert int(status.st_mtime) == 1700000000
        first = status.st_ino
        with pytest.raises(OSError):
            (directory / "INBOX" / name).write_bytes(b"")
    with mount() as directory:
        assert os.stat(directory / "INBOX" / name).st_ino == first


def test_new_and_gone_mail_without_remounting(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    with mount() as directory:
        inbox = directory / "INBOX"
        assert len(os.listdir(inbox)) == 3
        dovecot.deliver(user, b"Subject: fresh\r\n\r\nnews\r\n")
        wait_for(lambda: len(os.listdir(inbox)) == 4)
        (fresh,) = (name for name in os.listdir(inbox) if "fresh" in name)
        assert b"news" in (inbox / fresh).read_bytes()
        connection = dovecot.connect(user)
        connection.select("INBOX")
        connection.store("1", "+FLAGS", "\\Deleted")
        connection.expunge()
        connection.logout()
        wait_for(lambda: len(os.listdir(inbox)) == 3)


def test_odd_mailbox_names(mount, dovecot, user, mails):
    for name in ("Work", "Work/2026", '"with space"', "Entw&APw-rfe", '"..hidden"'):
        connection = dovecot.connect(user)
        assert connection.create(name)[0] == "OK"
        connection.logout()
    dovecot.fill(user, "Work/2026", mails(2))
    with mount() as directory:
        assert {"INBOX", "Work", "with space", "Entwürfe"} <= set(os.listdir(directory))
        assert len(list((directory / "Work" / "2026").glob("*.eml"))) == 2
        top = directory.resolve()
        for path, folders, files in os.walk(directory):
            for each in folders + files:
                assert each not in (".", "..") and "/" not in each
                assert top in (pathlib.Path(path) / each).resolve().parents


def test_wrong_password_is_an_error_not_a_mount(program, account, tmp_path):
    directory = tmp_path / "mnt"
    directory.mkdir()
    command = [program("mailrack-mount"), "--config", account({"password": "wrong"}), directory]
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 77 and "AUTHENTICATIONFAILED" in done.stderr
    assert not os.path.ismount(directory)


def test_ten_thousand_messages(mount, dovecot, user, mails, tmp_path):
    messages = ((mail.octets, "", mail.date) for mail in mails(10000, largest=20000))
    dovecot.fill(user, "INBOX", messages)
    expected = truth(dovecot, user)
    with mount() as directory:
        inbox = directory / "INBOX"
        listing = subprocess.run(["ls", "-l", inbox], check=True, text=True, stdout=subprocess.PIPE,
                                 env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
        assert len(listing.splitlines()) == 10001
        assert hashes(inbox) == expected
        found = subprocess.run(["rg", "-c", "--no-filename", "", inbox], text=True, check=False,
                               stdout=subprocess.PIPE).stdout
        assert len(found.splitlines()) > 9000
    assert seen(dovecot, user) == []
