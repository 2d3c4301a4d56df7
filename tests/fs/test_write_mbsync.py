# SPDX-License-Identifier: LGPL-2.1-or-later
"""mbsync between another account and a mount's Maildir: what one has the other gets, once.

The account of the mount (near) and the other one (far) are on the same server; both are asked with
imaplib. mbsync writes a line into what it copies, so messages are the same by their Message-ID.
"""

import email
import os
import re
import subprocess
import time

import pytest

from tests.fs.desk import Desk, letter, wait_until
from tests.support import dovecot as private_dovecot, imapbox

DATE = 1_500_000_000


class Pair:
    """Two accounts, and mbsync between the far one and a mount of the near one."""

    def __init__(self, desk, far, place, how):
        alt_map, state, self.options = how
        self.near, self.far = desk, far
        self.place = place
        (place / "state").mkdir()
        state = state or f"{place}/state/"
        self.rc = place / "mbsyncrc"
        mail = place / "mnt/.maildir"
        self.inbox = mail / "INBOX"
        self.rc.write_text(f"""IMAPStore far
Host {desk.server.host}
Port {desk.server.imap}
User {far.user}
Pass {private_dovecot.PASSWORD}
SSLType None
AuthMechs PLAIN

MaildirStore near
Path {mail}/
Inbox {mail}/INBOX
SubFolders Verbatim
AltMap {alt_map}

Channel mail
Far :far:
Near :near:
Patterns INBOX Work
Create Both
Sync All
Expunge Both
CopyArrivalDate yes
SyncState {state}
""")

    def run(self):
        return subprocess.run(["mbsync", "-c", self.rc, "-V", "mail"], text=True, timeout=300,
                              capture_output=True, check=False)

    def sync(self):
        """One run, which must end well."""
        done = self.run()
        assert done.returncode == 0, (done.stdout[-4000:], done.stderr)
        complaints = [line for line in done.stderr.splitlines()
                      if "sleeping due to recent directory modification" not in line]
        assert not complaints, complaints

    def sent(self):
        """Waits until the mount has nothing left to tell the server."""
        pending = self.place / "mnt/.mailrack/pending"
        wait_until(lambda: os.listdir(pending) == [], lambda: os.listdir(pending))

    def shows(self, mailbox="INBOX"):
        """Waits until the mount shows what its server has."""
        folder = self.inbox.parent / mailbox

        def differ():
            shown = sorted(shape(name) for place in ("cur", "new")
                           for name in os.listdir(folder / place))
            return (shown, sorted("".join(sorted(LETTERS[flag] for flag in flags))
                                  for _, flags, _ in mail(self.near, mailbox)))
        wait_until(lambda: len(set(map(tuple, differ()))) == 1, differ)

    def alike(self, mailbox="INBOX"):
        """Both have the same messages, each once, with the same flags and octets; gives them."""
        self.sent()

        def differ():
            return contents(self.near, mailbox), contents(self.far, mailbox)
        wait_until(lambda: differ()[0] == differ()[1], differ)
        found = contents(self.near, mailbox)
        assert len({name for name, _, _ in found}) == len(found), found
        self.shows(mailbox)
        return {int(name.split("@")[0].strip("<")): flags for name, flags, _ in found}

    def nothing_left(self):
        """Another run transfers nothing and changes nothing, at either side."""
        def all_of_it():
            return [(desk.user, mailbox, mail(desk, mailbox), uid_next(desk, mailbox))
                    for desk in (self.near, self.far) for mailbox in ("INBOX", "Work")]
        self.sent()
        before, names = all_of_it(), self.names()
        self.sync()
        self.sent()
        assert all_of_it() == before
        assert self.names() == names

    def names(self):
        return sorted(f"{mailbox}/{place}/{name}" for mailbox in ("INBOX", "Work")
                      for place in ("cur", "new")
                      for name in os.listdir(self.inbox.parent / mailbox / place))


LETTERS = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Deleted": "T"}


def shape(name):
    return name.partition(":2,")[2]


def mail(desk, mailbox):
    """[(uid, flags, octets)] of a mailbox."""
    with desk.server.connect(desk.user) as connection:
        count = int(connection.select(imapbox.quote(mailbox), readonly=True)[1][0])
        answer = connection.fetch("1:*", "(UID FLAGS BODY.PEEK[])")[1] if count else []
    found = []
    for part in answer:
        if isinstance(part, tuple):
            head = part[0].decode()
            flags = re.search(r"FLAGS \(([^)]*)\)", head)[1].split()
            found.append((int(re.search(r"UID (\d+)", head)[1]),
                          tuple(sorted(flag for flag in flags if flag != "\\Recent")), part[1]))
    return found


def contents(desk, mailbox):
    """[(Message-ID, flags, octets)], without what mbsync adds."""
    return sorted((email.message_from_bytes(octets)["Message-ID"], flags,
                   re.sub(rb"X-TUID: [^\r\n]*\r\n", b"", octets))
                  for _, flags, octets in mail(desk, mailbox))


def uid_next(desk, mailbox):
    with desk.server.connect(desk.user) as connection:
        answer = connection.status(imapbox.quote(mailbox), "(UIDNEXT UIDVALIDITY MESSAGES)")
    return answer[1][0]


def change(desk, number, *flags, mailbox="INBOX", expunge=False):
    """As another client of that account: adds flags to letter number, or removes it."""
    with desk.server.connect(desk.user) as connection:
        connection.select(imapbox.quote(mailbox))
        found = connection.uid("SEARCH", "HEADER", "Message-ID", f"<{number}@desk.example>")[1][0]
        assert len(found.split()) == 1, found
        connection.uid("STORE", found.decode(), "+FLAGS",
                       "\\Deleted" if expunge else "(" + " ".join(flags) + ")")
        if expunge:
            connection.expunge()


