# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drafts are rewritten as files are: in place, by another file, by an editor with its backups."""

import os

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter, run
from tests.fs.terminal import Terminal
from tests.fs.test_write_files import names

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
    assert names(drafts) == [name]
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


@pytest.mark.parametrize("settings", ["", "set nowritebackup", "set backupcopy=yes",
                                      "set backup", "set backupcopy=no"])
def test_vim(settings, desk, drafts, tmp_path):
    path = only(drafts)
    (tmp_path / "vimrc").write_text(f"set nocompatible\n{settings}\n")
    with Terminal(tmp_path, ["vim", "-u", tmp_path / "vimrc", path],
                  env={"HOME": str(tmp_path), "TERM": "screen"}) as terminal:
        terminal.wait_for(lambda screen: any("letter 1" in line for line in screen))
        for _ in range(2):
            terminal.keys(":%s/letter 1/letter one/e", "Enter", ":w", "Enter")
            terminal.wait_for(lambda screen: any("written" in line for line in screen))
        terminal.keys(":q", "Enter")
        terminal.wait_for_end()
    assert path.read_bytes() == NEW
    desk.holds("Drafts", [NEW])
    wait_for(lambda: [name for name in names(drafts) if not name.endswith("~")] == [path.name])


def save(terminal):
    """Until nano has written. What it wrote before may be a message with a number of its own by
    now, of which nano says that somebody else has changed it; the person knows better."""
    asks = "continue saving?"
    screen = terminal.wait_for(lambda lines: any("Wrote " in line or asks in line
                                                 for line in lines))
    if any(asks in line for line in screen):
        terminal.keys("y")
        terminal.wait_for(lambda lines: any("Wrote " in line for line in lines))


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
            save(terminal)
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
