# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs show a mount's directories: names, sizes, dates, link counts, and what df and du make
of them. What is in the files is test_programs_read.py's."""

import datetime
import imaplib
import os
import re
import stat
import time

import pytest

from tests.fs.conftest import internal_date, uid_of
from tests.fs.programs import run
from tests.fs.terminal import Terminal


@pytest.fixture(scope="module")
def inbox(matrix_mount):
    return matrix_mount / "INBOX"


def lines(*command, **options):
    return run(*command, **options).decode().splitlines()


def test_ls(matrix, inbox):
    assert sorted(uid_of(name) for name in lines("ls", inbox)) == sorted(matrix.truth)
    listing = lines("ls", "-lni", "--time-style=+%s", inbox)
    assert listing.pop(0).startswith("total ")
    assert len(listing) == len(matrix.truth)
    for line in listing:
        inode, mode, links, owner, group, size, date, name = line.split(None, 7)
        message = matrix.truth[uid_of(name)]
        assert (mode, links, owner, group) \
            == ("-rw-------", "1", str(os.getuid()), str(os.getgid()))
        assert int(size) == message.octets
        assert int(date) == internal_date(message)
        assert int(inode) & 0xffffffff == message.uid


def test_ls_by_date_and_by_size(matrix, inbox):
    dates = {uid: internal_date(message) for uid, message in matrix.truth.items()}
    found = [dates[uid_of(name)] for name in lines("ls", "-t", inbox)]
    assert found == sorted(dates.values(), reverse=True)
    found = [matrix.truth[uid_of(name)].octets for name in lines("ls", "-S", inbox)]
    assert found == sorted((message.octets for message in matrix.truth.values()), reverse=True)


def test_find(matrix, matrix_mount, dovecot):
    found = lines("find", matrix_mount, "-type", "f", "-printf", "%f %s %T@\n")
    assert len(found) == len(matrix.truth) + 20
    found = lines("find", matrix_mount / "INBOX", "-type", "f", "-size", "+40k", "-name", "*.eml")
    assert {uid_of(path) for path in found} \
        == {uid for uid, message in matrix.truth.items() if message.octets > 40 << 10}
    found = lines("find", matrix_mount / "INBOX", "-newermt", "@1605000000")
    assert {uid_of(path) for path in found if path.endswith(".eml")} \
        == {uid for uid, message in matrix.truth.items() if internal_date(message) > 1605000000}
    with dovecot.connect(matrix.user) as connection:
        listed = connection.list()[1]
    assert set(lines("find", matrix_mount, "-mindepth", "1", "-type", "d", "-printf", "%P\n")) \
        == {line.decode().rpartition('"/" ')[2].strip('"') for line in listed}


def test_link_counts_say_how_many_directories_there_are(matrix_mount):
    """find and notmuch leave out stat() of what cannot be a directory by them."""
    for path, folders, _ in os.walk(matrix_mount):
        assert os.stat(path).st_nlink == 2 + len(folders), path
    assert {"INBOX", "Work"} <= set(os.listdir(matrix_mount))


def test_inodes_are_unique_and_ascend_with_the_uid(matrix_mount, inbox):
    entries = sorted((entry.inode(), uid_of(entry.name)) for entry in os.scandir(inbox))
    assert [uid for _, uid in entries] == sorted(uid for _, uid in entries)
    everything = [os.lstat(os.path.join(path, name)).st_ino
                  for path, folders, files in os.walk(matrix_mount) for name in folders + files]
    assert len(everything) == len(set(everything))
    for entry in os.scandir(inbox):
        assert entry.inode() == os.stat(entry.path).st_ino


def test_a_file_manager(matrix, inbox):
    """gio is what they list with: every attribute, and a type for the icon."""
    found = lines("gio", "list", "-a",
                  "standard::size,standard::content-type,time::modified,access::can-write", inbox)
    assert len(found) == len(matrix.truth)
    for line in found:
        name, size, kind, *rest = line.split("\t")
        assert kind == "(regular)"
        assert int(size) == matrix.truth[uid_of(name)].octets
        assert "standard::content-type=message/rfc822" in " ".join(rest)


def test_reading_a_directory_again_and_from_the_middle(inbox):
    """rewinddir and seekdir, as Python does not offer them, by several that read at once."""
    names = lines("ls", "-U", inbox)
    directories = [os.scandir(inbox) for _ in range(8)]
    readers = [[] for _ in directories]
    for _ in names:
        for directory, reader in zip(directories, readers):
            reader.append(next(directory).name)
    assert all(reader == names for reader in readers)
    assert all(next(directory, None) is None for directory in directories)


def test_du(matrix, inbox):
    apparent, _ = lines("du", "-sb", inbox)[0].split("\t")
    total = sum(message.octets for message in matrix.truth.values())
    assert int(apparent) - os.stat(inbox).st_size == total
    blocks, _ = lines("du", "-s", "--block-size=512", inbox)[0].split("\t")
    assert total / 512 <= int(blocks) <= total / 512 + len(matrix.truth) + 16


