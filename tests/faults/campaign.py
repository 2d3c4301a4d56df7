# SPDX-License-Identifier: LGPL-2.1-or-later
"""Operations of the library, cut at every octet, and what the server has afterwards.

A cell is one operation with one fault: the driver (driver.c) has a warm connection, the fault is
armed, the operation runs, the server is heard out, and imaplib looks.  Of each operation there is
known what it does when it is done (once); what may be found depends on what was reported:

    OK                  once
    UNKNOWN_OUTCOME     nothing or once, or one of the steps in between that the operation names
    anything else       nothing: that is what CLOSED promises

Whatever happens, what belongs to others is as it was, and the error names operation and mailbox.

What it is not: about the mount; see mount.py.
"""

import collections
import dataclasses
import itertools
import os
import select
import subprocess
import typing

from tests.faults import stage as stages
from tests.support.dovecot import write_ini
from tests.support.faultproxy import FaultProxy

OK, STALE, UNKNOWN = 0, 13, 17
SILENT = (3, 14, 15)             # NETWORK, CLOSED, TIMEOUT: it did not happen


def changed(base, *changes):
    """base with messages put in and taken out: (mailbox, sha256, flags, how many)."""
    result = {name: collections.Counter(found) for name, found in base.items()}
    for mailbox, sha256, flags, count in changes:
        found = result.setdefault(mailbox, collections.Counter())
        found[sha256, frozenset(flags)] += count
        result[mailbox] = +found
    return result


FIRST, SECOND = (stages.digest(octets) for octets, _ in stages.BASE["Work"][:2])
FLAGS = stages.BASE["Work"][1][1]
COPIED = [("Target", FIRST, (), 1), ("Target", SECOND, FLAGS, 1)]
LEFT = [("Work", FIRST, (), -1), ("Work", SECOND, FLAGS, -1)]
MARKED = [*LEFT, ("Work", FIRST, ("\\Deleted",), 1), ("Work", SECOND, (*FLAGS, "\\Deleted"), 1)]
GONE = [("Old", stages.digest(stages.BASE["Old"][0][0]), ("\\Seen",), -1)]


def without_old(base):
    return {name: found for name, found in base.items() if name != "Old"}


@dataclasses.dataclass(frozen=True)
class Operation:
    name: str
    words: tuple                 # for the driver; "UIDS" becomes those of the first two of Work
    commands: tuple              # of the wire, each of which is cut
    once: typing.Callable        # from what there was to what is to be there
    steps: tuple = ()            # other things that an unknown outcome may leave
    repeated: bool = False       # a single fault does not make it fail
    keys: tuple = ()             # further settings of the account
    marks: bool = False          # a refusal may leave one of the steps
    mailbox: str = "Work"        # of an error


def does(*changes):
    return lambda base: changed(base, *changes)


STEPS = dict(commands=("UID COPY", "UID STORE", "UID EXPUNGE"), once=does(*COPIED, *LEFT),
             steps=(does(*COPIED), does(*COPIED, *MARKED)), keys=(("disable_extensions", "MOVE"),))
NEW = ("Work", stages.digest(stages.NEW), ("\\Seen",), 1)

OPERATIONS = {each.name: each for each in (
    Operation("append", ("append", "FILE"), ("APPEND",), does(NEW)),
    Operation("append, asked first", ("append", "FILE"), ("APPEND",), does(NEW),
              keys=(("disable_extensions", "LITERAL+,LITERAL-"),)),
    Operation("copy", ("copy", "UIDS", "Target"), ("UID COPY",), does(*COPIED)),
    Operation("move", ("move", "UIDS", "Target"), ("UID MOVE",), does(*COPIED, *LEFT)),
    Operation("move by steps", ("move", "UIDS", "Target"), **STEPS),
    Operation("store", ("store", "UIDS", "add", "\\Flagged"), ("UID STORE",),
              does(*LEFT, ("Work", FIRST, ("\\Flagged",), 1),
                   ("Work", SECOND, (*FLAGS, "\\Flagged"), 1)), repeated=True),
    Operation("store less", ("store", "UIDS", "remove", "$Project"), ("UID STORE",),
              does(("Work", SECOND, FLAGS, -1), ("Work", SECOND, ("\\Seen",), 1)), repeated=True),
    Operation("store anew", ("store", "UIDS", "replace", "\\Flagged"), ("UID STORE",),
              does(*LEFT, ("Work", FIRST, ("\\Flagged",), 1),
                   ("Work", SECOND, ("\\Flagged",), 1))),
    Operation("expunge", ("expunge", "UIDS"), ("UID STORE", "UID EXPUNGE"), does(*LEFT),
              steps=(does(*MARKED),), marks=True),
    Operation("create", ("create", "New"), ("CREATE",), does(("New", FIRST, (), 0)),
              mailbox="New"),
    Operation("rename", ("rename", "Old", "New"), ("RENAME",),
              lambda base: {**without_old(base), "New": base["Old"]}, mailbox="Old"),
    Operation("delete", ("delete", "Old"), ("DELETE",), without_old, mailbox="Old"),
)}


