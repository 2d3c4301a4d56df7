# SPDX-License-Identifier: LGPL-2.1-or-later
"""Logins through the tree's plugins, by the program login.c, against real and lying servers."""

import base64
import hashlib
import hmac
import os
import socket
import subprocess
import threading
import time

import pytest

from tests.support import scripted, tokens
from tests.support.dovecot import ODD_PASSWORD

CONFIG, NETWORK, TLS, AUTH, INTERACTION, PROTOCOL = 1, 3, 4, 5, 6, 7
TIMEOUT = 15


@pytest.fixture
def login(build, tmp_path):
    """login(file, ACCOUNT..., count=1) gives the lines that login.c printed."""
    def call(file, *accounts, count=1, **environment):
        done = subprocess.run([build / "tests/plugins/login", "-n", str(count), file, *accounts],
                              text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
                              env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"),
                                   **environment})
        assert done.returncode in (0, 1, 78), done
        call.stderr = done.stderr
        return done.stdout.splitlines()
    call.state = tmp_path / "state/mailrack/oauth2"
    return call


def refused(lines, code, *texts):
    """The last line is a failure with this code that holds these texts."""
    name, _, rest = lines[-1].partition(": ")
    assert rest.startswith(f"{code} "), lines
    for text in texts:
        assert text in rest, lines
    return rest


# ---- Dovecot ------------------------------------------------------------------------------


def test_every_way_in(dovecot, token_server, user, account, login):
    """Each account that the private Dovecot offers: the good ones, and those that must fail."""
    sections = dovecot.accounts(user, token_server)
    file = account(**{name: keys for name, keys in sections.items() if name != "DEFAULT"})
    good = [name for name, keys in sections.items() if "expect_failure" not in keys]
    assert len(good) >= 14
    assert [line for line in login(file, *good) if not line.startswith("told: ")] == [
        f"{name}: ok" for name in good]
    for name in set(sections) - set(good):
        lines = login(file, name)
        assert not lines[-1].endswith(": ok"), lines


@pytest.mark.parametrize("name, code, text", [
    ("wrong-password", AUTH, "login by SCRAM-SHA-256 refused: "),
    ("no-starttls", TLS, "does not offer STARTTLS"),
    ("unknown-ca", TLS, "its issuer (CN=Stranger CA) is not an authority in ssl_ca_file"),
    ("unknown-ca-starttls", TLS, "its issuer (CN=Stranger CA) is not an authority"),
    ("wrong-host", TLS, "is refused: it is made out to mail.example.test, 192.0.2.1"),
    ("wrong-host-starttls", TLS, "is refused: it is made out to mail.example.test, 192.0.2.1"),
    ("expired", TLS, "is refused: it expired on 20"),
    ("expired-starttls", TLS, "is refused: it expired on 20"),
])
def test_refusals(dovecot, user, account, login, name, code, text):
    sections = dovecot.accounts(user)
    refused(login(account(**{name: sections[name]}), name), code, text)


def test_tls_keys_both_ways(dovecot, user, account, login, tmp_path):
    """The ssl_ keys work for ssl and starttls alike; switched off, they warn."""
    ways = {"ssl": {}, "starttls": {"starttls": "true", "port": dovecot.imap}}
    bad = dovecot.accounts(user)
    for way, keys in ways.items():
        suffix = "" if way == "ssl" else "-starttls"
        expired = {**bad[f"expired{suffix}"], "ssl_verify_cert": "false"}
        wrong = {**bad[f"wrong-host{suffix}"], "ssl_check_hostname": "false"}
        file = account(expired=expired, wrong=wrong, system={**keys, "ssl_ca_file": ""},
                       missing={**keys, "ssl_ca_file": tmp_path / "none.pem"},
                       tilde={**keys, "ssl_ca_file": "~/ca.pem"})
        lines = login(file, "expired", "wrong")
        assert [line for line in lines if ": ok" in line] == ["expired: ok", "wrong: ok"], lines
        assert sum("ssl_verify_cert = false" in line for line in lines) == 1
        assert sum("ssl_check_hostname = false" in line for line in lines) == 1
        refused(login(file, "missing"), CONFIG, "ssl_ca_file: ", "none.pem")
        (tmp_path / "ca.pem").write_bytes(dovecot.ca_file.read_bytes())
        assert login(file, "tilde", HOME=str(tmp_path)) == ["tilde: ok"]


