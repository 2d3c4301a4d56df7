# SPDX-License-Identifier: LGPL-2.1-or-later
"""What happens while a line is typed or runs: new mail, Ctrl-C, lost connections."""

import contextlib
import time

import pytest

from tests.shell.prompt import last
from tests.support.faultproxy import Fault, FaultProxy


def message(subject, sender="Alice <alice@example.org>"):
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\nText.\r\n".encode()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def behind(proxy, account):
    """An account file whose connections go through a proxy."""
    yield account({"host": proxy.host, "port": proxy.port, "ssl": "false"}, work={})


def test_new_mail_above_a_half_typed_line(prompt, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    with prompt(columns=80) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (2, 2 new)>")
        long = "find " + " ".join(f"word{i}" for i in range(15))     # two rows of the screen
        terminal.type(long)
        terminal.keys(*["Left"] * 10)
        dovecot.deliver(user, message("=?utf-8?q?Gr=C3=BC=C3=9Fe?="))
        screen = terminal.wait_text("New mail in INBOX from Alice: Grüße")
        dovecot.deliver(user, message("one\x1b[31m\x1b]0;title\x07 more", "Eve \x1b[2J <e@x.org>"))
        screen = terminal.wait_text("\\x1b]0;title\\x07")
        line = f"work:INBOX (4, 4 new)> {long}"
        screen = terminal.wait_for(lambda screen: line == "".join(
            screen[screen.index(next(each for each in screen if each.startswith("work:INBOX (4"))):]
        ) if any(each.startswith("work:INBOX (4") for each in screen) else False)
        assert sum(each.startswith("work:INBOX") for each in screen) == 1
        assert "\x1b[31m" not in terminal.raw_screen()
        terminal.type("X")                              # the cursor is where it was
        terminal.wait_text(long[:-10][-20:] + "X")


@pytest.mark.parametrize("line, n", [("put own.eml", 1), ("cp 1:2 INBOX", 2), ("mv 1 inbox", 0),
                                     ("c.append('inbox', 'Subject: own')", 1),
                                     ("cp 1:* INBOX", 150)])
def test_what_a_line_adds_is_no_news_and_mail_meanwhile_is(prompt, dovecot, user, mails, tmp_path,
                                                           line, n):
    """Mail that comes while the line runs is told although the line itself added messages."""
    had = 150 if n == 150 else 2
    dovecot.fill(user, "INBOX", mails(had))
    (tmp_path / "own.eml").write_bytes(message("own", "Own <own@example.org>"))
    (tmp_path / "wait").write_text("touch begun; while ! [ -e done ]; do sleep 0.05; done\n")
    with prompt(before=["env", "-C", tmp_path]) as terminal:
        terminal.run("cd")
        terminal.wait_last(f"work:INBOX ({had}, {had} new)>")
        terminal.run(f"{line} | sh wait")
        wait_for((tmp_path / "begun").exists)
        dovecot.deliver(user, message("of another"))
        (tmp_path / "done").touch()
        told = "New mail in INBOX: 1 message" if n == 150 else \
            "New mail in INBOX from Alice: of another"
        screen = terminal.wait_text(told)
        terminal.wait_last(f"work:INBOX ({had + n + 1}, {had + n + 1} new)>")
        assert sum("New mail" in row for row in screen) == 1


def test_counts_without_notices(prompt, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    with prompt() as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (3, 3 new)>")
        terminal.run("set notices off")
        terminal.wait_last("work:INBOX (3, 3 new)>")
        dovecot.deliver(user, message("unseen"))
        terminal.wait_last("work:INBOX (4, 4 new)>")
        other = dovecot.connect(user)
        other.select("INBOX")
        other.store("1:3", "+FLAGS", r"\Deleted")
        other.expunge()
        other.logout()
        screen = terminal.wait_last("work:INBOX (1, 1 new)>")
        assert not any("New mail" in line for line in screen)


def test_ctrl_c_in_a_long_fetch_keeps_the_session(prompt, dovecot, user, mails, account):
    dovecot.fill(user, "INBOX", mails(30))
    with FaultProxy(dovecot.imap) as proxy, behind(proxy, account) as path, \
            prompt(path, columns=150) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (30, 30 new)>")
        connections = proxy.connections
        proxy.arm(Fault("F6", "UID FETCH", "down", 5000, seconds=3))
        terminal.run("x = c.fetch('1:*', 'BODY.PEEK[]')")
        proxy.wait_struck()
        terminal.keys("C-c")
        terminal.wait_text("Ctrl-C again breaks the connection")
        terminal.wait_last("work:INBOX (30, 30 new)>")
        terminal.run("len(c.search())")
        terminal.wait_text("30")
        screen = terminal.wait_last("work:INBOX (30, 30 new)>")
        assert any("cancelled" in line for line in screen)
        assert proxy.connections == connections


def test_ctrl_c_while_a_mailbox_is_selected(prompt, dovecot, user, mails, account):
    """What the server answers later selects it: nothing may be done there for the one before."""
    dovecot.fill(user, "INBOX", mails(3))
    dovecot.fill(user, "Other", mails(5))
    with FaultProxy(dovecot.imap) as proxy, behind(proxy, account) as path, \
            prompt(path, columns=150) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (3, 3 new)>")
        proxy.arm(Fault("F6", "SELECT", "down", 0, seconds=3))
        terminal.run("cd Other")
        proxy.wait_struck()
        terminal.keys("C-c")
        terminal.wait_text("cancelled")
        terminal.wait_last("work>")
        terminal.run("rm --expunge 1")
        terminal.wait_text("no mailbox is selected")
        terminal.run("cd")
        terminal.wait_for(lambda screen: last(screen).startswith("work:INBOX (3"))
    assert len(dovecot.truth(user, "Other")) == 5


def test_ctrl_c_twice_breaks_the_connection(prompt, dovecot, user, mails, account):
    dovecot.fill(user, "INBOX", mails(30))
    with FaultProxy(dovecot.imap) as proxy, behind(proxy, account) as path, \
            prompt(path, columns=150) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (30, 30 new)>")
        proxy.arm(Fault("F5", "UID FETCH", "down", 5000))
        terminal.run("x = c.fetch('1:*', 'BODY.PEEK[]')")
        proxy.wait_struck()
        terminal.keys("C-c")
        terminal.wait_text("Ctrl-C again breaks the connection")
        terminal.keys("C-c")
        terminal.wait_text("has been made again; INBOX is selected as before")
        terminal.wait_for(lambda screen: last(screen).startswith("work:INBOX (30"))
        terminal.run("len(c.search())")
        terminal.wait_text("30")


def test_a_connection_lost_at_the_prompt(prompt, dovecot, user, mails, account):
    dovecot.fill(user, "INBOX", mails(2))
    with FaultProxy(dovecot.imap) as proxy, behind(proxy, account) as path, \
            prompt(path, columns=150) as terminal:
        proxy.arm(Fault("F3", "IDLE", "down", 10))
        terminal.run("cd")
        terminal.wait_text("work:INBOX (2, 2 new)>")
        terminal.type("half a line")
        proxy.wait_struck()
        screen = terminal.wait_text("has been made again; INBOX is selected as before")
        terminal.wait_for(lambda screen: last(screen).startswith("work:INBOX (2")
                          and last(screen).endswith("> half a line"))
        dovecot.deliver(user, message("after the loss"))
        terminal.wait_text("New mail in INBOX from Alice: after the loss")
        screen = terminal.wait_for(lambda screen: last(screen).endswith("> half a line"))
        assert sum("made again" in line for line in screen) == 1


def test_a_server_that_is_away_and_comes_back(prompt, dovecot, user, mails, account):
    dovecot.fill(user, "INBOX", mails(2))
    with FaultProxy(dovecot.imap) as proxy, behind(proxy, account) as path, \
            prompt(path, columns=150) as terminal:
        terminal.run("cd")
        terminal.wait_text("work:INBOX (2, 2 new)>")
        proxy.arm(Fault("F1", "IDLE", "down", 10, seconds=2))
        terminal.run("pwd")
        terminal.wait_text("refused")
        terminal.wait_last("work (not connected)>")
        terminal.wait_text("has been made again; INBOX is selected as before")
        terminal.wait_for(lambda screen: last(screen).startswith("work:INBOX (2"))
