# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proof that the servers and the mail of the test support are what they say, with Python's own
imaplib, ssl and email and the openssl program as judges.  test_scripted.py has the rest."""

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
from tests.support import imapbox, mailgen, procs, tokens
from tests.support.dovecot import ODD_PASSWORD, PASSWORD, Dovecot

TOP = pathlib.Path(__file__).resolve().parents[2]


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


def test_ports_are_not_given_twice():
    ports = []
    threads = [threading.Thread(target=lambda: ports.append(procs.port())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ports)) == 20
