# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drafts are rewritten as files are: in place, by another file, by an editor with its backups."""

import contextlib
import errno
import os

import pytest

from tests.fs.conftest import process_of, wait_for
from tests.fs.desk import letter, run
from tests.fs.terminal import Terminal
from tests.fs.test_write_files import names, refused
from tests.fs.test_write_rights import mode, set_rights
from tests.support.meddler import Meddler

OLD = letter(1, subject="old")
NEW = OLD.replace(b"letter 1", b"letter one")


@pytest.fixture
def drafts(desk):
    """The path of a draft, flagged, in a mount."""
    desk.fill("Drafts", [(OLD, r"\Draft \Seen work", 1_500_000_000)])
    with desk.mounted() as directory:
        os.listdir(directory / "Drafts")
        yield directory / "Drafts"


def only(directory):
    (path,) = directory.iterdir()
    return path


def replaced(desk, drafts, octets, name):
    """One draft with these octets, under the same name, with its flags."""
    (message,) = desk.holds("Drafts", [octets])
    assert {"\\Draft", "\\Seen", "work"} == message.flags
    # Where an answer was lost, the server's word of the new one comes before we know it as ours.
    wait_for(lambda: names(drafts) == [name])
    assert (drafts / name).read_bytes() == octets
    assert (drafts / name).stat().st_size == len(octets)


def by_truncating(path):
    """nano, and shells."""
    with open(path, "wb") as file:
        file.write(NEW)


def by_writing_over(path):
    with open(path, "r+b") as file:
        octets = file.read()
        file.seek(0)
        file.write(octets.replace(b"letter 1", b"letter one"))
        file.truncate()


def by_sed(path):
    run("sed", "-i", "s/letter 1/letter one/", path)


def by_another_file(path):
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(NEW)
    os.replace(temporary, path)


def by_truncate_and_append(path):
    os.truncate(path, 0)
    with open(path, "ab") as file:
        file.write(NEW)


def by_fsync(path):
    with open(path, "wb") as file:
        file.write(NEW)
        file.flush()
        os.fsync(file.fileno())


def by_renaming_the_old_one(path):
    """Editors that keep a backup while they write."""
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    assert not path.exists()
    assert backup.read_bytes() == OLD
    with open(path, "xb") as file:
        file.write(NEW)
    assert backup.read_bytes() == OLD
    backup.unlink()


@pytest.mark.parametrize("how", [by_truncating, by_writing_over, by_sed, by_another_file,
                                 by_truncate_and_append, by_fsync])
def test_rewritten(how, desk, drafts):
    path = only(drafts)
    how(path)
    assert path.read_bytes() == NEW
    replaced(desk, drafts, NEW, path.name)


def test_twice_in_a_row(desk, drafts):
    path = only(drafts)
    for _ in range(5):
        by_truncating(path)
        by_another_file(path)
        by_sed(path)
    replaced(desk, drafts, NEW, path.name)


def test_saved_again_when_it_was_sent_just_now(desk, drafts):
    """The server has the first version, but nobody has heard so: what it takes flags from."""
    path = only(drafts)
    first = OLD.replace(b"letter 1", b"letter uno")
    with open(path, "wb") as file:
        file.write(first)
        file.flush()
        os.fsync(file.fileno())
    with open(path, "wb") as file:
        file.write(NEW)
    replaced(desk, drafts, NEW, path.name)


def test_with_a_backup(desk, drafts):
    path = only(drafts)
    by_renaming_the_old_one(path)
    assert path.read_bytes() == NEW
    (message,) = desk.holds("Drafts", [NEW])
    assert "\\Draft" in message.flags
    assert names(drafts) == [path.name]
    desk.holds("Trash", [OLD])


def test_opened_to_write_and_left_alone(desk, drafts):
    path = only(drafts)
    (before,) = desk.truth("Drafts")
    with open(path, "r+b") as file:
        assert file.read() == OLD
    wait_for(lambda: names(drafts) == [path.name])
    assert path.read_bytes() == OLD
    (drafts / "other.eml").write_bytes(letter(2))
    desk.holds("Drafts", [OLD, letter(2)])
    assert before in desk.truth("Drafts")


def test_a_reader_beside_the_writer(desk, drafts):
    path = only(drafts)
    with open(path, "rb") as reader:
        assert reader.read() == OLD
        by_truncating(path)
        replaced(desk, drafts, NEW, path.name)


def test_removed_while_it_is_new(desk, drafts):
    path = only(drafts)
    by_truncating(path)
    path.unlink()
    assert names(drafts) == []
    desk.holds("Drafts", [])


