# SPDX-License-Identifier: LGPL-2.1-or-later
"""The search view: queries asked of the server, queries that are kept, and folders by date, sender,
flag and thread."""

import errno
import os
import shutil
import signal
import stat
import subprocess

import pytest

from tests.fs.conftest import uid_of, wait_for
from tests.support import proxy

DAY = 1_795_132_800         # 2026-11-20


def message(sender, subject, more=b""):
    return (f"From: {sender}\r\nSubject: {subject}\r\n".encode() + more
            + b"\r\nbody of " + subject.encode() + b"\r\n")


def fill(dovecot, user):
    dovecot.fill(user, "INBOX", [
        (message("Alice <alice@x.example>", "Budget Q4", b"Message-ID: <1@x>\r\n"), "", DAY),
        (message("Bob <Bob@X.example>", "Re: Budget Q4", b"In-Reply-To: <1@x>\r\n"),
         "\\Seen \\Flagged $Work", DAY + 60),
        (message("Alice <alice@x.example>", "lunch"), "\\Seen", DAY + 86400)])
    dovecot.fill(user, "Work/2026", [
        (message("Alice <alice@x.example>", "Budget Q4", b"Message-ID: <2@x>\r\n"), "", DAY),
        (message("../../<evil/..@x.example>", "../..", b"Message-ID: <3@x>\r\n"), "", DAY)])
    dovecot.fill(user, "Trash", [(message("alice@x.example", "Budget of old"), "", DAY)])


def links(directory):
    """{target: octets} of a directory of links, each of which can be read."""
    found = {}
    for entry in os.scandir(directory):
        assert entry.is_symlink() and entry.stat(follow_symlinks=False).st_size \
            == len(os.readlink(entry.path).encode())
        target = os.path.normpath(os.path.join(directory, os.readlink(entry.path)))
        assert os.path.samefile(target, entry.path)
        with open(entry.path, "rb") as file:
            found[target] = file.read()
    return found


def hits(root, directory):
    """Like {"INBOX/1"}: where the links of a directory lead."""
    return {f"{os.path.relpath(os.path.dirname(target), root)}/{uid_of(target)}"
            for target in links(directory)}


def refused(number, call, *arguments):
    with pytest.raises(OSError) as caught:
        call(*arguments)
    assert caught.value.errno == number


def status(directory):
    text = (directory / ".mailrack" / "status").read_text(encoding="utf-8")
    return dict(line.partition(": ")[::2] for line in text.splitlines())


def truth(dovecot, user):
    return {mailbox: [(one.uid, one.octets) for one in dovecot.truth(user, mailbox)]
            for mailbox in ("INBOX", "Work/2026", "Trash")}


# Queries

def test_queries(mount, dovecot, user):
    fill(dovecot, user)
    with mount() as root:
        now = root / ".search" / "now"
        assert os.listdir(now) == []
        for query, expected in {
            "from:alice is:unread": {"INBOX/1", "Work/2026/1"},
            'subject:"budget q4"': {"INBOX/1", "INBOX/2", "Work/2026/1"},
            "since:2026-11-21": {"INBOX/3"},
            "imap:FLAGGED": {"INBOX/2"},
            "larger:1M": set(),
            "in:INBOX budget": {"INBOX/1", "INBOX/2"},
            'in:"Work" in:Trash budget': {"Work/2026/1", "Trash/1"},
            "in:Work%2F2026 budget": {"Work/2026/1"},
            "in:anywhere subject:old": {"Trash/1"},
        }.items():
            assert hits(root, now / query) == expected, query
        # The same name in two mailboxes.
        names = sorted(name for name in os.listdir(now / "from:alice is:unread"))
        assert len(names) == 2 and names[0].replace(".1.eml", ".copy-2.1.eml") in names
        octets = links(now / "subject:lunch")
        assert list(octets.values()) == [message("Alice <alice@x.example>", "lunch")]
        refused(errno.ENOENT, os.stat, now / ".git")
        refused(errno.ENOENT, os.stat, now / "lunch" / "nothing.1.eml")
        for query in ("is:nonsense", 'subject:"open', "in:Nowhere budget", "a%0Ab", "a\nb"):
            refused(errno.EINVAL, os.stat, now / query)
            reason = status(root)["search refused last"]
            assert reason.startswith(query.replace("\n", " ") + ": "), reason
        refused(errno.EINVAL, os.listdir, now / "imap:NONSENSE 7")
        assert status(root)["search refused last"].startswith("imap:NONSENSE 7: ")


