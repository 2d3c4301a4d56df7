# SPDX-License-Identifier: LGPL-2.1-or-later
"""mutt, neomutt, notmuch and mu read the Maildir view; what they show is what the server has."""

import email
import email.policy
import os
import pathlib
import re
import subprocess
import time

import pytest

from tests.fs.conftest import environment_of, wait_for
from tests.fs.programs import digest, run
from tests.fs.terminal import Terminal
from tests.fs.test_maildir import letters_of, maildir_uid

MUTTRC = """
set header_cache=
set read_only=yes
set quit=yes
set timeout=1
set mail_check=0
set wait_key=no
set pager_index_lines=0
set sort=mailbox-order
set index_format="ID %i"
set status_format="m=%m n=%n o=%o u=%u F=%F d=%d ."
set pipe_split=yes
set pipe_decode=no
"""


@pytest.fixture(scope="module")
def rooted(matrix, mounting, tmp_path_factory):
    """The same account with root = maildir."""
    with mounting(matrix.user, tmp_path_factory.mktemp("rooted"), {"root": "maildir"}) as directory:
        yield directory


def counts(truth):
    """The status line that MUTTRC asks for, less what mutt leaves out when it is 0."""
    letters = [letters_of(message) for message in truth.values()]
    unread = sum("S" not in each for each in letters)
    new = sum(each == "" for each in letters)
    return (f"m={len(letters)} n={new} o={unread - new} u={unread}"
            f" F={sum('F' in each for each in letters)} d={sum('T' in each for each in letters)} .")


def as_mutt_reads(truth):
    """The UIDs in its mailbox-order: what is in new, then what is in cur, each by inode."""
    return sorted(truth, key=lambda uid: (letters_of(truth[uid]) != "", uid))


def message_id(octets):
    found = re.search(rb"(?im)^message-id:\s*(<[^>]*>)", octets.partition(b"\r\n\r\n")[0])
    return found[1].decode() if found else "<no.id>"


def start_mutt(reader, maildir, scratch, rows, more=""):
    (scratch / "Mail").mkdir(parents=True)               # or it asks whether to make it
    (scratch / "rc").write_text(MUTTRC + more)
    return Terminal(scratch, [reader, "-n", "-F", scratch / "rc", "-f", maildir], columns=120,
                    rows=rows, env={"HOME": str(scratch), "TERM": "screen"})


def pipe_all(terminal, scratch, count):
    """The digest of each message as mutt gives it to a program, in its order."""
    terminal.keys("T", ".", "Enter", "\\;", "|")
    terminal.keys(f"sha256sum >>{scratch}/sums; echo >>{scratch}/done", "Enter")
    terminal.wait_for(lambda _: os.path.exists(scratch / "done")
                      and len((scratch / "done").read_text()) == count)
    return [line.split()[0] for line in (scratch / "sums").read_text().splitlines()]


@pytest.fixture(scope="module")
def local_maildir(matrix, tmp_path_factory):
    """The server's messages in a Maildir of files, all in cur, in the order of mutt in the view."""
    maildir = tmp_path_factory.mktemp("local")
    for place in ("cur", "new", "tmp"):
        (maildir / place).mkdir()
    for index, uid in enumerate(as_mutt_reads(matrix.truth)):
        octets = (matrix.ground / f"{uid}.eml").read_bytes()
        (maildir / "cur" / f"{1000000000 + index}.U{uid}.local:2,S").write_bytes(octets)
    return maildir


@pytest.mark.parametrize("where", ["view", "root"])
@pytest.mark.parametrize("reader", ["mutt", "neomutt"])
def test_mutt(reader, where, matrix, matrix_mount, rooted, local_maildir, tmp_path):
    inbox = matrix_mount / ".maildir/INBOX" if where == "view" else rooted / "INBOX"
    order = as_mutt_reads(matrix.truth)
    octets = [(matrix.ground / f"{uid}.eml").read_bytes() for uid in order]
    with start_mutt(reader, inbox, tmp_path / "mount", len(order) + 4) as terminal:
        screen = terminal.wait_for(lambda screen: counts(matrix.truth) in "\n".join(screen))
        shown = [line.split("ID ", 1)[1] for line in screen if "ID " in line]
        assert shown == [message_id(each) for each in octets]
        # To the last one, and into it.
        terminal.keys("*", "Enter")
        last = email.message_from_bytes(octets[-1], policy=email.policy.default)
        terminal.wait_for(lambda screen: any(f"Subject: {last['Subject']}"[:60] in line
                                             for line in screen))
        terminal.keys("q")
        found = pipe_all(terminal, tmp_path / "mount", len(order))
        terminal.keys("q")
        terminal.wait_for_end()
    # It leaves out some fields, so the same program over the same octets is the truth.
    with start_mutt(reader, local_maildir, tmp_path / "local", len(order) + 4) as terminal:
        terminal.wait_for(f"m={len(order)} ")
        assert sorted(pipe_all(terminal, tmp_path / "local", len(order))) == sorted(found)
        terminal.keys("q")
        terminal.wait_for_end()


# notmuch and mu: their databases are elsewhere

