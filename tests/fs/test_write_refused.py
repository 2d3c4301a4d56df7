# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each refusal of a server is the errno of the table in docs/MOUNT.md, and is told of in status."""

import errno
import os
import pathlib
import re

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter
from tests.fs.test_write_files import names, refused
from tests.fs.test_write_queue import status
from tests.support.meddler import Meddler

FINAL = {
    "OVERQUOTA": errno.EDQUOT,
    "TOOBIG": errno.EFBIG,
    "LIMIT": errno.EFBIG,
    "NOPERM": errno.EACCES,
    "READ-ONLY": errno.EACCES,
    "TRYCREATE": errno.ENOENT,
    "NONEXISTENT": errno.ENOENT,
    "EXPUNGEISSUED": errno.ENOENT,
    "ALREADYEXISTS": errno.EEXIST,
    "CANNOT": errno.EINVAL,
    "UNKNOWN-CTE": errno.EOPNOTSUPP,
    "BADCHARSET": errno.EOPNOTSUPP,
    "CORRUPTION": errno.EIO,
    "SERVERBUG": errno.EIO,
    "CONTACTADMIN": errno.EIO,
    "AUTHORIZATIONFAILED": errno.EACCES,
    "PRIVACYREQUIRED": errno.EACCES,
    "": errno.EACCES,
}
# It stays in the queue and is tried again.
FOR_NOW = {"INUSE": errno.EBUSY, "UNAVAILABLE": errno.EAGAIN}
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/MOUNT.md"


@pytest.fixture
def between(dovecot):
    with Meddler(dovecot.imap) as meddler:
        yield meddler


def no(code):
    return f"NO [{code}] not today" if code else "NO not today"


def test_the_document_has_this_table():
    rows = dict(re.findall(r"^\| ([A-Z, -]+|none) \| `(E[A-Z]+)`", DOCUMENT.read_text(), re.M))
    found = {code.replace("none", ""): name for codes, name in rows.items()
             for code in codes.split(", ")}
    assert found == {code: errno.errorcode[number]
                     for code, number in {**FINAL, **FOR_NOW}.items()}


@pytest.mark.parametrize("code", FINAL)
def test_a_file(desk, between, code):
    with desk.mounted(between.keys()) as directory:
        between.answer("APPEND", no(code))
        with open(directory / "INBOX/x.eml", "wb", buffering=0) as file:
            file.write(letter(1))
            refused(FINAL[code], os.fsync, file.fileno())
        wait_for(lambda: names(directory / "INBOX") == [])
        (name,) = names(directory / ".mailrack/failed")
        assert (directory / ".mailrack/failed" / name).read_bytes() == letter(1)
        said = f"[{code}] not today" if code else "NO: not today"
        assert said in status(directory)["last change not done"]
        between.let("APPEND")
        (directory / ".mailrack/ctl").write_text("retry\n")
        desk.holds("INBOX", [letter(1)])


@pytest.mark.parametrize("code", FOR_NOW)
def test_a_file_for_now(desk, between, code):
    with desk.mounted(between.keys()) as directory:
        between.answer("APPEND", no(code))
        with open(directory / "INBOX/x.eml", "wb", buffering=0) as file:
            file.write(letter(1))
            refused(FOR_NOW[code], os.fsync, file.fileno())
            assert names(directory / "INBOX") == ["x.eml"]
            assert status(directory)["changes pending"] == "1, failed: 0"
            assert code in status(directory)["last change not done"]
            between.let("APPEND")
            desk.holds("INBOX", [letter(1)])
            os.fsync(file.fileno())
        assert status(directory)["changes pending"] == "0, failed: 0"


@pytest.mark.parametrize("code", ["OVERQUOTA", "NOPERM", "CANNOT", ""])
def test_a_move(desk, between, code):
    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    with desk.mounted({**between.keys(), "commit": "server"}) as directory:
        (path,) = (directory / "INBOX").iterdir()
        os.listdir(directory / "Work")
        between.answer("UID MOVE", no(code))
        refused(FINAL[code], os.rename, path, directory / "Work/moved.eml")
        wait_for(lambda: names(directory / "INBOX") == [path.name])
        assert names(directory / "Work") == []
        assert "not today" in status(directory)["last change not done"]
        between.let("UID MOVE")
        path.rename(directory / "Work/moved.eml")
        assert names(directory / "Work") == ["moved.eml"]
    desk.holds("Work", [letter(1)])


def test_a_move_of_which_nothing_can_be_taken_back(desk, between):
    """A server without MOVE that lets things be copied, but not be expunged anywhere."""
    desk.fill("INBOX", [letter(1)])
    desk.fill("Work", [])
    keys = {**between.keys(), "commit": "server", "disable_extensions": "MOVE"}
    with desk.mounted(keys) as directory:
        (path,) = (directory / "INBOX").iterdir()
        os.listdir(directory / "Work")
        between.answer("UID EXPUNGE", no("NOPERM"))
        refused(errno.EACCES, os.rename, path, directory / "Work/moved.eml")
        said = status(directory)["last change not done"]
        assert "not today" in said and "taken out of Work again" in said and "both" in said
        wait_for(lambda: names(directory / "INBOX") == [path.name])
    desk.holds("INBOX", [letter(1)])
    desk.holds("Work", [letter(1)])
    assert [each.flags for each in desk.truth("INBOX")] == [set()]


def test_an_expunge(desk, between):
    desk.fill("Trash", [letter(1)])
    keys = {**between.keys(), "commit": "server", "purge": "yes"}
    with desk.mounted(keys) as directory:
        (path,) = (directory / "Trash").iterdir()
        between.answer("UID EXPUNGE", no("NOPERM"))
        refused(errno.EACCES, path.unlink)
        wait_for(lambda: names(directory / "Trash") == [path.name])
    assert [each.flags for each in desk.truth("Trash")] == [set()]


@pytest.mark.parametrize("code", ["NOPERM", "UNAVAILABLE"])
def test_flags(desk, between, code):
    desk.fill("INBOX", [letter(1)])
    with desk.mounted({**between.keys(), "commit": "server", "xattr": "yes"}) as directory:
        (path,) = (directory / "INBOX").iterdir()
        between.answer("UID STORE", no(code))
        # setxattr(2) has no EAGAIN: Linux takes it for something of its own.
        refused(FINAL.get(code, errno.EBUSY), os.setxattr, path, "user.imap.flags", b"\\Flagged")
        assert "not today" in status(directory)["last change not done"]
        between.let("UID STORE")
        if code in FINAL:
            wait_for(lambda: os.getxattr(path, "user.imap.flags") == b"")
        else:
            wait_for(lambda: desk.truth("INBOX")[0].flags == {"\\Flagged"})


@pytest.mark.parametrize("code, number", [("ALREADYEXISTS", errno.EEXIST),
                                          ("NOPERM", errno.EACCES), ("CANNOT", errno.EINVAL),
                                          ("LIMIT", errno.EFBIG), ("INUSE", errno.EBUSY)])
def test_a_mailbox(desk, between, code, number):
    with desk.mounted(between.keys()) as directory:
        between.answer("CREATE", no(code))
        refused(number, os.mkdir, directory / "New")
        between.let("CREATE")
        os.mkdir(directory / "New")
        assert desk.exists("New")