def test_other_roots_have_links_to_messages(mount, dovecot, user):
    fill(dovecot, user)
    with mount(options=["-o", "root=maildir"]) as root:
        assert hits(root, root / ".search" / "now" / "subject:lunch") == {".messages/INBOX/3"}
        os.listdir(root / "INBOX" / "cur")
        assert hits(root, root / ".search" / "by-flag" / "flagged") == {".messages/INBOX/2"}


def test_results_follow_the_mail(mount, dovecot, user):
    fill(dovecot, user)
    with mount() as root:
        found = root / ".search" / "now" / "subject:news"
        unread = root / ".search" / "by-flag" / "unread"
        os.listdir(root / "INBOX")
        assert os.listdir(found) == [] and hits(root, unread) == {"INBOX/1"}
        dovecot.fill(user, "INBOX", [(message("c@x.example", "news"), "", DAY)])
        wait_for(lambda: hits(root, found) == {"INBOX/4"})
        wait_for(lambda: hits(root, unread) == {"INBOX/1", "INBOX/4"})


class SilentSearches:
    """Connections on which nothing is heard any more when a search was answered."""

    def __init__(self):
        self.answered = 0

    def connection(self):
        searches = self

        class Connection:
            silent = False

            def feed(self, data):
                if b"* ESEARCH" in data:
                    self.silent = True
                    searches.answered += 1
                return b"" if self.silent else data
        return Connection()


