# SPDX-License-Identifier: LGPL-2.1-or-later
"""mailrack watch --state: what happens between two runs is told by the second, and nothing twice.

Exactly once where the runs end by themselves or are asked to; at least once where they are killed.
"""

import json
import os
import random
import signal
import subprocess
import time

import pytest

from tests.support.imapbox import wait_for

DISABLED = [None, "NOTIFY", "NOTIFY CONDSTORE QRESYNC"]


def message(subject):
    return f"From: a@example.org\r\nSubject: {subject}\r\n\r\nx\r\n".encode()


@pytest.fixture
def words(program, account, tmp_path):
    """words(disabled, *more): the command line; its state is in tmp_path / "state"."""
    def make(disabled, *more):
        return [program("mailrack"), "watch", "-f", account({"disable_extensions": disabled}),
                "--json", "--poll", "1", "--state", tmp_path / "state", *map(str, more)]
    return make


@pytest.fixture
def run(mailrack, tmp_path):
    """run(words): a run that ends by itself; its events as dictionaries."""
    def once(command, status=0):
        done = subprocess.run(list(map(str, command)), env=mailrack.environment, cwd=tmp_path,
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == status, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()] if status == 0 \
            else done.stderr
    return once


@pytest.fixture
def start(mailrack, tmp_path):
    """start(words): one that goes on, and is killed at the end; .events() so far."""
    started = []

    class Running:
        def __init__(self, command):
            self.out, self.err = (tmp_path / f"{len(started)}.{end}" for end in ("out", "err"))
            with open(self.out, "wb") as out, open(self.err, "wb") as err:
                self.child = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err,
                                              env=mailrack.environment, cwd=tmp_path)
            wait_for(lambda: b"watching" in self.err.read_bytes() or self.child.poll() is not None,
                     60)

        def events(self):
            return [json.loads(line) for line in self.out.read_text().splitlines()]

        def wait(self, count):
            wait_for(lambda: len(self.events()) >= count, 60, f"{count} events")

        def end(self, number):
            self.child.send_signal(number)
            return self.child.wait(60)

    def begin(command):
        started.append(Running(command))
        return started[-1]
    yield begin
    for each in started:
        each.child.kill()
        each.child.wait()


def told(events, *keys):
    return [tuple(event[key] for key in ("event", "mailbox", *keys)) for event in events]


@pytest.mark.parametrize("disabled", DISABLED)
def test_between_two_runs(words, run, start, dovecot, user, tmp_path, disabled):
    """New, removed and changed messages, mailboxes made, renamed and deleted: each once."""
    dovecot.fill(user, "Work", [message(f"old {n}") for n in range(4)])
    dovecot.fill(user, "Gone", [message("there")])
    dovecot.fill(user, "Before", [message("stays"), message("the same")])
    first = start(words(disabled))
    dovecot.deliver(user, message("while it ran"))
    first.wait(1)
    wait_for(lambda: " ? " not in (tmp_path / "state").read_text(), 60, "all are looked at")
    assert first.end(signal.SIGTERM) == 0
    assert told(first.events(), "subject") == [("new", "INBOX", "while it ran")]

    dovecot.deliver(user, message("one"))
    dovecot.deliver(user, message("two"))
    with dovecot.connect(user) as connection:
        connection.select("Work")
        connection.store("1", "+FLAGS", r"\Flagged")
        connection.store("3", "+FLAGS", r"\Deleted")
        connection.expunge()
        connection.unselect()
        connection.delete("Gone")
        connection.rename("Before", "After")
        connection.create("Made")
    dovecot.deliver(user, message("in it"), "Made")
    events = run(words(disabled, "--once", "--debounce", "3"))
    expected = {("new", "INBOX", 2), ("new", "INBOX", 3), ("expunge", "Work", 3),
                ("new", "Made", 1)}
    if disabled is None or "CONDSTORE" not in disabled:
        expected.add(("flags", "Work", 1))
    assert sorted(told((e for e in events if "uid" in e), "uid")) == sorted(expected)
    assert sorted(told(e for e in events if "uid" not in e)) == [("gone", "Before"),
                                                                ("gone", "Gone")]
    dovecot.deliver(user, message("last"), "After")
    assert told(run(words(disabled, "--once")), "subject") == [("new", "After", "last")]


