# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Maildir view: its layout and names, and that it follows what happens on the server."""

import os
import re

import pytest

from tests.fs.conftest import internal_date, uid_of, wait_for
from tests.fs.programs import digest

LETTERS = {"\\Draft": "D", "\\Flagged": "F", "$Forwarded": "P", "\\Answered": "R", "\\Seen": "S",
           "\\Deleted": "T"}
NAME = re.compile(r"(\d+)\.R([0-9a-f]{8})U(\d+)\.mailrack(?::2,([DFPRST]+))?")


def letters_of(message):
    return "".join(sorted(LETTERS[flag] for flag in message.flags if flag in LETTERS))


def parse(name):
    """(date, row, uid, letters or None)"""
    date, row, uid, letters = NAME.fullmatch(name).groups()
    return int(date), row, int(uid), letters


def maildir_uid(name):
    return parse(os.path.basename(name))[2]


def read_maildir(folder):
    """{uid: (place, letters, digest)}"""
    found = {}
    for place in ("cur", "new"):
        for entry in os.scandir(folder / place):
            _, _, uid, letters = parse(entry.name)
            with open(entry.path, "rb") as file:
                found[uid] = (place, letters or "", digest(file.read()))
    return found


def expected(truth):
    return {message.uid: ("cur" if letters_of(message) else "new", letters_of(message),
                          message.sha256) for message in truth}


def test_holds_what_the_server_has(matrix, matrix_mount, dovecot):
    for mailbox in ("INBOX", matrix.child):
        folder = matrix_mount / ".maildir" / mailbox
        assert {"cur", "new", "tmp"} <= set(os.listdir(folder))
        found = read_maildir(folder)
        assert found == expected(dovecot.truth(matrix.user, mailbox))
        assert {place for place, _, _ in found.values()} == {"cur", "new"}
        assert os.listdir(folder / "tmp") == []


def test_names(matrix, matrix_mount):
    folder = matrix_mount / ".maildir/INBOX"
    rows = set()
    for place in ("cur", "new"):
        for entry in os.scandir(folder / place):
            date, row, uid, letters = parse(entry.name)
            rows.add(row)
            assert date == internal_date(matrix.truth[uid]) == entry.stat().st_mtime
            assert (letters is None) == (place == "new")
            assert letters is None or list(letters) == sorted(set(letters))
            assert entry.stat().st_size == matrix.truth[uid].octets
    assert len(rows) == 1
    others = {parse(name)[1] for place in ("cur", "new")
              for name in os.listdir(matrix_mount / ".maildir" / matrix.child / place)}
    assert len(others) == 1 and others != rows


def test_the_same_files_as_in_the_messages_view(matrix_mount):
    """So that what the kernel has of one serves the other."""
    plain = {uid_of(entry.name): entry.inode() for entry in os.scandir(matrix_mount / "INBOX")}
    assert plain == {maildir_uid(entry.name): entry.inode() for place in ("cur", "new")
                     for entry in os.scandir(matrix_mount / ".maildir/INBOX" / place)}
    for place in ("cur", "new"):
        inodes = [entry.inode() for entry in os.scandir(matrix_mount / ".maildir/INBOX" / place)]
        assert inodes == sorted(inodes)


def test_link_counts(matrix_mount):
    for path, folders, _ in os.walk(matrix_mount / ".maildir"):
        assert os.stat(path).st_nlink == 2 + len(folders), path


def test_any_flags_resolve_and_nothing_else(matrix_mount):
    folder = matrix_mount / ".maildir/INBOX"
    name = os.listdir(folder / "new")[0]
    inode = os.stat(folder / "new" / name).st_ino
    for place in ("cur", "new"):
        for info in ("", ":2,", ":2,S", ":2,FRS", ":2,Sab"):
            assert os.stat(folder / place / (name + info)).st_ino == inode
    date, row, uid, _ = parse(name)
    for wrong in (f"{name}:1,S", f"{name}:2,S/", f"{name}:2,.", f"{name}x", f"x{name}",
                  f"{date + 1}.R{row}U{uid}.mailrack", f"{date}.R00000000U{uid}.mailrack",
                  f"{date}.R{row}U0.mailrack", f"{date}.R{row}U{uid + 100000}.mailrack",
                  f"{date}.R{row}U0{uid}.mailrack", f"{uid}.eml", "U", ":2,", ":2,S", ".mailrack"):
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            os.stat(os.path.join(folder, "cur", wrong))
    with pytest.raises(FileNotFoundError):
        os.stat(folder / "tmp" / name)


def test_the_same_after_a_remount(matrix, mounting, tmp_path):
    listings = []
    for _ in range(2):
        with mounting(matrix.user, tmp_path) as directory:
            listings.append({(place, entry.name, entry.inode()) for place in ("cur", "new")
                             for entry in os.scandir(directory / ".maildir/INBOX" / place)})
    assert listings[0] == listings[1]


def test_mailboxes_called_like_places(mount, dovecot, user, mails):
    for name in ("cur", "new/tmp", "INBOX/cur"):
        dovecot.fill(user, name, mails(2))
    with mount() as directory:
        top = directory / ".maildir"
        assert len(read_maildir(top / "%63ur")) == 2
        assert len(read_maildir(top / "%6Eew/%74mp")) == 2
        assert len(read_maildir(top / "INBOX/%63ur")) == 2
        assert os.listdir(top / "INBOX/cur") == []
        assert "cur" not in os.listdir(top)
        # Where there are no such places they are called what they are.
        assert len(os.listdir(directory / "cur")) == 2


