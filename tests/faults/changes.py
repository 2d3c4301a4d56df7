# SPDX-License-Identifier: LGPL-2.1-or-later
"""What programs do to a mount in the campaigns: one change each, and what must come of it.

    do, expected = OPERATIONS["move"].prepare(writer)        # writer: see writer.py
    do()                                                     # OSError: as a program sees it

What it is not: faults; those are mount.py's.
"""

import collections
import contextlib
import dataclasses
import functools
import os
import typing

from tests.faults import stage as stages
from tests.faults.writer import Nothing, Writer
from tests.support import imapbox


def sync(path):
    """Wait for the server."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    command: str                 # on the wire
    prepare: typing.Callable     # (writer) -> (what to do, what is expected then)
    check: typing.Callable | None = None
    queued: bool = True          # it does not wait for the server: no fault makes it fail
    tidy: typing.Callable | None = None              # (writer): after each cell
    optional: bool = False       # the command may be refused: there is another way, or no need
    half: typing.Callable | None = None              # (expected, before): what it may leave amid it
    after: str = ""              # only after the first command of this name was refused for good
    nth: int = 1                 # which command of that name is broken, from then on


def _write(writer: Writer, waits=True):
    octets = stages.letter(f"w{writer.serial}")
    path = writer.directory / "Work" / f"w{writer.serial}.eml"
    sha256 = stages.digest(octets)
    writer.known[sha256] = path.name
    writer.stage.octets[sha256] = octets
    writer.history.append(f"write {path.name}")
    writer.subject = "Work", sha256

    def do():
        with open(path, "xb", buffering=0) as file:
            file.write(octets)
            if waits:
                os.fsync(file.fileno())
    return do, writer.becomes(Work=(sha256, 1))


def _move(writer, waits=True):
    there, back = writer.fullest(), writer.emptiest()
    path, sha256 = writer.pick(there)

    def do():
        writer.note(f"move {path.name}", sha256, back)
        os.rename(path, writer.directory / back / f"m{writer.serial}.eml")
        if waits:
            sync(writer.directory / back)
    return do, writer.becomes(**{there: (sha256, -1), back: (sha256, 1)})


def _copy(writer):
    path, sha256 = writer.pick("Work")
    other = writer.directory / "Target" / f"c{writer.serial}.eml"

    def do():
        with open(path, "rb") as source, open(other, "xb") as target:
            size = os.fstat(source.fileno()).st_size
            while size > 0:
                size -= os.copy_file_range(source.fileno(), target.fileno(), size)
            os.fsync(target.fileno())
    return do, writer.becomes(Target=(sha256, 1))


def _remove(writer, waits=True):
    """Into the trash, or back from there."""
    removes = len(os.listdir(writer.directory / "Trash")) == 0
    there, back = (writer.fullest(), "Trash") if removes else ("Trash", writer.emptiest())
    path, sha256 = writer.pick(there)

    def do():
        writer.note(f"remove {path.name}", sha256, back)
        if removes:
            path.unlink()
        else:
            _bring_back(writer, path, sha256, writer.directory / back / f"r{writer.serial}.eml")
        if waits:
            sync(writer.directory / there)
    return do, writer.becomes(**{there: (sha256, -1), back: (sha256, 1)})


def _bring_back(writer, path, sha256, target):
    """From the trash, where it was given another name when the server had put it there."""
    try:
        path.rename(target)
    except FileNotFoundError:
        found = next(each for each in path.parent.iterdir()
                     if stages.digest(each.read_bytes()) == sha256)
        found.rename(target)


def _flags_of_old(writer):
    (message,) = imapbox.truth(writer.stage.connection, "Old")
    return message.flags & {"\\Flagged", "\\Draft"}


def _one_flag(writer):
    """As it is before each cell: it has one of the two. A change that is refused half way leaves
    both."""
    connection, path = writer.stage.connection, next((writer.directory / "Old").iterdir())
    if len(_flags_of_old(writer)) != 1:
        imapbox._check(connection.select("Old"), "SELECT Old")
        imapbox._check(connection.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Flagged)"), "STORE")
        imapbox._check(connection.uid("STORE", "1:*", "-FLAGS.SILENT", "(\\Draft)"), "STORE")
        connection.unselect()
    wanted = _flags_of_old(writer)

    def sees():
        writer.tell("sync Old")
        found = os.getxattr(path, "user.imap.flags").decode().split()
        return {"\\Flagged", "\\Draft"} & set(found) == wanted
    imapbox.wait_for(sees, 30, "the mount to see the flags")
    writer.flags.clear()
    writer.take_stock()


def _flag(writer, waits=True):
    path, sha256 = writer.pick("Old")
    odd = "\\Flagged" not in _flags_of_old(writer) if waits else writer.serial % 2
    wanted = writer.wanted_flag = "\\Flagged" if odd else "\\Draft"

    def do():
        writer.history.append("flag")
        writer.flags.pop(sha256, None)
        os.setxattr(path, "user.imap.flags", wanted.encode())
        if waits:
            sync(path.parent)
    return do, writer.becomes()


def _flagged(writer):
    found = _flags_of_old(writer)
    return None if found == {writer.wanted_flag} else f"flags are {found}"


def _make(writer):
    name = f"Made{writer.serial}"
    return (lambda: (writer.directory / name).mkdir()), \
        {**writer.becomes(), name: collections.Counter()}


def _forget_made(writer):
    _forget(writer, "Made")


def _forget(writer, prefix):
    for name in [each for each in writer.expected if each.startswith(prefix)]:
        imapbox._check(writer.stage.connection.delete(name), f"DELETE {name}")
        del writer.expected[name]


def _directory(writer, prefix, name):
    """One whose name begins so, made by ourselves if there is none yet."""
    found = next((each for each in writer.expected if each.startswith(prefix)), None)
    if found is None:
        found = name
        writer.expected[name] = collections.Counter()
        (writer.directory / name).mkdir()
    elif not (writer.directory / found).exists():
        writer.tell("sync")
        imapbox.wait_for((writer.directory / found).exists, 30, f"{found} to be seen")
    return found


def _rename(writer):
    name = f"Named{writer.serial}"
    old = _directory(writer, "Named", f"Named{writer.serial}-0")
    expected = {each: found for each, found in writer.becomes().items() if each != old}
    return (lambda: os.rename(writer.directory / old, writer.directory / name)), \
        {**expected, name: collections.Counter()}


def _in_trash(expected, before):
    """Away, but not for good: it goes by the trash."""
    (name,) = before.keys() - expected.keys()
    return {**expected, f"Trash/{name}": collections.Counter()}


def _empty_trash(writer):
    _forget(writer, "Trash/")


def _unmake(writer):
    name = _directory(writer, "Gone", f"Gone{writer.serial}")
    expected = {each: found for each, found in writer.becomes().items() if each != name}
    return (writer.directory / name).rmdir, expected


OPERATIONS = {each.name: each for each in (
    Operation("write", "APPEND", _write),
    Operation("move", "UID MOVE", _move),
    Operation("copy", "UID COPY", _copy),
    Operation("remove", "UID MOVE", _remove),
    Operation("flag", "UID STORE", _flag, _flagged),
    Operation("make", "CREATE", _make, queued=False, tidy=_forget_made),
    Operation("rename", "RENAME", _rename, queued=False),
    Operation("unmake", "RENAME", _unmake, queued=False, tidy=_empty_trash, half=_in_trash,
              optional=True))}
# What else each of them says on the way.
MORE = tuple(dataclasses.replace(OPERATIONS[name], name=f"{name}, {title}", **changes)
             for name, title, changes in (
                 ("write", "the mark", {"command": "STATUS"}),
                 ("copy", "the mark", {"command": "STATUS"}),
                 ("flag", "the second", {"nth": 2, "tidy": _one_flag}),
                 ("make", "SUBSCRIBE", {"command": "SUBSCRIBE", "optional": True}),
                 ("unmake", "DELETE", {"command": "DELETE"})))


def _as_refused(writer):
    """Undo what a server that lets nothing be taken back made us leave: copies, and marks."""
    doubles = writer.expected["Work"] & writer.expected["Target"]
    for mailbox in ("Work", "Target"):
        messages = imapbox.truth(writer.stage.connection, mailbox)
        copies = [each.uid for each in messages if each.sha256 in doubles and mailbox == "Target"]
        marked = [each.uid for each in messages
                  if "\\Deleted" in each.flags and each.uid not in copies]
        _store(writer, mailbox, marked, "-FLAGS.SILENT")
        _store(writer, mailbox, copies, "+FLAGS.SILENT", expunge=True)
        if marked or copies:
            writer.take_stock()
            writer.catch_up()
    _see_marks(writer)


def _see_marks(writer):
    """Wait until the mount knows which messages are marked: what it finds marked it leaves so."""
    def marked(mailbox):
        found = [os.getxattr(path, "user.imap.flags")
                 for path in (writer.directory / mailbox).iterdir()]
        return sum(b"\\Deleted" in flags for flags in found)
    wanted = {mailbox: sum("\\Deleted" in each.flags
                           for each in imapbox.truth(writer.stage.connection, mailbox))
              for mailbox in ("Work", "Target")}

    def sees():
        writer.tell(*(f"sync {mailbox}" for mailbox in wanted))
        with contextlib.suppress(FileNotFoundError):
            return all(marked(mailbox) == count for mailbox, count in wanted.items())
    imapbox.wait_for(sees, 30, "the mount to see what is marked")


def _store(writer, mailbox, uids, change, expunge=False):
    connection, text = writer.stage.connection, ",".join(map(str, uids))
    if not uids:
        return
    imapbox._check(connection.select(mailbox), f"SELECT {mailbox}")
    imapbox._check(connection.uid("STORE", text, change, "(\\Deleted)"), "UID STORE")
    if expunge:
        imapbox._check(connection.uid("EXPUNGE", text), "UID EXPUNGE")
    connection.unselect()


# A server without MOVE.
STEPS = tuple(dataclasses.replace(OPERATIONS["move"], name=f"move by steps, {command}",
                                  command=command, tidy=_see_marks)
              for command in ("UID COPY", "UID STORE", "UID EXPUNGE"))
# How it takes back what it had done when the server refused the rest.
BACK = tuple(dataclasses.replace(OPERATIONS["move"], name=f"move by steps, back, {title}",
                                 command=command, nth=nth, after=after, tidy=_as_refused)
             for title, after, command, nth in (
                 ("the mark", "UID EXPUNGE", "UID STORE", 1),
                 ("what remains", "UID EXPUNGE", "UID SEARCH", 1),
                 ("the copy's mark", "UID EXPUNGE", "UID STORE", 2),
                 ("the copy", "UID EXPUNGE", "UID EXPUNGE", 1),
                 ("the copy of one unmarked", "UID STORE", "UID EXPUNGE", 1)))


# The same without waiting for the server.
QUICK = [Operation(name, "", functools.partial(prepare, waits=False)) for name, prepare in (
    ("write", _write), ("move", _move), ("remove", _remove), ("flag", _flag))]
__all__ = ["BACK", "MORE", "Nothing", "OPERATIONS", "Operation", "QUICK", "STEPS", "sync"]
