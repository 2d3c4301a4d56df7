# SPDX-License-Identifier: LGPL-2.1-or-later
"""mailrack check: each step, what it says of good servers and of all that can be wrong."""

import json
import socket

import pytest

from tests.support import procs


@pytest.fixture
def check(mailrack, account):
    """check(keys, ...) gives (status, {step: [its lines, as from JSON]})."""
    def run(keys=None, *options):
        done = mailrack("check", "--json", "-f", account(keys), "--timeout", "5", *options)
        steps = {}
        for line in done.stdout.splitlines():
            each = json.loads(line)
            steps.setdefault(each["step"], []).append(each)
        assert "mailrack:" not in done.stderr
        return done.returncode, steps
    return run


def texts(steps, name):
    return " ".join(each["text"] for each in steps[name]).replace("\xa0", " ")


def test_good_server(check, dovecot, user, mails):
    dovecot.fill(user, "INBOX", mails(3))
    status, steps = check()
    assert status == 0
    assert list(steps) == ["config", "name", "tcp", "tls", "certificate", "greeting", "login",
                           "extensions", "namespaces", "mailboxes", "inbox", "quota"]
    assert {each["status"] for lines in steps.values() for each in lines} <= {"ok", "warn"}
    assert all(each["status"] == "ok" for name in ("tls", "certificate", "login", "inbox")
               for each in steps[name])
    assert texts(steps, "tls").startswith("TLS1.3") and "localhost" in texts(steps, "certificate")
    assert user in texts(steps, "login") and "SCRAM-SHA-256" in texts(steps, "login")
    assert "IDLE" in texts(steps, "extensions") and "NOTIFY" in texts(steps, "extensions")
    assert "trash is Trash" in texts(steps, "mailboxes")
    assert texts(steps, "inbox").startswith("3 messages") and "100.0 GiB" in texts(steps, "quota")


def test_for_people(mailrack, account):
    done = mailrack("check", "-f", account({"disable_extensions": "IDLE"}))
    assert done.returncode == 0
    assert "\nok    login         " in done.stdout
    assert "\nwarn  extensions    no IDLE: " in done.stdout


def test_starttls_and_clear_text(check, dovecot):
    status, steps = check({"starttls": "true", "port": dovecot.imap})
    assert status == 0 and steps["tls"][0]["status"] == "ok"
    status, steps = check({"ssl": "false", "port": dovecot.imap})
    assert status == 0 and steps["tls"][0]["status"] == "warn"
    assert "ssl = true" in steps["tls"][0]["advice"]


def test_tunnel(check, dovecot, user):
    status, steps = check({"transport": "tunnel", "tunnel_command": dovecot.tunnel_command(user),
                           "ssl": None, "ssl_ca_file": None, "host": None, "port": None})
    assert status == 0 and "tcp" not in steps and "PREAUTH" in texts(steps, "login")


@pytest.mark.parametrize("name, words, advice", [
    ("expired", "expired", "renew"),
    ("wrong-host", "127.0.0.3", "name"),
    ("unknown-ca", "", "ssl_ca_file"),
    ("self-signed", "", "ssl_ca_file"),
])
def test_bad_certificates(check, dovecot, name, words, advice):
    status, steps = check({"host": dovecot.bad_certificates[name]})
    assert status == 69 and list(steps)[-1] == "tls"
    failed, = steps["tls"]
    assert failed["status"] == "fail" and words in failed["text"]
    assert advice in failed["advice"], failed


def test_unverified_certificate_is_a_warning(check, dovecot):
    status, steps = check({"host": dovecot.bad_certificates["expired"],
                           "ssl_verify_cert": "false", "ssl_check_hostname": "false"})
    assert steps["certificate"][0]["status"] == "warn"
    assert "ssl_verify_cert" in steps["certificate"][0]["advice"] and status == 0


def test_refused_port_and_unknown_name(check):
    status, steps = check({"port": procs.port()})
    assert status == 69 and steps["tcp"][0]["status"] == "fail"
    assert "nothing listens" in steps["tcp"][0]["advice"] and list(steps)[-1] == "tcp"
    status, steps = check({"host": "no-such-name.invalid"})
    assert status == 69 and steps["name"][0]["status"] == "fail" and list(steps)[-1] == "name"


def test_black_hole(check):
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        status, steps = check({"host": "127.0.0.1", "port": silent.getsockname()[1],
                               "ssl": "false"}, "--timeout", "1")
    assert status == 75 and steps["tcp"][0]["status"] == "ok"
    assert steps["greeting"][0]["status"] == "fail"


def test_wrong_password(check):
    status, steps = check({"password": "wrong"})
    assert status == 77 and steps["tls"][0]["status"] == "ok"
    assert steps["login"][0]["status"] == "fail" and "password" in steps["login"][0]["advice"]


def test_no_mechanism_in_common(check):
    status, steps = check({"auth_mechanisms": "SCRAM-SHA-512"})
    assert status in (77, 78)
    status, steps = check({"auth_mechanisms": "EXTERNAL"})
    assert status in (77, 78)


def test_no_starttls(check, dovecot):
    status, steps = check({"host": dovecot.plain_only, "starttls": "true", "port": dovecot.imap})
    assert status == 69 and steps["tls"][0]["status"] == "fail"
    assert "STARTTLS" in steps["tls"][0]["text"] and "ssl = true" in steps["tls"][0]["advice"]


def test_tls_on_the_wrong_port(check, dovecot):
    status, steps = check({"port": dovecot.imap})
    assert status == 69 and "starttls = true" in steps["tls"][0]["advice"]


def test_configuration(check, mailrack, account):
    status, steps = check({"usernme": "x"})
    assert status == 78 and steps["config"][0]["status"] == "fail"
    assert mailrack("check", "-f", account(), "DEFAULT", "too many").returncode == 64


def test_full_quota_is_a_warning(check, dovecot):
    dovecot.fill("tiny", "INBOX", [b"Subject: x\r\n\r\n" + b"x" * 18600 + b"\r\n"])
    status, steps = check({"username": "tiny", "password": dovecot.password("tiny")})
    assert status == 0 and steps["quota"][0]["status"] == "warn"
