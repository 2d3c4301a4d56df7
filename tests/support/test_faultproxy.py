# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proof that faultproxy.py breaks what it says and nothing else; bare sockets are the client."""

import select
import socket
import ssl
import time

import pytest

from tests.support import imapbox, imapframes
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.faultproxy import Fault, FaultProxy

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
APPEND = b"APPEND Box {%d+}\r\n%s\r\n" % (len(MESSAGE), MESSAGE)


TCP_CLOSE = 7


class Client:
    """As little of an IMAP client as sees every octet."""

    def __init__(self, proxy, user, password, certs=None):
        self.sock = socket.create_connection((proxy.host, proxy.port), 10)
        self.sock.settimeout(20)
        if certs:
            context = ssl.create_default_context(cafile=str(certs.ca_file))
            context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost",
                                            suppress_ragged_eofs=False)
        self.got = b""
        self.read_until(b"\r\n")
        assert b" OK" in self.command(b"LOGIN %s %s\r\n" % (user.encode(), password.encode()), b"L")

    def read_until(self, end):
        while end not in self.got:
            data = self.sock.recv(4096)
            assert data, self.got
            self.got += data
        got, self.got = self.got, b""
        return got

    def send(self, octets, tag=b"A"):
        self.sock.sendall(tag + b" " + octets)

    def command(self, octets, tag=b"A"):
        self.send(octets, tag)
        got = b""
        while b"\n" + tag + b" " not in b"\n" + got or not got.endswith(b"\r\n"):
            got += self.sock.recv(4096) or pytest.fail(f"ended after {got!r}")
        return got

    def is_reset(self):
        """A FIN would have left it in CLOSE_WAIT."""
        return self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE

    def rest(self):
        """(what comes until the end, how it ends)."""
        got = self.got
        while True:
            try:
                data = self.sock.recv(4096)
            except (ConnectionResetError, ssl.SSLError):     # the latter for both
                return got, "reset" if self.is_reset() else "abrupt"
            if not data:
                return got, "end"
            got += data


@pytest.fixture(scope="module")
def dovecot(certs):
    """One of our own: it logs as errors what happens to it here."""
    with Dovecot(certificates=certs) as server:
        yield server


@pytest.fixture(params=["plain", "tls"])
def secured(request, certs):
    return certs if request.param == "tls" else None


@pytest.fixture
def proxy(dovecot, secured):
    with FaultProxy(dovecot.imap, secured) as found:
        yield found


@pytest.fixture
def client(proxy, dovecot, user, secured):
    dovecot.fill(user, "Box", [])

    def make():
        return Client(proxy, user, dovecot.password(user), secured)
    return make


def count(dovecot, user):
    return len(dovecot.truth(user, "Box"))


def test_frames_find_commands_in_pieces():
    stream = b"a APPEND x {3}\r\n\n{1}\r\nb UID STORE 1 {2+}\r\nab (x)\r\nDONE\r\n"
    for size in (1, 2, 7, 1000):
        frames, heads, octets = imapframes.Frames(), [], b""
        for at in range(0, len(stream), size):
            for piece in frames.feed(stream[at:at + size]):
                octets += piece.octets
                if piece.first:
                    heads.append((imapframes.head(piece.octets), piece.awaits))
        # The literal of three octets is "\n{1"; what follows ends the command.
        assert octets == stream
        assert heads == [((b"a", "APPEND"), True), ((b"b", "UID STORE"), False),
                         ((b"", ""), False)]


def test_without_a_fault_nothing_changes(proxy, client, dovecot, user):
    assert b"A OK [APPENDUID" in client().command(APPEND)
    assert count(dovecot, user) == 1
    login, append = proxy.commands
    assert (login.name, append.name, append.answer) == ("LOGIN", "APPEND", "OK")
    assert append.up == len(APPEND) + 2 and append.down > 20


