# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the mount share: a mounted account, and the server's mail to compare with.

    with mount() as directory: ...            # a fresh user's account
    with mounting(user, place, {...}) as d:   # any user's, in a directory of yours

`matrix` is a mailbox that no test changes, filled once for each file of tests, with the server's
octets in local files: MAILRACK_FS_MESSAGES says how many messages are in it.
"""

import contextlib
import dataclasses
import imaplib
import os
import pathlib
import re
import subprocess
import time

import pytest

from tests.fs import desk as desks
from tests.support import dovecot as private_dovecot, imapbox

MESSAGES = int(os.environ.get("MAILRACK_FS_MESSAGES", "60"))


def environment_of(home):
    """The environment of a program that may write nowhere but below home."""
    return {**os.environ, "HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            **{f"XDG_{kind}_HOME": str(home / kind.lower())
               for kind in ("CACHE", "STATE", "CONFIG", "DATA")}}


def is_mounted(directory):
    """Whether something is mounted there, dead or alive."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return any(line.split()[4] == str(directory) for line in file)


def unmount(directory, seconds=20):
    """Unmounts; for moments a mount is busy with announcing new mail to who watches it."""
    deadline = time.monotonic() + seconds
    while True:
        done = subprocess.run(["fusermount3", "-u", directory], text=True, capture_output=True,
                              timeout=30, check=False)
        if done.returncode == 0:
            return
        assert "busy" in done.stderr and time.monotonic() < deadline, done.stderr
        time.sleep(0.1)


@pytest.fixture(scope="session")
def mounting(program, dovecot):
    """with mounting(user, place, {"port": 1}, ["-o", "names=uid"]) as directory: place/mnt is a
    mount of that user's account with these keys changed; unmounted at the end, whatever
    happened.  Caches are below place: the same place again is a second mount."""
    @contextlib.contextmanager
    def make(user, place, keys=None, options=()):
        directory = place / "mnt"
        directory.mkdir(parents=True, exist_ok=True)
        found = {**dovecot.accounts(user)["DEFAULT"], **(keys or {})}
        account = private_dovecot.write_ini(place / "account.ini", {
            "DEFAULT": {key: value for key, value in found.items() if value is not None}})
        command = [program("mailrack-mount"), "--config", account, *options, directory]
        done = subprocess.run(command, env=environment_of(place), text=True, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        try:
            yield directory
        finally:
            if is_mounted(directory):
                unmount(directory)
            assert not is_mounted(directory)
    return make


@pytest.fixture
def mount(mounting, user, tmp_path):
    """with mount({"port": 1}, ["-o", "names=uid"]) as directory: as mounting, of a fresh user."""
    return lambda keys=None, options=(): mounting(user, tmp_path, keys, options)


@pytest.fixture
def desk(dovecot, user, mounting, tmp_path):
    """desks.Desk: with desk.mounted() as directory: ...; of a fresh user."""
    return desks.Desk(dovecot, user, mounting, tmp_path)


@dataclasses.dataclass(frozen=True)
class Matrix:
    user: str
    truth: dict                  # uid -> imapbox.Message
    ground: pathlib.Path         # of UID.eml, the octets as the server gave them
    child: str                   # a mailbox with the twenty smallest of them


def special_messages():
    """Sizes at the edges of pages and requests, and octets that text tools stumble on."""
    head = b"From: Edge <edge@size.example>\r\nSubject: edge\r\n\r\n"
    for size in (4095, 4096, 4097, 131071, 131072, 131073, 1 << 20):
        line = b"0123456789abcde needle-%07d and more of it.\r\n" % size
        yield head + (line * (size // len(line) + 1))[:size - len(head)]
    yield b"Subject: no body at all\r\n\r\n"
    yield b"Subject: no end of line\r\n\r\nneedle-end"
    yield b"Subject: bare ends\n\nof lines\nneedle-bare\n"
    yield head + bytes(range(1, 256)) * 20 + b"\r\nneedle-binary\r\n"
    yield (b"Subject: =?utf-8?q?H=C3=A9l=C3=A8ne?=\r\n\r\n"
           b"RFC822.SIZE 17 needle-h\xc3\xa9l\xc3\xa8ne\r\n")


def fetch_ground(connection, mailbox, directory):
    """The octets of every message, in files."""
    connection.select(imapbox.quote(mailbox), readonly=True)
    for part in connection.fetch("1:*", "(UID BODY.PEEK[])")[1]:
        if isinstance(part, tuple):
            uid = re.search(rb"\bUID (\d+)", part[0])[1].decode()
            (directory / f"{uid}.eml").write_bytes(part[1])


@pytest.fixture(scope="module")
def matrix(dovecot, mails, tmp_path_factory, request):
    """A Matrix; when the file's tests are done its flags must be what they were."""
    user = dovecot.add_user(f"matrix-{request.module.__name__.rpartition('.')[2]}-{os.getpid()}")
    messages = [tuple(mail) for mail in mails(MESSAGES, largest=60_000)]
    # In between, so that they are neither the first nor the last.
    middle = len(messages) // 2
    messages[middle:middle] = [(octets, "", 1_600_000_000 + index)
                               for index, octets in enumerate(special_messages())]
    dovecot.fill(user, "INBOX", messages)
    dovecot.fill(user, "Work/2026", sorted(messages, key=lambda message: len(message[0]))[:20])
    ground = tmp_path_factory.mktemp("ground")
    with dovecot.connect(user) as connection:
        fetch_ground(connection, "INBOX", ground)
    truth = {message.uid: message for message in dovecot.truth(user)}
    assert len(truth) == len(messages) == len(os.listdir(ground))
    yield Matrix(user, truth, ground, "Work/2026")
    after = {message.uid: message for message in dovecot.truth(user, bodies=False)}
    assert {uid: message.flags for uid, message in after.items()} \
        == {uid: message.flags for uid, message in truth.items()}, "reading changed flags"


@pytest.fixture(scope="module")
def matrix_mount(matrix, mounting, tmp_path_factory):
    """matrix.user's account, mounted once for a file of tests."""
    with mounting(matrix.user, tmp_path_factory.mktemp("mounted")) as directory:
        yield directory


def uid_of(name):
    """The UID in a file's name, of the messages view, the .uid view or the ground."""
    return int(re.fullmatch(r"(?:.*\.)?(\d+)\.eml", os.path.basename(name))[1])


def internal_date(message):
    """imapbox.Message.date in seconds since the epoch."""
    return time.mktime(imaplib.Internaldate2tuple(f'INTERNALDATE "{message.date}"'.encode()))


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def process_of(place):
    """The process that holds the cache; skips the test if it was built with a sanitizer."""
    [lock] = (place / "cache" / "mailrack").glob("*/lock")
    pid = int(re.search(r"\(process (\d+)\)", lock.read_text(encoding="utf-8"))[1])
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    if re.search(r"lib[alt]san", maps):
        pytest.skip("a sanitizer takes memory of its own for each allocation")
    return pid
