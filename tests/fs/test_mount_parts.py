# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts view: each message as a directory of what it is made of."""

import base64
import errno
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import tarfile

import pytest

from tests.fs import parts
from tests.fs.conftest import fetch_ground, wait_for
from tests.fs.test_mount_control import status
from tests.support import dovecot as private_dovecot, proxy

KEEPS = {"message.eml", "header", "flags", "info.json"}


def tree(directory):
    """{relative path: octets} of every file below. Whole messages come last: what is in one that is
    here needs no server."""
    found = {}
    paths = sorted(os.path.join(top, name) for top, _, files in os.walk(directory)
                   for name in files)
    for path in sorted(paths, key=lambda path: os.path.basename(path) == "message.eml"):
        with open(path, "rb") as file:
            octets = file.read()
            assert os.fstat(file.fileno()).st_size == len(octets), path
        found[os.path.relpath(path, directory)] = octets
    return found


def by_uid(directory):
    """{uid: path} of the directories of a mailbox' messages."""
    return {int(name.rpartition(".")[2]): directory / name for name in os.listdir(directory)
            if re.search(r"(^|\.)\d+$", name)}


def mixed(*bodies, subtype="mixed", header=b"Subject: parts\r\n"):
    """A message of these entities (header lines about the content, empty line, content)."""
    lines = b"".join(b"--=b\r\n" + body + b"\r\n" for body in bodies)
    return (header + b"MIME-Version: 1.0\r\nContent-Type: multipart/" + subtype.encode()
            + b'; boundary="=b"\r\n\r\n' + lines + b"--=b--\r\n")


def attached(octets, parameters, kind="application/pdf", encoding="base64"):
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n") if encoding == "base64" else octets
    return (f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
            f"Content-Disposition: attachment{parameters}\r\n\r\n").encode("utf-8") + encoded


HEADER = (b'From: =?utf-8?q?J=C3=BCrgen_=E2=80=AE=22quoted=22?= <j@example.org>\r\n'
          b"Message-ID: <1@example.org>\r\nIn-Reply-To: <0@example.org>\r\n")
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"


# What there is

def check_header(info):
    assert info["from"] == {"name": 'Jürgen \u202e"quoted"', "address": "j@example.org"}
    assert info["message_id"] == "<1@example.org>" and info["in_reply_to"] == "<0@example.org>"
    assert info["subject"] == "parts"


def test_header_without_names(mount, dovecot, user):
    dovecot.fill(user, "INBOX", [mixed(TEXT, header=HEADER + b"Subject: parts\r\n")])
    with mount({"names": "uid"}) as directory:
        text = (directory / ".parts" / "INBOX" / "1" / "info.json").read_text(encoding="utf-8")
        check_header(json.loads(text))
        assert "\u202e" not in text and text.endswith("}\n") and text.count("\n") == 1


def test_layout(mount, dovecot, user):
    inner = b"Subject: inner\r\n\r\nwithin\r\n"
    choice = mixed(b"Content-Type: text/plain; charset=iso-8859-1\r\n"
                   b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n",
                   b"Content-Type: text/html; charset=utf-8\r\n\r\n"
                   b"<p>Gr\xc3\xbc\xc3\x9fe</p>\r\n", subtype="alternative", header=b"")
    message = mixed(
        choice.replace(b"=b", b"=c"),
        attached(b"%PDF report", '; filename="Q4-report.pdf"'),
        b"Content-Type: message/rfc822\r\n\r\n" + inner)
    message = HEADER + message
    dovecot.fill(user, "INBOX", [(message, "\\Seen \\Flagged work $Junk", 1_795_166_100)])
    with mount() as directory:
        inbox = directory / ".parts" / "INBOX"
        names = os.listdir(inbox)
        assert names == [os.listdir(directory / "INBOX")[0].removesuffix(".eml")]
        found = tree(inbox / names[0])
        info = json.loads(found.pop("info.json"))
        assert found == {
            "message.eml": message, "header": message[:message.index(b"\r\n\r\n") + 4],
            "text": "Grüße\n".encode(), "html": "<p>Grüße</p>\n".encode(),
            "flags": b"\\Seen\n\\Flagged\n$Junk\nwork\n", "att/Q4-report.pdf": b"%PDF report",
            "att/part-3.eml": inner}
        assert info["uid"] == 1 and info["mailbox"] == "INBOX" and info["size"] == len(message)
        check_header(info)
        assert info["flags"] == ["\\Seen", "\\Flagged"] and info["keywords"] == ["$Junk", "work"]
        with dovecot.connect(user) as connection:
            told = connection.status("INBOX", "(UIDVALIDITY)")[1][0]
            assert info["uidvalidity"] == int(re.search(rb"UIDVALIDITY (\d+)", told)[1])
        assert info["date"] == "2026-11-20T09:15:00Z"
        assert [(part["section"], part["type"], part["role"], part.get("file"))
                for part in info["parts"]] == [
            ("", "multipart/mixed", "multipart", None),
            ("1", "multipart/alternative", "multipart", None),
            ("1.1", "text/plain", "text", None), ("1.2", "text/html", "html", None),
            ("2", "application/pdf", "attachment", "Q4-report.pdf"),
            ("3", "message/rfc822", "attachment", "part-3.eml"),
            ("3.1", "text/plain", "inner", None)]
        for path in (inbox / names[0]).rglob("*"):
            facts = path.stat()
            assert facts.st_mtime == 1_795_166_100
            assert stat.S_IMODE(facts.st_mode) & 0o077 == 0
        same = os.stat(inbox / names[0] / "message.eml")
        assert same.st_ino == os.stat(directory / "INBOX" / (names[0] + ".eml")).st_ino
        for name in ("other", "att/other", "text/below", "att/Q4-report.pdf/x", "att/2"):
            assert not (inbox / names[0] / name).exists()
        with pytest.raises(OSError):
            (inbox / names[0] / "header").write_text("x")
        with pytest.raises(OSError):
            (inbox / names[0] / "new").write_text("x")