def test_tls_1_1_only(certs, dialogue, account, login):
    for name in ("tls-1.1-only", "tls-1.1-only-starttls"):
        with dialogue(name) as server:
            keys = {"host": "localhost", "port": server.port, "username": "alice",
                    "password": "sekret", "ssl_ca_file": certs.ca_file}
            if name.endswith("starttls"):
                keys["starttls"] = "true"
            refused(login(account(x=keys), "x"), TLS, "TLS 1.2 or 1.3 is needed")


def test_ssl_on_the_port_for_starttls(dovecot, account, login):
    refused(login(account({"port": dovecot.imap})), TLS, "write \"starttls = true\"")


def test_plain_warns_only_off_this_machine(dovecot, account, login):
    file = account(plain={"ssl": "false", "port": dovecot.imap})
    assert login(file, "plain") == ["plain: ok"]


# ---- Where passwords come from -------------------------------------------------------------


def test_password_sources(dovecot, account, login, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(ODD_PASSWORD + "\nsecond line\n")
    secret.chmod(0o600)
    odd = {"username": "odd", "password": ""}
    file = account(
        command={**odd, "password_command": f"cat {secret}"},
        file={**odd, "password_file": secret},
        ask=odd,
        ask_both={"username": "", "password": ""},
        both={"password": "x", "password_file": secret},
        fails={**odd, "password_command": "sh -c 'exit 3'"},
        absent={**odd, "password_file": tmp_path / "absent"})
    assert login(file, "command", "file") == ["command: ok", "file: ok"]
    # Asked once for three logins, and without echo.
    assert login(file, "ask", count=3, ANSWER=ODD_PASSWORD) == [
        "asked: Password of odd at localhost: (hidden)", "ask: ok", "ask: ok", "ask: ok"]
    refused(login(file, "ask"), INTERACTION)
    refused(login(file, "both"), CONFIG, "\"password\" and \"password_file\" are both set")
    assert "password_command: " in login(file, "fails")[-1]
    refused(login(file, "absent"), CONFIG, "password_file", "absent")
    secret.chmod(0o644)
    refused(login(file, "file"), CONFIG, "can be read by others: chmod 600")


def test_password_is_asked_again_after_a_refusal(dovecot, account, login):
    lines = login(account({"password": ""}), count=2, ANSWER="wrong")
    assert sum(line.startswith("asked: ") for line in lines) == 2
    refused(lines, AUTH, "refused")


def test_password_is_kept(dovecot, user, account, login, tmp_path):
    """The command runs once for all logins of a process."""
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho >>{tmp_path}/calls\necho {dovecot.password(user)}\n")
    script.chmod(0o700)
    file = account({"password": "", "password_command": script})
    assert login(file, count=3) == ["DEFAULT: ok"] * 3
    assert len((tmp_path / "calls").read_text()) == 1


class PlainServer:
    """Takes AUTHENTICATE PLAIN with the password that `passwords` holds for that attempt."""

    def __init__(self, *passwords):
        self.passwords = list(passwords)
        self.offered = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rwb", buffering=0) as stream:
                self.talk(stream)

    def talk(self, stream):
        capabilities = b"CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN"
        stream.write(b"* OK [" + capabilities + b"] ready\r\n")
        for line in stream:
            tag, name, *rest = line.split()
            answer = b"OK done"
            if name == b"AUTHENTICATE":
                self.offered.append(base64.b64decode(rest[1]).decode().split("\0")[2])
                if self.offered[-1] != self.passwords.pop(0):
                    answer = b"NO [AUTHENTICATIONFAILED] no"
            elif name == b"CAPABILITY":
                stream.write(b"* " + capabilities + b"\r\n")
            elif name == b"LOGOUT":
                stream.write(b"* BYE bye\r\n")
            stream.write(tag + b" " + answer + b"\r\n")
            if name == b"LOGOUT":
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.mark.parametrize("server_takes, command_gives, offered, ok", [
    # It worked and was changed on both sides: read again, once.
    (["one", "two", "two"], ["one", "two"], ["one", "one", "two"], [True, True]),
    # It worked and was changed on the server alone: the same is not tried twice.
    (["one", "two"], ["one", "one"], ["one", "one"], [True, False]),
    # It never worked: nothing is tried again, and the next login reads it anew.
    (["two", "two"], ["one", "two"], ["one", "two"], [False, True]),
])
def test_changed_password(account, login, tmp_path, server_takes, command_gives, offered, ok):
    for number, password in enumerate(command_gives):
        (tmp_path / f"password{number}").write_text(password + "\n")
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ncd {tmp_path}\necho >>calls\n"
                      "cat password$(($(wc -l <calls) - 1))\n")
    script.chmod(0o700)
    server = PlainServer(*server_takes)
    file = account(x={"host": "127.0.0.1", "port": server.port, "ssl": "false",
                      "username": "bob", "password": "", "password_command": script})
    lines = login(file, "x", count=2)
    server.close()
    assert [line == "x: ok" for line in lines] == ok, lines
    assert server.offered == offered


