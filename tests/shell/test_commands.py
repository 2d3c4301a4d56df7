# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command language on a live server: sets, lines that run lines, methods, large work."""

import ast
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest


@pytest.fixture
def shell(mailrack, account):
    """shell("cd", "ls") runs lines by -e; all must go well, and what they print is returned."""
    path = account()

    def run(*lines, status=0, options=()):
        words = [word for line in lines for word in ("-e", line)]
        done = mailrack("-f", path, *options, *words)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr
    return run


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_message_sets(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(12))
    for word, found in (("1,3:5,*", [1, 3, 4, 5, 12]), ("last 2", [11, 12]), ("last", [12]),
                        ("10:*", [10, 11, 12]), ("[2,4]", [2, 4]), ("[2, 4]", [2, 4]),
                        ("$uids", [6, 7])):
        text = shell("cd", "uids = [6, 7]", f"fetch {word} UID", options=["--json"])
        assert [row["UID"] for row in rows(text)] == found, word
    text = shell("cd", "find --uids uid:2:4", "flag $_ +$Mine", "c.search('KEYWORD $Mine')",
                 "flag $_ -$Mine", "find --uids keyword:$Mine", "fetch 5 FLAGS", "$_", "len($_)")
    assert text.splitlines()[:4] == ["2", "3", "4", "[2, 3, 4]"]
    assert text.splitlines()[-2:] == ["[5]", "1"]
    assert "no message 99" in shell("cd", "flag 99 +seen", status=1)
    assert "$_ is empty" in shell("cd", "flag $_ +seen", status=64)
    assert "not numbers" in shell("cd", "x = 'a'", "flag $x +seen", status=64)
    assert "usage: rm" in shell("cd", "rm 1 2", status=64)


def test_ls_takes_the_same_sets(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(5))
    for word, found in (("[2, 4]", [2, 4]), ("last", [5]), ("last 2", [4, 5])):
        assert [row["uid"] for row in rows(shell("cd", f"ls {word}", options=["--json"]))] == found
    shell("mkdir [Gmail]", "cd", "ls [Gmail]")      # which begins no list


