# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server with REPLACE (RFC 8508) gets a draft's new version and loses the old one at once."""

import contextlib
import errno
import os
import shutil

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import letter, wait_until
from tests.fs.terminal import Terminal
from tests.fs.test_write_drafts import (NEW, OLD, by_another_file, by_fsync, by_sed,
                                        by_truncate_and_append, by_truncating,
                                        by_writing_over, only, replaced)
from tests.fs.test_write_files import names, refused
from tests.fs.test_write_queue import status
from tests.support.faultproxy import Fault, FaultProxy
from tests.support.meddler import Meddler

FLAGS = {"\\Draft", "\\Seen", "work"}


@pytest.fixture
def between(dovecot):
    with Meddler(dovecot.imap) as meddler:
        meddler.replaces = True
        meddler.offer("REPLACE")
        yield meddler


@pytest.fixture
def mounted(desk):
    """with mounted(keys) as the path of Drafts: one flagged draft is in there."""
    desk.fill("Drafts", [(OLD, r"\Draft \Seen work", 1_500_000_000)])

    @contextlib.contextmanager
    def make(keys):
        with desk.mounted(keys) as directory:
            os.listdir(directory / "Drafts")
            yield directory / "Drafts"
    return make


def settled(drafts):
    wait_for(lambda: status(drafts.parent)["changes pending"] == "0, failed: 0")


@pytest.mark.parametrize("how", [by_truncating, by_writing_over, by_sed, by_another_file,
                                 by_truncate_and_append, by_fsync])
def test_one_command(how, desk, between, mounted):
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        (before,) = desk.truth("Drafts")
        how(path)
        replaced(desk, drafts, NEW, path.name)
        settled(drafts)
        (line,) = between.sent("UID REPLACE")
        assert b" UID REPLACE %d " % before.uid in line
        for other in ("APPEND", "UID STORE", "UID EXPUNGE", "UID MOVE"):
            assert between.sent(other) == []


@pytest.mark.skipif(shutil.which("vim") is None, reason="vim is not installed")
@pytest.mark.parametrize("settings", ["set backupcopy=yes", "set backupcopy=no"])
def test_vim(settings, desk, between, mounted, tmp_path):
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        (tmp_path / "vimrc").write_text(f"set nocompatible\n{settings}\n")
        with Terminal(tmp_path, ["vim", "-u", tmp_path / "vimrc", path],
                      env={"HOME": str(tmp_path), "TERM": "screen"}) as terminal:
            terminal.wait_for(lambda screen: any("letter 1" in line for line in screen))
            terminal.keys(":%s/letter 1/letter one/e", "Enter", ":w", "Enter")
            terminal.wait_for(lambda screen: any("written" in line for line in screen))
            terminal.keys(":q", "Enter")
            terminal.wait_for_end()
        assert path.read_bytes() == NEW
        (message,) = desk.holds("Drafts", [NEW])
        assert "\\Draft" in message.flags
        if settings == "set backupcopy=yes":
            assert message.flags == FLAGS
            settled(drafts)
            assert len(between.sent("UID REPLACE")) == 1
            assert between.sent("APPEND") == []


def test_versions_in_a_row(desk, between, mounted):
    """Each takes the place of the one before, as the server called it."""
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        for number in range(4):
            with open(path, "wb") as file:
                file.write(OLD.replace(b"letter 1", b"version %d" % number))
                file.flush()
                os.fsync(file.fileno())
        replaced(desk, drafts, OLD.replace(b"letter 1", b"version 3"), path.name)
        settled(drafts)
        assert len(between.sent("UID REPLACE")) == 4
        assert between.sent("APPEND") == between.sent("UID EXPUNGE") == []


def test_told_in_the_tagged_answer(desk, between, mounted):
    """As UIDPLUS has it, and nothing untagged."""
    between.tells_late = True
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        by_fsync(path)
        replaced(desk, drafts, NEW, path.name)
        assert len(between.sent("UID REPLACE")) == 1


def test_a_server_without(desk, mounted, dovecot):
    with Meddler(dovecot.imap) as between, mounted(between.keys()) as drafts:
        path = only(drafts)
        by_fsync(path)
        replaced(desk, drafts, NEW, path.name)
        settled(drafts)
        assert between.sent("UID REPLACE") == []
        assert len(between.sent("APPEND")) == len(between.sent("UID EXPUNGE")) == 1


@pytest.mark.parametrize("answer", ["NO not this one", "NO [CANNOT] not here",
                                    "NO [NOPERM] not yours", "BAD what is that"])
def test_refused_and_done_by_steps(answer, desk, between, mounted):
    between.answer("UID REPLACE", answer)
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        by_fsync(path)
        replaced(desk, drafts, NEW, path.name)
        settled(drafts)
        assert len(between.sent("UID REPLACE")) == len(between.sent("APPEND")) == 1
        assert len(between.sent("UID EXPUNGE")) == 1


