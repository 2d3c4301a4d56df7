# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which faults meet programs that write to a mount: the rows of that campaign.

    for title, run in rows(writer, operations, whole=False):
        tally = run()

Short: some octets of both streams; whole: every octet, and each of the slower faults where
something is different for the server or for us: at both ends of the command and of its answer, at
their first and last octets, and at three places in between.

What it is not: the judgement; that is writer.py's.
"""

import collections
import errno
import functools
import imaplib
import itertools
import random

from tests.faults import stage as stages
from tests.faults.campaign import Tally
from tests.faults.changes import BACK, MORE, OPERATIONS, QUICK, STEPS
from tests.faults.writer import Nothing, Writer, Wrong, either, only
from tests.support import imapbox
from tests.support.faultproxy import Fault

__all__ = ["BACK", "MORE", "OPERATIONS", "STEPS", "Writer", "bursts", "rows", "sweep"]

# With its index of mailboxes Dovecot's sessions may go on listing them as they were when another
# one renamed and removed some, and leave out what they made themselves.
SETTINGS = "mailbox_list_index = no\n"
CUTS = (("F2", "up"), ("F2", "down"), ("F3", "up"), ("F3", "down"), ("F8", "down"),
        ("F16", "up"), ("F16", "down"))
# What a server may answer, and what a program hears of it.
FINAL = {"OVERQUOTA": errno.EDQUOT, "LIMIT": errno.EFBIG, "TOOBIG": errno.EFBIG,
         "NOPERM": errno.EACCES, "TRYCREATE": errno.ENOENT, "NONEXISTENT": errno.ENOENT,
         "ALREADYEXISTS": errno.EEXIST, "CANNOT": errno.EINVAL}
FOR_NOW = ("UNAVAILABLE", "INUSE")       # it stays queued, and is tried again


def run_cell(writer, operation, fault, **more):
    """(what the proxy saw of the command, its Tally)"""
    del writer.proxy.commands[:]
    if operation.after:
        more = {"allow": taken_back(more.get("allow"), fault)}
        if _is_refused_twice(fault):     # who may not be unmarked stays marked
            writer.flags.clear()
    wrong = writer.cell(operation, fault, **more)
    seen = [each for each in _those_meant(writer.proxy.commands, operation)
            if each.name == operation.command]
    if operation.tidy:
        operation.tidy(writer)
    tally = Tally(1, int(writer.proxy.struck))
    if wrong:
        meant = fault and fault.then or fault
        place = f"{meant.kind} {meant.direction} {meant.offset}" if meant else ""
        tally.failures.append(f"{operation.name}: {place}: {wrong}")
    return seen[operation.nth - 1] if len(seen) >= operation.nth else None, tally


def _those_meant(commands, operation):
    names = [each.name for each in commands]
    return commands[names.index(operation.after) + 1:] if operation.after in names else commands


def _is_refused_twice(fault):
    return fault is not None and fault.then is not None and fault.then.kind == "F10"


def taken_back(allow, fault):
    """What the server may have after an operation whose first half is taken back: as before; or as
    after, if we never heard that it was refused; or both if it lets nothing be taken back."""
    def allowed(expected, before):
        found = [before, *(allow or only)(expected, before)]
        if _is_refused_twice(fault):
            found.append({name: before[name] | expected[name] for name in before})
        return found
    return allowed


def make_fault(writer, operation, kind, direction="down", offset=0, **more):
    if kind == "F16":
        kind, more = "F13", {"hook": writer.kill, **more}
    fault = Fault(kind, operation.command, direction, offset, nth=operation.nth, **more)
    return refuse_first(operation, fault) if operation.after else fault


def refuse_first(operation, fault=None):
    """A server that lets it be begun only, and does that at what comes of it."""
    return Fault("F10", operation.after, code="CANNOT", then=fault)


def sweep(writer, operation, kind, direction, step, most=10000):
    """The fault at every step-th octet."""
    total = Tally()
    for offset in itertools.islice(itertools.count(0, step), most):
        fault = make_fault(writer, operation, kind, direction, offset)
        seen, tally = run_cell(writer, operation, fault)
        total += tally
        if seen is None or getattr(seen, direction) < offset:
            break
    return total


def boundaries(writer, operation):
    """(direction, offset) where something is different, after an operation that nothing meets."""
    nothing = refuse_first(operation) if operation.after else None
    seen, tally = run_cell(writer, operation, nothing)
    if seen is None or tally.failures:
        raise RuntimeError(f"{operation.name}: {tally.failures or 'does not send its command'}")
    for direction in ("up", "down"):
        size = getattr(seen, direction)
        places = {0, 1, size // 4, size // 2, size * 3 // 4, size - 2, size - 1}
        yield from ((direction, offset) for offset in (*sorted(places), None))


# ---- The rows ---------------------------------------------------------------------------------

def at_boundaries(kind, judge=None, **more):
    """A row: the fault at all of them. judge: more for writer.cell()."""
    def run(writer, operation):
        total = Tally()
        for direction, offset in list(boundaries(writer, operation)):
            fault = make_fault(writer, operation, kind, direction, offset, **more)
            total += run_cell(writer, operation, fault, **(judge or {}))[1]
        return total
    return run


def gone(writer, operation):
    """The server cannot be reached any more: it refuses, or (some seconds each) nothing answers."""
    total = Tally()
    places = [(*place, "") for place in boundaries(writer, operation)]
    places += [("up", 0, "silent"), ("up", None, "silent"), ("down", 0, "silent")]
    for direction, offset, mode in places:
        fault = make_fault(writer, operation, "F1", direction, offset, mode=mode)
        total += run_cell(writer, operation, fault, may_fail=True)[1]
    return total


def refused(writer, operation):
    total = Tally()
    for code, number in FINAL.items():
        if operation.optional or operation.after:
            fault = make_fault(writer, operation, "F10", code=code)
            total += run_cell(writer, operation, fault)[1]
            continue
        for mode in ("", "early") if operation.command == "APPEND" else ("",):
            fault = make_fault(writer, operation, "F10", code=code, mode=mode)
            wrong = writer.refused_cell(operation, fault, [number])
            if operation.tidy:
                operation.tidy(writer)
            total += Tally(1, int(writer.proxy.struck), failures=[
                f"{operation.name}: F10 {code} {mode}: {wrong}"] if wrong else [])
    for code in FOR_NOW:
        fault = make_fault(writer, operation, "F10", code=code)
        total += run_cell(writer, operation, fault, may_fail=True)[1]
    return total


def restarted(writer, operation):
    """The whole server."""
    def restart():
        writer.server.kill()
        writer.server.start()
    total = Tally()
    for direction, offset in list(boundaries(writer, operation)):
        fault = make_fault(writer, operation, "F11", direction, offset, hook=restart)
        writer.on_struck = writer.stage.reconnect
        total += run_cell(writer, operation, fault, may_fail=True)[1]
        writer.on_struck = None
    # What the proxy's thread has started ends with that thread.
    restart()
    writer.stage.reconnect()
    return total


def session_killed(writer, operation):
    total = Tally()
    for direction, offset in list(boundaries(writer, operation)):
        fault = make_fault(writer, operation, "F11", direction, offset)
        writer.on_struck = writer.stage.reconnect
        total += run_cell(writer, operation, fault)[1]
        writer.on_struck = None
    return total


def disorder(writer, operation):
    total = Tally()
    for mode in ("twice", "reversed", "shuffled"):
        fault = make_fault(writer, operation, "F14", mode=mode)
        total += run_cell(writer, operation, fault)[1]
    return total


# ---- Others who meddle ----------------------------------------------------------------------

def _without(state, mailbox, sha256):
    return {name: found - collections.Counter([sha256]) if name == mailbox else found
            for name, found in state.items()}


class Other:
    """Another client, past the proxy, and what may be there after it."""

    def __init__(self, writer, operation):
        self.writer, self.connection = writer, writer.stage.connection
        self.operation = operation

    def _uid(self):
        """Of the message that the cell is about, where it was; selects that mailbox."""
        mailbox, sha256 = self.writer.subject
        found = [each.uid for each in imapbox.truth(self.connection, mailbox)
                 if each.sha256 == sha256]
        imapbox._check(self.connection.select(mailbox), f"SELECT {mailbox}")
        return found[0] if found else None

    def _uid_command(self, *words):
        imapbox._check(self.connection.uid(*words), " ".join(words))

    def take(self):
        uid = self._uid()
        if uid:
            self._uid_command("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
            self._uid_command("EXPUNGE", str(uid))
        self.connection.unselect()

    def after_take(self, expected, before):
        mailbox, sha256 = self.writer.subject
        return [expected, _without(before, mailbox, sha256), _without(expected, mailbox, sha256)]

    def move(self):
        uid = self._uid()
        if uid:
            self._uid_command("MOVE", str(uid), "Archive")
        self.connection.unselect()

    def after_move(self, expected, before):
        found = self.after_take(expected, before)
        _, sha256 = self.writer.subject
        # The last but for others with the same octets that stay where they are.
        return [expected, *({**each, "Archive": each["Archive"] + collections.Counter([sha256])}
                            for each in (*found[1:], expected))]

    def mark(self):
        uid = self._uid()
        if uid:
            self._uid_command("STORE", str(uid), "+FLAGS.SILENT", "(\\Answered)")
            self._note_mark(self.writer.subject[1])
        self.connection.unselect()

    def _note_mark(self, sha256):
        # What is copied first and expunged then goes without flags that it got in between.
        if self.operation in STEPS:
            self.writer.flags.pop(sha256, None)
        elif sha256 in self.writer.flags:
            self.writer.flags[sha256] |= {"\\Answered"}

    def after_mark(self, expected, _before):
        return [expected]

    def renew(self):
        """Dovecot destroys a mailbox that is made anew while another session has the old one
        selected (also where both are other clients; whatever the storage), so that none may."""
        self.writer.proxy.kill_sessions()
        self.writer.stage.renew(self.writer.subject[0])

    def after_renew(self, expected, before):
        """What was sent may be there twice; what is moved by steps too, or not at all done."""
        mailbox, sha256 = self.writer.subject
        if not before[mailbox][sha256]:
            return [expected, {**expected, mailbox: expected[mailbox]
                               + collections.Counter([sha256])}]
        both = {name: before[name] | expected[name] for name in before}
        return [expected, before, both]


def meddled(what):
    def run(writer, operation):
        total = Tally()
        other = Other(writer, operation)
        hook, allow = getattr(other, what), getattr(other, f"after_{what}")
        kind = "F12" if what == "renew" else "F13"
        for direction, offset in list(boundaries(writer, operation)):
            if direction == "up" and offset is None:
                continue                 # the server is at work while this happens to it
            replenish(writer, "Work", 3)
            writer.catch_up()
            before = writer.inodes()
            fault = make_fault(writer, operation, kind, direction, offset, hook=hook)
            seen, tally = run_cell(writer, operation, fault, allow=allow, may_fail=True)
            # It was shorter than the one that was measured: the server was at work then too.
            whole = direction == "up" and seen is not None and seen.whole
            total += Tally(tally.runs) if whole else tally
            renewed = writer.subject[0] if what == "renew" and writer.proxy.struck else None
            if renewed:
                replenish(writer, renewed, 1)
            writer.catch_up(renewed, before)
        return total
    return run


def replenish(writer, mailbox, least):
    """Messages for those that others took, or by which to see that it is another mailbox."""
    missing = least - writer.expected[mailbox].total()
    for number in range(missing):
        octets = stages.letter(f"more{writer.serial}-{number}")
        writer.stage.octets[stages.digest(octets)] = octets
        imapbox._check(writer.stage.connection.append(mailbox, None, None, octets), "APPEND")
    if missing > 0:
        writer.take_stock()


AT_BOUNDARIES = (
    ("F1, gone", gone), ("F4, closed", at_boundaries("F4")), ("F9, BYE", at_boundaries("F9")),
    ("F5, silence", at_boundaries("F5", {"may_fail": True})),
    ("F6, a pause", at_boundaries("F6", seconds=0.1)),
    ("F7, single octets", at_boundaries("F7")), ("F10, refused", refused),
    ("F11, session killed", session_killed), ("F11, server restarted", restarted),
    ("F14, disorder", disorder))
OTHERS = ("renew", "take", "move", "mark")
MEDDLED = (("F12, made anew", meddled("renew")), ("F13, taken by others", meddled("take")),
           ("F13, moved by others", meddled("move")), ("F13, marked by others", meddled("mark")))
# Who changes a message that is there, or could be taken for another one.
MEDDLED_WITH = {"write": ("renew",), "copy": ("renew", "take", "move"), "flag": ("mark",)}


def _whatever(writer, run, *more):
    """run(*more), and a mount that can be used afterwards."""
    try:
        return run(*more)
    except (OSError, RuntimeError, TimeoutError, Wrong, Nothing, imaplib.IMAP4.error) as problem:
        writer.start_afresh()
        return Tally(1, 1, failures=[f"it ended with {problem!r}"])


def rows(writer, operations, whole):
    """(title, run) for each operation and fault; run() -> Tally."""
    for title, run, *more in _rows(writer, operations, whole):
        yield title, functools.partial(_whatever, writer, run, *more)


def _rows(writer, operations, whole):
    for operation in operations:
        for kind, direction in CUTS:
            yield (f"{operation.name}: {kind} {direction}", sweep, writer, operation, kind,
                   direction, 1 if whole else 31)
        if not whole:
            continue
        for title, run in AT_BOUNDARIES:
            yield f"{operation.name}: {title}", run, writer, operation
        if not operation.queued or operation.command == "STATUS":
            continue
        wanted = MEDDLED_WITH.get(operation.name.partition(",")[0], OTHERS)
        for (title, run), what in zip(MEDDLED, OTHERS):
            if what in wanted:
                yield f"{operation.name}: {title}", run, writer, operation


# ---- Many at once -----------------------------------------------------------------------------

def bursts(writer, count, seed, faults=False):
    """Kills at random moments, and random faults with them. Returns a Tally: runs are bursts."""
    draw = random.Random(seed)
    total = Tally()
    for number in range(count):
        seconds = draw.uniform(0, 0.4)
        fault = None
        if faults:
            command = draw.choice(("APPEND", "UID MOVE", "UID STORE", "STATUS"))
            fault = Fault(draw.choice(("F2", "F3", "F4", "F8")), command,
                          draw.choice(("up", "down")), draw.randrange(200))
        before = writer.serial
        wrong = writer.burst(draw.choices(QUICK, k=200), seconds, fault)
        total += Tally(1, writer.serial - before, failures=[
            f"burst {number} of seed {seed}, {seconds:.3f} s, {fault}: {wrong}"] if wrong else [])
    return total