def test_what_is_not_there(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    dovecot.fill(user, "Empty", [])
    assert shell("cd Empty", "ls", "find") == ""
    assert shell("cd Empty", "set output json", "ls", "find") == "[]\n[]\n"
    for line in ("ls last 5", "show last", "fetch last 5 FLAGS", "save last 5", "fetch 1:* UID"):
        assert "there is no message" in shell("cd Empty", line, status=1), line
    assert "no message 99" in shell("cd", "fetch 99:100 FLAGS", status=1)
    assert "message 2 has no part 99" in shell("cd", "show 2 99", status=1)
    assert "no message 99" in shell("cd", "show 99 1", status=1)
    for part in ("0", "1.", ".1", "1..2", "''"):
        assert "is no part" in shell("cd", f"show 2 {part}", status=64), part
    assert "no name of a field" in shell("cd", "headers 2 ''", status=64)
    assert shell("cd", "headers 2 x-nowhere").strip() == ""


def test_sparse_sets_are_divided(shell, dovecot, user):
    """Every second of 4,000 messages: 2,000 ranges, far more than Dovecot takes in a line."""
    with dovecot.connect(user) as connection:
        connection.create("Many")
        for _ in range(8):
            tag = connection._new_tag()
            octets = b" ".join(b"{%d+}\r\n%s" % (len(text), text) for text in
                               [b"Subject: x\r\n\r\ny\r\n"] * 500)
            connection.send(tag + b" APPEND Many " + octets + b"\r\n")
            while not (line := connection.readline()).startswith(tag):
                pass
            assert b" OK " in line
        connection.select("Many")
        connection.uid("STORE", "1:4000", "+FLAGS.SILENT", "(Odd)")
        for first in range(2, 4000, 400):
            uids = ",".join(str(uid) for uid in range(first, first + 400, 2) if uid <= 4000)
            connection.uid("STORE", uids, "-FLAGS.SILENT", "(Odd)")
    text = shell("cd Many", "find --uids keyword:Odd | wc -l", "flag $_ +\\Flagged",
                 "find --uids is:flagged | wc -l", "ls $_ | wc -l", "cp --create $_ Copies",
                 "mv $_ Moved", "status Moved", status=1)
    assert "Moved" in text              # there is no such mailbox, and --create was not said
    text = shell("cd Many", "find --uids keyword:Odd | wc -l", "mv --create $_ Moved",
                 "status Moved", "status Copies", "status Many", "cd Moved",
                 "fetch 1:* FLAGS | wc -l",
                 "rm --yes --expunge 1:1500", "status")
    assert re.findall(r"(\w+): (\d+) messages", text) == [
        ("Moved", "2000"), ("Copies", "2000"), ("Many", "2000"), ("Moved", "500")]


def test_lines_that_run_lines(shell, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(3))
    (tmp_path / "script").write_text("# a script\ncd\nuids = c.search(\n 'ALL')\nlen(uids)\n")
    text = shell("alias st=status", "st INBOX", f"source {tmp_path}/script",
                 "alias count len(uids)", "count", "alias", "repeat 3 -- pwd", "time pwd",
                 "alias st=", f"pwd > {tmp_path}/out",
                 f"!cat {tmp_path}/out", "repeat 2 pwd | wc -l")
    first, *rest = text.splitlines()
    assert first.startswith("INBOX: 3 messages, ")
    assert rest == ["3", "3", "count  len(uids)", "st     status", *["INBOX"] * 5, "2"]
    assert "script2:3: " in shell_error(shell, tmp_path, "pwd\n\nfrob\n")
    assert "too deep" in shell("alias a=b", "alias b=a", "a", status=64)
    assert "cannot be an alias" in shell("alias ls=pwd", status=64)


def test_how_often_to_repeat(shell):
    for line in ("repeat -1 -- pwd", "repeat 0 -- pwd", "repeat 2 --", "repeat x -- pwd",
                 "repeat 99999999999999999999 -- pwd", "repeat 2"):
        assert "usage: repeat N" in shell(line, status=64), line
    assert shell("cd", "repeat 2 pwd", "repeat 1 -- pwd") == "INBOX\n" * 3


def test_byte_order_mark(shell, mailrack, account, tmp_path):
    (tmp_path / "script").write_bytes(b"\xef\xbb\xbfcd\r\npwd\r\n")
    assert shell("source script") == "INBOX\n"
    assert mailrack("-f", account(), "--script", tmp_path / "script").stdout == "INBOX\n"


def shell_error(shell, tmp_path, text):
    (tmp_path / "script2").write_text(text)
    assert "frob" in shell(f"source {tmp_path}/script2", status=64)
    return shell(f"source {tmp_path}/script2", status=64)


def test_time_and_repeat_tell_the_wire(mailrack, account):
    done = mailrack("-f", account(), "-e", "time status INBOX", "-e", "repeat 5 -- c.noop()")
    assert done.returncode == 0
    one, five = done.stderr.splitlines()
    assert re.fullmatch(r"\d+\.\d{6} s, 1 commands, 1 round trips, \d+ bytes sent, \d+ received",
                        one)
    assert five.startswith("5 times: ") and "5 commands, 5 round trips" in five


def test_methods_as_commands(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(4))
    text = shell("select_folder INBOX readonly=True | head -1", "search",
                 "search SUBJECT 'no such'", "search UID 2:3", "folder_status INBOX MESSAGES",
                 "get_flags 1 | wc -l",
                 "folder_exists 'No such'", "has_capability IDLE")
    assert text.startswith("{b'EXISTS': 4,")
    assert text.splitlines()[1:5] == ["[1, 2, 3, 4]", "[]", "[2, 3]", "{b'MESSAGES': 4}"]
    assert text.splitlines()[6:8] == ["False", "True"]
    assert "TypeError" in shell("select_folder", status=64)


def test_fetch_prints_what_the_call_gives(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(20))
    items = "FLAGS RFC822.SIZE BODY.PEEK[HEADER]"
    text = shell("cd -r", f"fetch 1:* {items}", "!echo ----", f"c.fetch('1:*', {items.split()!r})")
    streamed, called = text.split("----\n")
    assert ast.literal_eval(streamed) == ast.literal_eval(called)


def test_quota_acl_raw_trace_watch(shell, mailrack, account, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(2))
    text = shell("cd", "quota", "acl", "acl INBOX user=bob lr", "acl", "acl INBOX user=bob ''",
                 "acl", "raw UID FETCH 1 (FLAGS)", f"trace {tmp_path}/wire", "status",
                 "trace off", "pwd")
    assert "STORAGE" in text and "user=bob" in text and text.rstrip().endswith("INBOX")
    rights = shell("acl INBOX user=bob lr", "acl INBOX user=bob -l", "acl INBOX", "!echo ----",
                   "acl INBOX user=bob +s", "acl INBOX", "acl INBOX user=bob ''")
    assert [line.split()[1] for line in rights.splitlines() if "user=bob" in line] == ["r", "rs"]
    assert "C: UID FETCH 1 (FLAGS)\nS: * 1 FETCH (" in text and "\nS: OK Fetch completed" in text
    wire = (tmp_path / "wire").read_text()
    assert wire.count("STATUS INBOX") == 2 and "LOGIN" not in wire    # on the same connection
    found = []
    watching = threading.Thread(target=lambda: found.append(mailrack(
        "-f", account(), "--json", "-e", "watch --count 1 --timeout 30 INBOX")))
    watching.start()
    for extra in range(5, 60):
        dovecot.fill(user, "INBOX", mails(1, first=extra))
        watching.join(timeout=0.5)
        if not watching.is_alive():
            break
    watching.join()
    event = json.loads(found[0].stdout)
    assert event["event"] == "added" and event["mailbox"] == "INBOX" and event["uid"] >= 3
    assert shell("watch --timeout 1 INBOX") == ""


def test_save_and_put(shell, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(5))
    assert shell("cd", "save 1:5 out") == "5 saved in out\n"
    assert "--overwrite" in shell("cd", "save 2:3 out", status=74)
    assert shell("cd", "save --overwrite 2:3 out") == "2 saved in out\n"
    assert sorted(os.listdir(tmp_path / "out")) == [f"{uid}.eml" for uid in range(1, 6)]
    (tmp_path / "out/unix.txt").write_bytes(b"Subject: unix\n\nline\n")
    shell("mkdir Copies", "put --mailbox Copies --flags seen,$Kept out/*.eml out/unix.txt")
    copies = dovecot.truth(user, "Copies")
    assert [mail.sha256 for mail in copies[:5]] == [m.sha256 for m in dovecot.truth(user, "INBOX")]
    assert copies[5].octets == 23 and copies[5].flags == {"\\Seen", "$Kept"}
    assert "no file" in shell("put --mailbox Copies out/*.none", status=74)
    (tmp_path / "out/mbox").write_bytes(b"From a Thu\nSubject: x\n\nFrom b Thu\nSubject: y\n\n")
    (tmp_path / "out/empty").touch()
    os.mkfifo(tmp_path / "out/pipe")
    for name, why, status in (("mbox", "an mbox", 64), ("empty", "is empty", 64),
                              (".", "Is a directory", 74), ("pipe", "no file", 74),
                              ("none", "No such file", 74)):
        assert why in shell(f"put --mailbox Copies out/{name}", status=status), name
    assert len(dovecot.truth(user, "Copies")) == 6


def test_interrupt_leaves_no_half_file(program, mailrack, account, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", mails(400) * 8)
    process = subprocess.Popen([program("mailrack"), "-f", account(), "-e", "cd", "-e",
                                "save 1:* out"], env=mailrack.environment, cwd=tmp_path,
                               stderr=subprocess.PIPE, text=True)
    out = tmp_path / "out"
    while not out.exists() or len(os.listdir(out)) < 20:
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    saved = int(re.search(r"cancelled \((\d+) of 3200 saved before\)", errors)[1])
    assert process.returncode == 130
    names = os.listdir(out)
    assert len(names) == saved < 3200 and all(name.endswith(".eml") for name in names)
    truth = {mail.uid: mail.octets for mail in dovecot.truth(user, "INBOX")}
    assert all((out / name).stat().st_size == truth[int(name[:-4])] for name in names)
