# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proof that what pretends works: the scripted server and the golden dialogues, the SCRAM server,
the proxy.  The judges are imaplib, ssl, and GNU SASL's own client."""

import imaplib
import pathlib
import socket
import ssl
import subprocess
import sys
import time

import pytest

from tests.support import dialogue as dialogues
from tests.support import imapbox, proxy, scripted
from tests.support.dovecot import PASSWORD

TOP = pathlib.Path(__file__).resolve().parents[2]
DIALOGUES = sorted((TOP / "tests/dialogues").glob("*.txt"))


# Scripted server

@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_dialogue_file_is_readable(path):
    read = dialogues.load(path)
    assert read.options["about"]
    assert any(read.connections)


class Talker:
    """A client that says what it is told to."""

    def __init__(self, server, context=None):
        self.stream = socket.create_connection(("127.0.0.1", server.port), 10)
        self.context = context
        if context:
            self.secure()
        self.buffer = b""

    def secure(self):
        self.stream = self.context.wrap_socket(self.stream, server_hostname="localhost")

    def line(self):
        while b"\r\n" not in self.buffer:
            more = self.stream.recv(4096)
            if not more:
                return None
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode()

    def say(self, text):
        self.stream.sendall(text.encode() + b"\r\n")

    def ask(self, text):
        """Say a tagged line and read to its tagged answer."""
        self.say(text)
        tag = text.split()[0]
        while (line := self.line()) is not None:
            if line.startswith(tag + " "):
                return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()


def test_dialogue_with_imaplib(dialogue):
    with dialogue("plain-without-sasl-ir") as server:
        with imaplib.IMAP4("127.0.0.1", server.port) as connection:
            assert connection.authenticate("PLAIN", lambda _: b"\0alice\0sekret")[0] == "OK"


def test_dialogue_over_tls(dialogue, dovecot):
    with dialogue("plain-without-sasl-ir", how="tls") as server:
        with imaplib.IMAP4_SSL("localhost", server.port, ssl_context=dovecot.tls()) as connection:
            assert connection.authenticate("PLAIN", lambda _: b"\0alice\0sekret")[0] == "OK"


def test_dialogue_behind_starttls(dialogue, dovecot):
    with dialogue("plain-without-sasl-ir", how="starttls") as server:
        connection = imaplib.IMAP4("localhost", server.port)
        assert "LOGINDISABLED" in connection.capabilities
        connection.starttls(dovecot.tls())
        assert "LOGINDISABLED" not in connection.capabilities
        with connection:
            assert connection.authenticate("PLAIN", lambda _: b"\0alice\0sekret")[0] == "OK"


def test_mismatch_shows_both_sides(dialogue):
    with pytest.raises(scripted.Mismatch) as problem:
        with dialogue("login-refused") as server, Talker(server) as client:
            client.line()
            client.say("a AUTHENTICATE PLAIN AGFsaWNlAHJpZ2h0")
            client.line()
    text = str(problem.value)
    assert "S: * OK [CAPABILITY" in text
    assert "expected C: {tag} AUTHENTICATE PLAIN {b64:" in text
    assert "got      b'a AUTHENTICATE PLAIN AGFsaWNlAHJpZ2h0'" in text
    assert "login-refused.txt:" in text


def test_dialogue_right_to_the_end(dialogue):
    with dialogue("login-refused") as server, Talker(server) as client:
        client.line()
        assert client.ask("a AUTHENTICATE PLAIN AGFsaWNlAHdyb25n").startswith("a NO [AUTH")
        client.say("b LOGOUT")
        assert [client.line(), client.line(), client.line()] == ["* BYE bye", "b OK done", None]


@pytest.mark.parametrize("rude", ["say", "leave", "stay away"])
def test_dialogue_not_played_to_its_end(dialogue, rude):
    with pytest.raises(scripted.Mismatch):
        with dialogue("login-refused") as server:
            if rude == "stay away":
                return
            with Talker(server) as client:
                client.line()
                if rude == "say":
                    client.ask("a AUTHENTICATE PLAIN AGFsaWNlAHdyb25n")
                    client.say("b AUTHENTICATE PLAIN AGFsaWNlAHdyb25n")
                    client.line()


def test_injected_octets_arrive_with_the_ok(dialogue):
    with dialogue("starttls-injection") as server, Talker(server) as client:
        client.line()
        client.say("a STARTTLS")
        time.sleep(0.2)
        assert client.stream.recv(4096).count(b"\r\n") == 3


