# SPDX-License-Identifier: LGPL-2.1-or-later
"""mailrack cache shows how far a mount has come that loads a mailbox for the first time."""

import re
import subprocess
import threading

import pytest

from tests.fs.conftest import environment_of, wait_for
from tests.fs.terminal import Terminal
from tests.support import proxy

MESSAGES = 3000


class Gate:
    """Lets so many octets of answers to FETCH pass, then nothing until it is opened."""

    def __init__(self, octets):
        self.left = octets
        self.reached, self.opened = threading.Event(), threading.Event()

    def connection(self):
        return self

    def feed(self, data):
        if b" FETCH (" in data:
            self.left -= len(data)
        if self.left < 0:
            self.reached.set()
            self.opened.wait()
        return data


@pytest.fixture
def gate(dovecot):
    found = Gate(200_000)
    with proxy.Proxy(dovecot.host, dovecot.imap, rewrite=found.connection) as between:
        found.keys = {"host": between.host, "port": between.port, "ssl": "false"}
        yield found
        found.opened.set()


@pytest.fixture
def loading(gate, mount, dovecot, user, mails, tmp_path, program):
    """The command that shows the cache of a mount that has come half-way."""
    dovecot.fill(user, "INBOX", mails(MESSAGES, largest=2000))
    with mount(gate.keys) as directory:
        with subprocess.Popen(["ls", directory / "INBOX"], stdout=subprocess.DEVNULL) as listing:
            assert gate.reached.wait(60)
            yield [program("mailrack"), "cache", "-f", tmp_path / "account.ini"]
            gate.opened.set()
            assert listing.wait(60) == 0


def test_on_a_terminal_it_is_a_bar_until_all_is_there(loading, gate, tmp_path):
    bar = re.compile(rf"INBOX  \[#*-+\] +\d+%  \d+ of {MESSAGES}\b")
    (tmp_path / "terminal").mkdir()
    command = ["sh", "-c", '"$@"; echo "left $?"; read x', "-", *loading]
    with Terminal(tmp_path / "terminal", command, env=environment_of(tmp_path)) as terminal:
        terminal.wait_for(lambda screen: any(bar.match(line) for line in screen))
        gate.opened.set()
        screen = terminal.wait_for("left 0")
        assert f"  loaded     {MESSAGES} messages" in screen
        assert not any("[" in line for line in screen)
        terminal.keys("Enter")
        terminal.wait_for_end()


def test_an_interrupt_leaves(loading, tmp_path):
    (tmp_path / "terminal").mkdir()
    command = ["sh", "-c", 'trap : INT; "$@"; echo "left $?"; read x', "-", *loading]
    with Terminal(tmp_path / "terminal", command, env=environment_of(tmp_path)) as terminal:
        terminal.wait_for("INBOX  [")
        terminal.keys("C-c")
        screen = terminal.wait_for("left 0")
        assert any(re.fullmatch(rf"  loading    INBOX: \d+ of {MESSAGES} messages \(\d+%\)", line)
                   for line in screen)
        terminal.keys("Enter")
        terminal.wait_for_end()


def test_elsewhere_it_is_a_line(loading, gate, tmp_path):
    done = subprocess.run(loading, env=environment_of(tmp_path), text=True, capture_output=True,
                          timeout=60, check=True)
    assert re.search(rf"^  loading    INBOX: \d+ of {MESSAGES} messages \(\d+%\)$",
                     done.stdout, re.MULTILINE)
    assert "\033" not in done.stdout and "\r" not in done.stdout
    gate.opened.set()

    def said():
        return subprocess.run(loading, env=environment_of(tmp_path), text=True, check=True,
                              capture_output=True, timeout=60).stdout
    wait_for(lambda: "loading" not in said())
    assert f"messages   {MESSAGES} (" in said()