class Notmuch:
    def __init__(self, scratch, mail):
        (scratch / "database").mkdir()
        self.env = {**environment_of(scratch), "NOTMUCH_CONFIG": str(scratch / "notmuchrc")}
        (scratch / "notmuchrc").write_text(
            f"[database]\npath={scratch}/database\nmail_root={mail}\n[user]\nname=A\n"
            "primary_email=a@example.org\n[new]\ntags=inbox;unread\n"
            "[maildir]\nsynchronize_flags=true\n")

    def __call__(self, *words):
        done = subprocess.run(["notmuch", *words], env=self.env, check=False, text=True,
                              capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def found(self, query):
        """The UIDs of the messages that a search finds, by their files."""
        return sorted(maildir_uid(path) for path in self(
            "search", "--output=files", "--exclude=false", query).splitlines())


def with_letter(matrix, letter):
    return sorted(uid for uid, message in matrix.truth.items() if letter in letters_of(message))


def test_notmuch(matrix, rooted, tmp_path):
    """Indexed once; the second time there is nothing new."""
    notmuch = Notmuch(tmp_path, rooted / "INBOX")
    assert f"Added {len(matrix.truth)} new messages" in notmuch("new")
    assert notmuch.found("*") == sorted(matrix.truth)
    assert notmuch.found("not tag:unread") == with_letter(matrix, "S")
    assert notmuch.found("tag:flagged") == with_letter(matrix, "F")
    assert notmuch.found("tag:replied") == with_letter(matrix, "R")
    assert notmuch.found("tag:draft") == with_letter(matrix, "D")
    (marked,) = [uid for uid in matrix.truth
                 if b"Subject: edge" in (matrix.ground / f"{uid}.eml").read_bytes()
                 and b"needle-binary" in (matrix.ground / f"{uid}.eml").read_bytes()]
    assert marked in notmuch.found("subject:edge and from:size.example")
    uid = max(matrix.truth)
    octets = (matrix.ground / f"{uid}.eml").read_bytes()
    assert notmuch.found("id:" + message_id(octets)[1:-1]) == [uid]
    raw = subprocess.run(["notmuch", "show", "--format=raw", "id:" + message_id(octets)[1:-1]],
                         env=notmuch.env, check=True, capture_output=True, timeout=60).stdout
    assert raw == octets
    assert "No new mail" in notmuch("new")


def mu(scratch, *words):
    return run("mu", *words, env={**os.environ, **environment_of(scratch),
                                  "MUHOME": str(scratch / "mu")}, status=(0, 2)).decode()


def test_mu(matrix, rooted, tmp_path):
    def found(query):
        return sorted(maildir_uid(path) for path in
                      mu(tmp_path, "find", "--fields=l", "--nocolor", query).splitlines())
    mu(tmp_path, "init", f"--maildir={rooted}")
    mu(tmp_path, "index", "--nocolor", "--quiet")
    assert found("maildir:/INBOX") == sorted(matrix.truth)
    assert found("maildir:/INBOX flag:seen") == with_letter(matrix, "S")
    assert found("maildir:/INBOX flag:flagged") == with_letter(matrix, "F")
    assert found("maildir:/INBOX flag:replied") == with_letter(matrix, "R")
    assert found("maildir:/INBOX flag:new") \
        == sorted(uid for uid, message in matrix.truth.items() if not letters_of(message))
    uid = max(matrix.truth)
    octets = (matrix.ground / f"{uid}.eml").read_bytes()
    assert found("maildir:/INBOX msgid:" + message_id(octets)[1:-1]) == [uid]


def test_notmuch_follows_flags(mount, dovecot, user, mails, tmp_path):
    """It looks into a directory only when its time has moved."""
    dovecot.fill(user, "INBOX", [(mail.octets, "", mail.date) for mail in mails(5)])
    (tmp_path / "notmuch").mkdir()
    with mount({"root": "maildir"}) as directory, dovecot.connect(user) as other:
        other.select("INBOX")
        notmuch = Notmuch(tmp_path / "notmuch", directory / "INBOX")
        notmuch("new")
        assert notmuch.found("tag:unread") == [1, 2, 3, 4, 5]
        other.store("2,4", "+FLAGS", "\\Seen")
        other.store("4", "+FLAGS", "($Forwarded \\Flagged)")
        wait_for(lambda: sorted(name.rpartition(",")[2] for name in
                                os.listdir(directory / "INBOX/cur")) == ["FPS", "S"])
        notmuch("new")
        assert notmuch.found("tag:unread") == [1, 3, 5]
        assert notmuch.found("tag:flagged and tag:passed") == [4]
        other.store("1", "+FLAGS", "\\Deleted")
        other.expunge()
        wait_for(lambda: len(os.listdir(directory / "INBOX/new")) == 2)
        assert "Removed 1 message" in notmuch("new")
        assert notmuch.found("*") == [2, 3, 4, 5]


def watches(process):
    """How many a process has that inotify tells of."""
    return sum(path.read_text(encoding="ascii").count("inotify wd:")
               for path in pathlib.Path(f"/proc/{process}/fdinfo").iterdir())


@pytest.mark.parametrize("reader", ["mutt", "neomutt"])
def test_mutt_hears_of_new_mail(reader, mount, dovecot, user, mails, tmp_path):
    """It is told to look by itself once an hour, so it is inotify that says so.

    neomutt 20220429 compares the times of directories in whole seconds, on any file system: of
    mail in the same second as the change before it hears, but does not look."""
    dovecot.fill(user, "INBOX", [(mail.octets, "", mail.date) for mail in mails(3)])
    with mount() as directory, \
            start_mutt(reader, directory / ".maildir/INBOX", tmp_path / "reader", 8,
                       "set timeout=3600\n") as terminal:
        terminal.wait_for("m=3 n=3")
        wait_for(lambda: watches(terminal.process) > 0)
        seen = max(os.stat(directory / ".maildir/INBOX" / each).st_mtime_ns
                   for each in ("cur", "new"))
        wait_for(lambda: time.time_ns() // 10**9 > seen // 10**9)
        dovecot.deliver(user, b"From: Al <a@b.example>\r\nSubject: fresh\r\n\r\nx\r\n")
        terminal.wait_for("m=4 n=4")
        terminal.keys("q")
        terminal.wait_for_end()