def test_octets_after_starttls_are_a_mismatch(dialogue):
    with pytest.raises(scripted.Mismatch):
        with dialogue("starttls-injection") as server, Talker(server) as client:
            client.line()
            client.say("a STARTTLS\r\nb LOGIN alice sekret")
            client.line()


def test_one_octet_segments(dialogue):
    with dialogue("one-octet-segments") as server, Talker(server) as client:
        pieces = []
        while not pieces or not pieces[-1].endswith(b"\n"):
            pieces.append(client.stream.recv(4096))
        assert len(pieces) > 20
        for command in ("AUTHENTICATE PLAIN AGFsaWNlAHNla3JldA==", "EXAMINE INBOX",
                        "UID FETCH 1 (BODY.PEEK[])"):
            assert client.ask("a " + command).startswith("a OK")


def test_tls_1_1_only(dialogue, dovecot):
    for name in ("tls-1.1-only", "tls-1.1-only-starttls"):
        with dialogue(name) as server, pytest.raises(ssl.SSLError):
            if name.endswith("starttls"):
                imaplib.IMAP4("localhost", server.port).starttls(dovecot.tls())
            else:
                imaplib.IMAP4_SSL("localhost", server.port, ssl_context=dovecot.tls())


def test_tls_1_1_is_really_spoken(certs):
    context = ssl.create_default_context(cafile=str(certs.ca_file))
    with pytest.deprecated_call():
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    text = "tls: implicit\ntls-versions: TLSv1 TLSv1.1\nS: * OK ready\n"
    with scripted.Scripted(text, certs) as server, Talker(server, context) as client:
        assert client.stream.version() == "TLSv1.1"
        assert client.line() == "* OK ready"


@pytest.mark.parametrize("certificate", ["unknown-ca", "expired", "wrong-host", "self-signed",
                                         "expired-inter", "missing-inter", "client-only",
                                         "not-yet-valid", "nul-san", "wildcard-tld"])
def test_bad_certificate_is_refused(dialogue, dovecot, certificate):
    with dialogue("bad-certificate", certificate=certificate) as server, \
            pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL("localhost", server.port, ssl_context=dovecot.tls())
    with dialogue("bad-certificate-starttls", certificate=certificate) as server, \
            pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4("localhost", server.port).starttls(dovecot.tls())


def test_accepting_a_bad_certificate_is_a_mismatch(dialogue):
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    with pytest.raises(scripted.Mismatch, match="accepted TLS"):
        with dialogue("bad-certificate") as server, Talker(server, careless) as client:
            client.say("a CAPABILITY")
            client.line()


def test_literals_pauses_values_and_reset(certs):
    text = """\
about: most of what the format has
S: * OK ready for {who}
C: {tag} APPEND {string:a "b"} {literal}
S: + go
C-octets: literal
C-raw: \\r\\n
S: {tag} OK [{b64:\\x00\\xff}] {repeat:3:ab}
C: {one} NOOP
C: {two} CHECK {/[0-9]+/} {310} {?} end
S: {two} OK {literal:x\\x7by}
S-raw: {one} OK \\x41\\r\\n
segments: 3
pause: 0.1
S: * 1 EXISTS
reset:
connection:
S: * OK second
"""
    with scripted.Scripted(text, certs, who="you") as server:
        with Talker(server) as client:
            assert client.line() == "* OK ready for you"
            client.say('a APPEND "a \\"b\\"" {5}')
            assert client.line() == "+ go"
            client.stream.sendall(b"\r\nxyz\r\n")
            assert client.line() == "a OK [AP8=] ababab"
            client.say("t1 NOOP")
            client.say("t2 CHECK 17 {310} any end")
            assert [client.line() for _ in range(3)] == ["t2 OK {3}", "x{y", "t1 OK A"]
            with pytest.raises(ConnectionResetError):
                while client.line():
                    pass
        with Talker(server) as client:
            assert client.line() == "* OK second"