@pytest.mark.parametrize("how", [by_truncating, by_writing_over, by_truncate_and_append, by_fsync])
def test_the_number_stays(how, desk, drafts):
    """Whatever it is on the server: another message each time."""
    path = only(drafts)
    number = path.stat().st_ino
    uids = set()
    for _ in range(3):
        with open(path, "rb") as reader:
            how(path)
            after = looks(path)
            assert after[1] == number == os.fstat(reader.fileno()).st_ino
        assert numbers(drafts) == {path.name: number}
        uids.add(sent(desk, drafts, NEW))
        assert looks(path) == after
        assert numbers(drafts) == {path.name: number}
        assert list(numbers(drafts.parent / ".uid/Drafts").values()) == [number]
        by_writing_back(path)
        sent(desk, drafts, OLD)
        assert path.stat().st_ino == number
    assert len(uids) == 3


def by_writing_back(path):
    with open(path, "wb") as file:
        file.write(OLD)


def link_of(entry):
    with contextlib.suppress(FileNotFoundError):
        return os.readlink(entry)
    return ""


def test_nothing_stays_open(desk, drafts):
    """However often it is saved."""
    path = only(drafts)
    process = process_of(desk.place)

    def opened():
        with os.scandir(f"/proc/{process}/fd") as entries:
            return sum("/files/" in link_of(entry) for entry in entries)
    for number in range(5):
        octets = OLD + b"%d\r\n" % number
        path.write_bytes(octets)
        sent(desk, drafts, octets)
    wait_for(lambda: opened() == 0)


def test_the_number_of_a_new_one(desk, drafts):
    """As on any file system: who writes beside it and renames has made another file."""
    old = only(drafts)
    old.unlink()
    desk.holds("Drafts", [])
    path = drafts / "new.eml"
    path.write_bytes(OLD)
    first = looks(path)
    sent(desk, drafts, OLD)
    assert looks(path) == first
    temporary = drafts / "temporary"
    temporary.write_bytes(NEW)
    second = temporary.stat().st_ino
    assert second != first[1]
    os.replace(temporary, path)
    assert path.stat().st_ino == second
    sent(desk, drafts, NEW)
    assert numbers(drafts) == {path.name: second}


def test_the_number_of_a_backup(desk, drafts):
    """It is not that of what is written in its place."""
    path = only(drafts)
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_bytes(NEW)
    wait_for(lambda: agree(drafts))
    before = numbers(drafts)
    sent(desk, drafts, NEW)
    assert numbers(drafts) == before
    assert set(before) == {path.name, backup.name}
    with open(backup, "ab") as file:
        file.write(b"more\n")
    assert backup.read_bytes() == OLD + b"more\n"
    desk.holds("Trash", [OLD])


def test_the_number_of_what_goes_by_another_name(desk, drafts):
    """The draft that it began as is in the trash, with the number that it had."""
    path = only(drafts)
    with open(path, "wb") as file:
        file.write(NEW)
        file.flush()
        path.rename(drafts / "other.eml")
    wait_for(lambda: agree(drafts))
    before = numbers(drafts)
    sent(desk, drafts, NEW)
    desk.holds("Trash", [OLD])
    trash = drafts.parent / "Trash"
    wait_for(lambda: agree(trash))
    assert numbers(drafts) == before
    assert list(before) == ["other.eml"]
    assert not set(before.values()) & set(numbers(trash).values())
    assert only(trash).read_bytes() == OLD


def test_the_old_one_stays(desk):
    """The server does not let it go: there are two, and they are two files."""
    desk.fill("Drafts", [(OLD, r"\Draft", 1_500_000_000)])
    with Meddler(desk.server.imap) as between, desk.mounted(between.keys()) as directory:
        between.answer("UID EXPUNGE", "NO [NOPERM] it stays")
        path = only(directory / "Drafts")
        number = path.stat().st_ino
        by_truncating(path)
        assert path.stat().st_ino == number
        desk.holds("Drafts", [OLD, NEW])
        by_uid = directory / ".uid/Drafts"
        wait_for(lambda: len(names(by_uid)) == 2 and agree(by_uid))
        old, new = sorted(by_uid.iterdir(), key=lambda path: int(path.stem))
        # Until nobody writes it, it may be looked at as what it was going to be.
        wait_for(lambda: old.read_bytes() == OLD)
        assert new.read_bytes() == NEW
        assert old.stat().st_ino == number != new.stat().st_ino
        assert old.stat().st_size == len(OLD)


def test_an_old_one_that_may_not_go(desk):
    """As far as that is known, it is refused before anything is done."""
    desk.fill("Drafts", [(OLD, r"\Draft", 1_500_000_000)])
    set_rights(desk, "Drafts", "lr")
    with desk.mounted({"poll": "1"}) as directory:
        path = only(directory / "Drafts")
        # The server remembers rights for a second; a mode that changes shows that they are known.
        for rights, shown in (("lr", 0o500), ("lrswi", 0o700)):
            set_rights(desk, "Drafts", rights)
            wait_for(lambda: os.listdir(path.parent) and mode(path.parent) == shown)
        refused(errno.EACCES, by_truncating, path)
        refused(errno.EACCES, os.rename, path, path.with_name("other.eml"))
        assert path.read_bytes() == OLD
        (directory / "Drafts/new.eml").write_bytes(NEW)
        desk.holds("Drafts", [OLD, NEW])


