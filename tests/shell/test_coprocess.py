# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shell driven by a program: each line has exactly one line of answer, Python or JSON."""

import datetime
import subprocess

import pytest

from tests.support.coprocess import Coprocess, ShellError


@pytest.fixture
def coprocess(program, mailrack, account):
    """coprocess(as_json=True) is a shell of the test's user; ended with the test."""
    opened = []

    def start(*arguments, **options):
        opened.append(Coprocess(program("mailrack"), "-f", account(), *arguments,
                                env=mailrack.environment, **options))
        return opened[-1]
    yield start
    for each in opened:
        if each.process.poll() is None:
            each.close()


def test_each_line_has_one_answer(program, mailrack, account, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    lines = ["cd", "", "# nothing", "pwd", "ls", "c.search()", "x = 1", "x", "frobnicate",
             "c.fetch(1,", "'''", "status Nowhere", "c.select_folder('Nowhere')", "show 99",
             "!echo 'two\nlines'", "!exit 3", "ls | wc -l", "print('a\\nb')", "show 1", "help",
             "\x00", "\xff", "time pwd",
             "raw NOOP", "set output xml", "source /nowhere", "repeat 2 -- pwd", "!cat", "quit"]
    lines = [line.replace("\n", "\\n") for line in lines]
    done = subprocess.run([program("mailrack"), "--coprocess", "-f", account()],
                          input="\n".join(lines + ["pwd", ""]).encode("latin-1"),
                          capture_output=True, env=mailrack.environment, timeout=60, check=False)
    answers = done.stdout.decode().splitlines()
    assert done.returncode == 0 and len(answers) == len(lines), done.stdout
    marks = "".join(answer[0] for answer in answers)
    assert marks == "========!!!!!!=!==!=!!==!!===", list(zip(lines, answers))
    assert all(answer[1] == " " for answer in answers)


def test_results_are_python_values(coprocess, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(5))
    shell = coprocess()
    assert shell("cd") is None
    assert shell("pwd") == {"name": "INBOX"}
    assert [row["uid"] for row in shell("ls")] == [1, 2, 3, 4, 5]
    assert shell("status")["messages"] == 5
    assert shell("1 + 1; [2, b'x']") == [2, b"x"]
    assert shell("find --uids 2:3") == [{"uid": 2}, {"uid": 3}]
    assert shell("$_") == [2, 3]
    assert shell("flag $_ +$Later") is None
    assert shell.call("search", ["KEYWORD", "$Later"]) == [2, 3]
    assert shell("fetch $_ FLAGS")[2][b"FLAGS"][-1] == b"$Later"
    assert shell("ls | cat").count("\n") == 5


def test_errors_have_a_kind(coprocess):
    shell = coprocess()
    for line, kind in (("frob", "NameError"), ("1/0", "ZeroDivisionError"), ("show 1", "Invalid"),
                       ("c.select_folder('no')", "Refused"), ("c.search()", "Invalid"),
                       ("status 'not here'", "Refused"), ("c.nothing()", "AttributeError"),
                       ("source /nowhere", "IO"), ("raw FROB", "Refused")):
        with pytest.raises(ShellError) as raised:
            shell(line)
        assert raised.value.kind == kind, line
    assert shell("1") == 1               # none of them ended it
    assert shell.close() == 0


def test_json(coprocess, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    shell = coprocess(as_json=True)
    assert shell("cd") is None
    assert shell("c.fetch(1, 'FLAGS')")["1"]["SEQ"] == 1
    assert [row["uid"] for row in shell("ls")] == [1, 2]
    with pytest.raises(ShellError) as raised:
        shell("frob")
    assert raised.value.kind == "NameError" and "frob" in raised.value.message


def test_news_come_by_themselves(coprocess, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    shell = coprocess()
    shell("cd")
    shell("set news on")
    dovecot.fill(user, "INBOX", mails(1, first=5))
    assert shell.wait_for_news(b"EXISTS") == (2, b"EXISTS")   # not asked for
    assert shell("status")["messages"] == 2
    dovecot.fill(user, "INBOX", mails(1, first=7))
    assert shell.wait_for_news(b"EXISTS") == (3, b"EXISTS")
    shell("c.idle()")                                   # from here on they are the call's
    dovecot.fill(user, "INBOX", mails(1, first=8))
    heard = []
    while (4, b"EXISTS") not in heard:
        more = shell("c.idle_check(30)")
        assert more, heard
        heard += more
    shell("c.idle_done()")
    shell("set news off")
    shell.news.clear()
    dovecot.fill(user, "INBOX", mails(1, first=9))
    assert shell("c.noop(); len(c.search())") == 5
    assert shell.news == []


def test_never_asks(program, mailrack, account):
    done = subprocess.run([program("mailrack"), "--coprocess", "-f", account({"password": None})],
                          input="pwd\n", capture_output=True, text=True, timeout=60, check=False,
                          env=mailrack.environment)
    assert done.returncode == 77 and "assword" in done.stderr and done.stdout == ""


def test_call_interface(coprocess, dovecot, user, mails):
    """A session of the live tests, through pipes."""
    dovecot.fill(user, "INBOX", mails(6))
    shell = coprocess()
    selected = shell.call("select_folder", "INBOX", readonly=False)
    assert selected[b"EXISTS"] == 6 and selected[b"READ-WRITE"] is True
    shell.call("create_folder", "Ablage ü")
    assert shell.call("folder_exists", "Ablage ü") is True
    shell.call("copy", [1, 2], "Ablage ü")
    assert shell.call("folder_status", "Ablage ü", ["MESSAGES"]) == {b"MESSAGES": 2}
    shell.call("add_flags", [1], [b"\\Flagged"])
    assert shell.call("get_flags", [1])[1][0] in (b"\\Flagged", b"\\Seen", b"\\Answered")
    assert 1 in shell.call("search", ["FLAGGED"])
    shell.call("delete_messages", [6])
    shell.call("expunge")
    assert shell.call("search") == [1, 2, 3, 4, 5]
    when = datetime.datetime(2024, 2, 29, 12, 30)
    shell(f"n = c.append('Ablage ü', b'Subject: x\\r\\n\\r\\ny\\r\\n', (), {when!r})")
    shell.call("select_folder", "Ablage ü")
    assert shell.call("search", ["SINCE", datetime.date(2024, 2, 29)]) == [3]
    envelope = shell.call("fetch", 3, ["ENVELOPE"])[3][b"ENVELOPE"]
    assert envelope.subject == b"x" and envelope.from_ is None
    assert shell.call("has_capability", "IDLE") is True
    assert shell.call("logout") == b"Logging out"
