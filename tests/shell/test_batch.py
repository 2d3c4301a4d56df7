# SPDX-License-Identifier: LGPL-2.1-or-later
"""Input without a person: -e, scripts and standard input, exit statuses, JSON, dry runs."""

import json
import os
import pty
import re
import subprocess

import pytest


@pytest.fixture
def shell(mailrack, account):
    """shell("ls", ..., options=["--json"]) runs lines by -e."""
    path = account()

    def run(*lines, options=(), **keywords):
        return mailrack("-f", path, *options, *[word for line in lines for word in ("-e", line)],
                        **keywords)
    return run


def jq(text, query):
    done = subprocess.run(["jq", "-c", query], input=text, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_thousand_commands(mailrack, account, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(10))
    lines = ["cd"]
    for i in range(333):
        lines += ["status", f"c.search(['UID', {i % 10 + 1}])", f"flag {i % 10 + 1} +$N{i % 7}"]
    done = mailrack("-f", account(), stdin="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert len(lines) == 1000 and len(printed) == 666
    assert printed[1::2] == [f"[{i % 10 + 1}]" for i in range(333)]
    assert {flag for mail in dovecot.truth(user, "INBOX") for flag in mail.flags} >= {
        f"$N{i}" for i in range(7)}


@pytest.mark.parametrize("line, status", [
    ("c.search('NONSENSE KEY')", 1), ("frob", 64), ("show x", 64), ("c.search(", 64),
    ("save 1 /proc/nowhere", 74), ("!exit 3", 1), ("status Nowhere", 1),
])
def test_first_error_stops_with_its_status(mailrack, account, dovecot, user, mails, line, status):
    dovecot.fill(user, "INBOX", mails(1))
    text = "cd\n" + "pwd\n" * 400 + line + "\n" + "pwd\n" * 600
    path = account()
    done = mailrack("-f", path, stdin=text)
    assert done.returncode == status, done.stderr
    assert done.stdout == "INBOX\n" * 400 and done.stderr.startswith("stdin:402: ")
    if line == "frob":
        done = mailrack("-f", path, "-k", stdin=text)
        assert done.returncode == status and done.stdout == "INBOX\n" * 1000


def test_no_prompt_colour_or_pager(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    done = shell("cd", "ls", "set pager cat", "show 1",
                 env={"PAGER": "false", "TERM": "xterm-256color"})
    assert done.returncode == 0 and "\x1b" not in done.stdout and done.stderr == ""
    assert "> " not in done.stdout.splitlines()[0]


def test_json_is_parsed_by_jq(shell, dovecot, user, mails):
    hostile = b"Subject: \x1b]0;owned\x07 \xe2\x80\xae\r\nFrom: \"a\\\"b\" <x@y>\r\n\r\n\xff\r\n"
    dovecot.fill(user, "INBOX", [*mails(4), (hostile, "", 0)])
    dovecot.fill(user, "Work", mails(1))
    done = shell("cd", "ls", "ls -l", "status", "fetch 1:2 FLAGS ENVELOPE", "parts 2", "headers 1",
                 "show 5", "capability", "id", "quota", "acl", "set", "help", "help find",
                 "raw NOOP", "c.search()", "c.fetch(5, ['ENVELOPE', 'BODY.PEEK[]'])",
                 "find --uids all",
                 options=["--json"])
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout
    assert len(jq(done.stdout, ".")) == len(done.stdout.splitlines())
    rows = jq(done.stdout, "select(type == \"object\" and has(\"subject\") and has(\"size\")) "
                           "| [.uid, .subject]")
    assert len(rows) == 5 and json.loads(rows[4]) == [5, "\x1b]0;owned\x07 \u202e"]
    assert jq(done.stdout, "select(type == \"array\")") == ["[1,2,3,4,5]"]
    flags = jq(done.stdout, "select(type == \"object\" and has(\"UID\")) | .FLAGS | type")
    assert flags == ['"array"'] * 2


def test_formats(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    done = shell("cd", "set output json", "ls", "set output csv", "ls", "set output raw", "ls",
                 "set output table", "ls", "set headings on", "ls")
    assert done.returncode == 0, done.stderr
    text = done.stdout
    whole, rest = text.split("]\n", 1)
    assert [row["uid"] for row in json.loads(whole + "]")] == [1, 2]
    lines = rest.splitlines()
    assert lines[0] == "uid,flags,date,size,from,subject,message_id" and lines[1].startswith("1,")
    assert lines[3].split("\t")[0] == "1" and len(lines[3].split("\t")) == 7
    assert lines[5].split()[0] == "1" and lines[7].split()[:3] == ["UID", "DATE", "SIZE"]


def test_dry_run_changes_nothing(shell, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(40))
    (tmp_path / "new.eml").write_bytes(b"Subject: x\n\ny\n")
    before = dovecot.truth(user, "INBOX")
    done = shell("cd", "flag 1:3 +seen -$Work", "mv 4 Trash", "rm --expunge 5", "cp 6 Trash",
                 "rm 1:40", "mkdir New", "rename Trash Old", "subscribe Trash", "put new.eml",
                 "c.add_flags(1, ['\\\\Seen'])", "c.append('INBOX', b'x')",
                 "c.create_folder('New')",
                 "raw UID STORE 1 FLAGS ()", "acl INBOX bob lr", "c.fetch(7, 'BODY[]')[7][b'SEQ']",
                 options=["--dry-run"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "UID STORE 1:3 +FLAGS.SILENT (\\Seen)", "UID STORE 1:3 -FLAGS.SILENT ($Work)",
        'UID MOVE 4 "Trash"', "UID STORE 5 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 5",
        'UID COPY 6 "Trash"', 'UID MOVE 1:40 "Trash"', 'CREATE "New"', 'SUBSCRIBE "New"',
        'RENAME "Trash" "Old"', 'SUBSCRIBE "Trash"', 'APPEND "INBOX" {17}',
        "UID STORE 1 +FLAGS (\\Seen)", 'APPEND "INBOX" {1}', 'CREATE "New"',
        "UID STORE 1 FLAGS ()", 'SETACL "INBOX" "bob" "lr"', "7"]
    assert dovecot.truth(user, "INBOX") == before


def test_many_are_removed_only_when_told(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(30))
    done = shell("cd", "rm 1:30")
    assert done.returncode == 1 and "30 messages go to Trash" in done.stderr
    assert "--yes" in done.stderr and len(dovecot.truth(user, "INBOX")) == 30
    assert shell("cd", "rm 1:10").returncode == 0
    assert shell("cd", "set confirm 5", "rm 11:18").returncode == 1
    assert shell("cd", "set confirm 5", "rm -y 11:18").returncode == 0
    assert shell("cd", "rm 1:*", options=["--yes"]).returncode == 0
    assert dovecot.truth(user, "INBOX") == [] and len(dovecot.truth(user, "Trash")) == 30


def test_read_only_refuses_every_change(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(1))
    for line in ("flag 1 +seen", "mv 1 Trash", "rm 1", "mkdir X", "acl INBOX bob lr",
                 "put /etc/hosts", "raw UID STORE 1 FLAGS ()", "c.add_flags(1, ['\\\\Seen'])",
                 "create_folder X"):
        done = shell("cd", line, options=["--read-only"])
        assert done.returncode == 1 and "read-only" in done.stderr, line


def test_timing_of_each_line(shell):
    done = shell("set timing on", "status", "pwd")
    assert done.returncode == 0 and done.stdout.count("messages") == 1
    assert [line.split(" s, ")[1][:10] for line in done.stderr.splitlines()] == [
        "1 commands", "0 commands"]


def test_progress_of_long_work_on_a_terminal(program, mailrack, account, dovecot, user, mails, slow,
                                             tmp_path):
    """20 files, each a literal that waits for the server, 0.1 s away."""
    (tmp_path / "in").mkdir()
    for i in range(20):
        (tmp_path / f"in/{i:02}.eml").write_bytes(b"Subject: x\r\n\r\n" + b"x" * 5000)
    far = slow(0.1)
    path = account({"ssl": "false", "port": str(far.port), "disable_extensions": "MULTIAPPEND"})
    here, there = pty.openpty()
    done = subprocess.Popen([program("mailrack"), "-f", path, "-e", "cd", "-e", "put in/*.eml"],
                            env=mailrack.environment, cwd=tmp_path, stderr=there,
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.close(there)
    text = b""
    while True:
        try:
            text += os.read(here, 4096)
        except OSError:
            break
    os.close(here)
    assert done.wait(timeout=60) == 0, text
    bars = re.findall(rb"put .*?(\d+)% +(\d+) of 20 +(\d+)/s +(\d:\d\d) left", text)
    assert len(bars) >= 3 and int(bars[0][1]) < int(bars[-1][1])
    assert text.endswith(b"\r\x1b[K")       # nothing of it stays
    assert len(dovecot.truth(user, "INBOX")) == 20


def test_options_that_contradict(mailrack, account):
    for words in (["--coprocess", "-e", "pwd"], ["-e", "pwd", "--script", "x"]):
        done = mailrack("-f", account(), *words)
        assert done.returncode == 64 and "drop" in done.stderr