@pytest.mark.parametrize("settings", ["", "set nowritebackup", "set backupcopy=yes",
                                      "set backup", "set backupcopy=no"])
def test_vim(settings, desk, drafts, tmp_path):
    path = only(drafts)
    (tmp_path / "vimrc").write_text(f"set nocompatible\n{settings}\n")
    with Terminal(tmp_path, ["vim", "-u", tmp_path / "vimrc", path],
                  env={"HOME": str(tmp_path), "TERM": "screen"}) as terminal:
        terminal.wait_for(lambda screen: any("letter 1" in line for line in screen))
        for new in ("letter uno", "letter one"):
            terminal.keys(f":%s/letter [1u].*/{new}/e", "Enter", ":w", "Enter")
            screen = terminal.wait_for(lambda screen: any("written" in line or "WARNING" in line
                                                          for line in screen))
            assert not any("WARNING" in line for line in screen), screen
            desk.holds("Drafts", [OLD.replace(b"letter 1", new.encode())])
            terminal.keys(":checktime", "Enter", ":echo 'looked'", "Enter")
            screen = terminal.wait_for(lambda screen: any("looked" in line.split("'")
                                                          or line == "looked" for line in screen))
            assert not any("W1" in line for line in screen), screen
        terminal.keys(":q", "Enter")
        terminal.wait_for_end()
    assert path.read_bytes() == NEW
    desk.holds("Drafts", [NEW])
    wait_for(lambda: [name for name in names(drafts) if not name.endswith("~")] == [path.name])


def sent(desk, drafts, octets):
    """Waits until the mount has heard what the server calls it; gives its UID."""
    (message,) = desk.holds("Drafts", [octets])
    by_uid = drafts.parent / ".uid/Drafts"
    wait_for(lambda: names(by_uid) == [f"{message.uid}.eml"])
    return message.uid


def numbers(directory):
    """Of the files in it, as a listing has them; stat(2) says the same."""
    with os.scandir(directory) as entries:
        listed = {entry.name: entry.inode() for entry in entries}
    assert listed == {name: (directory / name).stat().st_ino for name in listed}
    assert len(set(listed.values())) == len(listed)
    return listed


def agree(directory):
    with contextlib.suppress(AssertionError):
        return bool(numbers(directory))
    return False


def looks(path):
    """What editors compare to see whether somebody else has changed a file."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_mode


@pytest.mark.parametrize("options", [[], ["--backup"], ["--locking"]],
                         ids=["plain", "backup", "lock"])
def test_nano(options, desk, drafts, tmp_path):
    """Two saves; it keeps the line ends that it finds."""
    path = only(drafts)
    command = ["nano", "--ignorercfiles", *options, path]
    with Terminal(tmp_path, command, env={"HOME": str(tmp_path), "TERM": "screen"}) as terminal:
        terminal.wait_for("letter 1")
        for old, new in (("letter 1", "letter uno"), ("letter uno", "letter one")):
            terminal.keys("C-\\")
            terminal.wait_for("Search (to replace)")
            terminal.keys(old, "Enter")
            terminal.wait_for("Replace with")
            terminal.keys(new, "Enter")
            terminal.wait_for("Replace this instance")
            terminal.keys("a")
            terminal.wait_for(new)
            terminal.keys("C-s")
            # It would ask whether to go on if it took the message for somebody else's file.
            screen = terminal.wait_for(lambda lines: any("Wrote " in line or "continue" in line
                                                         for line in lines))
            assert any("Wrote " in line for line in screen), screen
            sent(desk, path.parent, OLD.replace(b"letter 1", new.encode()))
        terminal.keys("C-x")
        terminal.wait_for_end()
    assert path.read_bytes() == NEW
    if not options:
        replaced(desk, drafts, NEW, path.name)
    desk.holds("Drafts", [NEW])
    wait_for(lambda: [name for name in names(drafts) if not name.endswith("~")] == [path.name])


def test_nano_on_what_is_no_draft(desk, tmp_path):
    """It is told that it may not, and the message stays."""
    desk.fill("INBOX", [(OLD, r"\Seen", 1_500_000_000)])
    with desk.mounted() as directory:
        path = only(directory / "INBOX")
        with Terminal(tmp_path, ["nano", "--ignorercfiles", path],
                      env={"HOME": str(tmp_path), "TERM": "screen"}) as terminal:
            terminal.wait_for("letter 1")
            terminal.keys("x", "C-s")
            terminal.wait_for(lambda screen: any("Error writing" in line for line in screen))
            terminal.keys("C-x")
            terminal.wait_for("Save modified buffer")
            terminal.keys("n")
            terminal.wait_for_end()
        assert path.read_bytes() == OLD
        (message,) = desk.holds("INBOX", [OLD])
        assert message.flags == {"\\Seen"}