# ---- Other mechanisms ------------------------------------------------------------------------


@pytest.mark.parametrize("offer, named, dialogue_lines", [
    ("AUTH=LOGIN LOGINDISABLED", "", """\
C: {tag} AUTHENTICATE LOGIN
S: + {b64:Username:}
C: {b64:alice}
S: + {b64:Password:}
C: {b64:sekret}
"""),
    ("AUTH=EXTERNAL", "EXTERNAL", """\
C: {tag} AUTHENTICATE EXTERNAL {b64:alice}
"""),
    ("AUTH=ANONYMOUS", "ANONYMOUS", """\
C: {tag} AUTHENTICATE ANONYMOUS {b64:alice}
"""),
    ("AUTH=CRAM-MD5", "CRAM-MD5", """\
C: {tag} AUTHENTICATE CRAM-MD5
S: + {b64:<1896.697170952@postoffice.example>}
C: {b64:alice 7bf30c38fd9d9b1ad5ed4bcba96b2e06}
"""),
])
def test_other_mechanisms(account, login, certs, offer, named, dialogue_lines):
    digest = hmac.new(b"sekret", b"<1896.697170952@postoffice.example>", hashlib.md5).hexdigest()
    text = f"""\
about: login by one mechanism
S: * OK [CAPABILITY IMAP4rev1 SASL-IR {offer}] ready
always: {{tag}} CAPABILITY
  S: * CAPABILITY IMAP4rev1 SASL-IR {offer}
  S: {{tag}} OK done
always: {{tag}} LOGOUT
  S: * BYE bye
  S: {{tag}} OK done
  close:
{dialogue_lines.replace("7bf30c38fd9d9b1ad5ed4bcba96b2e06", digest)}S: {{tag}} OK done
"""
    with scripted.Scripted(text, certs, "tls") as server:
        keys = {"host": "localhost", "port": server.port, "username": "alice",
                "password": "sekret", "ssl_ca_file": certs.ca_file}
        file = account(x={**keys, **({"auth_mechanisms": named} if named else {})}, unnamed=keys)
        assert login(file, "x") == ["x: ok"]


def test_weak_mechanisms_only_when_named(account, login, certs):
    text = """\
about: nothing that is used without being named
S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5 AUTH=EXTERNAL AUTH=ANONYMOUS] ready
always: {tag} CAPABILITY
  S: * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5 AUTH=EXTERNAL AUTH=ANONYMOUS
  S: {tag} OK done
always: {tag} LOGOUT
  S: * BYE bye
  S: {tag} OK done
  close:
"""
    with scripted.Scripted(text, certs, "tls") as server:
        file = account(x={"host": "localhost", "port": server.port, "username": "alice",
                          "password": "sekret", "ssl_ca_file": certs.ca_file})
        refused(login(file, "x"), AUTH, "CRAM-MD5 EXTERNAL ANONYMOUS")


# ---- SCRAM with channel binding ---------------------------------------------------------------


