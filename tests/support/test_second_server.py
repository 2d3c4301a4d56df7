# SPDX-License-Identifier: LGPL-2.1-or-later
"""The second server is there, is what second/README.md says it is, and leaves nothing behind.

Python's imaplib is the client here; Mailrack itself meets this server in the live tests.
"""

import base64
import configparser
import hashlib
import hmac
import imaplib
import os
import pathlib
import secrets
import signal
import socket
import ssl
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from tests.support.second import packages
from tests.support.second_server import SecondServer, Unavailable

SCRIPT = pathlib.Path(__file__).with_name("second_server.py")

MESSAGE = (b"From: Alice <alice@example.test>\r\nTo: bob@example.test\r\n"
           b"Subject: second\r\nDate: Mon, 02 Jan 2023 03:04:05 +0000\r\n"
           b"Message-ID: <second@example.test>\r\n\r\nOne line.\r\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with SecondServer(tmp_path_factory.mktemp("second")) as running:
        yield running


@pytest.fixture(scope="module")
def tls(server):
    return ssl.create_default_context(cafile=server.ca_file)


@pytest.fixture
def client(server, tls):
    with imaplib.IMAP4_SSL("localhost", server.port_imaps, ssl_context=tls, timeout=30) as imap:
        imap.login(server.user, server.password)
        yield imap


@pytest.fixture
def mailbox(client):
    name = f"INBOX.test-{secrets.token_hex(4)}"
    ok(client.create(name))
    yield name
    client.select("INBOX")
    ok(client.delete(name))


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def capabilities(imap):
    return set(ok(imap.capability())[0].decode().upper().split())


class Scram:
    """A SCRAM-SHA-256 client (RFC 7677); header is the GS2 header, binding what it promises."""

    def __init__(self, user, password, header="n,,", binding=b""):
        self.header = header.encode()
        self.binding = binding
        self.password = password.encode()
        self.first = b"n=%s,r=%s" % (user.encode(), secrets.token_hex(12).encode())
        self.signature = None
        self.verified = False

    def __call__(self, challenge):
        if not challenge:
            return self.header + self.first
        values = dict(item.split(b"=", 1) for item in challenge.split(b","))
        if b"v" in values:
            self.verified = base64.b64decode(values[b"v"]) == self.signature
            return b""
        assert values[b"r"].startswith(self.first.partition(b",r=")[2])
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(values[b"s"]),
                                     int(values[b"i"]))
        final = b"c=%s,r=%s" % (base64.b64encode(self.header + self.binding), values[b"r"])
        signed = b",".join((self.first, challenge, final))
        key = hmac.digest(salted, b"Client Key", "sha256")
        mask = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        self.signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, mask))
        return final + b",p=" + base64.b64encode(proof)


def test_imaps_login_and_capabilities(client):
    offered = capabilities(client)
    print("\n" + "\n".join(textwrap.wrap(" ".join(sorted(offered)), 96)))
    assert offered >= {"IMAP4REV1", "IDLE", "CONDSTORE", "QRESYNC", "ESEARCH", "NAMESPACE", "MOVE",
                       "UIDPLUS", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "LITERAL+", "SORT",
                       "THREAD=REFERENCES", "COMPRESS=DEFLATE", "OBJECTID", "QUOTA", "ACL"}


def test_starttls_login(server, tls):
    with imaplib.IMAP4("localhost", server.port_imap, timeout=30) as imap:
        before = capabilities(imap)
        assert {"STARTTLS", "LOGINDISABLED"} <= before and "AUTH=PLAIN" not in before
        with pytest.raises(imaplib.IMAP4.error):
            imap.login(server.user, server.password)
        ok(imap.starttls(tls))
        assert {"AUTH=PLAIN", "AUTH=LOGIN", "AUTH=SCRAM-SHA-256"} <= capabilities(imap)
        ok(imap.login(server.user, server.password))


def test_wrong_password_is_refused(server, tls):
    with imaplib.IMAP4_SSL("localhost", server.port_imaps, ssl_context=tls, timeout=30) as imap:
        with pytest.raises(imaplib.IMAP4.error):
            imap.login(server.user, "not-" + server.password)


