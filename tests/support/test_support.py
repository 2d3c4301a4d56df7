# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proof that the test support itself works, with Python's own imaplib, ssl and email as judges."""

import email
import hashlib
import imaplib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.support import certs as certificates
from tests.support import dialogue as dialogues
from tests.support import imapbox, mailgen, procs, proxy, scripted, tokens
from tests.support.dovecot import ODD_PASSWORD, PASSWORD, Dovecot

TOP = pathlib.Path(__file__).resolve().parents[2]
DIALOGUES = sorted((TOP / "tests/dialogues").glob("*.txt"))


# Certificates

def verdict(certs, name, host="localhost"):
    """What openssl says of a chain, as a client that trusts ca_file: "" when all is well."""
    certificate = certs[name]
    done = subprocess.run(["openssl", "verify", "-purpose", "sslserver", "-x509_strict",
                           "-verify_hostname", host, "-CAfile", certs.ca_file, "-untrusted",
                           certificate.chain, certificate.cert], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr


@pytest.mark.parametrize("name, wrong", [
    ("good", ""), ("good-dns", ""), ("good-inter", ""), ("wrong-host", "hostname mismatch"),
    ("self-signed", "self-signed certificate"), ("unknown-ca", "unable to get local issuer"),
    ("expired", "certificate has expired"), ("expired-inter", "certificate has expired"),
    ("not-yet-valid", "not yet valid"), ("missing-inter", "unable to get local issuer"),
    ("client-only", "unsuitable certificate purpose"), ("wildcard", "hostname mismatch"),
    ("good-ip", "hostname mismatch"), ("nul-san", "hostname mismatch")])
def test_certificate_is_wrong_in_its_own_way(certs, name, wrong):
    said = verdict(certs, name)
    assert (wrong in said and said) if wrong else said == ""


def test_wildcard_and_idn_hosts(certs):
    assert verdict(certs, "wildcard", "imap.mail.test") == ""
    assert "hostname mismatch" in verdict(certs, "wildcard", "a.b.mail.test")
    assert verdict(certs, "idn", "xn--bcher-kva.mail.test") == ""


def test_nul_is_really_in_the_certificate(certs):
    der = ssl.PEM_cert_to_DER_cert(certs["nul-san"].cert.read_text())
    assert b"\x82\x14localhost\0.evil.test" in der


def test_keys_are_closed_to_others(certs):
    assert all(certs[name].key.stat().st_mode & 0o77 == 0 for name in certificates.TABLE)


# Dovecot

@pytest.mark.parametrize("how", ["plain", "ssl", "starttls"])
def test_login_over(dovecot, user, how):
    with dovecot.connect(user, how) as connection:
        assert connection.select()[0] == "OK"
        assert (how == "plain") != isinstance(connection.sock, ssl.SSLSocket)


def gsasl(dovecot, mechanism, user, password):
    """Log in with GNU SASL's client and return what the server answered last."""
    done = subprocess.run(
        ["gsasl", "--imap", "--no-starttls", f"--mechanism={mechanism}",
         f"--authentication-id={user}", f"--password={password}", dovecot.host, str(dovecot.imap)],
        input="a logout\r\n", capture_output=True, text=True, timeout=20)
    return done.stdout


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1",
                                       "SCRAM-SHA-256"])
def test_password_mechanism(dovecot, user, mechanism):
    assert ". OK" in gsasl(dovecot, mechanism, user, PASSWORD)
    assert "AUTHENTICATIONFAILED" in gsasl(dovecot, mechanism, user, "wrong")


def test_login_command(dovecot):
    with dovecot.connect(login=False) as connection:
        assert connection.login("odd", ODD_PASSWORD)[0] == "OK"


def test_password_that_the_server_does_not_know(dovecot):
    assert "SCRAM-SHA-256$" not in gsasl(dovecot, "SCRAM-SHA-256", "hashed", PASSWORD)
    assert ". OK" in gsasl(dovecot, "SCRAM-SHA-256", "hashed", PASSWORD)
    assert PASSWORD not in (dovecot.root / "users/hashed").read_text()


def bearer(dovecot, mechanism, user, token):
    connection = dovecot.connect(login=False)
    first = {"XOAUTH2": f"user={user}\1auth=Bearer {token}\1\1",
             "OAUTHBEARER": f"n,a={user},\1host=localhost\1port={dovecot.imap}\1"
                            f"auth=Bearer {token}\1\1"}[mechanism]
    answers = iter([first.encode(), b"" if mechanism == "XOAUTH2" else b"\1"])
    try:
        return connection.authenticate(mechanism, lambda _: next(answers))[0]
    except imaplib.IMAP4.error as error:
        return str(error)
    finally:
        connection.shutdown()


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_bearer_token(dovecot, user, mechanism):
    assert bearer(dovecot, mechanism, user, dovecot.token(user)) == "OK"
    assert "AUTHENTICATIONFAILED" in bearer(dovecot, mechanism, user, dovecot.token(user, -60))
    forged = tokens.issue(b"x" * 32, user)
    assert "AUTHENTICATIONFAILED" in bearer(dovecot, mechanism, user, forged)
    assert bearer(dovecot, mechanism, user, dovecot.token("somebody-else")) != "OK"