def scram_account(server, certs, **keys):
    return {"host": "localhost", "port": server.port, "username": "alice", "password": "sekret",
            "ssl_ca_file": certs.ca_file, **keys}


@pytest.mark.parametrize("starttls", [False, True])
def test_scram_plus(scram_server, certs, account, login, starttls):
    keys = {"starttls": "true"} if starttls else {}
    with scram_server(**({"starttls": True} if starttls else {})) as server:
        file = account(good=scram_account(server, certs, auth_mechanisms="SCRAM-SHA-256-PLUS",
                                          **keys),
                       chosen=scram_account(server, certs, **keys),
                       unbound=scram_account(server, certs, auth_mechanisms="SCRAM-SHA-256",
                                             **keys),
                       wrong=scram_account(server, certs, password="wrong", **keys))
        assert login(file, "good", "chosen", "unbound") == [
            "good: ok", "chosen: ok", "unbound: ok"]
        refused(login(file, "wrong"), AUTH, "SCRAM-SHA-256-PLUS")


@pytest.mark.parametrize("fault", ["binding", "signature", "no-signature", "early-ok"])
def test_scram_plus_server_cheats(scram_server, certs, account, login, fault):
    with scram_server(fault=fault) as server:
        refused(login(account(x=scram_account(server, certs)), "x"), AUTH, "SCRAM-SHA-256-PLUS")


def test_scram_iterations(scram_server, certs, account, login):
    for count, ok in ((4095, False), (4096, True), (1000001, False)):
        with scram_server(iterations=count) as server:
            lines = login(account(x=scram_account(server, certs)), "x")
            if ok:
                assert lines == ["x: ok"]
            else:
                refused(lines, AUTH, f"{count} iterations; 4096 to 1000000 are taken")


# ---- OAuth2 -----------------------------------------------------------------------------------


@pytest.fixture
def oauth2(token_endpoint, user, account):
    def write(**keys):
        return account({"oauth2": "true", "password": "",
                        **token_endpoint.account_keys(user), **keys})
    return write


def test_refresh_once_for_many_logins(token_endpoint, oauth2, login):
    assert login(oauth2(), count=3) == ["DEFAULT: ok"] * 3
    assert len(token_endpoint.requests) == 1
    form = token_endpoint.requests[0].form
    assert form["grant_type"] == "refresh_token" and len(form["refresh_token"]) == 2000
    assert (form["client_id"], form["client_secret"]) == (tokens.CLIENT_ID, tokens.CLIENT_SECRET)


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_expired_token_is_renewed_once(token_endpoint, oauth2, login, mechanism):
    token_endpoint.plan("expired")
    assert login(oauth2(auth_mechanisms=mechanism)) == ["DEFAULT: ok"]
    assert len(token_endpoint.requests) == 2
    token_endpoint.plan("expired", "expired", "expired")
    refused(login(oauth2(auth_mechanisms=mechanism)), AUTH, f"login by {mechanism} refused")
    assert len(token_endpoint.requests) == 4


def test_renewed_before_it_expires(token_endpoint, oauth2, login):
    """Of 290 seconds' life none is left when 300 are kept in reserve; of an hour's most is."""
    token_endpoint.plan(tokens.Answer(lifetime=290), tokens.Answer(lifetime=3600))
    assert login(oauth2(), count=3) == ["DEFAULT: ok"] * 3
    assert len(token_endpoint.requests) == 2


@pytest.mark.parametrize("answer, code, texts", [
    ("invalid_grant", AUTH, ["authorize again", "invalid_grant"]),
    ("invalid_client", AUTH, ["oauth2_client_id"]),
    (429, NETWORK, ["HTTP 429", "try again in 1 seconds"]),
    (503, NETWORK, ["HTTP 503", "try again in 1 seconds"]),
    (500, NETWORK, ["HTTP 500", "try again later"]),
    ("redirect", PROTOCOL, ["redirects elsewhere"]),
    ("garbage", PROTOCOL, ["no access token"]),
    ("not-a-token", PROTOCOL, ["no access token"]),
    ("empty", PROTOCOL, ["no access token"]),
    ("huge", PROTOCOL, ["too long"]),
    ("close", NETWORK, ["localhost"]),
])
def test_endpoint_refuses(token_endpoint, oauth2, login, answer, code, texts):
    token_endpoint.plan(answer)
    refused(login(oauth2()), code, "OAuth2: ", *texts)
    assert len(token_endpoint.requests) == 1