@pytest.mark.parametrize("kind, how", [("F2", "abrupt"), ("F3", "reset"), ("F4", "end")])
def test_cuts_are_exact(proxy, client, dovecot, user, secured, kind, how):
    whole = len(APPEND) + 2
    if kind == "F2" and not secured:
        how = "end"
    stored = 0
    for offset in (0, 1, 20, whole - 2, whole - 1, whole):
        proxy.arm(Fault(kind, "APPEND", "up", offset))
        session = client()
        session.send(APPEND)
        assert session.rest()[1] == how
        assert proxy.struck and proxy.commands[-1].up == offset
        proxy.settle()
        # Dovecot takes the CR for the end of the line.
        stored += offset == whole or count(dovecot, user) > stored
        assert count(dovecot, user) == stored
    assert 1 <= stored <= 2
    assert b"A OK" in client().command(APPEND)
    for offset in (0, 1, 20, None):
        proxy.arm(Fault(kind, "APPEND", "down", offset))
        session = client()
        session.send(APPEND)
        got, end = session.rest()
        assert end == how and proxy.commands[-1].down == len(got)
        assert got.endswith(b".\r\n") if offset is None else len(got) == offset
        proxy.settle()
    assert count(dovecot, user) == stored + 5


def test_the_nth_command_and_a_fault_beyond_the_end(proxy, client):
    session = client()
    proxy.arm(Fault("F2", "NOOP", "down", 0, nth=2))
    session.command(b"NOOP\r\n")
    assert not proxy.struck
    session.send(b"NOOP\r\n")
    assert session.rest()[0] == b"" and proxy.struck
    proxy.arm(Fault("F2", "NOOP", "down", 10000))
    session = client()
    session.command(b"NOOP\r\n")
    session.command(b"NOOP\r\n")
    assert not proxy.struck


def test_from_the_beginning_of_a_connection(proxy, client, dovecot, user):
    proxy.arm(Fault("F2", direction="down", offset=5))
    with pytest.raises((AssertionError, OSError)):
        client()
    client()


@pytest.mark.parametrize("mode", ["refuse", "silent"])
def test_refusing(proxy, client, mode):
    proxy.arm(Fault("F1", mode=mode))
    with pytest.raises(ConnectionRefusedError if mode == "refuse" else TimeoutError):
        socket.create_connection((proxy.host, proxy.port), 0.3)
    proxy.relent()
    imapbox.wait_for(lambda: client_or_none(client), what="the proxy to be there again")
    proxy.arm(Fault("F1", "NOOP", "up", 3, mode=mode, seconds=0.2))
    session = client()
    session.send(b"NOOP\r\n")
    assert session.rest()[1] == "reset"
    imapbox.wait_for(lambda: client_or_none(client), what="the proxy to be there again")


def client_or_none(client):
    try:
        return client()
    except OSError:
        return None


def test_silence(proxy, client, dovecot, user):
    proxy.arm(Fault("F5", "APPEND", "up", 10))
    session = client()
    session.send(APPEND)
    proxy.wait_struck()
    assert select.select([session.sock], [], [], 0.2)[0] == []
    session.sock.close()
    proxy.settle()
    assert count(dovecot, user) == 0

    proxy.arm(Fault("F6", "APPEND", "up", 30, seconds=0.3))
    session = client()
    began = time.monotonic()
    assert b"A OK" in session.command(APPEND)
    assert time.monotonic() - began > 0.25
    assert count(dovecot, user) == 1
    proxy.arm(Fault("F6", "NOOP", "down", 3, seconds=0.3))
    assert session.command(b"NOOP\r\n").startswith(b"A OK")


def test_one_octet_a_segment(proxy, client, dovecot, user):
    proxy.arm(Fault("F7", "APPEND", "up", 4))
    session = client()
    session.send(APPEND)
    pieces = []
    while not b"".join(pieces).endswith(b"\r\n"):
        pieces.append(session.sock.recv(4096))
    # The kernel may put some together again on a busy machine.
    assert len(pieces) > 5 and b"".join(pieces).startswith(b"A OK")
    assert count(dovecot, user) == 1


def test_the_answer_is_dropped_after_execution(proxy, client, dovecot, user):
    for stored, offset in ((1, None), (2, 0), (3, 7)):
        proxy.arm(Fault("F8", "APPEND", offset=offset))
        session = client()
        session.send(APPEND)
        assert len(session.rest()[0]) == (offset or 0)
        proxy.settle()
        assert count(dovecot, user) == stored
    proxy.arm(Fault("F8", "SELECT", offset=None, cut="F3"))
    session = client()
    session.send(b"SELECT Box\r\n")
    got, end = session.rest()
    assert b"* 3 EXISTS" in got and b"A OK" not in got and end == "reset"
    proxy.arm(Fault("F8", "APPEND"))              # with a literal that waits
    session = client()
    session.send(b"APPEND Box {3}\r\n")
    session.read_until(b"+ OK\r\n")
    session.sock.sendall(b"abc\r\n")
    assert session.rest()[0] == b""
    assert count(dovecot, user) == 4


