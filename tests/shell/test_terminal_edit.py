# SPDX-License-Identifier: LGPL-2.1-or-later
"""Typing at the prompt: completion, history, calls over several lines, pasting, colours."""

import subprocess

import pytest

from tests.shell.prompt import last
from tests.support.proxy import Proxy


def completed(terminal, typed, expected):
    """Types, presses Tab, and waits for what stands on the line then; clears the line."""
    terminal.type(typed)
    terminal.keys("Tab")
    prompt = "work:INBOX (2, 2 new)> "
    terminal.wait_last(prompt + expected)
    terminal.keys("C-a", "C-k")
    terminal.wait_last(prompt)


def test_completion(prompt, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(2))
    for name in ("Work", "Work.Budget &APw-", "Two words", "Entw&APw-rfe"):
        dovecot.fill(user, name.replace(".", "/"), mails(1))
    (tmp_path / "file one.eml").write_text("x")
    with prompt(before=["env", "-C", tmp_path]) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (2, 2 new)>")
        for typed, expected in [
                ("mkd", "mkdir "), ("cd inb", "cd INBOX "), ("cd Entw", "cd Entwürfe "),
                ("cd Work/", 'cd "Work/Budget ü" '), ('cd "Two', 'cd "Two words" '),
                ("flag 1 +fl", "flag 1 +flagged "), ("flag 1 +seen,fl", "flag 1 +seen,flagged "),
                ("put --flags seen,fl", "put --flags seen,flagged "), ("find UNS", "find UNSEEN "),
                ("headers 1 rec", "headers 1 received "), ("put file", 'put "file one.eml" '),
                ("select_folder Tw", 'select_folder "Two words" '), ("c.nam", "c.namespace()"),
                ("c.select_folder('IN", "c.select_folder('INBOX'"),
                ("c.select_folder('INBOX', reado", "c.select_folder('INBOX', readonly="),
                ("c.add_flags(1, [b'\\\\Fl", "c.add_flags(1, [b'\\\\Flagged'"),
                ("ls | cat > file", 'ls | cat > "file one.eml" ')]:
            completed(terminal, typed, expected)
        terminal.run("numbers = [3, 4]")
        terminal.wait_last("work:INBOX (2, 2 new)>")
        completed(terminal, "len(numb", "len(numbers")
        completed(terminal, "ls $numb", "ls $numbers ")
        terminal.run("alias inbox=status INBOX")
        terminal.wait_last("work:INBOX (2, 2 new)>")
        completed(terminal, "inbo", "inbox ")


def test_completion_lists_what_there_is(prompt, dovecot, user, mails):
    for name in ("Work", "Work/a", "Work/b", "World"):
        dovecot.fill(user, name, mails(1))
    with prompt() as terminal:
        terminal.type("cd W")
        terminal.keys("Tab")
        terminal.wait_last("work> cd Wor")
        terminal.keys("Tab")
        terminal.wait_text("World")
        screen = terminal.wait_last("work> cd Wor")
        assert [line.split() for line in screen if "World" in line] == [["Work", "Work/", "World"]]
        terminal.type("k/")
        terminal.keys("Tab", "Tab")
        screen = terminal.wait_for(lambda screen: ["a", "b"] in [line.split() for line in screen])
        assert last(screen) == "work> cd Work/"
        terminal.keys("C-c")
        terminal.wait_last("work>")
        terminal.keys("Tab")
        terminal.wait_text("capability")
        terminal.wait_last("work>")


def test_names_come_from_the_cache_of_a_mount(prompt, dovecot, user, mails, account, tmp_path,
                                              program):
    """Where the server does not answer, what a mirror has kept is offered."""
    dovecot.fill(user, "Kept here", mails(1))
    with Proxy(dovecot.host, dovecot.imap) as proxy:
        path = account({"host": proxy.host, "port": proxy.port, "ssl": "false"}, work={})
        directory = tmp_path / "mnt"
        directory.mkdir()
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
                       "XDG_CACHE_HOME": str(tmp_path / "cache"),
                       "XDG_STATE_HOME": str(tmp_path / "state")}
        done = subprocess.run([program("mailrack-mount"), "--config", path, "work",
                               directory],
                              env=environment, capture_output=True, text=True, timeout=60,
                              check=False)
        if done.returncode != 0 and "fuse" in done.stderr.lower():
            pytest.skip(f"nothing can be mounted here: {done.stderr}")
        assert done.returncode == 0, done.stderr
        try:
            assert any("Kept here" in entry.name for entry in directory.iterdir())
        finally:
            subprocess.run(["fusermount3", "-u", directory], check=True, timeout=60)
        with prompt(path) as terminal:
            proxy.silence()
            terminal.type("cd Kep")
            terminal.keys("Tab")
            terminal.wait_last('work> cd "Kept here"')