@pytest.mark.parametrize("code, number", [("OVERQUOTA", errno.EDQUOT), ("TOOBIG", errno.EFBIG)])
def test_no_room(code, number, desk, between, mounted):
    """The old version stays, the new one is kept."""
    between.answer("UID REPLACE", f"NO [{code}] not today")
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        (before,) = desk.truth("Drafts")
        with open(path, "wb") as file:
            file.write(NEW)
            file.flush()
            refused(number, os.fsync, file.fileno())
        (name,) = names(drafts.parent / ".mailrack/failed")
        assert (drafts.parent / ".mailrack/failed" / name).read_bytes() == NEW
        assert f"[{code}] not today" in status(drafts.parent)["last change not done"]
        wait_for(lambda: path.read_bytes() == OLD)
        assert desk.truth("Drafts") == [before]
        assert between.sent("APPEND") == []
        between.let("UID REPLACE")
        (drafts.parent / ".mailrack/ctl").write_text("retry\n")
        (message,) = desk.holds("Drafts", [NEW])
        assert message.flags == FLAGS


def test_not_now(desk, between, mounted):
    between.answer("UID REPLACE", "NO [INUSE] in a moment", times=2)
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        by_truncating(path)
        replaced(desk, drafts, NEW, path.name)
        settled(drafts)
        assert len(between.sent("UID REPLACE")) == 3
        assert between.sent("APPEND") == []


@pytest.mark.parametrize("kind, direction, offset", [
    ("F2", "up", 20), ("F3", "up", 100), ("F2", "up", None), ("F2", "down", 0),
    ("F3", "down", 30), ("F8", "down", 0), ("F8", "down", None)])
def test_cut_off(kind, direction, offset, desk, between, mounted):
    """Either is there at any time, and the new one alone in the end."""
    with FaultProxy(between.port) as proxy:
        keys = {**between.keys(), "host": proxy.host, "port": proxy.port}
        with mounted(keys) as drafts:
            path = only(drafts)
            proxy.arm(Fault(kind, "UID REPLACE", direction, offset))
            by_truncating(path)
            wait_until(lambda: proxy.struck, lambda: (proxy.commands, between.lines))
            assert desk.truth("Drafts")
            replaced(desk, drafts, NEW, path.name)
            settled(drafts)
            replaced(desk, drafts, NEW, path.name)


def test_stored_but_not_replaced(desk, dovecot, mounted):
    """The connection ends when the server has the new one and not yet removed the old one."""
    with Meddler(dovecot.imap) as between, FaultProxy(dovecot.imap) as proxy:
        between.target = (proxy.host, proxy.port)
        between.replaces = True
        between.offer("REPLACE")
        with mounted(between.keys()) as drafts:
            path = only(drafts)
            proxy.arm(Fault("F8", "APPEND", "down", 0))
            by_truncating(path)
            wait_until(lambda: proxy.struck, lambda: (proxy.commands, between.lines))
            replaced(desk, drafts, NEW, path.name)
            settled(drafts)
            assert len(between.sent("UID REPLACE")) == 1
            assert between.sent("APPEND") == []


def make_anew(desk, mailbox):
    """Another mailbox of that name, with other messages under the same UIDs."""
    with desk.server.connect(desk.user) as connection:
        assert connection.delete(mailbox)[0] == "OK"
    desk.fill(mailbox, [letter(7)])


@pytest.mark.parametrize("offered", [True, False], ids=["replace", "append"])
def test_another_mailbox_of_that_name(offered, desk, between, mounted):
    """What has the UID of the old version there is a stranger, and stays."""
    if not offered:
        between.withdraw("REPLACE")
    for name in ("APPEND", "UID REPLACE"):
        between.answer(name, "NO [INUSE] in a moment")
    with mounted(between.keys()) as drafts:
        by_truncating(only(drafts))
        (before,) = desk.truth("Drafts")
    wait_until(lambda: not between.connections(), lambda: between.lines)
    for name in ("APPEND", "UID REPLACE"):
        between.let(name)
    make_anew(desk, "Drafts")
    (stranger,) = desk.truth("Drafts")
    assert stranger.uid == before.uid
    with desk.mounted(between.keys()) as directory:
        desk.holds("Drafts", [letter(7), NEW])
        settled(directory / "Drafts")
        wait_for(lambda: len(names(directory / "Drafts")) == 2)
    desk.holds("Drafts", [letter(7), NEW])


def test_moved_before_it_is_sent(desk, between, mounted):
    """Its old version is in the other folder, where a stranger has that UID."""
    desk.fill("Work", [letter(7)])
    with mounted(between.keys()) as drafts:
        path = only(drafts)
        os.listdir(drafts.parent / "Work")
        by_truncating(path)
        path.rename(drafts.parent / "Work/moved.eml")
        desk.holds("Work", [letter(7), NEW])
        settled(drafts)
        desk.holds("Work", [letter(7), NEW])
        wait_for(lambda: names(drafts) == [])
        desk.holds("Drafts", [])