def test_df(matrix_mount):
    kind, size, used, free, target = lines(
        "df", "--output=fstype,size,used,avail,target", matrix_mount)[1].split()
    assert kind == "fuse.mailrack"
    assert target == str(matrix_mount)
    assert int(free) > 0 and int(size) >= int(used) >= 0


def test_nothing_is_there_that_is_not(matrix_mount, inbox):
    """Names of no message, near ones too, and odd ones that programs look for."""
    name = lines("ls", inbox)[0]
    for wrong in (".git", "nobody.eml", "0.eml", "99999.eml", name[1:], f"x{name}", name + "x",
                  "..eml", "-1.eml", "1.eml", "x" * 255):
        with pytest.raises(FileNotFoundError):
            os.stat(inbox / wrong)
    with pytest.raises(OSError, match="name too long"):
        os.stat(inbox / ("x" * 256))
    for name in (".uid", "Work/2026"):
        assert stat.S_ISDIR(os.stat(matrix_mount / name).st_mode)


def test_less(matrix, inbox, tmp_path):
    """In a terminal: the beginning, and the end after G, which less seeks."""
    uid = max(matrix.truth, key=lambda uid: matrix.truth[uid].octets)
    name = next(name for name in os.listdir(inbox) if uid_of(name) == uid)
    text = (matrix.ground / f"{uid}.eml").read_text("utf-8", "replace").splitlines()
    with Terminal(tmp_path, ["less", "-f", "-S", inbox / name],
                  env={"LESSHISTFILE": "-", "LESSOPEN": ""}) as terminal:
        terminal.wait_for(lambda screen: text[0].rstrip()[:99] in [line[:99] for line in screen])
        terminal.keys("G")
        terminal.wait_for(lambda screen: text[-1].rstrip()[:99] in [line[:99] for line in screen])


# Extended attributes

VALUE = re.compile(r'(user\.[a-z._]+)(?:=(?:0x([0-9a-f]*)|""))?')


def attributes(paths, *options):
    """{uid: {name: value}}, as getfattr says it of all of them at once."""
    found, current = {}, None
    for line in lines("getfattr", "--absolute-names", "-e", "hex", *options, *paths):
        if line.startswith("# file: "):
            current = found.setdefault(uid_of(line.rpartition("/")[2]), {})
        elif line:
            name, value = VALUE.fullmatch(line).groups()
            current[name] = bytes.fromhex(value or "").decode()
    return found


def fetched(dovecot, user):
    """{uid: {name: value}} as the server says it."""
    with dovecot.connect(user) as connection:
        connection.select("INBOX", readonly=True)
        validity = connection.response("UIDVALIDITY")[1][0].decode()
        answers = connection.fetch("1:*", "(UID FLAGS INTERNALDATE MODSEQ)")[1]
    found = {}
    for answer in answers:
        (uid,) = re.findall(rb"UID (\d+)", answer)
        words = [word for word in re.search(rb"FLAGS \(([^)]*)\)", answer)[1].decode().split()
                 if word != "\\Recent"]
        date = datetime.datetime.fromtimestamp(
            time.mktime(imaplib.Internaldate2tuple(answer)), datetime.timezone.utc)
        keywords = [word for word in words if not word.startswith("\\")]
        found[int(uid)] = {
            "user.imap.uid": uid.decode(), "user.imap.uidvalidity": validity,
            "user.imap.flags": " ".join(word for word in words if word.startswith("\\")),
            "user.imap.keywords": " ".join(keywords),
            "user.imap.internaldate": date.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "user.imap.modseq": re.search(rb"MODSEQ \((\d+)\)", answer)[1].decode(),
            "user.mime_type": "message/rfc822"}
        if keywords:
            found[int(uid)]["user.xdg.tags"] = ",".join(keywords)
    return found


def in_any_order(attributes_of):
    """Flags are a set."""
    return {uid: {name: sorted(re.split("[ ,]", value)) for name, value in each.items()
                  if name not in ("user.imap.emailid", "user.imap.threadid")}
            for uid, each in attributes_of.items()}


def test_getfattr(matrix, mounting, dovecot, tmp_path):
    with mounting(matrix.user, tmp_path, {"xattr": "yes"}) as directory:
        truth = in_any_order(fetched(dovecot, matrix.user))
        paths = sorted((directory / "INBOX").glob("*.eml"))
        assert len(truth) == len(matrix.truth) == len(paths)
        assert in_any_order(attributes(paths, "-d")) == truth
        # One of them, and in another view, where a message is the same file.
        tags = attributes(sorted((directory / ".uid/INBOX").iterdir()), "-n", "user.imap.flags")
        assert in_any_order(tags) == {uid: {"user.imap.flags": each["user.imap.flags"]}
                                      for uid, each in truth.items()}
        # Mailboxes have none.
        assert not lines("getfattr", "-d", directory / "INBOX")