def test_refused_login_is_not_slow(dovecot):
    began = time.monotonic()
    for _ in range(5):
        connection = dovecot.connect(login=False)
        with pytest.raises(imaplib.IMAP4.error):
            connection.login("alice", "wrong")
        connection.shutdown()
    assert time.monotonic() - began < 5     # Dovecot's own delays would make it half a minute


def test_listener_without_tls(dovecot):
    connection = imaplib.IMAP4(dovecot.plain_only, dovecot.imap)
    assert "STARTTLS" not in connection.capabilities
    assert "AUTH=PLAIN" in connection.capabilities
    connection.shutdown()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((dovecot.plain_only, dovecot.imaps))


@pytest.mark.parametrize("name, wrong", [
    ("wrong-host", "mismatch"), ("expired", "expired"), ("self-signed", "self-signed"),
    ("unknown-ca", "local issuer"), ("cn-only", "mismatch")])
@pytest.mark.parametrize("how", ["ssl", "starttls"])
def test_listener_with_bad_certificate(dovecot, name, wrong, how):
    address = dovecot.bad_certificates[name]
    with pytest.raises(ssl.SSLCertVerificationError, match=wrong):
        if how == "ssl":
            imaplib.IMAP4_SSL(address, dovecot.imaps, ssl_context=dovecot.tls())
        else:
            imaplib.IMAP4(address, dovecot.imap).starttls(dovecot.tls())


def test_capabilities_after_login(dovecot, user):
    with dovecot.connect(user) as connection:
        offered = imapbox.capabilities(connection)
    assert {"IDLE", "CONDSTORE", "QRESYNC", "NOTIFY", "UIDPLUS", "MOVE", "SPECIAL-USE", "QUOTA",
            "ACL", "NAMESPACE", "SORT", "THREAD=REFERENCES", "ESEARCH", "LIST-STATUS", "BINARY",
            "METADATA", "COMPRESS=DEFLATE", "MULTIAPPEND", "LITERAL+"} <= set(offered)


def test_special_use_and_quota(dovecot, user):
    with dovecot.connect(user) as connection:
        _, listed = connection.list()
        assert any(rb"\Trash" in line for line in listed)
        assert connection.getquotaroot("INBOX")[0] == "OK"
    with pytest.raises(RuntimeError, match="OVERQUOTA"):
        dovecot.fill("tiny", "INBOX", [b"Subject: big\r\n\r\n" + b"x" * 30000])


def test_delivery_is_seen_by_idle(dovecot, user):
    with dovecot.connect(user) as connection:
        connection.select()
        connection.send(b"x1 IDLE\r\n")
        assert connection.readline().startswith(b"+")
        dovecot.deliver(user, b"Subject: news\n\nhello\n")
        connection.sock.settimeout(10)
        while not (line := connection.readline()).endswith(b"EXISTS\r\n"):
            assert line
        connection.send(b"DONE\r\n")
        while not connection.readline().startswith(b"x1 OK"):
            pass
    assert [message.flags for message in dovecot.truth(user)] == [frozenset()]


def test_fill_and_truth(dovecot, user, mailbox, mails):
    sent = mails(1200)
    assert dovecot.fill(user, mailbox, sent) == 1200
    found = dovecot.truth(user, mailbox)
    assert [message.sha256 for message in found] == \
        [hashlib.sha256(mail.octets).hexdigest() for mail in sent]
    assert all(message.size == message.octets for message in found)
    assert [message.flags for message in found] == [frozenset(mail.flags.split()) for mail in sent]
    assert [imaplib.Internaldate2tuple(b'INTERNALDATE "%s"' % message.date.encode())
            for message in found] == [time.localtime(mail.date) for mail in sent]
    assert dovecot.truth(user, mailbox) == found      # looking changed nothing


def test_fill_without_multiappend(certs, user, dovecot, mailbox, mails, monkeypatch):
    monkeypatch.setattr(imapbox, "capabilities", lambda _: ["IMAP4REV1"])
    with dovecot.connect(user) as connection:
        assert imapbox.fill(connection, mailbox, mails(5)) == 5
    assert [message.sha256 for message in dovecot.truth(user, mailbox)] == \
        [hashlib.sha256(mail.octets).hexdigest() for mail in mails(5)]