def test_sasl_plain(server, tls):
    with imaplib.IMAP4_SSL("localhost", server.port_imaps, ssl_context=tls, timeout=30) as imap:
        ok(imap.authenticate("PLAIN", lambda _: f"\0{server.user}\0{server.password}".encode()))


def test_scram_without_tls(server):
    scram = Scram(server.user, server.password)
    with imaplib.IMAP4("localhost", server.port_imap, timeout=30) as imap:
        ok(imap.authenticate("SCRAM-SHA-256", scram))
    assert scram.verified


def test_scram_plus_with_tls_unique(server, tls):
    with imaplib.IMAP4_SSL("localhost", server.port_imaps_tls12, ssl_context=tls,
                           timeout=30) as imap:
        assert imap.sock.version() == "TLSv1.2"
        scram = Scram(server.user, server.password, "p=tls-unique,,",
                      imap.sock.get_channel_binding("tls-unique"))
        ok(imap.authenticate("SCRAM-SHA-256-PLUS", scram))


@pytest.mark.parametrize("mechanism, header, binding", [
    ("SCRAM-SHA-256-PLUS", "p=tls-exporter,,", b"e" * 32),
    ("SCRAM-SHA-256-PLUS", "p=tls-unique,,", b"u" * 12),
    ("SCRAM-SHA-256", "y,,", b""),
])
def test_scram_refusals(server, tls, mechanism, header, binding):
    """tls-exporter is refused although -PLUS is offered over TLS 1.3; a wrong binding is too, and
    so is a client that says it knows -PLUS but saw none."""
    with imaplib.IMAP4_SSL("localhost", server.port_imaps, ssl_context=tls, timeout=30) as imap:
        assert imap.sock.version() == "TLSv1.3"
        with pytest.raises(imaplib.IMAP4.error):
            imap.authenticate(mechanism, Scram(server.user, server.password, header, binding))


def test_namespace_and_special_use(client):
    assert ok(client.namespace()) == [b'(("INBOX." ".")) (("user." ".")) (("" "."))']
    listed = {row.decode() for row in ok(client.list())}
    assert r'(\HasChildren) "." INBOX' in listed
    for name in ("Archive", "Drafts", "Junk", "Sent", "Trash"):
        assert rf'(\HasNoChildren \{name.lower()}) "." INBOX.{name}' in listed
    assert client.create("toplevel")[0] == "NO"


def test_append_and_fetch(client, mailbox):
    ok(client.append(mailbox, r"(\Flagged custom)", None, MESSAGE))
    assert ok(client.select(mailbox)) == [b"1"]
    rows = ok(client.uid("FETCH", "1", "(UID FLAGS RFC822.SIZE BODY.PEEK[])"))
    assert rows[0][1] == MESSAGE
    assert b"RFC822.SIZE %d " % len(MESSAGE) in rows[0][0]
    assert b"\\Flagged" in rows[0][0] and b"custom" in rows[0][0] and b"\\Seen" not in rows[0][0]


def test_idle_tells_of_new_mail(client, mailbox, server, tls):
    """At once through idled; without it the server would look once a minute."""
    ok(client.select(mailbox))
    client.sock.settimeout(30)
    client.send(b"i1 IDLE\r\n")
    assert client.readline().startswith(b"+")
    with imaplib.IMAP4_SSL("localhost", server.port_imaps, ssl_context=tls, timeout=30) as other:
        other.login(server.user, server.password)
        ok(other.append(mailbox, None, None, MESSAGE))
    assert client.readline() == b"* 1 EXISTS\r\n"
    client.send(b"DONE\r\n")
    while not (line := client.readline()).startswith(b"i1 "):
        assert line.startswith(b"* ")
    assert line.startswith(b"i1 OK")


def test_only_loopback_is_listened_on(server):
    listening = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in pathlib.Path(table).read_text().splitlines()[1:]:
            address, state = row.split()[1], row.split()[3]
            if state == "0A":
                listening.add(tuple(address.split(":")))
    for port in (server.port_imap, server.port_imaps, server.port_imaps_tls12):
        hosts = [host for host, number in listening if int(number, 16) == port]
        assert hosts == [socket.inet_aton("127.0.0.1")[::-1].hex().upper()]