def test_only_what_there_is(mount, dovecot, user):
    dovecot.fill(user, "INBOX", [
        b"Subject: plain\r\n\r\njust text\r\n", b"Subject: nothing\r\n\r\n",
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n",
        mixed(TEXT, b"Content-Type: text/plain\r\n\r\n", b"\r\n")])
    with mount() as directory:
        found = by_uid(directory / ".parts" / "INBOX")
        trees = {uid: tree(path) for uid, path in found.items()}
        own = {uid: {name: octets for name, octets in files.items() if name not in KEEPS}
               for uid, files in trees.items()}
        assert own == {1: {"text": b"just text\n"}, 2: {"text": b""},
                       3: {"att/part-1.pdf": b"abc"},
                       4: {"text": b"Hello\n", "att/part-2.txt": b"", "att/part-3.txt": b""}}
        assert all(files["flags"] == b"" for files in trees.values())


NAMES = {                            # parameters of the disposition: the name as a file
    '; filename=".."': "part-{n}.pdf",
    '; filename="a/b"': "a_b",
    '; filename="../../../etc/passwd"': "_.._.._etc_passwd",
    '; filename="-rf .pdf"': "rf.pdf",
    '; filename=".hidden"': "hidden",
    '; filename="same.pdf"': "same.pdf",
    ';  filename="same.pdf"': "same (2).pdf",
    ';   filename="same.pdf"': "same (3).pdf",
    f'; filename="{"x" * 300}.pdf"': "x" * 196 + ".pdf",
    "; filename*0*=utf-8''%C3%A4; filename*1=\"b c\"; filename*2*=%2Epdf": "äb c.pdf",
    "; filename*=iso-8859-1'de'gr%FC%DFe.pdf": "grüße.pdf",
    "; filename*=utf-8''%E2%80%AEfdp.exe": "fdp.exe",
    "; filename*=utf-8''one%0Aline%00.pdf": None,
    '; filename="=?utf-8?q?Entw=C3=BCrfe=2Epdf?="': "Entwürfe.pdf",
    "": "part-{n}.pdf",
}


def test_names_of_hostile_mail(mount, dovecot, user):
    dovecot.fill(user, "INBOX", [mixed(*(
        attached(b"content %d" % number, parameters)
        for number, parameters in enumerate(NAMES, 1)))])
    with mount() as directory:
        files = by_uid(directory / ".parts" / "INBOX")[1] / "att"
        listed = os.listdir(files)
        assert len(listed) == len(set(listed)) == len(NAMES)
        for number, (name, expected) in enumerate(zip(listed, NAMES.values()), 1):
            assert (files / name).read_bytes() == b"content %d" % number
            assert len(os.fsencode(name)) <= 200 and name.isprintable()
            if expected:
                assert name == expected.format(n=number)