def test_searching_can_be_interrupted(mount, dovecot, user):
    fill(dovecot, user)
    silence = SilentSearches()
    with proxy.Proxy(dovecot.host, dovecot.imap, rewrite=silence.connection) as between:
        with mount({"host": between.host, "port": between.port, "ssl": "false"}) as root:
            with subprocess.Popen(["ls", root / ".search" / "now" / "budget"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as listing:
                wait_for(lambda: silence.answered > 0)
                assert listing.poll() is None
                listing.send_signal(signal.SIGINT)
                assert listing.wait(30) != 0 and listing.stdout.read() == b""


def test_offline(mount, dovecot, user):
    fill(dovecot, user)
    with mount() as root:
        os.listdir(root / "INBOX")
        (root / ".mailrack" / "ctl").write_text("offline")
        refused(errno.EHOSTUNREACH, os.listdir, root / ".search" / "now" / "budget")
        flagged = root / ".search" / "by-flag" / "flagged"
        assert [os.path.basename(os.readlink(flagged / name)) for name in os.listdir(flagged)] \
            == [name for name in os.listdir(root / "INBOX") if uid_of(name) == 2]
        (root / ".mailrack" / "ctl").write_text("online")

        def found():
            try:
                return hits(root, root / ".search" / "now" / "budget")
            except OSError:
                return None        # it is just being reached again
        wait_for(lambda: found() == {"INBOX/1", "INBOX/2", "Work/2026/1"})


# Keeping

def test_kept_queries(mounting, dovecot, user, tmp_path):
    fill(dovecot, user)
    before = truth(dovecot, user)
    query = "from:alice is:unread"
    with mounting(user, tmp_path) as root:
        search = root / ".search"
        fixed = set(os.listdir(search))
        assert fixed == {"now", "by-date", "by-from", "by-flag", "by-thread"}
        refused(errno.ENOENT, os.stat, search / query)
        refused(errno.EINVAL, os.mkdir, search / "is:nonsense")
        refused(errno.EEXIST, os.mkdir, search / "by-date")
        for name in (query, "subject:lunch"):
            os.mkdir(search / name)
        refused(errno.EEXIST, os.mkdir, search / query)
        assert set(os.listdir(search)) == fixed | {query, "subject:lunch"}
        assert hits(root, search / query) == {"INBOX/1", "Work/2026/1"}
        kept = [*tmp_path.glob("state/mailrack/*/searches")]
        assert len(kept) == 1 and stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    with mounting(user, tmp_path) as root:
        search = root / ".search"
        assert set(os.listdir(search)) == fixed | {query, "subject:lunch"}
        assert hits(root, search / query) == {"INBOX/1", "Work/2026/1"}
        # What is in it stays, however hard one tries; and the mail even more.
        removing = subprocess.run(["rm", "-rf", search / query], text=True, capture_output=True,
                                  timeout=60, check=False)
        assert removing.returncode != 0
        assert hits(root, search / query) == {"INBOX/1", "Work/2026/1"}
        link = next(iter(os.scandir(search / query))).path
        for call in (os.unlink, lambda path: os.rename(path, root / "INBOX" / "x.eml")):
            refused(errno.EROFS, call, link)
        refused(errno.EROFS, (search / query / "new").touch)
        refused(errno.EISDIR, os.unlink, search / query)
        refused(errno.EPERM, os.rmdir, search / "by-date")
        os.rmdir(search / query)
        refused(errno.ENOENT, os.stat, search / query)
        shutil.rmtree(search, ignore_errors=True)
    with mounting(user, tmp_path) as root:
        assert query not in os.listdir(root / ".search")
        assert len(os.listdir(root / "INBOX")) == 3
    assert truth(dovecot, user) == before


def test_walking_the_mail_does_not_search(mount, dovecot, user):
    fill(dovecot, user)
    with mount() as root:
        os.mkdir(root / ".search" / "budget")
        found = subprocess.run(["find", root, "-type", "l", "-o", "-name", "*.eml"], text=True,
                               capture_output=True, timeout=60, check=True).stdout.splitlines()
        assert len(found) == 6 and not [path for path in found if ".search" in path]


# What is known here

def test_folders_by_what_is_known(mount, dovecot, user):
    fill(dovecot, user)
    with mount() as root:
        search = root / ".search"
        assert os.listdir(search / "by-date") == []    # no mailbox was looked into
        for mailbox in ("INBOX", "Work/2026"):
            os.listdir(root / mailbox)
        assert os.listdir(search / "by-date") == ["2026"]
        assert os.listdir(search / "by-date" / "2026") == ["11"]
        month = search / "by-date" / "2026" / "11"
        assert os.listdir(month) == ["20", "21"]
        assert hits(root, month / "20") == {"INBOX/1", "INBOX/2", "Work/2026/1", "Work/2026/2"}
        assert hits(root, month / "21") == {"INBOX/3"}
        for name in ("2", "202", "2025", "2026-11", "20266", "...", "%s"):
            refused(errno.ENOENT, os.stat, search / "by-date" / name)

        senders = os.listdir(search / "by-from")
        assert {"alice@x.example", "bob@x.example"} < set(senders) and len(senders) == 3
        assert hits(root, search / "by-from" / "alice@x.example") \
            == {"INBOX/1", "INBOX/3", "Work/2026/1"}
        assert hits(root, search / "by-from" / "bob@x.example") == {"INBOX/2"}
        refused(errno.ENOENT, os.stat, search / "by-from" / "carol@x.example")

        flags = search / "by-flag"
        assert os.listdir(flags) == ["unread", "flagged", "answered", "draft", "$Work"]
        assert hits(root, flags / "unread") == {"INBOX/1", "Work/2026/1", "Work/2026/2"}
        assert hits(root, flags / "flagged") == hits(root, flags / "$Work") == {"INBOX/2"}
        assert hits(root, flags / "draft") == set()

        threads = os.listdir(search / "by-thread")
        assert [name.rpartition(".")[0] for name in threads] == ["Budget-Q4"]
        assert hits(root, search / "by-thread" / threads[0]) == {"INBOX/1", "INBOX/2"}

        before = status(root)["octets fetched"]
        names = [name for _, directories, files in os.walk(search) for name in directories + files]
        assert names and not [name for name in names if "\n" in name or name in (".", "..")]
        assert status(root)["octets fetched"] == before