def test_tunnel_is_the_same_store(dovecot, user):
    dovecot.deliver(user, b"Subject: one\n\nx\n")
    done = subprocess.run(dovecot.tunnel_command(user).split(), capture_output=True,
                          input=b"a STATUS INBOX (MESSAGES)\r\nb LOGOUT\r\n", timeout=20)
    assert done.stdout.startswith(b"* PREAUTH ")
    assert b"STATUS INBOX (MESSAGES 1)" in done.stdout


@pytest.mark.parametrize("storage", ["mdbox", "sdbox", "maildir"])
def test_server_of_ones_own(certs, storage, mails):
    with Dovecot(storage=storage, certificates=certs, separator=".", prefix="INBOX.",
                 settings="imap_capability = +XTEST\n") as server:
        server.fill("alice", "INBOX.Work", mails(20))
        before = server.truth("alice", "INBOX.Work")
        assert len(before) == 20
        server.kill()
        with pytest.raises(OSError):
            server.connect()
        server.start()
        assert server.truth("alice", "INBOX.Work") == before
        with server.connect() as connection:
            assert "XTEST" in imapbox.capabilities(connection)
            assert b'"."' in connection.list()[1][0]
        root, child = server.root, server.child
    assert child.poll() is not None
    assert not root.exists()
    assert processes_with(str(root)) == []