def test_at_the_root(matrix, mounting, tmp_path, dovecot):
    with mounting(matrix.user, tmp_path, {"root": "maildir"}) as directory:
        assert read_maildir(directory / "INBOX") == expected(dovecot.truth(matrix.user))
        assert {uid_of(name) for name in os.listdir(directory / ".messages/INBOX")} \
            == set(matrix.truth)
        assert not (directory / ".maildir").exists()


# What happens on the server while it is mounted

def names(folder):
    return {place: sorted(os.listdir(folder / place)) for place in ("cur", "new")}


@pytest.fixture
def other(dovecot, user):
    """A second client, which has selected nothing yet."""
    connection = dovecot.connect(user)
    yield connection
    connection.logout()


def test_follows_flags(mount, dovecot, user, mails, other):
    dovecot.fill(user, "INBOX", [(mail.octets, "", mail.date) for mail in mails(3)])
    other.select("INBOX")
    with mount() as directory:
        folder = directory / ".maildir/INBOX"
        before = names(folder)
        assert (len(before["cur"]), len(before["new"])) == (0, 3)
        first = before["new"][0]
        times = {place: os.stat(folder / place).st_mtime_ns for place in ("cur", "new")}
        plain = os.stat(directory / "INBOX").st_mtime_ns
        inode = os.stat(folder / "new" / first).st_ino
        for change, letters in (("\\Seen", "S"), ("\\Flagged", "FS"), ("$Forwarded", "FPS"),
                                ("(\\Answered \\Draft)", "DFPRS")):
            other.store("1", "+FLAGS", change)
            wait_for(lambda: names(folder)["cur"] == [f"{first}:2,{letters}"])
            assert names(folder)["new"] == before["new"][1:]
            assert os.stat(folder / "cur" / f"{first}:2,{letters}").st_ino == inode
            for place in ("cur", "new"):
                now = os.stat(folder / place).st_mtime_ns
                assert now > times[place]
                times[place] = now
            # All the names it had.
            for stale in (f"new/{first}", f"cur/{first}:2,S", f"cur/{first}:2,FS"):
                assert os.stat(folder / stale).st_ino == inode
                assert len((folder / stale).read_bytes()) == os.stat(folder / stale).st_size
        assert os.stat(directory / "INBOX").st_mtime_ns == plain
        other.store("1", "FLAGS", "()")
        wait_for(lambda: names(folder) == before)
        other.store("1", "+FLAGS", "\\Deleted")
        wait_for(lambda: names(folder)["cur"] == [f"{first}:2,T"])
        other.expunge()
        wait_for(lambda: names(folder) == {"cur": [], "new": before["new"][1:]})
        for name in (f"new/{first}", f"cur/{first}:2,T", f"cur/{first}:2,S"):
            wait_for(lambda: not (folder / name).exists())  # pylint: disable=cell-var-from-loop


def test_an_open_file_outlives_its_name(mount, dovecot, user, mails, other):
    (mail,) = mails(1)
    dovecot.fill(user, "INBOX", [(mail.octets, "\\Seen", mail.date)])
    other.select("INBOX")
    with mount() as directory:
        cur = directory / ".maildir/INBOX/cur"
        (name,) = os.listdir(cur)
        with open(cur / name, "rb") as file:
            other.store("1", "+FLAGS", "\\Flagged")
            wait_for(lambda: os.listdir(cur) == [name.replace(":2,S", ":2,FS")])
            assert file.read() == mail.octets
            file.seek(0)
            other.store("1", "+FLAGS", "\\Deleted")
            other.expunge()
            wait_for(lambda: os.listdir(cur) == [])
            assert file.read() == mail.octets


def test_directory_times_survive_a_remount(mounting, dovecot, user, mails, other, tmp_path):
    """Or notmuch, which remembers them, would not look at what changed."""
    dovecot.fill(user, "INBOX", mails(3))
    other.select("INBOX")
    times = []
    for _ in range(2):
        with mounting(user, tmp_path) as directory:
            cur = directory / ".maildir/INBOX/cur"
            os.listdir(cur)
            times.append(os.stat(cur).st_mtime_ns)
            if len(times) == 1:
                other.store("1", "+FLAGS", "\\Flagged")
                wait_for(lambda: os.stat(cur).st_mtime_ns > times[0])
                times[0] = os.stat(cur).st_mtime_ns
    assert times[0] == times[1]


def test_flags_changed_while_it_was_not_mounted(mounting, dovecot, user, mails, other, tmp_path):
    dovecot.fill(user, "INBOX", [(mail.octets, "", mail.date) for mail in mails(3)])
    other.select("INBOX")
    with mounting(user, tmp_path) as directory:
        folder = directory / ".maildir/INBOX"
        assert len(names(folder)["new"]) == 3
        before = os.stat(folder / "cur").st_mtime_ns
    other.store("2", "+FLAGS", "(\\Seen $Forwarded)")
    with mounting(user, tmp_path) as directory:
        folder = directory / ".maildir/INBOX"
        os.listdir(folder / "cur")
        wait_for(lambda: [name.rpartition(",")[2] for name in names(folder)["cur"]] == ["PS"])
        assert os.stat(folder / "cur").st_mtime_ns > before
