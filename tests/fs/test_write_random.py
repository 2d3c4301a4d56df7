# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random writes, truncations, maps and reads of one file beside the mail, against a copy in memory;
and the rules of POSIX that programs rely on."""

import errno
import mmap
import os
import random

import pytest

LARGEST = 300_000


class File:
    """A file in the mount, and what must be in it."""

    def __init__(self, path, draw):
        self.path, self.draw = path, draw
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self.want = bytearray()

    def range(self):
        at = self.draw.randrange(LARGEST)
        return at, self.draw.randrange(1, 40_000)

    def write(self):
        at, size = self.range()
        octets = self.draw.randbytes(size)
        if at > len(self.want):
            self.want.extend(bytes(at - len(self.want)))
        self.want[at:at + size] = octets
        assert os.pwrite(self.fd, octets, at) == size

    def truncate(self):
        size = self.draw.randrange(LARGEST)
        del self.want[size:]
        self.want.extend(bytes(size - len(self.want)))
        os.ftruncate(self.fd, size)

    def read(self):
        at, size = self.range()
        assert os.pread(self.fd, size, at) == bytes(self.want[at:at + size])

    def map(self):
        if not self.want:
            return
        with mmap.mmap(self.fd, len(self.want)) as mapped:
            at = self.draw.randrange(len(self.want))
            octets = self.draw.randbytes(min(self.draw.randrange(1, 5000), len(self.want) - at))
            assert mapped[:] == bytes(self.want)
            mapped[at:at + len(octets)] = octets
            self.want[at:at + len(octets)] = octets
            mapped.flush()

    def reopen(self):
        os.close(self.fd)
        self.fd = os.open(self.path, os.O_RDWR)

    def sync(self):
        os.fsync(self.fd)

    def append(self):
        octets = self.draw.randbytes(100)
        if len(self.want) < LARGEST:
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            assert os.write(fd, octets) == 100
            os.close(fd)
            self.want += octets

    def check(self):
        assert os.fstat(self.fd).st_size == os.stat(self.path).st_size == len(self.want)
        assert os.pread(self.fd, LARGEST * 2, 0) == bytes(self.want)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_operations(mount, seed):
    with mount() as directory:
        os.listdir(directory / "INBOX")
        file = File(directory / "INBOX" / ".scratch", random.Random(seed))
        steps = [file.write] * 5 + [file.read] * 4 + [file.truncate, file.map, file.reopen,
                                                      file.append]
        for number in range(600):
            file.draw.choice(steps)()
            if number % 50 == 0:
                file.sync()
                file.check()
        file.check()
        os.close(file.fd)
        assert (directory / "INBOX" / ".scratch").read_bytes() == bytes(file.want)


def failing(call, *arguments):
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return errno.errorcode[caught.value.errno]


def test_rules_of_names(mount):
    with mount() as directory:
        inbox = directory / "INBOX"
        os.listdir(inbox)
        (inbox / ".file").write_bytes(b"1")
        (inbox / ".dir").mkdir()
        (inbox / ".dir" / "inner").write_bytes(b"2")
        assert failing(os.open, inbox / ("n" * 256), os.O_CREAT | os.O_WRONLY) == "ENAMETOOLONG"
        assert failing(os.mkdir, inbox / ("." + "n" * 256)) == "ENAMETOOLONG"
        assert failing(os.open, inbox / ".file" / "x", os.O_CREAT | os.O_WRONLY) == "ENOTDIR"
        assert failing(os.open, inbox / ".none" / "x", os.O_CREAT | os.O_WRONLY) == "ENOENT"
        assert failing(os.open, inbox / ".none", os.O_RDONLY) == "ENOENT"
        assert failing(os.open, inbox / ".file",
                       os.O_CREAT | os.O_EXCL | os.O_WRONLY) == "EEXIST"
        assert failing(os.mkdir, inbox / ".dir") == "EEXIST"
        assert failing(os.mkdir, inbox / ".file") == "EEXIST"
        assert failing(os.rmdir, inbox / ".dir") == "ENOTEMPTY"
        assert failing(os.rmdir, inbox / ".file") == "ENOTDIR"
        assert failing(os.unlink, inbox / ".dir") in ("EISDIR", "EPERM")
        assert failing(os.open, inbox / ".dir", os.O_WRONLY) == "EISDIR"
        assert failing(os.rmdir, inbox / ".none") == "ENOENT"
        assert failing(os.unlink, inbox / ".none") == "ENOENT"


def test_rules_of_rename(mount):
    with mount() as directory:
        inbox = directory / "INBOX"
        os.listdir(inbox)
        for name, octets in ((".a", b"a"), (".b", b"b")):
            (inbox / name).write_bytes(octets)
        for name in (".d", ".e", ".full"):
            (inbox / name).mkdir()
        (inbox / ".full" / "x").write_bytes(b"x")
        assert failing(os.rename, inbox / ".none", inbox / ".c") == "ENOENT"
        assert failing(os.rename, inbox / ".a", inbox / ".d") == "EISDIR"
        assert failing(os.rename, inbox / ".d", inbox / ".a") == "ENOTDIR"
        assert failing(os.rename, inbox / ".d", inbox / ".full") in ("ENOTEMPTY", "EEXIST")
        assert failing(os.rename, inbox / ".d", inbox / ".d" / "sub") == "EINVAL"
        os.rename(inbox / ".a", inbox / ".a")
        # The old one is gone, whoever has it open goes on reading it.
        with open(inbox / ".b", "rb") as old:
            os.rename(inbox / ".a", inbox / ".b")
            assert old.read() == b"b"
        assert (inbox / ".b").read_bytes() == b"a" and not (inbox / ".a").exists()
        os.rename(inbox / ".d", inbox / ".e")
        os.rename(inbox / ".full", inbox / ".e")
        assert (inbox / ".e" / "x").read_bytes() == b"x"
        assert not (inbox / ".d").exists() and not (inbox / ".full").exists()


def test_rules_of_open(mount):
    with mount() as directory:
        path = directory / "INBOX" / ".open"
        os.listdir(directory / "INBOX")
        path.write_bytes(b"0123456789")
        fd = os.open(path, os.O_WRONLY)
        assert failing(os.read, fd, 1) == "EBADF"
        os.close(fd)
        fd = os.open(path, os.O_RDONLY)
        assert failing(os.write, fd, b"x") == "EBADF"
        os.unlink(path)
        assert os.read(fd, 100) == b"0123456789" and os.fstat(fd).st_size == 10
        os.close(fd)
        assert not path.exists()
        path.write_bytes(b"long octets")
        os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
        assert path.stat().st_size == 0
        os.truncate(path, 5)
        assert path.read_bytes() == bytes(5)
        os.utime(path, (1_600_000_000, 1_600_000_000))
        assert path.stat().st_mtime == 1_600_000_000
        path.chmod(0o640)
        assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_beside_the_mail_outlives_the_mount(mounting, user, tmp_path):
    with mounting(user, tmp_path) as directory:
        os.listdir(directory / "INBOX")
        (directory / "INBOX" / ".index").mkdir()
        (directory / "INBOX" / ".index" / "db").write_bytes(b"of a program")
        (directory / "INBOX" / "notes.txt").write_bytes(b"mine")
    with mounting(user, tmp_path) as directory:
        assert (directory / "INBOX" / ".index" / "db").read_bytes() == b"of a program"
        assert sorted(os.listdir(directory / "INBOX")) == [".index", "notes.txt"]