def processes_with(text):
    """Pids whose command line or working directory has this text in it."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            if (text in line or text in os.readlink(entry / "cwd")) and \
                    int(entry.name) != os.getpid():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def children_of(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(task) for task in tasks]


def running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    except OSError:
        return False


def start_command(directory, *arguments):
    process = subprocess.Popen(
        [sys.executable, TOP / "tests/support/dovecot.py", "--dir", directory, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    values = {}
    for line in process.stdout:
        name, _, value = line.strip().partition("=")
        values[name] = value
        if name == "READY":
            break
    return process, values


@pytest.mark.parametrize("end", ["stdin", "SIGTERM", "SIGKILL"])
def test_command_line_leaves_no_process(tmp_path, end):
    process, values = start_command(tmp_path, "--fill", "INBOX=30", "--fill", "Work/Sub=3")
    assert values["READY"] == "1"
    master = int(values["PID"])
    family = [master, *children_of(master)]
    assert len(family) > 3
    account = pathlib.Path(values["ACCOUNT"])
    assert account.stat().st_mode & 0o777 == 0o600
    assert "[starttls]" in account.read_text()
    connection = imaplib.IMAP4("127.0.0.1", int(values["IMAP"]))
    connection.login("alice", PASSWORD)
    assert connection.select("INBOX")[1] == [b"30"]
    assert connection.select("Work/Sub")[1] == [b"3"]
    connection.shutdown()
    if end == "stdin":
        process.stdin.close()
    else:
        process.send_signal(getattr(signal, end))
    process.wait(20)
    imapbox.wait_for(lambda: not any(running(pid) for pid in family), 15, "the end of Dovecot")
    process.stdout.close()


def test_two_servers_side_by_side(certs):
    with Dovecot(certificates=certs) as one, Dovecot(certificates=certs) as two:
        one.deliver("alice", b"Subject: one\n\nx\n")
        assert len(one.truth("alice")) == 1
        assert len(two.truth("alice")) == 0


def test_account_file(dovecot, token_server, tmp_path):
    path = dovecot.write_accounts(tmp_path / "a.ini", "alice", token_server)
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"password = {ODD_PASSWORD}\n" in text
    assert len(re.search(r"oauth2_refresh_token = (\S+)", text)[1]) == 2000
    for section in ("DEFAULT", "ssl", "starttls", "plain", "tunnel", "sasl-scram-sha-256",
                    "oauthbearer", "xoauth2", "token-command", "wrong-password", "expired"):
        assert f"[{section}]\n" in text


# Generated mail

def test_mail_is_the_same_every_time(mails):
    again = mailgen.Generator(seed=1)
    assert again.message(99, 200_000) == mails(100)[99]
    assert mailgen.Generator(seed=2).message(99, 200_000).octets != mails(100)[99].octets


def test_mail_is_well_formed(mails):
    kinds, charsets, known = set(), set(), set()
    for mail in mails(1500):
        assert not re.search(rb"\0|(?<!\r)\n|\r(?!\n)", mail.octets)
        assert mail.octets.endswith(b"\r\n") and len(mail.octets) < 260_000
        message = email.message_from_bytes(mail.octets)
        known.add(str(message["Message-ID"]).strip())
        for part in message.walk():
            assert part.defects == []
            kinds.add(part.get_content_type())
            charsets.add(part.get_content_charset())
            if not part.is_multipart():
                part.get_payload(decode=True)
    assert {"text/plain", "text/html", "multipart/alternative", "multipart/mixed", "image/png",
            "multipart/related", "multipart/signed", "message/rfc822"} <= kinds
    assert {"utf-8", "iso-8859-1", "koi8-r", "iso-2022-jp", "gb18030", "us-ascii"} <= charsets
    replies = [email.message_from_bytes(mail.octets)["In-Reply-To"] for mail in mails(1500)]
    replies = [reply for reply in replies if reply]
    assert len(replies) > 400 and sum(reply in known for reply in replies) > len(replies) * 0.98


def test_mail_sizes_are_log_normal():
    sizes = sorted(len(mail.octets) for mail in mailgen.Generator(7).messages(4000))
    assert 3500 < sizes[2000] < 5500
    assert 15_000 < sum(sizes) / 4000 < 35_000
    assert sizes[-1] > 500_000


def test_maildir_is_what_dovecot_reads(certs, tmp_path):
    with Dovecot(storage="maildir", certificates=certs) as server:
        home = server.root / "mail/alice/maildir"
        mails = list(mailgen.Generator(3).messages(50, largest=50_000))
        assert mailgen.write_maildir(home, mails) == 50
        procs.give(server.root / "mail/alice")
        found = server.truth("alice")
    assert {message.sha256 for message in found} == \
        {hashlib.sha256(mail.octets).hexdigest() for mail in mails}
    assert sum("\\Seen" in message.flags for message in found) == \
        sum("\\Seen" in mail.flags for mail in mails)


# Token endpoint

def refresh(endpoint, context, keys, timeout=10, **form):
    form = {"grant_type": "refresh_token", "refresh_token": keys["oauth2_refresh_token"],
            "client_id": keys["oauth2_client_id"], "client_secret": keys["oauth2_client_secret"],
            **form}
    request = urllib.request.Request(endpoint.url, urllib.parse.urlencode(form).encode())
    with urllib.request.urlopen(request, context=context, timeout=timeout) as answer:
        return json.load(answer)


def test_token_endpoint(dovecot, token_endpoint, user):
    keys = token_endpoint.account_keys(user)
    given = refresh(token_endpoint, dovecot.tls(), keys)
    assert bearer(dovecot, "XOAUTH2", user, given["access_token"]) == "OK"
    assert given["expires_in"] == 3600 and "refresh_token" not in given
    token_endpoint.plan("expired")
    given = refresh(token_endpoint, dovecot.tls(), keys)
    assert given["expires_in"] == 3600
    assert "AUTHENTICATIONFAILED" in bearer(dovecot, "XOAUTH2", user, given["access_token"])
    assert [request.form["grant_type"] for request in token_endpoint.requests] == \
        ["refresh_token"] * 2


def test_token_endpoint_is_verified(token_endpoint, user):
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        refresh(token_endpoint, ssl.create_default_context(), token_endpoint.account_keys(user))
    assert token_endpoint.requests == []


def test_token_endpoint_refuses(dovecot, token_endpoint, user):
    keys = token_endpoint.account_keys(user)
    token_endpoint.plan("invalid_grant", 429, 503, "redirect")
    for status in (400, 429, 503, 307):
        with pytest.raises(urllib.error.HTTPError) as error:
            refresh(token_endpoint, dovecot.tls(), keys)
        assert error.value.code == status
    for form in ({"client_secret": "wrong"}, {"refresh_token": "wrong"}, {"grant_type": "x"}):
        with pytest.raises(urllib.error.HTTPError):
            refresh(token_endpoint, dovecot.tls(), keys, **form)
    token_endpoint.plan("close")
    with pytest.raises(OSError):
        refresh(token_endpoint, dovecot.tls(), keys)
    token_endpoint.plan("hang")
    with pytest.raises(TimeoutError):
        refresh(token_endpoint, dovecot.tls(), keys, timeout=0.3)


def test_rotated_refresh_token(certs, dovecot, user):
    with tokens.TokenServer(certs, dovecot.key, rotate=True) as endpoint:
        keys = endpoint.account_keys(user)
        given = refresh(endpoint, dovecot.tls(), keys)
        with pytest.raises(urllib.error.HTTPError):
            refresh(endpoint, dovecot.tls(), keys)
        refresh(endpoint, dovecot.tls(), keys, refresh_token=given["refresh_token"])


def test_token_command(dovecot, user):
    done = subprocess.run(dovecot.token_command(user).split(), capture_output=True, text=True)
    assert bearer(dovecot, "OAUTHBEARER", user, done.stdout.strip()) == "OK"


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


def test_ports_are_not_given_twice():
    ports = []
    threads = [threading.Thread(target=lambda: ports.append(procs.port())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ports)) == 20