@pytest.fixture
def far(dovecot, mounting, tmp_path):
    user = dovecot.add_user(f"far-{os.getpid()}-{time.monotonic_ns()}")
    return Desk(dovecot, user, mounting, tmp_path / "far")


# AltMap: no is in names, yes in a database; SyncState: * is beside the messages; options.
HOW = {"names": ("no", None, ["-o", "purge=yes"]),
       "database": ("yes", "*", ["-o", "purge=yes"]),
       "waiting": ("no", "*", ["-o", "purge=yes", "-o", "commit=server"])}


@pytest.fixture(params=HOW)
def pair(request, desk, far, tmp_path):
    return Pair(desk, far, tmp_path, HOW[request.param])


def path_of(pair, number, mailbox="INBOX"):
    """The file of a letter in the Maildir."""
    for place in ("cur", "new"):
        for entry in os.scandir(pair.inbox.parent / mailbox / place):
            with open(entry.path, "rb") as file:
                if b"<%d@desk.example>" % number in file.read():
                    return entry.path
    raise AssertionError(f"letter {number} is not there")


def test_both_ways(pair):
    near, far = pair.near, pair.far
    near.fill("INBOX", [(letter(1), r"\Seen", DATE + 1), (letter(2), "", DATE + 2),
                        (letter(3), r"\Flagged", DATE + 3), (letter(4), r"\Seen", DATE + 4)])
    far.fill("INBOX", [(letter(11), r"\Seen", DATE + 11), (letter(12), "", DATE + 12),
                       (letter(13), r"\Flagged", DATE + 13),
                       (letter(14), r"\Seen \Answered", DATE + 14)])
    far.fill("Work", [(letter(21, 30_000), "", DATE + 21)])
    all_of_them = {1: ("\\Seen",), 2: (), 3: ("\\Flagged",), 4: ("\\Seen",), 11: ("\\Seen",),
                   12: (), 13: ("\\Flagged",), 14: ("\\Answered", "\\Seen")}
    with near.mounted(options=pair.options):
        pair.sync()
        # At once, while the mount may still be sending.
        pair.sync()
        assert pair.alike() == all_of_them
        assert pair.alike("Work") == {21: ()}
        pair.nothing_left()
        names = pair.names()
    with near.mounted(options=pair.options):
        assert pair.names() == names
        pair.nothing_left()
        # New mail at both sides, by IMAP and by the mount.
        near.fill("INBOX", [(letter(5), "", DATE + 5)])
        far.fill("INBOX", [(letter(15), r"\Flagged", DATE + 15)])
        (pair.place / "mnt/INBOX/six.eml").write_bytes(letter(6))
        # Flags at both sides, in each way.
        change(near, 2, "\\Seen")
        change(far, 1, "\\Flagged")
        change(far, 13, "\\Seen")
        path = path_of(pair, 12)
        os.rename(path, pair.inbox / "cur" / (os.path.basename(path).partition(":2,")[0] + ":2,RS"))
        # And some go.
        change(near, 3, expunge=True)
        change(far, 11, expunge=True)
        os.unlink(path_of(pair, 14))
        pair.sent()
        pair.shows()
        pair.sync()
        expected = {1: ("\\Flagged", "\\Seen"), 2: ("\\Seen",), 4: ("\\Seen",), 5: (), 6: (),
                    12: ("\\Answered", "\\Seen"), 13: ("\\Flagged", "\\Seen"), 15: ("\\Flagged",)}
        assert pair.alike() == expected
        pair.nothing_left()
        assert (pair.place / "mnt/INBOX/six.eml").read_bytes() == letter(6)
    with near.mounted(options=pair.options):
        pair.nothing_left()
        assert pair.alike() == expected


def test_what_the_near_side_moves_elsewhere(pair):
    """Messages that go from one mailbox to the other in the mount do so at the far side."""
    near, far = pair.near, pair.far
    far.fill("INBOX", [(letter(number), r"\Seen", DATE + number) for number in range(1, 5)])
    far.fill("Work", [])
    with near.mounted(options=pair.options):
        pair.sync()
        assert len(pair.alike()) == 4
        mount = pair.place / "mnt"
        for path in list((mount / "INBOX").iterdir())[:2]:
            os.rename(path, mount / "Work" / path.name)
        pair.sent()
        pair.shows()
        pair.shows("Work")
        pair.sync()
        assert len(pair.alike()) == 2 and len(pair.alike("Work")) == 2
        pair.nothing_left()


def test_what_the_near_server_refuses(dovecot, far, mounting, tmp_path):
    """With commit = server mbsync is told, and leaves it where it is."""
    user = dovecot.add_user(f"near-{os.getpid()}-{time.monotonic_ns()}",
                            fields="userdb_quota_rule=*:bytes=20000")
    pair = Pair(Desk(dovecot, user, mounting, tmp_path), far, tmp_path, HOW["waiting"])
    far.fill("INBOX", [(letter(1), r"\Seen", DATE), (letter(2, 30_000), "", DATE)])
    far.fill("Work", [])
    with pair.near.mounted(options=pair.options):
        for _ in range(2):
            assert "Disk quota exceeded" in pair.run().stderr
            assert [number for number, _, _ in contents(far, "INBOX")] \
                == ["<1@desk.example>", "<2@desk.example>"]
        # Once there is room it comes.
        change(far, 2, expunge=True)
        far.fill("INBOX", [(letter(3), "", DATE)])
        pair.run()  # it says that it has lost track of that one
        assert pair.alike() == {1: ("\\Seen",), 3: ()}
        pair.nothing_left()
