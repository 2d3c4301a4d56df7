# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the shell says, and does not do, when something is wrong."""

import os
import subprocess

import pytest


@pytest.fixture
def shell(mailrack, account):
    """shell("cd", ...) runs lines by -e and gives the CompletedProcess."""
    path = account()

    def run(*lines, options=()):
        arguments = [word for line in lines for word in ("-e", line)]
        return mailrack("-f", path, *options, *arguments)
    return run


@pytest.mark.parametrize("line, status, words", [
    ("cd Nowhere", 1, "Nowhere: SELECT: the server says NO"),
    ("status Nowhere", 1, "Nowhere: STATUS: the server says NO"),
    ("c.fetch(1, ['NONSENSE'])", 1, "INBOX: UID FETCH: the server says BAD"),
    ("find UNSEEN NOSUCHKEY", 1, "INBOX: UID SEARCH: the server says BAD"),
    ("find from", 64, "something is missing behind from"),
    ("ls Nowhere", 1, 'ls: no mailbox matches "Nowhere"'),
    ("ls -x", 64, "usage: ls"),
    ("ls 1 2", 64, "usage: ls"),
    ("ls 1-3", 1, "1,3:9,20:*"),
    ("ls 99", 1, "ls: there is no message 99 in INBOX"),
    ("ls $_", 64, "ls: $_ is empty"),
    ("show 99", 1, "show: there is no message 99 in INBOX"),
    ("show 1:2", 64, "show: 1:2 is more than one message"),
    ("headers 99", 1, "headers: there is no message 99 in INBOX"),
    ("parts 99", 1, "parts: there is no message 99 in INBOX"),
    ("save 99", 1, "save: there is no message 99 in INBOX"),
    ("flag 99 +seen", 1, "flag: there is no message 99 in INBOX"),
    ("mv 99 Trash", 1, "mv: there is no message 99 in INBOX"),
    ("cp 99 Trash", 1, "cp: there is no message 99 in INBOX"),
    ("rm 99", 1, "rm: there is no message 99 in INBOX"),
    ("rm all", 64, 'rm: "all" is not a set of messages'),
    ('flag 1 "+a b"', 64, "is no flag"),
    ("flag 1 +x)", 64, "is no flag"),
    ("delete 1", 64, 'did you mean "rm"?'),
    ("LS", 64, 'did you mean "ls"?'),
    ("raw NONSENSE", 1, "raw: NONSENSE: the server says BAD"),
    ("raw IDLE", 64, "c.idle()"),
    ("raw COMPRESS DEFLATE", 64, "raw: COMPRESS"),
    ("raw UNSELECT", 0, ""),
    ("exit", 0, ""),
])
def test_message(shell, dovecot, user, mails, line, status, words):
    dovecot.fill(user, "INBOX", mails(2))
    done = shell("cd", line)
    assert (done.returncode, words in done.stderr) == (status, True), done.stderr
    assert (done.stderr == "") == (status == 0)