def test_endpoint_hangs(token_endpoint, oauth2, login):
    token_endpoint.plan("hang")
    began = time.monotonic()
    refused(login(oauth2(connect_timeout="1")), TIMEOUT, "does not answer in time")
    assert time.monotonic() - began < 20


def test_endpoint_must_be_https_and_trusted(token_endpoint, oauth2, certs, dovecot, user, account,
                                            login):
    refused(login(oauth2(oauth2_token_url=token_endpoint.url.replace("https", "http"))), CONFIG,
            "is not an https:// address")
    refused(login(oauth2(oauth2_ca_file=certs["stranger"].cert)), TLS, "localhost")
    assert not token_endpoint.requests
    with tokens.TokenServer(certs, dovecot.key, certificate="wrong-host") as endpoint:
        file = account({"oauth2": "true", "password": "", **endpoint.account_keys(user)})
        refused(login(file), TLS)
        assert not endpoint.requests


@pytest.mark.parametrize("keys, scope", [
    ({}, None),
    ({"oauth2_provider": "google"}, "https://mail.google.com/"),
    ({"oauth2_provider": "microsoft"},
     "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"),
    ({"oauth2_provider": "Yahoo"}, "mail-w"),
    ({"oauth2_provider": "fastmail"}, "https://www.fastmail.com/dev/protocol-imap"),
    ({"oauth2_provider": "google", "oauth2_scope": "mine & more"}, "mine & more"),
])
def test_scopes(token_endpoint, oauth2, login, keys, scope):
    assert login(oauth2(**keys)) == ["DEFAULT: ok"]
    assert token_endpoint.requests[0].form.get("scope") == scope


def test_rotated_refresh_token(certs, dovecot, user, account, login):
    """What the provider gives in exchange is on the disk, private, and used from then on by
    every process; until somebody configures another one."""
    with tokens.TokenServer(certs, dovecot.key, rotate=True) as endpoint:
        keys = {"oauth2": "true", "password": "", **endpoint.account_keys(user)}
        file = account(keys)
        for _ in range(3):
            assert login(file) == ["DEFAULT: ok"]
        used = [request.form["refresh_token"] for request in endpoint.requests]
        assert len(set(used)) == 3 and used[0] == keys["oauth2_refresh_token"]
        saved = [path for path in login.state.iterdir() if path.suffix != ".lock"]
        assert len(saved) == 1 and saved[0].stat().st_mode & 0o777 == 0o600
        assert login.state.stat().st_mode & 0o777 == 0o700
        assert used[0] not in saved[0].read_text()

        keys["oauth2_refresh_token"] = endpoint.refresh_token(user)
        assert login(account(keys)) == ["DEFAULT: ok"]
        assert endpoint.requests[-1].form["refresh_token"] == keys["oauth2_refresh_token"]