class Driver:
    """The program at the other end of the proxy."""

    def __init__(self, program, config, environment):
        self.child = subprocess.Popen([program, config], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, env=environment)
        self._read()

    def send(self, *words):
        self.child.stdin.write("\t".join(words).encode() + b"\n")
        self.child.stdin.flush()

    def _read(self, seconds=60):
        if not select.select([self.child.stdout], [], [], seconds)[0]:
            raise TimeoutError("the driver does not answer")
        line = self.child.stdout.readline().decode("utf-8", "replace")
        if not line:
            raise RuntimeError(f"the driver ended: {self.child.wait()}")
        code, _, text = line.rstrip("\n").partition("\t")
        return int(code), text

    def ask(self, *words):
        self.send(*words)
        return self._read()

    def answer(self):
        return self._read()

    def close(self):
        self.child.stdin.close()
        status = self.child.wait(30)
        self.child.stdout.close()
        if status:
            raise RuntimeError(f"the driver ended with {status}")


@dataclasses.dataclass
class Tally:
    """What came of the cells."""
    runs: int = 0
    struck: int = 0
    codes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failures: list = dataclasses.field(default_factory=list)

    def __add__(self, other):
        return Tally(self.runs + other.runs, self.struck + other.struck,
                     self.codes + other.codes, self.failures + other.failures)


class Campaign:
    """A user of a server with the proxy in between, and a driver for each way of being set up."""

    def __init__(self, server, user, program, directory, certificates=None):
        self.server, self.user, self.program = server, user, program
        self.directory = directory
        self.stage = stages.Stage(server, user)
        self.proxy = FaultProxy(server.imap, certificates).__enter__()
        self.secured = certificates is not None
        self.drivers = {}
        self.state = self.stage.restore()
        self.file = directory / "new.eml"
        self.file.write_bytes(stages.NEW)

    def close(self):
        for driver in self.drivers.values():
            driver.close()
        self.proxy.__exit__()
        self.stage.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def driver(self, keys):
        if keys not in self.drivers:
            settings = {"host": "localhost" if self.secured else self.proxy.host,
                        "port": self.proxy.port, "username": self.user, "connections": 1,
                        "password": self.server.password(self.user), "timeout": "2s",
                        "ssl": "true" if self.secured else "false",
                        "auth_mechanisms": "PLAIN", **dict(keys)}    # SCRAM takes 30 ms
            if self.secured:
                settings["ssl_ca_file"] = self.server.ca_file
            config = write_ini(self.directory / f"driver{len(self.drivers)}.ini",
                               {"DEFAULT": settings})
            self.drivers[keys] = Driver(self.program, config, dict(os.environ))
        return self.drivers[keys]

    def words(self, operation):
        uids = ",".join(str(each.uid) for each in self.state["Work"]
                        if each.sha256 in (FIRST, SECOND))
        return [{"UIDS": uids, "FILE": str(self.file)}.get(word, word) for word in operation.words]

    def cell(self, operation, fault, judge=None, keys=(), sweeps=False):
        """Returns (what the proxy saw of the command, the tally)."""
        driver = self.driver((*operation.keys, *keys))
        code, text = driver.ask("warm", "Work")
        if code:
            raise RuntimeError(f"no recovery after the last fault: {text}")
        words = self.words(operation)
        self.proxy.arm(fault)
        code, text = driver.ask(*words)
        struck = self.proxy.struck
        self.proxy.disarm()
        self.proxy.relent()
        self.proxy.settle()
        if fault.kind == "F11":
            self.stage.recover()
        base, state = stages.contents(self.state), self.stage.look()
        seen = next((each for each in self.proxy.commands if each.name == fault.command), None)
        if struck and sweeps and self._is_amid(fault) and seen and seen.whole:
            judge = judge_interrupted
        wrong = (judge or judge_cut)(operation, Outcome(code, text, struck, base,
                                                        stages.contents(state)))
        self.state = self.stage.restore(state)
        del self.proxy.commands[:]
        tally = Tally(1, int(struck), collections.Counter([code]))
        if wrong:
            tally.failures.append(f"{operation.name}: {fault}: {code} {text}: {wrong}")
        return seen, tally

    @staticmethod
    def _is_amid(fault):
        """Whether the server may be at work while this happens to it."""
        return fault.direction == "up" and (fault.hook or fault.kind == "F11")

    def sweep(self, operation, fault, step=1, judge=None):
        """A fault at every step-th offset of its stream, and behind the whole."""
        total = Tally()
        for offset in itertools.count(0, step):
            seen, tally = self.cell(operation, dataclasses.replace(fault, offset=offset), judge,
                                    sweeps=True)
            total += tally
            if self._is_amid(fault) and seen and seen.whole:
                break
            if seen is None or getattr(seen, fault.direction) < offset:
                break
        if fault.kind != "F8":
            total += self.cell(operation, dataclasses.replace(fault, offset=None), judge,
                               sweeps=True)[1]
        return total


@dataclasses.dataclass(frozen=True)
class Outcome:
    code: int
    text: str
    struck: bool
    base: dict
    after: dict