def test_words_with_brackets_are_searched_for(shell, dovecot, user):
    dovecot.fill(user, "INBOX", [(b"Subject: f(x) {3}\r\n\r\nhi\r\n", "", 0)])
    done = shell("cd", "find f(x)", "find {3}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("f(x) {3}") == 2


@pytest.mark.parametrize("line", ["c.search()", "c.fetch(1, 'FLAGS')", "c.expunge()"])
def test_no_mailbox_is_selected(shell, line):
    done = shell(line)
    assert done.returncode == 64 and "c.select_folder('INBOX')" in done.stderr


@pytest.mark.parametrize("options, status, words", [
    (("-P", "0"), 64, "-P"),
    (("-P", "-5"), 64, "-P"),
    (("-P", "65536"), 64, "-P"),
    (("--script", "/", "-e", "pwd"), 64, "--script"),
    (("--script", "/"), 66, "Is a directory"),
    (("-A", "ssl", "starttls"), 64, "named twice"),
    (("nobody",), 78, "it has only [DEFAULT]"),
])
def test_options(mailrack, account, options, status, words):
    done = mailrack("-f", account(), *options)
    assert done.returncode == status and words in done.stderr


def test_no_configuration_file(mailrack):
    done = mailrack("-e", "pwd")
    assert done.returncode == 78 and "[DEFAULT]" in done.stderr and "write one" in done.stderr


def test_nul_in_standard_input(mailrack, account):
    done = mailrack("-f", account(), stdin="p\0wd\npwd\n")
    assert done.returncode == 64 and "stdin:1:" in done.stderr and done.stdout == ""


def test_password_that_nobody_can_be_asked_for(mailrack, account):
    done = mailrack("-f", account({"password": None}), "-e", "pwd")
    assert done.returncode == 77 and ": not configured, and nobody can be asked" in done.stderr


def test_output_that_is_lost_is_an_error(mailrack, program, account, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    path = account()
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([program("mailrack"), "-f", path, "-e", "cd", "-e", "ls"],
                              stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                              env=mailrack.environment, timeout=60)
    assert done.returncode == 74 and "written" in done.stderr
    done = mailrack("-f", path, "-e", "cd", "-e", "ls > /dev/full")
    assert done.returncode == 74 and "/dev/full" in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(mailrack, program, account, dovecot, user,
                                                   mails):
    dovecot.fill(user, "INBOX", mails(400))
    path = account()
    done = mailrack("-f", path, "-e", "cd", "-e", "ls 1:* | head -1", "-e", "c.search() | true",
                    "-e", "ls 1 | yes | head -1")
    assert done.returncode == 0 and done.stderr == ""
    assert len(done.stdout.splitlines()) == 2 and done.stdout.endswith("\ny\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([program("mailrack"), "-f", path, "-e", "cd", "-e", "ls 1:*"],
                          stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
                          env=mailrack.environment, timeout=60)
    os.close(writer)
    assert done.returncode == 0 and done.stderr == ""


def test_raw_select_is_noticed(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    dovecot.fill(user, "Other &APw-", mails(2))
    done = shell("cd", 'raw select "Other &APw-"', "pwd", "mv 1 Archive", "raw CLOSE", "pwd")
    assert done.returncode == 0, done.stderr
    assert "\nOther ü\n" in done.stdout and "(no mailbox is selected)" in done.stdout
    assert len(dovecot.truth(user, "INBOX")) == 3
    assert len(dovecot.truth(user, "Other &APw-")) == 1


@pytest.mark.parametrize("keys, options", [({}, ("--read-only",)), ({"read_only": "yes"}, ())])
def test_read_only_holds_for_all(mailrack, account, dovecot, user, mails, keys, options):
    dovecot.fill(user, "INBOX", mails(2))
    lines = ["cd", "raw CREATE New1", "c.create_folder('New2')", "mkdir New3",
             "c.add_flags(1, ['\\\\Flagged'])", "raw UID STORE 1 +FLAGS (\\Flagged)",
             "raw SELECT INBOX", "c.append('INBOX', b'Subject: x\\r\\n\\r\\n')"]
    before = dovecot.truth(user, "INBOX")
    done = mailrack("-f", account(keys), "-k", *options,
                    *[word for line in lines for word in ("-e", line)])
    complaints = done.stderr.splitlines()
    assert done.returncode == 1 and len(complaints) == len(lines) - 1, done.stderr
    assert all("read-only" in line for line in complaints)
    assert dovecot.truth(user, "INBOX") == before
    assert mailrack("-f", account(keys), "-e", "ls").stdout.count("New") == 0


class Broken:
    """A shell on standard input whose connection can be cut."""

    def __init__(self, program, environment, path, pid_file):
        self.pid_file = pid_file
        self.process = subprocess.Popen([program("mailrack"), "-f", path, "-k"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment)

    def run(self, line):
        """Runs a line and what the shell printed until it was over."""
        self.process.stdin.write(f"{line}\n!echo OVER\n")
        self.process.stdin.flush()
        return "".join(iter(self.process.stdout.readline, "OVER\n"))

    def cut(self):
        os.kill(int(self.pid_file.read_text()), 9)

    def end(self):
        _, complaints = self.process.communicate(timeout=60)
        return complaints


@pytest.fixture
def broken(program, mailrack, account, dovecot, user, tmp_path):
    pid_file = tmp_path / "pid"
    wrapper = tmp_path / "server"
    wrapper.write_text(f"#!/bin/sh\necho $$ >{pid_file}\nexec {dovecot.tunnel_command(user)}\n")
    wrapper.chmod(0o755)
    path = account({"transport": "tunnel", "tunnel_command": str(wrapper), "ssl": None,
                    "port": None, "ssl_ca_file": None})
    shell = Broken(program, mailrack.environment, path, pid_file)
    yield shell
    shell.process.kill()
    shell.process.communicate()


def test_lost_connection_is_made_again(broken, dovecot, user, mails):
    dovecot.fill(user, "Box", mails(3))
    broken.run("cd Box")
    broken.cut()
    broken.run("c.noop()")              # may be the one that finds out
    assert "[1, 2, 3]" in broken.run("c.search()")
    assert broken.run("pwd") == "Box\n"
    assert broken.end().count("has been made again") == 1


def test_a_mailbox_made_anew_meanwhile_is_not_touched(broken, dovecot, user, mails):
    dovecot.fill(user, "Box", mails(3))
    broken.run("cd Box")
    connection = dovecot.connect(user)
    assert connection.delete("Box")[0] == "OK" and connection.create("Box")[0] == "OK"
    connection.logout()
    dovecot.fill(user, "Box", [(mail.octets, "", mail.date) for mail in mails(2)])
    broken.cut()
    broken.run("flag 1:2 +flagged")     # finds the connection lost, or the mailbox another one
    broken.run("c.noop()")
    assert "[1, 2]" in broken.run("c.search()")
    assert broken.end().count("UIDVALIDITY has changed") == 1
    assert [message.flags for message in dovecot.truth(user, "Box")].count("\\Flagged") == 0