def test_scripted_command_line(certs):
    process = subprocess.Popen(
        [sys.executable, TOP / "tests/support/scripted.py", TOP / "tests/dialogues/no-greeting.txt",
         "--certs", certs.dir], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    port = int(process.stdout.readline().split("=")[1])
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        assert client.recv(10) == b""
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors


# SCRAM with channel binding

def scram_login(server, certs, password, mechanism="SCRAM-SHA-256-PLUS", *options):
    """What GNU SASL's own client says of a login behind STARTTLS, and whether it was content."""
    done = subprocess.run(
        ["gsasl", "--imap", "--starttls", f"--x509-ca-file={certs.ca_file}",
         f"--mechanism={mechanism}", "--authentication-id=alice", f"--password={password}",
         *options, server.host, str(server.port)],
        input="a logout\r\n", capture_output=True, text=True, timeout=20)
    output = done.stdout + done.stderr
    return "Client authentication finished" in output, output


def test_scram_plus_server(scram_server, certs):
    with scram_server(starttls=True) as server:
        content, output = scram_login(server, certs, "sekret")
        assert content and "logged in with SCRAM-SHA-256-PLUS" in output
        content, output = scram_login(server, certs, "wrong")
        assert not content and "NO [AUTHENTICATIONFAILED]" in output
        content, output = scram_login(server, certs, "sekret", "SCRAM-SHA-256", "--no-cb")
        assert content and "logged in with SCRAM-SHA-256\n" in output.replace("\r", "")


@pytest.mark.parametrize("fault", ["binding", "signature", "no-signature", "early-ok"])
def test_scram_plus_server_that_cheats(scram_server, certs, fault):
    with scram_server(starttls=True, fault=fault) as server:
        content, output = scram_login(server, certs, "sekret")
    assert not content
    assert ("NO [AUTHENTICATIONFAILED]" in output) == (fault == "binding")


def test_scram_plus_server_over_implicit_tls(scram_server, certs, dovecot):
    with scram_server(mechanisms="SCRAM-SHA-256-PLUS PLAIN") as server:
        with imaplib.IMAP4_SSL("localhost", server.port, ssl_context=dovecot.tls()) as connection:
            assert "AUTH=SCRAM-SHA-256-PLUS" in connection.capabilities
            assert connection.authenticate("PLAIN", lambda _: b"\0alice\0sekret")[0] == "OK"
            assert connection.select(readonly=True)[1] == [b"0"]


# Proxy

def test_proxy_delays(dovecot, user, slow):
    through = slow(0.1)
    began = time.monotonic()
    connection = imaplib.IMAP4(through.host, through.port)
    assert time.monotonic() - began > 0.1      # the greeting, and a CAPABILITY by imaplib or not
    began = time.monotonic()
    connection.noop()
    assert time.monotonic() - began >= 0.1
    connection.shutdown()
    assert through.connections[0].flights >= 1


def test_proxy_passes_everything(dovecot, user, mailbox, mails, slow):
    through = slow(0.02)
    dovecot.fill(user, mailbox, mails(300))
    with imaplib.IMAP4(through.host, through.port) as connection:
        connection.login(user, PASSWORD)
        assert imapbox.truth(connection, mailbox) == dovecot.truth(user, mailbox)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("action", ["close", "abrupt", "reset", "stall", "blackhole", "drop"])
def test_proxy_cuts_at_an_offset(certs, dovecot, action, tls):
    text = "S: * OK 0123456789\nC-eof:\n"
    with scripted.Scripted(text) as server, \
            proxy.Proxy("127.0.0.1", server.port, certificates=certs if tls else None) as through:
        through.plan(proxy.Fault("down", 7, action))
        with Talker(through, dovecot.tls() if tls else None) as client:
            client.stream.settimeout(0.5)
            got, end = b"", None
            while end is None:
                try:
                    more = client.stream.recv(100)
                    got += more
                    end = None if more else "end"
                except (ConnectionResetError, TimeoutError, ssl.SSLError) as error:
                    end = type(error).__name__
        assert got == b"* OK 01" or (action == "reset" and b"* OK 01".startswith(got))
        assert through.connections[0].struck and through.connections[0].down == 7
        # Python's ssl calls a reset an end, too.
        reset = "end" if tls else "ConnectionResetError"
        assert end == {"close": "end", "abrupt": "end", "reset": reset}.get(action, "TimeoutError")


def test_proxy_stall_that_ends_and_refusal(dovecot):
    with proxy.Proxy(dovecot.host, dovecot.imap) as through:
        through.plan(proxy.Fault("down", 3, "stall", 0.3))
        began = time.monotonic()
        imaplib.IMAP4(through.host, through.port).shutdown()
        assert time.monotonic() - began >= 0.3
        through.refuse(True)
        with pytest.raises(OSError):
            Talker(through).stream.recv(1)
        through.refuse(False)
        imaplib.IMAP4(through.host, through.port).shutdown()