def test_history(prompt, tmp_path):
    with prompt() as one, prompt() as two:
        one.run("pwd")
        one.wait_text("(no mailbox is selected)")
        two.run("help pwd")
        two.wait_text("Which mailbox is selected")
        for secret in (" help cd", "raw LOGIN bob sekret", "password = 'sekret'",
                       "c.login('bob', 'sekret')"):
            one.run(secret)
        one.run("len('ü')")
        one.wait_text("1")
        one.wait_last("work>")
    history = tmp_path / "state/mailrack/history"
    assert history.read_text() == "pwd\nhelp pwd\nlen('ü')\n"
    assert history.stat().st_mode & 0o777 == 0o600
    with prompt() as again:
        again.keys("Up", "Up")
        again.wait_last("work> help pwd")
        again.keys("C-c")
        again.wait_last("work>")
        again.keys("C-r")
        again.wait_text("(reverse-i-search)")
        again.type("pw")
        again.wait_last("(reverse-i-search)`pw': help pwd")
        again.keys("Enter")
        again.wait_text("Which mailbox is selected")


def test_a_call_over_several_lines(prompt, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(3))
    with prompt() as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (3, 3 new)>")
        for line in ("c.search(", "  ['ALL']"):
            terminal.run(line)
            terminal.wait_last("...")
        terminal.type(", chars")
        terminal.keys("Tab")
        terminal.wait_last("... , charset=")
        terminal.run("'UTF-8')")
        terminal.wait_text("[1, 2, 3]")
        terminal.keys("Up")
        screen = terminal.wait_last(", charset='UTF-8')")
        assert screen[screen.index(", charset='UTF-8')") - 2].endswith("> c.search(")
        terminal.keys("C-c")
    assert "c.search(\n   ['ALL']\n , charset='UTF-8')\n" in \
        (tmp_path / "state/mailrack/history").read_text()


def test_pasting_several_lines(prompt, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    with prompt() as terminal:
        terminal.paste("cd INBOX\nc.search(\n    'ALL')\n")
        terminal.keys("Enter")
        terminal.wait_text("[1, 2, 3]")
        terminal.wait_last("work:INBOX (3, 3 new)>")
        terminal.paste("cd Nowhere\nls\npwd")
        terminal.keys("Enter")
        screen = terminal.wait_text("(2 lines behind this were not run)")
        assert any("Nowhere" in line for line in screen)


def test_keys_of_the_prompt(prompt):
    with prompt() as terminal:
        terminal.type("half a line")
        terminal.wait_last("work> half a line")
        terminal.keys("C-c")
        terminal.wait_last("work>")
        terminal.wait_text("work> half a line^C")
        terminal.run("c.search(")
        terminal.wait_last("...")
        terminal.keys("C-c")
        terminal.wait_last("work>")
        terminal.keys("C-d")
        terminal.wait_for_end()


@pytest.mark.parametrize("env, coloured", [({}, True), ({"NO_COLOR": "1"}, False),
                                           ({"TERM": "dumb"}, False)])
def test_colours(prompt, dovecot, user, mails, env, coloured):
    dovecot.fill(user, "INBOX", mails(1))
    with prompt(env=env) as terminal:
        terminal.run("cd")
        terminal.wait_last("work:INBOX (1, 1 new)>")
        assert ("\x1b[" in terminal.raw_screen()) == coloured


def test_wide_characters_where_no_locale_is_set(prompt, dovecot, user, mails):
    """Columns are counted as the terminal does: the cursor is where the next character goes."""
    dovecot.fill(user, "&ZeVnLIqe-", mails(1))           # 日本語
    with prompt(columns=40, env={"LC_ALL": "C"}) as terminal:
        terminal.type("cd 日")
        terminal.keys("Tab")
        terminal.wait_last("work> cd 日本語")
        terminal.keys("Enter")
        terminal.wait_last("work:日本語 (1, 1 new)>")
        terminal.type("find 日本語日本語日本語 xyz")     # goes on in a second row
        terminal.wait_last("語日本語 xyz")
        terminal.keys("C-a")
        terminal.type("!")
        terminal.wait_text("> !find 日")
        terminal.keys("C-e")
        terminal.type("?")
        terminal.wait_for(lambda screen: last(screen).endswith("本語 xyz?"))
