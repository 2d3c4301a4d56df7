# SPDX-License-Identifier: LGPL-2.1-or-later
"""The terminal itself: its size, pagers and other programs in it, stopping and going on, bars."""

import os
import signal

import pytest

from tests.shell.prompt import last
from tests.support.faultproxy import Fault, FaultProxy


def test_a_resized_window(prompt, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    with prompt(columns=120) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (2, 2 new)>")
        words = "find " + " ".join(f"word{i}" for i in range(10))
        terminal.type(words)
        terminal.wait_last(f"work:INBOX (2, 2 new)> {words}")
        terminal.resize(60, 30)
        whole = f"work:INBOX (2, 2 new)> {words}"
        terminal.wait_for(lambda screen: whole[:60].rstrip() in screen and whole[60:] in screen)
        terminal.type("Y")
        terminal.wait_last(whole[60:] + "Y")
        terminal.keys("C-c")
        terminal.run("ls")
        screen = terminal.wait_for(lambda screen: last(screen) == "work:INBOX (2, 2 new)>")
        assert any(len(line) > 50 for line in screen) and all(len(line) <= 60 for line in screen)


@pytest.mark.parametrize("columns, titles", [
    (60, ["UID", "DATE", "SIZE", "FROM", "SUBJECT"]), (40, ["UID", "FROM", "SUBJECT"])])
def test_a_narrow_window(prompt, dovecot, user, mails, columns, titles):
    """Every line of a table is one row of the screen."""
    dovecot.fill(user, "INBOX", [b"From: A Sender of Long Names <a@example.org>\r\n"
                                 b"Subject: " + b"A subject " * 20 + b"\r\n\r\nText.\r\n"] * 12)
    dovecot.fill(user, "A mailbox with a very long name/" + "in it " * 12 + "indeed", mails(1))
    with prompt(columns=columns, rows=60) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (12, 12 new)>")
        for line, rows in (("ls", 13), ("ls -l", None), ("set", 12)):
            terminal.run("!clear")
            terminal.wait_for(lambda screen: screen[0] == "work:INBOX (12, 12 new)>")
            terminal.run(line)
            screen = terminal.wait_for(lambda screen: screen[0].endswith(line)
                                       and last(screen) == "work:INBOX (12, 12 new)>")
            table = screen[1:screen.index("work:INBOX (12, 12 new)>", 1)]
            assert all(len(row) <= columns for row in table)
            if line == "ls":
                assert table[0].split() == titles
                assert [row.split()[0] for row in table[1:]] == [str(n + 1) for n in range(12)]
                assert all("A sub" in row and "…" in row for row in table[1:])
            if rows is not None:
                assert len(table) == rows
            if line == "ls -l":
                assert sum("A mailbox" in row for row in table) == 2 and "…" in "".join(table)


def test_output_through_less(prompt, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(100))
    with prompt() as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (100, 100 new)>")
        for line in ("ls 1:* | less", "ls 1:*"):            # piped, and by the pager
            terminal.keys("C-l")
            terminal.run(line)
            terminal.wait_for(lambda screen: last(screen) in (":", "(END)")
                              or last(screen).startswith("lines"))
            terminal.keys("C-c")                            # less goes on with what it has
            terminal.press("G", lambda screen: last(screen) == "(END)")
            terminal.keys("q")
            terminal.wait_last("work:INBOX (100, 100 new)>")
            terminal.run("pwd")                             # keys are echoed again, once
            terminal.wait_for(lambda screen: "work:INBOX (100, 100 new)> pwd" in screen
                              and last(screen) == "work:INBOX (100, 100 new)>")
        terminal.run("set pager off")
        terminal.wait_last("work:INBOX (100, 100 new)>")
        terminal.run("ls 1:*")
        terminal.wait_for(lambda screen: last(screen) == "work:INBOX (100, 100 new)>"
                          and not any("set pager" in line for line in screen))


def test_ctrl_c_in_another_program(prompt):
    with prompt() as terminal:
        terminal.run("!echo begun; sleep 1000")
        terminal.wait_for(lambda screen: "begun" in screen)
        terminal.keys("C-c")
        terminal.wait_last("work>")
        terminal.run("pwd")
        terminal.wait_text("(no mailbox is selected)")


def test_stopped_and_gone_on_with(prompt, tmp_path):
    """Ctrl-Z, and fg in the shell around it, which has the terminal meanwhile."""
    script = tmp_path / "around"
    script.write_text('set -m\n"$@"\necho stopped; stty -a | grep -o "[-]*icanon"\n'
                      'read x\nfg %1\n')
    with prompt(before=["bash", script]) as terminal:
        terminal.type("half")
        terminal.wait_last("work> half")
        terminal.keys("C-z")
        terminal.wait_for(lambda screen: "stopped" in screen and "icanon" in screen)
        terminal.keys("Enter")
        terminal.wait_last("work> half")
        terminal.keys("C-u")
        terminal.run("pwd")
        terminal.wait_text("(no mailbox is selected)")
        terminal.keys("C-d")
        terminal.wait_for_end()


def test_stopped_while_a_pager_runs(prompt, dovecot, user, mails, tmp_path):
    """Ctrl-Z stops both, and fg gives the terminal back to the pager. As with git, the shell around
    may be told before the pager has put the terminal right; interactive ones do that themselves."""
    dovecot.fill(user, "INBOX", mails(100))
    script = tmp_path / "around"
    script.write_text('set -m\n"$@"\nstty sane\necho; echo stopped\nread x\nfg %1\n')
    with prompt(before=["bash", script]) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (100, 100 new)>")
        terminal.run("ls 1:*")
        terminal.wait_for(lambda screen: last(screen) in (":", "(END)"))
        terminal.keys("C-z")
        terminal.wait_for(lambda screen: "stopped" in screen)
        terminal.keys("Enter")
        terminal.wait_for(lambda screen: last(screen) in (":", "(END)"))
        terminal.press("G", lambda screen: last(screen) == "(END)")
        terminal.keys("q")
        terminal.wait_last("work:INBOX (100, 100 new)>")
        terminal.run("pwd")
        terminal.wait_for(lambda screen: "INBOX" in screen)


def test_a_bar_for_long_work(prompt, dovecot, user, mails, account, tmp_path):
    dovecot.fill(user, "INBOX", mails(60))
    with FaultProxy(dovecot.imap) as proxy:
        path = account({"host": proxy.host, "port": proxy.port, "ssl": "false"}, work={})
        with prompt(path) as terminal:
            terminal.run("cd")
            terminal.wait_last("work:INBOX (60, 60 new)>")
            proxy.arm(Fault("F6", "UID FETCH", "down", 300_000, seconds=3))
            terminal.run(f"save 1:* {tmp_path}/saved")
            screen = terminal.wait_for(lambda screen: "%" in last(screen), 30)
            assert " of 60" in last(screen) and "[" in last(screen)
            screen = terminal.wait_last("work:INBOX (60, 60 new)>")
            assert not any("%" in line for line in screen)
    assert len(os.listdir(tmp_path / "saved")) == 60


def test_a_terminal_that_goes_away(prompt):
    with prompt() as terminal:
        process = int(terminal.process)
        terminal.type("half")
        os.kill(process, signal.SIGHUP)
        terminal.wait_for_end()
