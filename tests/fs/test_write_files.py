# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files dropped into a mount become mail: each program's way to write one, and what stays here."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from tests.fs.desk import internal_date, letter, run, wait_until

DATE = 1_500_000_000


@pytest.fixture
def source(tmp_path):
    """A directory of three messages as files, with dates."""
    directory = tmp_path / "source"
    directory.mkdir()
    for number in range(3):
        path = directory / f"letter-{number}.eml"
        path.write_bytes(letter(number, 20_000 * number))
        os.utime(path, (DATE + number, DATE + number))
    return directory


def names(directory):
    return sorted(os.listdir(directory))


def octets_of(directory):
    return [path.read_bytes() for path in sorted(directory.iterdir()) if path.is_file()]


def settled(desk, directory, octets):
    """The server has it, and what the mount shows is the same, under the programs' names."""
    truth = desk.holds("INBOX", octets)
    assert sorted(path.read_bytes() for path in (directory / "INBOX").iterdir()) == sorted(octets)
    return truth


def refused(number, call, *arguments):
    with pytest.raises(OSError) as caught:
        call(*arguments)
    assert caught.value.errno == number, caught.value


def test_cp(desk, source):
    with desk.mounted() as directory:
        inbox = directory / "INBOX"
        run("cp", *source.iterdir(), inbox)
        assert names(inbox) == names(source)
        settled(desk, directory, octets_of(source))
        assert names(inbox) == names(source)


def test_cp_a_keeps_dates(desk, source):
    with desk.mounted() as directory:
        run("cp", "-a", f"{source}/.", directory / "INBOX")
        truth = settled(desk, directory, octets_of(source))
        assert sorted(internal_date(message) for message in truth) == [DATE, DATE + 1, DATE + 2]
        assert [os.stat(directory / "INBOX" / name).st_mtime for name in names(source)] \
            == [DATE, DATE + 1, DATE + 2]


def test_names_outlive_the_process(desk, source):
    with desk.mounted() as directory:
        run("cp", *source.iterdir(), directory / "INBOX")
        settled(desk, directory, octets_of(source))
    for _ in range(2):
        with desk.mounted() as directory:
            assert names(directory / "INBOX") == names(source)
            for path in source.iterdir():
                assert (directory / "INBOX" / path.name).read_bytes() == path.read_bytes()
    desk.holds("INBOX", octets_of(source))


def by_cat(path, octets):
    with open(path, "wb") as file:
        subprocess.run(["cat"], input=octets, stdout=file, check=True, timeout=60)


def by_dd(path, octets):
    subprocess.run(["dd", f"of={path}", "bs=1000", "conv=fsync", "status=none"], input=octets,
                   check=True, timeout=60)