NASTY = [                            # a part, and what is in its file or text
    (b"Content-Type: text/plain; charset=x-nobody\r\n\r\n\xa1 as it is\r\n", None),
    (b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
     b"YW!Jj\r\n*ZGVm\r\n", b"abcdef"),
    (b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJjZA\r\n",
     b"abcd"),
    (b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n\r\n", b""),
    (b"Content-Type: application/x\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\n"
     b"a=3Db=\r\nc=zz =\r\n", b"a=bc=zz "),
    (b"Content-Type: application/x\r\n\r\nlines\r\nas they are\r\n", b"lines\r\nas they are\r\n"),
    (b"Content-Type: text/plain; charset=utf-8\r\n\r\nbegin 644 x\r\n#86)C\r\n`\r\nend\r\n",
     b"begin 644 x\n#86)C\n`\nend\n"),
    (b"Content-Type: text/csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ0KYg0K\r\n",
     b"a\r\nb\r\n"),
    (b"Content-Type: application/x\r\nContent-Transfer-Encoding: x-what\r\n\r\nas sent",
     b"as sent"),
]


@pytest.fixture(params=["decoded there", "decoded here"])
def either(request):
    """Keys of an account: the server decodes parts, or we do."""
    return {} if request.param == "decoded there" else {"disable_extensions": "BINARY"}


def test_nasty_parts(mounting, either, tmp_path):
    message = mixed(b"Content-Type: text/html\r\n\r\n<p>", *(part for part, _ in NASTY))
    # One of its own, for it logs an error when it meets broken base64.
    with private_dovecot.Dovecot() as server:
        server.fill("alice", "INBOX", [message])
        keys = {**server.accounts("alice")["DEFAULT"], **either}
        with mounting("alice", tmp_path, keys) as directory:
            check_nasty(directory)


def check_nasty(directory):
    place = by_uid(directory / ".parts" / "INBOX")[1]
    assert (place / "text").read_bytes() == b"\xa1 as it is\n"
    found = {name.split(".")[0]: octets for name, octets in tree(place / "att").items()}
    assert found == {f"part-{number}": expected
                     for number, (_, expected) in enumerate(NASTY, 2) if expected is not None}


def test_deep_nesting(mount, dovecot, user):
    entity = TEXT
    for depth in range(40):
        entity = mixed(entity, header=b"").replace(b"=b", b"=%d-" % depth) if depth \
            else mixed(entity, attached(b"deep", '; filename="deep.pdf"'), header=b"")
    dovecot.fill(user, "INBOX", [b"Subject: deep\r\n" + entity])
    with mount() as directory:
        place = by_uid(directory / ".parts" / "INBOX")[1]
        assert (place / "text").read_bytes() == b"Hello\n"
        assert (place / "att" / "deep.pdf").read_bytes() == b"deep"


# Octets

@pytest.fixture(scope="module")
def corpus(dovecot, mails, tmp_path_factory):
    """(user, {uid: octets}) of generated mail that no test changes."""
    user = dovecot.add_user(f"parts-{os.getpid()}")
    dovecot.fill(user, "INBOX", mails(int(os.environ.get("MAILRACK_FS_MESSAGES", "60")),
                                      first=1000, largest=60_000))
    ground = tmp_path_factory.mktemp("parts")
    with dovecot.connect(user) as connection:
        fetch_ground(connection, "INBOX", ground)
    return user, {int(path.stem): path.read_bytes() for path in ground.iterdir()}


def check_message(place, octets):
    found = tree(place)
    info = json.loads(found["info.json"])
    sections = parts.sections(octets)
    assert found["message.eml"] == octets
    assert found["header"] == octets[:octets.index(b"\r\n\r\n") + 4]
    names = set(KEEPS)
    for part in info["parts"]:
        if part["role"] in ("text", "html"):
            names.add(part["role"])
            assert found[part["role"]] == parts.readable(sections[part["section"]]), part
        elif part["role"] == "attachment":
            names.add("att/" + part["file"])
            assert found["att/" + part["file"]] == parts.content(sections[part["section"]]), part
    assert set(found) == names
    shown = {part["section"] for part in info["parts"]
             if part["role"] in ("text", "html", "attachment")}
    assert shown == set(sections)


def test_generated_mail(mounting, corpus, either, tmp_path):
    user, octets = corpus
    with mounting(user, tmp_path, either) as directory:
        places = by_uid(directory / ".parts" / "INBOX")
        assert set(places) == set(octets)
        for uid, place in places.items():
            check_message(place, octets[uid])


def fetched(directory):
    """How many octets of messages and parts came from the server."""
    return int(status(directory)["octets fetched"])


def infos(directory):
    """{uid: the object in info.json, as far as reading the message does not change it}"""
    found = {}
    for uid, place in by_uid(directory / ".parts" / "INBOX").items():
        found[uid] = json.loads((place / "info.json").read_text(encoding="utf-8"))
        del found[uid]["size_exact"], found[uid]["size"]
    return found


def test_messages_that_are_here_are_taken_apart_here(mounting, corpus, tmp_path):
    """Offline, and as the server does it."""
    user, octets = corpus
    with mounting(user, tmp_path / "asked") as directory:
        truth = infos(directory)
    with mounting(user, tmp_path / "here") as directory:
        for name in os.listdir(directory / "INBOX"):
            (directory / "INBOX" / name).read_bytes()
        before = fetched(directory)
        (directory / ".mailrack/ctl").write_text("offline")
        for uid, place in by_uid(directory / ".parts" / "INBOX").items():
            check_message(place, octets[uid])
        assert infos(directory) == truth
        assert fetched(directory) == before


def test_what_is_in_a_message_that_is_here_is_not_fetched_again(mount, dovecot, user, either):
    octets = os.urandom(300_000)
    dovecot.fill(user, "INBOX", [mixed(TEXT, attached(octets, '; filename="second.pdf"'))])
    with mount(either) as directory:
        place = by_uid(directory / ".parts" / "INBOX")[1]
        (place / "message.eml").read_bytes()
        before = fetched(directory)
        assert before > 0
        assert (place / "text").read_bytes() == b"Hello\n"
        assert (place / "header").read_bytes().startswith(b"Subject: parts\r\n")
        assert (place / "att" / "second.pdf").read_bytes() == octets
        assert fetched(directory) == before
        assert status(directory)["messages fetched"] == "1"


@pytest.mark.parametrize("names", ["full", "uid"])
def test_a_structure_that_was_looked_at_is_kept(mount, slow, dovecot, user, names):
    # Of small ones the mount looks by itself whether their sizes are right.
    large = attached(os.urandom(300_000), '; filename="large.pdf"')
    dovecot.fill(user, "INBOX", [
        mixed(TEXT, attached(b"second", '; filename="second.pdf"'), large,
              header=HEADER + b"Subject: parts\r\n"), mixed(TEXT, large)])
    between = slow(0)
    keys = {"host": between.host, "port": between.port, "ssl": "false", "names": names}
    with mount(keys) as directory:
        place = by_uid(directory / ".parts" / "INBOX")[1]
        assert (place / "text").read_bytes() == b"Hello\n"
        info = json.loads((place / "info.json").read_text(encoding="utf-8"))
        assert (place / "att" / "second.pdf").read_bytes() == b"second"
    between.refuse(True)
    with mount(keys) as directory:
        places = by_uid(directory / ".parts" / "INBOX")
        assert sorted(os.listdir(places[1])) == sorted([*KEEPS, "att", "text"])
        assert json.loads((places[1] / "info.json").read_text(encoding="utf-8")) == info
        assert info["subject"] == "parts"
        assert (places[1] / "att" / "second.pdf").read_bytes() == b"second"
        for path in (places[1] / "att" / "large.pdf", places[1] / "message.eml"):
            with pytest.raises(OSError) as caught:
                path.read_bytes()
            assert caught.value.errno == errno.EHOSTUNREACH
        with pytest.raises(OSError) as caught:
            os.listdir(places[2])
        assert caught.value.errno == errno.EHOSTUNREACH


def test_programs(mounting, corpus, tmp_path):
    user, octets = corpus
    with mounting(user, tmp_path, {"root": "parts"}) as directory:
        inbox = directory / "INBOX"

        def run(*command):
            done = subprocess.run([str(part) for part in command], capture_output=True,
                                  check=False, timeout=300)
            assert done.returncode == 0 and not done.stderr, (command, done.stderr[-2000:])
            return done.stdout

        listed = run("find", inbox, "-type", "f").decode().splitlines()
        long = run("ls", "-lR", inbox).decode().splitlines()
        assert len(listed) == sum(line.startswith("-") for line in long) > 4 * len(octets)
        run("tar", "cf", tmp_path / "mail.tar", "-C", inbox, ".")
        truth = tree(inbox)
        assert {os.path.join(inbox, name) for name in truth} == set(listed)
        with tarfile.open(tmp_path / "mail.tar") as archive:
            assert {os.path.normpath(member.name): archive.extractfile(member).read()
                    for member in archive.getmembers() if member.isfile()} == truth
        command = ("rsync", "-rti", "--chmod=u+w", f"{inbox}/", tmp_path / "copy")
        assert run(*command) and run(*command) == b"" and run(*command, "-c") == b""
        assert tree(tmp_path / "copy") == truth
        found = run("rg", "--text", "--no-ignore", "--count", "--null", "", inbox)
        counts = dict(line.rsplit(b"\0", 1) for line in found.splitlines())
        assert {os.path.relpath(os.fsdecode(name), inbox): int(count)
                for name, count in counts.items()} \
            == {name: text.count(b"\n") + (not text.endswith(b"\n"))
                for name, text in truth.items() if text}


# What it costs

class Heard:
    """Counts what the server says on all connections, and can fall silent."""

    def __init__(self):
        self.responses = b""
        self.silent_after = None
        self.fell_silent = False

    def connection(self):
        heard = self

        class Connection:
            silent = False

            def feed(self, data):
                heard.responses += data
                if heard.silent_after is not None and heard.silent_after in data:
                    self.silent = heard.fell_silent = True
                return b"" if self.silent else data
        return Connection()


@pytest.fixture
def heard(dovecot):
    found = Heard()
    with proxy.Proxy(dovecot.host, dovecot.imap, rewrite=found.connection) as between:
        found.keys = {"host": between.host, "port": between.port, "ssl": "false"}
        yield found


def test_one_attachment_comes_alone(mount, dovecot, user, either):
    report = os.urandom(1_500_000)
    message = mixed(TEXT, attached(report, '; filename="report.pdf"'),
                    attached(os.urandom(13_500_000), '; filename="film.mp4"'))
    assert len(message) > 20_000_000
    dovecot.fill(user, "INBOX", [message])
    with proxy.Proxy(dovecot.host, dovecot.imap) as between:
        keys = {**either, "host": between.host, "port": between.port, "ssl": "false"}
        with mount(keys) as directory:
            files = by_uid(directory / ".parts" / "INBOX")[1] / "att"
            before = sum(each.up + each.down for each in between.connections)
            assert (files / "report.pdf").read_bytes() == report
            moved = sum(each.up + each.down for each in between.connections) - before
    assert len(report) < moved <= 1.4 * len(report) + 16384


def test_a_listing_asks_for_nothing(mount, dovecot, user, mails, heard):
    dovecot.fill(user, "INBOX", mails(30))
    with mount(heard.keys) as directory:
        inbox = directory / ".parts" / "INBOX"
        places = by_uid(inbox)
        assert len(places) == 30 and all(place.is_dir() for place in places.values())
        subprocess.run(["ls", "-l", inbox], check=True, stdout=subprocess.DEVNULL)
        assert b"BODYSTRUCTURE" not in heard.responses
        for _ in range(3):
            assert set(os.listdir(places[7])) >= KEEPS
            subprocess.run(["ls", "-l", places[7]], check=True, stdout=subprocess.DEVNULL)
        assert heard.responses.count(b"BODYSTRUCTURE (") == 1
        assert not re.search(rb"(BODY|BINARY)\[(\d|HEADER\])", heard.responses)


def test_waiting_can_be_interrupted(mount, dovecot, user, mails, heard):
    dovecot.fill(user, "INBOX", mails(2))
    with mount(heard.keys) as directory:
        places = by_uid(directory / ".parts" / "INBOX")
        heard.silent_after = b"BODYSTRUCTURE ("
        with subprocess.Popen(["ls", places[1]], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as listing:
            wait_for(lambda: heard.fell_silent)
            assert listing.poll() is None
            listing.send_signal(signal.SIGINT)
            assert listing.wait(30) != 0


# What servers say wrongly

class Forger:
    """Says that messages have a part more, and parts twice their size, and that there is no 2."""

    def __init__(self):
        self.pending = b""
        self.pass_on = self.drop = 0

    def feed(self, data):
        out = b""
        self.pending += data
        while self.pending:
            count = max(self.pass_on, self.drop)
            if count:
                piece, self.pending = self.pending[:count], self.pending[count:]
                out += piece if self.pass_on else b""
                self.pass_on = max(self.pass_on - len(piece), 0)
                self.drop = max(self.drop - len(piece), 0)
                continue
            line, end, rest = self.pending.partition(b"\n")
            if not end:
                break
            self.pending = rest
            out += self.line(line + end)
        return out

    def line(self, line):
        literal = re.search(rb"\{(\d+)\}\r\n\Z", line)
        if literal and b"BODY[2]" in line:
            self.drop = int(literal[1])
            return line[:literal.start()] + b"NIL"
        if literal:
            self.pass_on = int(literal[1])
        line = re.sub(rb'("base64" )(\d+)', lambda found: found[1] + b"%d" % (2 * int(found[2])),
                      line)
        ghost = b'("application" "pdf" ("name" "ghost.pdf") NIL NIL "base64" 1000 NIL NIL NIL NIL)'
        mixed_end = b' "mixed" ("boundary"'
        return line.replace(mixed_end, ghost + mixed_end)


@pytest.mark.parametrize("first", ["parts", "message"])
def test_a_wrong_structure_is_an_error_and_no_octets(mount, dovecot, user, first):
    dovecot.fill(user, "INBOX", [mixed(TEXT, attached(b"second", '; filename="second.pdf"'),
                                       attached(b"third" * 100, '; filename="third.pdf"'))])
    with proxy.Proxy(dovecot.host, dovecot.imap, rewrite=Forger) as between:
        with mount({"host": between.host, "port": between.port, "ssl": "false",
                    "disable_extensions": "BINARY"}) as directory:
            place = by_uid(directory / ".parts" / "INBOX")[1]
            assert os.listdir(place / "att") == ["second.pdf", "third.pdf", "ghost.pdf"]
            if first == "message":
                (place / "message.eml").read_bytes()
            for name in ("second.pdf", "ghost.pdf"):
                with pytest.raises(OSError) as refused:
                    (place / "att" / name).read_bytes()
                assert refused.value.errno == errno.EIO
            assert (place / "att" / "third.pdf").read_bytes() == b"third" * 100
            assert (place / "att" / "third.pdf").stat().st_size == 500
            assert (place / "text").read_bytes() == b"Hello\n"


# While it changes

def test_new_gone_and_changed(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(2))
    with mount() as directory:
        inbox = directory / ".parts" / "INBOX"
        place = by_uid(inbox)[1]
        before = (place / "flags").read_text()
        with dovecot.connect(user) as connection:
            connection.select()
            connection.store("1", "FLAGS", "(\\Answered)")
            connection.store("2", "+FLAGS", "(\\Deleted)")
            connection.expunge()
        assert before != "\\Answered\n"
        wait_for(lambda: (place / "flags").read_text() == "\\Answered\n")
        assert json.loads((place / "info.json").read_bytes())["flags"] == ["\\Answered"]
        wait_for(lambda: sorted(by_uid(inbox)) == [1])
        dovecot.deliver(user, b"Subject: third\r\n\r\nthird\r\n")
        wait_for(lambda: sorted(by_uid(inbox)) == [1, 3])
        assert (by_uid(inbox)[3] / "text").read_bytes() == b"third\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can have the kernel drop its caches")
def test_no_node_stays_when_the_kernel_forgot_it(mount, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(10))
    with mount() as directory:
        assert len(tree(directory / ".parts" / "INBOX")) > 40

        def forgotten():
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("2")
            return "\nnodes: 0\n" in (directory / ".mailrack" / "status").read_text()
        wait_for(forgotten)


def test_mailboxes_that_are_called_like_messages(mount, dovecot, user, mails):
    dovecot.fill(user, "Work", mails(2))
    dovecot.fill(user, "Work/2", mails(1))
    dovecot.fill(user, "Work/2026-11-20T0915Z_a_b.7", mails(1))
    dovecot.fill(user, "2", mails(1))
    for names, escaped in (("uid", {"%32", "2026-11-20T0915Z_a_b.7"}),
                           ("full", {"2", "%32026-11-20T0915Z_a_b.7"})):
        with mount({"root": "parts", "names": names}) as directory:
            listed = os.listdir(directory / "Work")
            assert len(listed) == len(set(listed)) == 4 and set(listed) > escaped
            for name in escaped:
                inner = directory / "Work" / name
                assert len(os.listdir(inner)) == 1
                assert inner.stat().st_ino in {entry.inode() for entry
                                               in os.scandir(directory / "Work")}
            assert set(os.listdir(by_uid(directory / "Work")[2] if names == "full"
                                  else directory / "Work" / "2")) >= KEEPS
            assert not (directory / ".parts").exists()