def test_a_loop_of_runs_for_one_thing_each(words, run, dovecot, user):
    """Nothing is left out between what one run told and the next begins, nor told twice."""
    run_once = words(None, "--once", "--debounce", "0", "INBOX")
    dovecot.fill(user, "INBOX", [message("old")])
    with subprocess.Popen(list(map(str, run_once)), stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as child:
        assert "watching" in child.stderr.readline()
        for n in range(3):
            dovecot.deliver(user, message(f"m{n}"))
        output, _ = child.communicate(timeout=60)
    events = [json.loads(line) for line in output.splitlines()]
    have = 3
    while len(events) < 12:
        if have < 12:
            for _ in range(random.choice((1, 2, 3))):
                dovecot.deliver(user, message(f"m{have}"))
                have += 1
        events += run(run_once)
    while len(events) < have:
        events += run(run_once)
    assert [event["subject"] for event in events] == [f"m{n}" for n in range(have)]


@pytest.mark.parametrize("disabled", DISABLED)
def test_killed_at_any_time(words, start, run, dovecot, user, disabled):
    """At least once: what was told in the moment before is told again, and nothing left out."""
    seen, n = [], 0
    first = start(words(disabled, "INBOX"))
    first.end(signal.SIGKILL)
    chance = random.Random(7)
    for _ in range(12):
        running = start(words(disabled, "INBOX"))
        for _ in range(chance.choice((0, 1, 4))):
            dovecot.deliver(user, message(f"m{n}"))
            n += 1
        time.sleep(chance.random() * 0.2)           # whenever that is
        running.end(signal.SIGKILL)
        dovecot.deliver(user, message(f"m{n}"))
        n += 1
        seen += running.events()
    last = start(words(disabled, "INBOX"))
    wait_for(lambda: {e["subject"] for e in seen + last.events()} >= {f"m{i}" for i in range(n)},
             60, "all messages")
    assert last.end(signal.SIGTERM) == 0
    final = start(words(disabled, "INBOX"))
    dovecot.deliver(user, message("end"))
    final.wait(1)
    assert told(final.events(), "subject") == [("new", "INBOX", "end")]


def test_what_a_killed_command_was_handed_is_handed_again(words, start, dovecot, user, tmp_path):
    script = tmp_path / "hook"
    script.write_text("cat >>given\n"
                      "if ! [ -e go ]; then echo $$ >pid; touch begun; exec sleep 1000; fi\n")
    first = start(words(None, "INBOX", "--exec", "sh", script))
    dovecot.deliver(user, message("one"))
    wait_for((tmp_path / "begun").exists, 60)
    first.end(signal.SIGKILL)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    (tmp_path / "go").touch()
    second = start(words(None, "INBOX", "--exec", "sh", script))
    given = tmp_path / "given"
    wait_for(lambda: given.read_text().count('"one"') == 2, 60)
    assert second.end(signal.SIGTERM) == 0
    dovecot.deliver(user, message("two"))
    third = start(words(None, "INBOX", "--exec", "sh", script))
    wait_for(lambda: '"two"' in given.read_text(), 60)
    assert third.end(signal.SIGTERM) == 0
    assert given.read_text().count('"one"') == 2 and given.read_text().count('"two"') == 1


def test_a_mailbox_made_anew(words, start, run, dovecot, user, tmp_path):
    """Its UIDs are others: that is told, and what is in it counts as known."""
    dovecot.fill(user, "Work", [message("old")])
    first = start(words(None, "Work"))
    wait_for(lambda: " ? " not in (tmp_path / "state").read_text(), 60, "it is looked at")
    first.end(signal.SIGTERM)
    with dovecot.connect(user) as connection:
        connection.delete("Work")
        connection.create("Work")
    dovecot.deliver(user, message("another"), "Work")
    assert told(run(words(None, "--once", "Work"))) == [("reset", "Work")]
    dovecot.deliver(user, message("new"), "Work")
    assert told(run(words(None, "--once", "Work")), "subject") == [("new", "Work", "new")]


def test_files_that_are_none(words, run, dovecot, user, account, program, tmp_path):
    state = tmp_path / "state"
    command = words(None, "--once")
    for text in ("", "x", "mailrack-watch 2 all x\n", "\0", "mailrack-watch 1 all"):
        state.write_text(text)
        assert "is not the state of a watch" in run(command, status=64)
    state.write_text(f"mailrack-watch 1 all {user}@elsewhere\n")
    assert f"of a watch of {user}@elsewhere, not of" in run(command, status=64)
    label = f"{user}@localhost"
    good = f"mailrack-watch 1 all {label}\n7 3 0 0 0 0 0 0 0 1:2 - - INBOX\n"
    for old, new in (("7 3", "x 3"), (" 0 0 0 1", " 0 0 1"), ("1:2", "0:2"), ("1:2", "1:*"),
                     ("INBOX", ""), ("INBOX", "\\377"), ("7 3", "99999999999 3"),
                     ("INBOX\n", "INBOX\n7 3 0 0 0 0 0 0 0 1:2 - - INBOX\n")):
        state.write_text(good.replace(old, new))
        assert "of the state of this watch is broken" in run(command, status=64), new
    state.unlink()
    state.mkdir()
    assert "--state: " in run(command, status=74)
    command[command.index(state)] = tmp_path / "nowhere/state"
    assert "--state: " in run(command, status=74)


def test_the_file_is_for_the_user_alone(words, start, tmp_path):
    start(words(None)).end(signal.SIGTERM)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("state?*"))