def test_account_file(server):
    assert server.ini.name == "account.ini"
    assert stat.S_IMODE(server.ini.stat().st_mode) == 0o600
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(server.ini)
    assert {"ssl", "starttls", "plain", "tls12", "wrong-password",
            "unknown-ca"} <= set(ini.sections())
    for section in ini.sections():
        assert os.access(ini[section]["ssl_ca_file"], os.R_OK)
    stranger = ssl.create_default_context(cafile=ini["unknown-ca"]["ssl_ca_file"])
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL("localhost", server.port_imaps, ssl_context=stranger, timeout=30)


def session_of(pid):
    """The living processes of a session: the number of its leader is that of the session."""
    found = set()
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(session) == pid and state != "Z":
            found.add(int(path.parent.name))
    return found


def master_below(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


def wait_until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["EOF", "SIGTERM", "SIGKILL"])
def test_nothing_stays(how, tmp_path):
    process = subprocess.Popen([sys.executable, SCRIPT, "--dir", tmp_path], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    ini = pathlib.Path(process.stdout.readline().rstrip("\n"))
    master = master_below(process.pid)
    home = pathlib.Path(f"/proc/{master}/cwd").readlink()
    assert ini.exists() and home.is_dir() and len(session_of(master)) > 1

    if how == "EOF":
        process.stdin.close()
    else:
        process.send_signal(signal.Signals[how])
    process.wait(15)
    wait_until(lambda: not session_of(master))
    if how == "SIGKILL":       # nobody is left to remove files; the next start would
        subprocess.run(["rm", "-r", home], check=True)
    else:
        assert process.returncode == 0 and not home.exists() and not ini.exists()
    process.stdin.close()
    process.stdout.close()


def test_a_killed_test_leaves_nothing():
    """The processes and the files go when whoever used the class dies without a word."""
    program = ("import sys\n"
               "from tests.support.second_server import SecondServer\n"
               "server = SecondServer().start()\n"
               "print(server._process.pid, server.ini, flush=True)\n"
               "sys.stdin.read()\n")
    # -c puts the working directory on the module path.
    user = subprocess.Popen([sys.executable, "-c", program], cwd=SCRIPT.parents[2], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    supervisor, ini = user.stdout.readline().split()
    supervisor = int(supervisor)
    master = master_below(supervisor)
    home = pathlib.Path(f"/proc/{master}/cwd").readlink()
    assert session_of(supervisor) and session_of(master) and home.is_dir()

    user.kill()
    user.communicate()
    wait_until(lambda: not session_of(supervisor) and not session_of(master))
    assert not home.exists() and not pathlib.Path(ini).parent.exists()


def test_a_missing_server_is_a_failure_with_a_reason(tmp_path):
    (tmp_path / "cache").write_text("not a directory")
    with pytest.raises(Unavailable, match="the cache .*/cache cannot be used"):
        SecondServer(tmp_path / "dir", cache=tmp_path / "cache").start()
    done = subprocess.run([sys.executable, SCRIPT, "--dir", tmp_path / "dir",
                           "--cache", tmp_path / "cache"], capture_output=True, text=True)
    assert done.returncode == 69 and done.stdout == ""
    assert done.stderr.startswith("second_server.py: no second IMAP server: the cache")


def test_no_apt_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="apt-get is not there"):
        packages.install(tmp_path / "to", tmp_path / "cache")


def test_dependencies_are_read_as_apt_prints_them():
    text = ("cyrus-imapd\n  Depends: cyrus-common\n |Depends: libone\n  Depends: libtwo\n"
            "  PreDepends: libthree\n  Depends: <libvirtual>\n    libthree\n"
            "<libvirtual>\ncyrus-common\n  Depends: perl\n")
    assert packages._dependencies(text) == {
        "cyrus-imapd": ["cyrus-common", "libone", "libtwo", "libthree"], "cyrus-common": ["perl"]}