def test_bye_comes_between_responses(proxy, client):
    proxy.arm(Fault("F9", "SELECT", offset=100))
    session = client()
    session.send(b"SELECT Box\r\n")
    got, end = session.rest()
    assert got.endswith(b"\r\n* BYE Not any longer\r\n") and end == "end"
    assert b"\r\nA " not in got and 0 < len(got) - 24 <= 100
    proxy.arm(Fault("F9", "NOOP", "up", 2))
    session = client()
    session.send(b"NOOP\r\n")
    assert session.rest()[0] == b"* BYE Not any longer\r\n"


@pytest.mark.parametrize("mode", ["", "early"])
def test_refusal_by_the_proxy(proxy, client, dovecot, user, mode):
    session = client()
    for code in ("UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA"):
        proxy.arm(Fault("F10", "APPEND", code=code, mode=mode))
        assert session.command(APPEND) == b"A NO [%s] Not now\r\n" % code.encode()
    proxy.arm(Fault("F10", "APPEND", mode=mode))
    session.send(b"APPEND Box {3}\r\n")
    if not mode:
        session.read_until(b"+ go ahead\r\n")
        session.sock.sendall(b"abc\r\n")
    session.read_until(b"A NO [UNAVAILABLE] Not now\r\n")
    assert count(dovecot, user) == 0
    assert b"A OK" in session.command(APPEND)


def test_the_session_is_killed(certs, secured):
    with Dovecot(certificates=certs) as server, FaultProxy(server.imap, secured) as proxy:
        server.fill("alice", "Box", [])
        proxy.arm(Fault("F11", "APPEND", "up", 20))
        session = Client(proxy, "alice", PASSWORD, secured)
        session.send(APPEND)
        session.rest()
        proxy.settle()
        assert count(server, "alice") == 0 and "signal 9" in server.log()
        assert b"A OK" in Client(proxy, "alice", PASSWORD, secured).command(APPEND)

        proxy.arm(Fault("F11", "APPEND", "up", 20, hook=server.kill))
        session = Client(proxy, "alice", PASSWORD, secured)
        session.send(APPEND)
        session.rest()
        with pytest.raises((AssertionError, OSError)):
            Client(proxy, "alice", PASSWORD, secured)
        server.start()
        assert b"A OK" in Client(proxy, "alice", PASSWORD, secured).command(APPEND)
        assert count(server, "alice") == 2


@pytest.mark.parametrize("cut", ["F2", ""])
def test_another_client_at_the_cut(proxy, client, dovecot, user, cut):
    with dovecot.connect(user) as other:
        proxy.arm(Fault("F13", "APPEND", "up", 20, cut=cut,
                        hook=lambda: other.append("Box", "", None, b"Subject: other\r\n\r\n")))
        session = client()
        session.send(APPEND)
        got, _ = session.rest() if cut else (session.read_until(b"\r\n"), 0)
        assert got.startswith(b"" if cut else b"A OK")
        proxy.settle()
        assert count(dovecot, user) == (1 if cut else 2)


def test_untagged_responses_in_disorder(proxy, client):
    session = client()
    normal = session.command(b"SELECT Box\r\n").splitlines(True)
    for mode, expected in (("twice", [each for each in normal[:-1] for _ in (1, 2)]),
                           ("reversed", normal[-2::-1])):
        proxy.arm(Fault("F14", "SELECT", mode=mode))
        got = [each for each in session.command(b"SELECT Box\r\n").splitlines(True)
               if b"CLOSED" not in each]
        assert got[:-1] == expected and got[-1].startswith(b"A OK")
    proxy.arm(Fault("F14", "SELECT", mode="shuffled", seed=3))
    got = session.command(b"SELECT Box\r\n").splitlines(True)[:-1]
    assert got != normal[:-1] and set(normal[:-1]) <= set(got)


def test_a_refused_literal_is_not_waited_for(proxy, client):
    """What follows is a command again, and faults find it."""
    session = client()
    assert b"A NO [TRYCREATE]" in session.command(b"APPEND Nowhere {3}\r\n")
    proxy.arm(Fault("F2", "NOOP", "up", 3))
    session.send(b"NOOP\r\n")
    session.rest()
    assert proxy.struck and proxy.commands[-1].up == 3
