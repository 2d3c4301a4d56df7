# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Maildir view is written to as programs write to Maildirs: flags in names, delivery by tmp."""

import errno
import os
import socket
import time

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import digest, letter, wait_until
from tests.fs.terminal import Terminal
from tests.fs.test_maildir import maildir_uid, names
from tests.fs.test_write_files import refused

DATE = 1_500_000_000


def flags_of(desk, mailbox="INBOX"):
    return {message.sha256: message.flags for message in desk.truth(mailbox, bodies=True)}


def becomes(desk, octets, *flags):
    wait_until(lambda: flags_of(desk).get(digest(octets)) == set(flags), lambda: flags_of(desk))


def deliver(maildir, number, octets, place="new", info=""):
    name = f"{DATE}.M{number}P1.{socket.gethostname()}"
    with open(maildir / "tmp" / name, "xb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(maildir / "tmp" / name, maildir / place / (name + info))
    except PermissionError:
        os.rename(maildir / "tmp" / name, maildir / place / (name + info))
    else:
        os.unlink(maildir / "tmp" / name)
    return name + info


def test_delivery(desk):
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        name = deliver(inbox, 1, letter(1))
        assert (inbox / "new" / name).read_bytes() == letter(1)
        deliver(inbox, 2, letter(2), "cur", ":2,FS")
        desk.holds("INBOX", [letter(1), letter(2)])
        assert flags_of(desk) == {digest(letter(1)): frozenset(),
                                  digest(letter(2)): {"\\Flagged", "\\Seen"}}
        wait_for(lambda: [len(found) for found in names(inbox).values()] == [1, 1])
        assert sorted(path.read_bytes() for path in (directory / "INBOX").iterdir()) \
            == sorted([letter(1), letter(2)])
        # Not in one and the same folder alone.
        (directory / "Work").mkdir()
        deliver(directory / ".maildir/Work", 3, letter(3))
        desk.holds("Work", [letter(3)])


def test_flags_in_names(desk):
    desk.fill("INBOX", [(letter(1), "", DATE), (letter(2), r"\Seen work", DATE)])
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        (name,) = names(inbox)["new"]
        inode = (inbox / "new" / name).stat().st_ino
        (inbox / "new" / name).rename(inbox / "cur" / f"{name}:2,S")
        assert f"{name}:2,S" in names(inbox)["cur"] and names(inbox)["new"] == []
        assert (inbox / "cur" / f"{name}:2,S").stat().st_ino == inode
        becomes(desk, letter(1), "\\Seen")
        now = f"{name}:2,S"
        # Back and forth, also to names it had.
        for letters, flags in (("FS", ["\\Flagged", "\\Seen"]), ("S", ["\\Seen"]),
                               ("FRS", ["\\Flagged", "\\Answered", "\\Seen"]), ("S", ["\\Seen"]),
                               ("PS", ["$Forwarded", "\\Seen"]), ("ST", ["\\Seen", "\\Deleted"]),
                               ("S", ["\\Seen"])):
            (inbox / "cur" / now).rename(inbox / "cur" / f"{name}:2,{letters}")
            now = f"{name}:2,{letters}"
            if "P" not in letters:
                assert now in names(inbox)["cur"]
            becomes(desk, letter(1), *flags)
            # A keyword, that is: the mirror hears of it when the server has it.
            wait_for(lambda: now in names(inbox)["cur"])  # pylint: disable=cell-var-from-loop
        (inbox / "cur" / now).rename(inbox / "new" / name)
        assert names(inbox)["new"] == [name]
        becomes(desk, letter(1))
        # What letters do not speak of stays.
        (other,) = names(inbox)["cur"]
        (inbox / "cur" / other).rename(inbox / "cur" / other.replace(":2,S", ":2,DS"))
        becomes(desk, letter(2), "\\Draft", "\\Seen", "work")
        assert len(desk.truth()) == 2


def test_a_name_that_another_client_made_old(desk):
    desk.fill("INBOX", [(letter(1), r"\Seen", DATE)])
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        (name,) = names(inbox)["cur"]
        with desk.server.connect(desk.user) as connection:
            connection.select("INBOX")
            connection.store("1", "+FLAGS", r"\Flagged")
        wait_for(lambda: names(inbox)["cur"] == [name.replace(":2,S", ":2,FS")])
        # The program knows it by its old name, and then by that alone.
        assert (inbox / "cur" / name).read_bytes() == letter(1)
        (inbox / "cur" / name.replace(":2,S", ":2,FS")).rename(inbox / "cur" / name)
        becomes(desk, letter(1), "\\Seen")
        assert names(inbox)["cur"] == [name]


def test_moved_and_removed(desk):
    desk.fill("INBOX", [(letter(1), r"\Seen", DATE), (letter(2), "", DATE)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        inbox, work = directory / ".maildir/INBOX", directory / ".maildir/Work"
        (name,) = names(inbox)["cur"]
        (inbox / "cur" / name).rename(work / "cur" / name)
        assert names(inbox)["cur"] == [] and len(names(work)["cur"]) == 1
        (moved,) = desk.holds("Work", [letter(1)])
        assert moved.flags == {"\\Seen"}
        (name,) = names(inbox)["new"]
        (inbox / "new" / name).unlink()
        desk.holds("INBOX", [])
        desk.holds("Trash", [letter(2)])
        assert names(inbox) == {"cur": [], "new": []}


def test_what_programs_keep_there(desk):
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        (inbox / ".uidvalidity").write_text("1\n")
        (inbox / "tmp" / "half").write_bytes(letter(1))
        (inbox / "dovecot-uidlist").write_text("3\n")
        (inbox / "cur" / ".lock").write_text("")
        refused(errno.EBUSY, (inbox / "tmp").rmdir)
        deliver(inbox, 1, letter(2))
        desk.holds("INBOX", [letter(2)])
        assert (inbox / ".uidvalidity").read_text() == "1\n"
        assert os.listdir(inbox / "tmp") == ["half"]
        assert set(os.listdir(inbox)) == {"cur", "new", "tmp", ".uidvalidity", "dovecot-uidlist"}


MUTTRC = """
set quit=yes
set delete=yes
set wait_key=no
set confirmappend=no
set confirmcreate=no
set mbox_type=Maildir
set move=no
set mark_old=no
set sort=mailbox-order
set index_format="%Z %s"
set header_cache=
"""


@pytest.mark.parametrize("reader", ["mutt", "neomutt"])
def test_mutt(reader, desk, tmp_path):
    """Flags one, saves one in another mailbox, deletes one, and writes that back."""
    desk.fill("INBOX", [(letter(number), r"\Seen", DATE + number) for number in range(4)])
    desk.fill("Work", [])
    (tmp_path / "rc").write_text(MUTTRC)
    (tmp_path / "Mail").mkdir()
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        os.listdir(inbox / "cur")
        with Terminal(tmp_path, [reader, "-n", "-F", tmp_path / "rc", "-f", inbox],
                      env={"HOME": str(tmp_path), "TERM": "screen"}) as terminal:
            terminal.wait_for(lambda screen: any("letter 3" in line for line in screen))
            terminal.keys("1", "Enter", "F")
            terminal.keys("2", "Enter", "d")
            terminal.keys("3", "Enter", "s")
            terminal.wait_for(lambda screen: any("Save to mailbox" in line for line in screen))
            terminal.keys("C-u", str(directory / ".maildir/Work"), "Enter")
            terminal.wait_for(lambda screen: not any("Save to mailbox" in line for line in screen))
            terminal.keys("$")
            terminal.wait_for(lambda screen: not any("letter 1" in line for line in screen)
                              and not any("letter 2" in line for line in screen))
            terminal.keys("q")
            terminal.wait_for_end()
        # It writes "Status:" into what it saves, but nothing is gone.
        wait_until(lambda: len(desk.truth("Work")) == 1, lambda: desk.truth("Work"))
        desk.holds("INBOX", [letter(0), letter(3)])
        desk.holds("Trash", [letter(1), letter(2)])
        becomes(desk, letter(0), "\\Flagged", "\\Seen")


def test_a_reader_is_not_told_old_things(desk):
    """Times of directories move with what is written through the mount, or mutt would not look."""
    desk.fill("INBOX", [(letter(1), r"\Seen", DATE)])
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        os.listdir(inbox / "new")
        before = (inbox / "new").stat().st_mtime_ns
        time.sleep(0.01)
        deliver(inbox, 1, letter(2))
        wait_for(lambda: (inbox / "new").stat().st_mtime_ns > before)
        (name,) = names(inbox)["cur"]
        assert maildir_uid(name) == 1


def there(directory):
    """"place/name" of each message."""
    return sorted(f"{place}/{name}" for place, found in names(directory).items() for name in found)


def test_names_stay(desk):
    """The part before the flags is the program's, and so is the place, as on a disk."""
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        seen = deliver(inbox, 1, letter(1), "cur", ":2,S")
        deliver(inbox, 2, letter(2), "new", ":2,F")
        old = deliver(inbox, 3, letter(3), "cur", ":2,")
        plain = deliver(inbox, 4, letter(4))
        given = sorted([f"cur/{seen}", f"cur/{old}", f"new/{plain}",
                        f"new/{plain.replace('M4', 'M2')}:2,F"])
        assert there(inbox) == given
        inodes = [(inbox / name).stat().st_ino for name in given]
        desk.holds("INBOX", [letter(number) for number in (1, 2, 3, 4)])
        wait_for(lambda: len(list((directory / "INBOX").iterdir())) == 4)
        assert there(inbox) == given
        assert [(inbox / name).stat().st_ino for name in given] != inodes  # they are messages
        becomes(desk, letter(2), "\\Flagged")
        # mbsync's way to number them, with flags in the same rename or without.
        renamed = inbox / "cur" / plain.replace("P1", "P1,U=4")
        (inbox / "new" / plain).rename(renamed.with_name(renamed.name + ":2,S"))
        (inbox / "cur" / seen).rename(inbox / "cur" / seen.replace(":2,", ",U=1:2,"))
        given = sorted([f"cur/{seen.replace(':2,', ',U=1:2,')}", f"cur/{old}",
                        f"cur/{renamed.name}:2,S", f"new/{plain.replace('M4', 'M2')}:2,F"])
        assert there(inbox) == given
        refused(errno.ENOENT, (inbox / "cur" / seen).stat)
        becomes(desk, letter(4), "\\Seen")
        # Others may change flags as they like.
        with desk.server.connect(desk.user) as connection:
            connection.select("INBOX")
            connection.store("1:*", "+FLAGS", r"\Answered \Seen")
        given = sorted(f"cur/{os.path.basename(name).partition(':2,')[0]}:2,"
                       f"{'F' if 'M2' in name else ''}RS" for name in given)
        wait_for(lambda: there(inbox) == given)
        for name in given:
            assert b"letter" in (inbox / name).read_bytes()
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        assert (inbox / given[0]).read_bytes() == letter(1)
        assert there(inbox) == given


def test_names_that_the_mount_gave(desk):
    """They may be changed too, and back; whatever they were goes on working."""
    desk.fill("INBOX", [(letter(1), r"\Seen", DATE), (letter(2), "", DATE)])
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        (name,), (other,) = names(inbox)["cur"], names(inbox)["new"]
        base = name.partition(":2,")[0]
        inode = (inbox / "cur" / name).stat().st_ino
        (inbox / "cur" / name).rename(inbox / "cur" / f"{base},U=1:2,S")
        assert there(inbox) == [f"cur/{base},U=1:2,S", f"new/{other}"]
        assert (inbox / "cur" / f"{base},U=1:2,S").stat().st_ino == inode
        assert (inbox / "cur" / name).read_bytes() == letter(1)
        # Onto another message, or with what is no name.
        taken = inbox / "new" / other
        for wrong, number in ((taken, errno.EEXIST), (inbox / "cur" / "a:1,b", errno.EINVAL),
                              (inbox / "cur" / ("n" * 250 + ":2,S"), errno.ENAMETOOLONG),
                              (inbox / "cur" / ".hidden", errno.EPERM),
                              (inbox / "tmp" / "half", errno.EPERM)):
            refused(number, (inbox / "cur" / f"{base},U=1:2,S").rename, wrong)
        assert taken.read_bytes() == letter(2)
        longest = "n" * 246 + ":2,S"
        (inbox / "cur" / f"{base},U=1:2,S").rename(inbox / "cur" / longest)
        assert there(inbox) == [f"cur/{longest}", f"new/{other}"]
        (inbox / "cur" / longest).rename(inbox / "cur" / name)
        assert there(inbox) == [f"cur/{name}", f"new/{other}"]
        assert len(desk.truth()) == 2


def test_names_in_another_mailbox(desk):
    """A rename brings the name along, whether or not the server has been told of it yet."""
    desk.fill("INBOX", [(letter(1), r"\Seen", DATE)])
    desk.fill("Work", [])
    with desk.mounted() as directory:
        inbox, work = directory / ".maildir/INBOX", directory / ".maildir/Work"
        (name,) = names(inbox)["cur"]
        (inbox / "cur" / name).rename(work / "cur" / "one,U=7:2,S")
        assert there(inbox) == [] and there(work) == ["cur/one,U=7:2,S"]
        (work / "cur" / "one,U=7:2,S").rename(work / "cur" / "two,U=8:2,S")
        assert there(work) == ["cur/two,U=8:2,S"]
        desk.holds("Work", [letter(1)])
        wait_for(lambda: os.listdir(directory / ".mailrack/pending") == [])
        wait_for(lambda: there(work) == ["cur/two,U=8:2,S"])
        # The plain way: one name on the way and there.
        (path,) = (directory / "Work").iterdir()
        path.rename(directory / "INBOX" / path.name)
        wait_for(lambda: there(work) == [] and there(inbox))    # another view: told a moment later
        (moved,) = there(inbox)
        assert "U=" not in moved
        desk.holds("INBOX", [letter(1)])
        desk.holds("Work", [])
        wait_for(lambda: os.listdir(directory / ".mailrack/pending") == [])
        assert there(inbox) == [moved]
    with desk.mounted() as directory:
        inbox = directory / ".maildir/INBOX"
        assert there(inbox) == [moved]
        (inbox / moved).unlink()
        desk.holds("Trash", [letter(1)])
        # Nobody's any more.
        deliver(inbox, 1, letter(2))
        os.rename(inbox / "new" / deliver(inbox, 3, letter(3)), inbox / moved)
        desk.holds("INBOX", [letter(2), letter(3)])


def test_flags_of_what_is_not_sent_yet(desk):
    with desk.mounted(options=["-o", "offline=queue"]) as directory:
        inbox = directory / ".maildir/INBOX"
        os.listdir(inbox / "cur")
        (directory / ".mailrack/ctl").write_text("offline\n")
        name = deliver(inbox, 1, letter(1))
        (inbox / "new" / name).rename(inbox / "cur" / f"{name},U=1:2,FS")
        assert there(inbox) == [f"cur/{name},U=1:2,FS"]
        (directory / ".mailrack/ctl").write_text("online\n")
        becomes(desk, letter(1), "\\Flagged", "\\Seen")
        wait_for(lambda: len(list((directory / "INBOX").iterdir())) == 1)
        assert there(inbox) == [f"cur/{name},U=1:2,FS"]
