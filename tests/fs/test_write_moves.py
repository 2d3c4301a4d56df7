# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mail moved, removed and copied, mailboxes made, renamed and removed; nothing is ever lost."""

import errno
import os
import shutil
import subprocess

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter, run
from tests.fs.test_write_files import names, refused


def only(directory):
    (path,) = directory.iterdir()
    return path


def figure(directory, name):
    for line in (directory / ".mailrack/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ": "):
            return line.partition(": ")[2]
    raise AssertionError(f"no {name} in status")


def test_mv_within_the_mount(desk):
    desk.fill("INBOX", [letter(1), letter(2)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        first, second = sorted((directory / "INBOX").iterdir())
        inode = first.stat().st_ino
        run("mv", first, directory / "Work")
        moved = directory / "Work" / first.name
        assert names(directory / "INBOX") == [second.name]
        assert names(directory / "Work") == [first.name]
        assert moved.stat().st_ino == inode
        assert moved.read_bytes() in (letter(1), letter(2))
        desk.holds("Work", [moved.read_bytes()])
        desk.holds("INBOX", [second.read_bytes()])
        wait_for(lambda: figure(directory, "changes pending") == "0, failed: 0")
        assert names(directory / "Work") == [first.name]
        assert moved.read_bytes() == desk_octets(desk, "Work")
        # And back under another name.
        moved.rename(directory / "INBOX" / "back.eml")
        assert names(directory / "INBOX") == sorted([second.name, "back.eml"])
        desk.holds("INBOX", [letter(1), letter(2)])
        desk.holds("Work", [])
    with desk.mounted() as directory:
        assert names(directory / "INBOX") == sorted([second.name, "back.eml"])


def desk_octets(desk, mailbox):
    with desk.server.connect(desk.user) as connection:
        connection.select(mailbox, readonly=True)
        return connection.fetch("1", "(BODY.PEEK[])")[1][0][1]


def test_there_and_back_before_anybody_noticed(desk):
    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        name = only(directory / "INBOX").name
        for _ in range(10):
            (directory / "INBOX" / name).rename(directory / "Work" / name)
            (directory / "Work" / name).rename(directory / "INBOX" / name)
            assert names(directory / "Work") == [] and names(directory / "INBOX") == [name]
        assert (directory / "INBOX" / name).read_bytes() == letter(1)
        desk.holds("INBOX", [letter(1)])
        desk.holds("Work", [])


def test_mv_out_of_it_and_in_again(desk, tmp_path):
    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        path = only(directory / "INBOX")
        run("mv", path, tmp_path / "out.eml")
        assert (tmp_path / "out.eml").read_bytes() == letter(1)
        desk.holds("INBOX", [])
        desk.holds("Trash", [letter(1)])
        run("mv", tmp_path / "out.eml", directory / "Work" / "in.eml")
        assert not (tmp_path / "out.eml").exists()
        desk.holds("Work", [letter(1)])


def test_an_open_file_outlives_being_moved(desk):
    desk.fill("INBOX", [letter(1, 200_000)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        path = only(directory / "INBOX")
        with open(path, "rb") as file:
            start = file.read(100)
            path.rename(directory / "Work" / path.name)
            desk.holds("Work", [letter(1, 200_000)])
            assert start + file.read() == letter(1, 200_000)
            assert os.fstat(file.fileno()).st_size == len(letter(1, 200_000))


def test_rm(desk):
    desk.fill("INBOX", [letter(1), letter(2)])
    with desk.mounted() as directory:
        first, second = sorted((directory / "INBOX").iterdir())
        gone = first.read_bytes()
        run("rm", first)
        assert names(directory / "INBOX") == [second.name]
        refused(errno.ENOENT, os.stat, first)
        desk.holds("Trash", [gone])
        desk.holds("INBOX", [second.read_bytes()])
        # In the trash it stays.
        (path,) = (directory / "Trash").iterdir()
        refused(errno.EPERM, path.unlink)
        assert desk.holds("Trash", [gone])


def test_rm_in_the_trash_with_purge(desk):
    desk.fill("INBOX", [letter(1)])
    desk.fill("Trash", [letter(2), letter(3)])
    with desk.mounted({"purge": "yes"}) as directory:
        victim = next(path for path in (directory / "Trash").iterdir()
                      if path.read_bytes() == letter(2))
        victim.unlink()
        desk.holds("Trash", [letter(3)])
        only(directory / "INBOX").unlink()
        desk.holds("Trash", [letter(3), letter(1)])


def test_no_name_is_ever_taken_twice(desk):
    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        path = only(directory / "INBOX")
        other = directory / "Work" / "other.eml"
        other.write_bytes(letter(2))
        desk.holds("Work", [letter(2)])
        refused(errno.EEXIST, path.rename, other)
        refused(errno.EPERM, path.rename, path.with_name("renamed.eml"))
        refused(errno.EEXIST, other.rename, path)
        (directory / "INBOX" / "new.part").write_bytes(letter(3))
        refused(errno.EEXIST, (directory / "INBOX" / "new.part").rename, path)
        refused(errno.EXDEV, path.rename, directory / ".maildir/INBOX/cur/x")
        refused(errno.EPERM, path.rename, directory / "Work" / ".hidden.eml")
        refused(errno.EBUSY, (directory / ".maildir/INBOX/cur").rename,
                directory / ".maildir/INBOX/old")
        desk.holds("INBOX", [letter(1)])
        desk.holds("Work", [letter(2)])


def test_copies_inside_are_made_by_the_server(desk):
    octets = letter(1, 400_000)
    desk.fill("INBOX", [octets])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        path = only(directory / "INBOX")
        # Its size is certain from here on, and nothing of it is here any more.
        assert path.read_bytes() == octets
        (directory / ".mailrack/ctl").write_text("flush-cache\n")
        before = figure(directory, "octets fetched")
        source = os.open(path, os.O_RDONLY)
        target = os.open(directory / "Work" / "copy.eml", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        assert os.copy_file_range(source, target, 1 << 30) == len(octets)
        assert os.copy_file_range(source, target, 1 << 30) == 0
        assert os.fstat(target).st_size == len(octets)
        os.close(source)
        os.close(target)
        desk.holds("Work", [octets])
        desk.holds("INBOX", [octets])
        assert figure(directory, "octets fetched") == before
        assert names(directory / "Work") == ["copy.eml"]
        assert (directory / "Work/copy.eml").read_bytes() == octets
        # Parts of it are octets like any others.
        run("dd", f"if={path}", f"of={directory}/Work/part.eml", "bs=1000", "count=3",
            "status=none")
        desk.holds("Work", [octets, octets[:3000]])
        run("cp", path, directory / "Work" / "again.eml")
        desk.holds("Work", [octets, octets, octets[:3000]])


def test_mailboxes_are_directories(desk):
    with desk.mounted() as directory:
        (directory / "Work").mkdir()
        (directory / "Work" / "2026").mkdir()
        assert {"Work", "Work/2026"} <= set(desk.mailboxes())
        refused(errno.EEXIST, (directory / "Work").mkdir)
        refused(errno.ENOTEMPTY, (directory / "Work").rmdir)
        (directory / "Work" / "2026").rename(directory / "Work" / "2027")
        assert "Work/2027" in desk.mailboxes() and "Work/2026" not in desk.mailboxes()
        assert names(directory / "Work") == ["2027"]
        (directory / "Work" / "2027" / "a.eml").write_bytes(letter(1))
        desk.holds("Work/2027", [letter(1)])
        refused(errno.ENOTEMPTY, (directory / "Work" / "2027").rmdir)
        (directory / "Work").rename(directory / "Play")
        assert (directory / "Play/2027/a.eml").read_bytes() == letter(1)
        desk.holds("Play/2027", [letter(1)])
        (directory / "Play/2027/a.eml").unlink()
        desk.holds("Play/2027", [])
        desk.holds("Trash", [letter(1)])
        wait_for(lambda: figure(directory, "changes pending") == "0, failed: 0")
        (directory / "Play/2027").rmdir()
        (directory / "Play").rmdir()
        assert not (directory / "Play").exists()
        assert "Play" not in desk.mailboxes()
        refused(errno.EBUSY, (directory / "INBOX").rmdir)
        refused(errno.EBUSY, (directory / "Trash").rmdir)


def test_rm_r_of_a_mailbox(desk):
    desk.fill("Work", list(map(letter, range(20))))
    desk.fill("Work/Old", list(map(letter, range(20, 30))))
    with desk.mounted() as directory:
        run("rm", "-r", directory / "Work")
        assert not (directory / "Work").exists()
        desk.holds("Trash", list(map(letter, range(30))))


def test_rm_rf_of_everything(desk):
    """Every message is in the trash, and the special mailboxes are still there."""
    for mailbox, numbers in (("INBOX", range(5)), ("Work", range(5, 10)), ("Work/a", range(10, 15)),
                             ("Sent", range(15, 20)), ("Trash", range(20, 25))):
        desk.fill(mailbox, list(map(letter, numbers)))
    with desk.mounted() as directory:
        done = subprocess.run(["sh", "-c", 'rm -rf "$1"/*', "sh", directory], timeout=300,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "Trash" in done.stderr
        desk.holds("Trash", list(map(letter, range(25))))
        assert {"INBOX", "Sent", "Trash", "Drafts"} <= set(desk.mailboxes())
        for mailbox in ("INBOX", "Sent"):
            desk.holds(mailbox, [])


def test_many_at_once(desk):
    desk.fill("INBOX", list(map(letter, range(300))))
    desk.fill("Work", [])
    with desk.mounted() as directory:
        paths = sorted((directory / "INBOX").iterdir())
        run("mv", *paths, directory / "Work")
        assert names(directory / "INBOX") == []
        assert len(names(directory / "Work")) == 300
        desk.holds("Work", list(map(letter, range(300))))
        desk.holds("INBOX", [])
        shutil.rmtree(directory / "Work")
        desk.holds("Trash", list(map(letter, range(300))))


def test_read_only(desk, tmp_path):
    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    (tmp_path / "x.eml").write_bytes(letter(2))
    with desk.mounted({"read_only": "yes"}) as directory:
        path = only(directory / "INBOX")
        for folder in ("INBOX", "Work", ".maildir/INBOX/cur"):
            assert (directory / folder).stat().st_mode & 0o777 == 0o500
        for call, arguments in (
                (os.unlink, (path,)), (os.rename, (path, directory / "Work" / "y.eml")),
                (os.mkdir, (directory / "News",)), (os.rmdir, (directory / "Work",)),
                (os.rename, (directory / "Work", directory / "Play")),
                ((directory / "INBOX" / "z.eml").write_bytes, (letter(3),)),
                ((directory / "INBOX" / "scratch").write_bytes, (b"x",)),
                (os.mkdir, (directory / "INBOX" / ".notmuch",)), (os.chmod, (path, 0o600)),
                (os.utime, (path, (1, 1)))):
            with pytest.raises(OSError) as caught:
                call(*arguments)
            assert caught.value.errno in (errno.EROFS, errno.EACCES), (call, arguments)
        assert names(directory / "INBOX") == [path.name]
    with desk.mounted() as directory:
        assert (directory / "INBOX").stat().st_mode & 0o777 == 0o700
    desk.holds("INBOX", [letter(1)])