def judge_report(operation, outcome):
    """Whether an error names what failed."""
    word = operation.words[0]
    if outcome.code and not (f" {operation.mailbox}: " in outcome.text and word in outcome.text):
        return "the error does not say what failed"
    return None


def judge_cut(operation, outcome):
    """What is wrong with a cell, or None."""
    base, once = outcome.base, operation.once(outcome.base)
    steps = [step(base) for step in operation.steps]
    if outcome.code == OK:
        allowed = [once]
    elif outcome.code == UNKNOWN:
        allowed = [base, once, *steps]
    elif outcome.code in SILENT or not operation.marks:
        allowed = [base]
    else:
        allowed = [base, *steps]
    if outcome.after not in allowed:
        return f"the server has {describe(base, outcome.after)}"
    if outcome.code and (not outcome.struck or operation.repeated):
        return "it failed"
    return judge_report(operation, outcome)


def judge_done(operation, outcome):
    """As above, and it must have succeeded."""
    return judge_cut(operation, outcome) or (f"it failed: {outcome.text}" if outcome.code else None)


def judge_refused(operation, outcome):
    """It must have failed and must not say that it may have worked."""
    if outcome.code in (OK, *SILENT) or outcome.code == UNKNOWN and not operation.steps:
        return "it was not refused"
    return judge_cut(dataclasses.replace(operation, repeated=False), outcome)


def judge_interrupted(operation, outcome):
    """The server's process was killed, or another client rewrote the mailbox, while it was carrying
    the whole command out.  A part may be done then, and what it moves be in both places; nothing is
    lost, nothing is twice in a place, and what belongs to others is where it was."""
    allowed = [outcome.base.keys(), operation.once(outcome.base).keys()]
    if outcome.after.keys() not in allowed:
        return f"the server has {describe(outcome.base, outcome.after)}"
    ours = {FIRST, SECOND, NEW[1]}
    for mailbox, found in outcome.after.items():
        digests = collections.Counter(sha256 for sha256, _ in found.elements())
        if any(digests[sha256] > 1 for sha256 in ours):
            return f"one is twice in {mailbox}"
    had, has = (collections.Counter(sha256 for found in state.values()
                                    for sha256, _ in found.elements() if sha256 not in ours)
                for state in (outcome.base, outcome.after))
    if had != has and operation.name != "delete":
        return "another's message has changed"
    everywhere = {sha256 for found in outcome.after.values() for sha256, _ in found}
    if operation.name != "expunge" and not {FIRST, SECOND} <= everywhere:
        return "one is lost"
    return judge_report(operation, outcome)


def judge_gone(operation, outcome):
    """The server does not come back: no repetition helps, and what was sent is not known."""
    return judge_cut(dataclasses.replace(operation, repeated=False), outcome)


def judge_renewed(operation, outcome):
    """The mailbox is another one now, and a repetition must not touch what has the UIDs."""
    operation = dataclasses.replace(operation, repeated=False)
    if outcome.code == STALE:
        outcome = dataclasses.replace(outcome, code=UNKNOWN)
    return judge_cut(operation, outcome)


def judge_meddled(operation, outcome, taken=(), marked=False):
    """Another client did something at the cut: took out those taken, or marked ours of Work as
    answered.  So only what may never happen is looked for: one of ours twice in a place or, but
    for a copy, anywhere; one that nobody took out nowhere; anything else not as it was."""
    if not outcome.struck:
        return judge_cut(operation, outcome)
    places = collections.defaultdict(list)
    for mailbox, found in outcome.after.items():
        for (sha256, flags), count in found.items():
            places[sha256] += [(mailbox, flags)] * count
    many = 2 if operation.words[0] == "copy" or operation.steps else 1
    for sha256 in (FIRST, SECOND):
        names = [mailbox for mailbox, _ in places[sha256]]
        if len(set(names)) != len(names) or len(names) > many:
            return f"one is in {names}"
        if not names and sha256 not in taken and operation.words[0] != "expunge":
            return "one is lost"
        if marked and any(mailbox == "Work" and "\\Answered" not in flags
                          for mailbox, flags in places[sha256]):
            return "what another client stored is undone"
    for mailbox, found in outcome.base.items():
        for sha256, flags in found:
            if sha256 not in (FIRST, SECOND) and places[sha256] != [(mailbox, flags)]:
                return "another's message has changed"
    return judge_report(operation, outcome)


def describe(base, after):
    """What changed, for people."""
    lines = []
    for mailbox in sorted(base.keys() | after.keys()):
        if mailbox not in after:
            lines.append(f"no {mailbox}")
            continue
        had, has = base.get(mailbox, collections.Counter()), after[mailbox]
        if mailbox not in base:
            lines.append(f"a new {mailbox}")
        for sign, found in (("+", has - had), ("-", had - has)):
            lines += [f"{mailbox} {sign}{count} {sha[:6]} {' '.join(sorted(flags))}"
                      for (sha, flags), count in found.items()]
    return "; ".join(lines) or "what it had"