def test_rotation_by_many_processes(certs, dovecot, user, account, build, tmp_path):
    """Each token is good once: only who waits for the other's turn finds a good one."""
    with tokens.TokenServer(certs, dovecot.key, rotate=True) as endpoint:
        file = account({"oauth2": "true", "password": "", **endpoint.account_keys(user)})
        endpoint.plan(*[tokens.Answer(delay=0.2)] * 5)
        running = [subprocess.Popen([build / "tests/plugins/login", file], text=True,
                                    stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                    env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")})
                   for _ in range(5)]
        assert [process.communicate(timeout=60)[0] for process in running] == [
            "DEFAULT: ok\n"] * 5
        assert len({request.form["refresh_token"] for request in endpoint.requests}) == 5


def test_state_that_cannot_be_written(certs, dovecot, user, account, login, tmp_path):
    """The login works, and the user is told."""
    with tokens.TokenServer(certs, dovecot.key, rotate=True) as endpoint:
        file = account({"oauth2": "true", "password": "", **endpoint.account_keys(user)})
        assert login(file) == ["DEFAULT: ok"]
        saved = next(path for path in login.state.iterdir() if path.suffix != ".lock")
        saved.with_name(saved.name + ".new").mkdir()
        lines = login(file)
        assert lines[-1] == "DEFAULT: ok"
        assert lines[0].startswith("told: warning: the new refresh token cannot be saved"), lines


def test_no_token_in_clear_or_unverified(dovecot, token_endpoint, oauth2, login):
    for keys in ({"ssl": "false", "port": dovecot.imap}, {"ssl_verify_cert": "false"},
                 {"ssl_check_hostname": "false"}):
        refused(login(oauth2(**keys)), AUTH, "only over TLS with a verified certificate")
    assert not token_endpoint.requests


def test_token_command(dovecot, user, account, login, tmp_path):
    token = tmp_path / "token"
    token.write_text(dovecot.token(user))
    keys = {"oauth2": "true", "password": ""}
    file = account(command={**keys, "oauth2_token_command": f"cat {token}"},
                   static={**keys, "oauth2_access_token": dovecot.token(user)},
                   expired={**keys, "oauth2_access_token": dovecot.token(user, lifetime=-60)},
                   odd={**keys, "oauth2_access_token": "two words"},
                   fails={**keys, "oauth2_token_command": "false"}, nothing=keys,
                   refresh_only={**keys, "oauth2_refresh_token": "x"},
                   no_url={**keys, "oauth2_refresh_token": "x", "oauth2_client_id": "y"})
    assert login(file, "command", "static") == ["command: ok", "static: ok"]
    refused(login(file, "expired"), AUTH, "login by OAUTHBEARER refused")
    refused(login(file, "odd"), AUTH, "oauth2_access_token: ", "not a bearer token")
    assert "oauth2_token_command: " in login(file, "fails")[-1]
    refused(login(file, "nothing"), CONFIG, "oauth2_refresh_token")
    refused(login(file, "refresh_only"), CONFIG, "oauth2_client_id")
    refused(login(file, "no_url"), CONFIG, "oauth2_provider")


@pytest.mark.parametrize("name, mechanism", [("oauthbearer-refused", "OAUTHBEARER"),
                                             ("xoauth2-refused", "XOAUTH2")])
def test_error_dialogue(certs, dialogue, account, login, name, mechanism):
    """The exact octets of the message, and of the answer to the server's report."""
    with dialogue(name, how="tls") as server:
        file = account({"host": "localhost", "port": server.port, "username": "alice",
                        "oauth2": "true", "password": "", "auth_mechanisms": mechanism,
                        "oauth2_access_token": "an-access-token"})
        refused(login(file), AUTH, f"login by {mechanism} refused")


# ---- The tunnel ---------------------------------------------------------------------------------


def test_tunnel_failures(account, login, tmp_path):
    def tunnel(command):
        return {"transport": "tunnel", "tunnel_command": command}
    file = account(absent=tunnel(tmp_path / "no-such-command"), fails=tunnel("sh -c 'exit 7'"),
                   killed=tunnel("sh -c 'kill -9 $$'"), quiet=tunnel("true"), unset={
                       "transport": "tunnel"})
    refused(login(file, "absent"), NETWORK, "cannot be started: No such file")
    assert "no-such-command" in login(file, "absent")[-1]
    assert not login(file, "fails", "killed", "quiet")[-1].endswith("ok")
    refused(login(file, "unset"), CONFIG, "tunnel_command")


def test_tunnel_leaves_nothing_behind(dovecot, user, account, login, tmp_path):
    """The command gets little of our environment, and its whole group ends with the stream."""
    marker = tmp_path / "pid"
    script = tmp_path / "tunnel"
    script.write_text(f"#!/bin/sh\necho $$ > {marker}\nenv > {tmp_path}/env\n"
                      f"{dovecot.tunnel_command(user)}\nexec sleep 300\n")
    script.chmod(0o700)
    file = account(tunnel={"transport": "tunnel", "tunnel_command": script})
    assert login(file, "tunnel", SECRET_THING="x") == ["tunnel: ok"]
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert "PATH" in names and "SECRET_THING" not in names
    pid = int(marker.read_text())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the tunnel's command outlived the program")
