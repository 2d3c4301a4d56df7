# SPDX-License-Identifier: LGPL-2.1-or-later
"""mailrack watch: lines, JSON, commands and statuses. tests/live/test_watch.py breaks networks."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.support.imapbox import wait_for
from tests.support.meddler import Meddler

# Says what it was given, and complains when another is at work for the same mailbox.
HOOK = """\
import json, os, sys, time
directory, = sys.argv[1:]
lock = os.path.join(directory, "at work: " + os.environ["MAILRACK_MAILBOX"])
os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
facts = {name: value for name, value in os.environ.items() if name.startswith("MAILRACK_")}
facts["stdin"] = [json.loads(line) for line in sys.stdin]
time.sleep(0.3)
os.unlink(lock)
with open(os.path.join(directory, "runs"), "a") as file:
    file.write(json.dumps(facts) + "\\n")
sys.exit(int(os.environ.get("HOOK_STATUS", 0)))
"""


class Watch:
    """A `mailrack watch` that runs; its lines are in a file."""

    def __init__(self, program, environment, directory, arguments):
        self.out, self.err = directory / "watch.out", directory / "watch.err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.child = subprocess.Popen([program, "watch", *map(str, arguments)], stdout=out,
                                          stderr=err, env=environment, cwd=directory)
        wait_for(lambda: b"watching" in self.err.read_bytes() or self.child.poll() is not None, 30)

    def lines(self, count):
        wait_for(lambda: self.out.read_bytes().count(b"\n") >= count, 30, f"{count} lines")
        return self.out.read_text().splitlines()

    def end(self, number=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(number)
        return self.child.wait(30)


@pytest.fixture
def watch(program, mailrack, tmp_path):
    started = []

    def start(*arguments, **environment):
        started.append(Watch(program("mailrack"), {**mailrack.environment, **environment},
                             tmp_path, arguments))
        return started[-1]
    yield start
    for each in started:
        each.end(signal.SIGKILL)


@pytest.fixture
def hook(tmp_path):
    """(words of a command, its runs so far)"""
    (tmp_path / "hook.py").write_text(HOOK)
    runs = tmp_path / "runs"

    def read():
        return [json.loads(line) for line in runs.read_text().splitlines()] if runs.exists() else []
    return [sys.executable, tmp_path / "hook.py", tmp_path], read


def message(subject, sender="a@example.org"):
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\nx\r\n".encode()


def tails(lines):
    """Without the time."""
    return [line.split("  ", 1)[1] for line in lines]


@pytest.mark.parametrize("disabled", [None, "NOTIFY", "NOTIFY CONDSTORE QRESYNC"])
def test_lines(watch, dovecot, user, account, disabled):
    dovecot.fill(user, "Work", [message("old")])
    running = watch("-f", account({"disable_extensions": disabled}), "--poll", "1")
    dovecot.deliver(user, message("one", "=?utf-8?q?J=C3=BCrgen?= <j@example.org>"))
    expected = ["INBOX  new  1  Jürgen <j@example.org>  one"]
    assert tails(running.lines(1)) == expected
    connection = dovecot.connect(user)
    connection.select("Work")
    connection.store("1", "FLAGS", "(\\Seen \\Deleted todo)")
    if "CONDSTORE" not in (disabled or ""):
        expected += ["Work  flags  1  \\Deleted \\Seen todo"]
        assert tails(running.lines(2)) == expected
    connection.expunge()
    expected += ["Work  expunge  1"]
    assert tails(running.lines(len(expected))) == expected
    connection.logout()
    assert running.end() == 0


def test_idle_goes_where_messages_come(watch, dovecot, user, account):
    """Two connections: INBOX, and of the others the one in which something happens."""
    for name in ("A", "B", "C"):
        dovecot.fill(user, name, [])
    with Meddler(dovecot.imap) as between:
        running = watch("-f", account({**between.keys(), "disable_extensions": "NOTIFY"}),
                        "--poll", "1", "--connections", "2")
        wait_for(lambda: len(set(between.idled)) >= 2, 60, "two in IDLE")
        first, = set(between.idled) - {"INBOX"}
        busy = "C" if first != "C" else "B"
        # What is there when it is looked at first is not news.
        wait_for(lambda: len(between.sent("LIST")) > 2, 60, "polls")
        dovecot.deliver(user, message("one"), busy)
        wait_for(lambda: busy in between.idled, 60, "IDLE in the busy one")
        running.lines(1)
        dovecot.deliver(user, message("once more"), first)   # less: it stays where it is
        dovecot.deliver(user, message("two"), busy)
        assert tails(running.lines(3))[0] == f"{busy}  new  1  a@example.org  one"
        polls = len(between.sent("LIST"))
        wait_for(lambda: len(between.sent("LIST")) > polls + 2, 60, "polls")
        assert set(between.idled) == {"INBOX", first, busy}
        assert [name for name in between.idled if name != "INBOX"][-1] == busy
    assert running.end() == 0


def test_json_of_named_mailboxes(watch, dovecot, user, account):
    dovecot.fill(user, "Work", [])
    dovecot.fill(user, "Other", [])
    running = watch("-f", account(work={}), "--json", "work", "Work", "inbox")
    assert "watching 2 mailboxes" in running.err.read_text()
    dovecot.deliver(user, message("not asked for"), "Other")
    dovecot.deliver(user, b"Subject: \x1b[2Jhi\r\nMessage-ID: <1@x>\r\n\r\n", "Work")
    event, = [json.loads(line) for line in running.lines(1)]
    assert event["event"] == "new" and event["mailbox"] == "Work" and event["uid"] == 1
    assert event["subject"] == "\x1b[2Jhi" and event["message_id"] == "<1@x>"
    assert event["flags"] == [] and event["size"] > 0 and event["from"] is None
    assert "\x1b" not in running.out.read_text()
    assert running.end(signal.SIGINT) == 130


def test_mailboxes_that_come_and_go(watch, dovecot, user, account):
    dovecot.fill(user, "Old", [message("old")])
    running = watch("-f", account(), "--json", "--events", "new,gone,reset")
    connection = dovecot.connect(user)
    connection.create("Later")
    dovecot.deliver(user, message("first"), "Later")
    events = [json.loads(line) for line in running.lines(1)]
    assert [(each["event"], each["mailbox"]) for each in events] == [("new", "Later")]
    connection.rename("Old", "Renamed")
    running.lines(2)
    dovecot.deliver(user, message("second"), "Renamed")
    events = [json.loads(line) for line in running.lines(3)]
    connection.logout()
    assert [(each["event"], each["mailbox"]) for each in events[1:]] \
        == [("gone", "Old"), ("new", "Renamed")]
    assert events[2]["subject"] == "second"      # and not the old one again


def test_command_gets_what_came_at_once(watch, dovecot, user, account, hook):
    command, runs = hook
    running = watch("-f", account(), "--debounce", "1", "--events", "new", "--exec", *command)
    for subject in ("one", "two", "$(touch x); three"):
        dovecot.deliver(user, message(subject))
    dovecot.deliver(user, message("elsewhere"), "Elsewhere")
    wait_for(lambda: len(runs()) == 2, 30, "two commands")
    inbox, other = sorted(runs(), key=lambda run: run["MAILRACK_MAILBOX"] != "INBOX")
    assert inbox["MAILRACK_EVENT"] == "new" and inbox["MAILRACK_COUNT"] == "3"
    assert inbox["MAILRACK_UIDS"] == "1,2,3" and inbox["MAILRACK_UID"] == "3"
    assert inbox["MAILRACK_SUBJECT"] == "$(touch x); three"
    assert [each["subject"] for each in inbox["stdin"]] == ["one", "two", "$(touch x); three"]
    assert other["MAILRACK_MAILBOX"] == "Elsewhere" and other["MAILRACK_COUNT"] == "1"
    assert running.end() == 0 and running.out.read_bytes() == b""


def test_commands_never_overlap_and_lose_nothing(watch, dovecot, user, account, hook):
    command, runs = hook
    running = watch("-f", account(), "--debounce", "0", "--exec", *command, HOOK_STATUS="3")
    for number in range(8):
        dovecot.deliver(user, message(number))
    wait_for(lambda: sum(int(run["MAILRACK_COUNT"]) for run in runs()) == 8, 30, "eight events")
    assert running.end() == 0
    assert [event["uid"] for run in runs() for event in run["stdin"]] == list(range(1, 9))
    assert "FileExistsError" not in running.err.read_text()
    assert "exited with code 3" in running.err.read_text()


def test_once(watch, dovecot, user, account, hook):
    running = watch("-f", account(), "--once", "--json")
    dovecot.deliver(user, message("the one"))
    assert running.child.wait(30) == 0
    event, = [json.loads(line) for line in running.lines(1)]
    assert event["subject"] == "the one"
    command, runs = hook
    running = watch("-f", account(), "--once", "--exec", *command, HOOK_STATUS="7")
    dovecot.deliver(user, message("two"))
    assert running.child.wait(30) == 7 and len(runs()) == 1


@pytest.mark.parametrize("words, keys, status, text", [
    (["Nonsense"], {}, 1, "Nonsense"),
    ([], {"password": "wrong"}, 77, "AUTHENTICATIONFAILED"),
    (["--events", "nonsense"], {}, 64, 'no "nonsense"'),
    (["--exec"], {}, 64, "the command is missing"),
    (["--poll", "0"], {}, 64, "--poll"),
])
def test_refusals(mailrack, account, words, keys, status, text):
    done = mailrack("watch", "-f", account(keys), *words)
    assert done.returncode == status and text in done.stderr and done.stdout == ""


def test_reader_that_leaves(program, mailrack, dovecot, user, account, tmp_path):
    reading, writing = os.pipe()
    with open(tmp_path / "err", "wb") as err:
        child = subprocess.Popen([program("mailrack"), "watch", "-f", account()], stdout=writing,
                                 stderr=err, env=mailrack.environment)
    os.close(writing)
    wait_for(lambda: b"watching" in (tmp_path / "err").read_bytes(), 30)
    os.close(reading)
    dovecot.deliver(user, message("one"))
    assert child.wait(30) == 0