def by_shell_in_pieces(path, octets):
    """A FLUSH before anything was written, and one after a part that looks whole."""
    first, second = (path.parent.parent.parent / name for name in ("first", "second"))
    first.write_bytes(octets[:len(octets) // 2])
    second.write_bytes(octets[len(octets) // 2:])
    run("sh", "-c", '{ cat "$1"; (exit); cat "$2"; } >"$3"', "sh", first, second, path)


def by_install(path, octets):
    with tempfile.NamedTemporaryFile(suffix=".eml") as file:
        file.write(octets)
        file.flush()
        run("install", "-m", "644", file.name, path)


def by_temporary_name(path, octets):
    """As careful programs do."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(octets)
    os.replace(file.name, path)


def by_hidden_name(path, octets):
    hidden = path.with_name("." + path.name + ".part")
    hidden.write_bytes(octets)
    hidden.rename(path)


def by_small_writes(path, octets):
    with open(path, "wb", buffering=0) as file:
        for at in range(0, len(octets), 777):
            file.write(octets[at:at + 777])


def by_pieces_backwards(path, octets):
    with open(path, "wb", buffering=0) as file:
        for at in range(0, len(octets), 5000)[::-1]:
            os.pwrite(file.fileno(), octets[at:at + 5000], at)


def by_touch_first(path, octets):
    run("touch", path)
    with open(path, "ab") as file:
        file.write(octets)


@pytest.mark.parametrize("how", [by_cat, by_dd, by_shell_in_pieces, by_install, by_temporary_name,
                                 by_hidden_name, by_small_writes, by_pieces_backwards,
                                 by_touch_first])
def test_one_file(how, desk):
    octets = letter(7, 300_000)
    with desk.mounted() as directory:
        path = directory / "INBOX" / "seven.eml"
        how(path, octets)
        assert path.read_bytes() == octets
        settled(desk, directory, [octets])
        assert names(directory / "INBOX") == ["seven.eml"]
        assert path.stat().st_size == len(octets)


def test_a_large_one(desk):
    octets = letter(1, 5 << 20)
    with desk.mounted() as directory:
        (directory / "INBOX" / "large.eml").write_bytes(octets)
        settled(desk, directory, [octets])


def test_tar(desk, source, tmp_path):
    run("tar", "cf", tmp_path / "mail.tar", "-C", source, ".")
    with desk.mounted() as directory:
        run("tar", "xf", tmp_path / "mail.tar", "-C", directory / "INBOX")
        truth = settled(desk, directory, octets_of(source))
        assert sorted(internal_date(message) for message in truth) == [DATE, DATE + 1, DATE + 2]


def test_rsync_into_it(desk, source):
    with desk.mounted() as directory:
        command = ["rsync", "-rti", f"{source}/", directory / "INBOX"]
        assert len(run(*command).splitlines()) >= 3
        truth = settled(desk, directory, octets_of(source))
        assert sorted(internal_date(message) for message in truth) == [DATE, DATE + 1, DATE + 2]
        assert [line for line in run(*command).splitlines() if ".eml" in line] == []
    with desk.mounted() as directory:
        assert [line for line in run(*command).splitlines() if ".eml" in line] == []
    assert len(desk.truth()) == 3


def test_rsync_out_of_it(desk, tmp_path):
    desk.fill("INBOX", [(letter(number), "", DATE + number) for number in range(5)])
    with desk.mounted() as directory:
        command = ["rsync", "-rti", f"{directory}/INBOX/", tmp_path / "copy"]
        run(*command)
        assert sorted(octets_of(tmp_path / "copy")) == sorted(map(letter, range(5)))
        assert run(*command) == ""


def test_python_copies(desk, source):
    with desk.mounted() as directory:
        for path in source.iterdir():
            shutil.copy2(path, directory / "INBOX")
        settled(desk, directory, octets_of(source))


def test_a_tree_of_directories_becomes_mailboxes(desk, source):
    (source / "Work" / "2026").mkdir(parents=True)
    (source / "Work" / "2026" / "plan.eml").write_bytes(letter(9))
    with desk.mounted() as directory:
        run("cp", "-r", source / "Work", directory)
        desk.holds("Work/2026", [letter(9)])
        assert names(directory / "Work") == ["2026"]
    assert {"Work", "Work/2026"} <= set(desk.mailboxes())


def test_fsync_waits_for_the_server(desk):
    with desk.mounted() as directory:
        with open(directory / "INBOX" / "now.eml", "wb", buffering=0) as file:
            file.write(letter(1))
            os.fsync(file.fileno())
            assert len(desk.truth()) == 1
            # A later version takes its place.
            file.write(b"and more\r\n")
            os.fsync(file.fileno())
            assert len(desk.truth()) >= 1
        desk.holds("INBOX", [letter(1) + b"and more\r\n"])
        (directory / "INBOX" / "two.eml").write_bytes(letter(2))
        number = os.open(directory / "INBOX", os.O_RDONLY)
        wait_until(lambda: os.fsync(number) is None, lambda: "fsync of a directory")
        os.close(number)
        desk.holds("INBOX", [letter(1) + b"and more\r\n", letter(2)])


def test_what_is_not_mail_stays_here(desk):
    with desk.mounted() as directory:
        inbox = directory / "INBOX"
        (inbox / "notes.txt").write_bytes(b"notes")
        (inbox / ".hidden.eml").write_bytes(b"hidden")
        (inbox / ".notmuch").mkdir()
        (inbox / ".notmuch" / "xapian").mkdir()
        (inbox / ".notmuch" / "xapian" / "base.eml").write_bytes(b"x" * 10_000)
        (inbox / "empty.eml").touch()
        (inbox / "letter.eml").write_bytes(letter(1))
        expected = [".hidden.eml", ".notmuch", "empty.eml", "letter.eml", "notes.txt"]
        assert names(inbox) == expected
        desk.holds("INBOX", [letter(1)])
        assert names(inbox) == expected
    with desk.mounted() as directory:
        inbox = directory / "INBOX"
        assert names(inbox) == expected
        assert (inbox / "notes.txt").read_bytes() == b"notes"
        assert (inbox / ".notmuch/xapian/base.eml").read_bytes() == b"x" * 10_000
        (inbox / "notes.txt").chmod(0o640)
        os.utime(inbox / "notes.txt", (DATE, DATE))
        facts = (inbox / "notes.txt").stat()
        assert (facts.st_mode & 0o777, facts.st_mtime, facts.st_size) == (0o640, DATE, 5)
        refused(errno.ENOTEMPTY, (inbox / ".notmuch").rmdir)
        shutil.rmtree(inbox / ".notmuch")
        (inbox / "notes.txt").rename(inbox / "other.txt")
        (inbox / ".hidden.eml").unlink()
        with open(inbox / "empty.eml", "ab") as file:
            file.write(letter(2))
        desk.holds("INBOX", [letter(1), letter(2)])
        assert names(inbox) == ["empty.eml", "letter.eml", "other.txt"]
        os.truncate(inbox / "other.txt", 2)
        assert (inbox / "other.txt").read_bytes() == b"no"


def test_what_is_refused(desk):
    desk.fill("INBOX", [letter(1)])
    with desk.mounted() as directory:
        inbox = directory / "INBOX"
        (name,) = names(inbox)
        message = inbox / name
        refused(errno.EEXIST, os.open, message, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):
            refused(errno.EACCES, os.open, message, flags)
        refused(errno.EACCES, os.truncate, message, 0)
        refused(errno.EPERM, os.link, message, inbox / "second.eml")
        refused(errno.EPERM, os.symlink, message, inbox / "second.eml")
        refused(errno.EPERM, os.mkfifo, inbox / "pipe")
        refused(errno.ENAMETOOLONG, (inbox / ("x" * 252 + ".eml")).touch)
        refused(errno.ENOTDIR, (message / "x").touch)
        refused(errno.EPERM, (directory / "at-the-root.eml").touch)
        refused(errno.EEXIST, os.mkdir, inbox)
        # Programs that copy ask for these; they are answered, and change nothing.
        before = message.stat()
        os.utime(message, (1, 1))
        message.chmod(0o400)
        os.chown(message, os.getuid(), os.getgid())
        assert message.stat().st_mtime == before.st_mtime
        (inbox / ("y" * 251 + ".eml")).write_bytes(letter(2))
        desk.holds("INBOX", [letter(1), letter(2)])


def test_removed_before_it_was_sent(desk):
    with desk.mounted() as directory:
        path = directory / "INBOX" / "never.eml"
        with open(path, "wb") as file:
            file.write(letter(1))
            file.flush()
            path.unlink()
            file.write(letter(2))
        (directory / "INBOX" / "mind.eml").write_bytes(letter(3))
        desk.holds("INBOX", [letter(3)])
        assert names(directory / "INBOX") == ["mind.eml"]


def test_closed_and_unmounted_at_once(desk):
    """What a program was told is written is on the server, now or at the next start."""
    with desk.mounted() as directory:
        for number in range(10):
            (directory / "INBOX" / f"{number}.eml").write_bytes(letter(number))
    with desk.mounted():
        desk.holds("INBOX", list(map(letter, range(10))))


def test_left_open_when_the_mount_ends(desk):
    """What was written until then is kept."""
    with desk.mounted() as directory:
        path = directory / "INBOX" / "open.eml"
        with subprocess.Popen([sys.executable, "-c", "import sys\n"
                               "f = open(sys.argv[1], 'wb', buffering=0)\n"
                               "f.write(sys.stdin.buffer.read(int(sys.argv[2])))\n"
                               "print('written', flush=True)\nsys.stdin.read()",
                               path, str(len(letter(1)))], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as program:
            program.stdin.write(letter(1))
            program.stdin.flush()
            assert program.stdout.readline() == b"written\n"
            run("fusermount3", "-u", "-z", directory)
            program.stdin.close()
    with desk.mounted():
        desk.holds("INBOX", [letter(1)])
