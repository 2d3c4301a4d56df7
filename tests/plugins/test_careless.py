# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that fail without saying why (careless.c): core says it for them, and never crashes."""

import os
import subprocess

import pytest

CONFIG, PLUGIN, NETWORK, TLS, AUTH = 1, 2, 3, 4, 5


@pytest.fixture
def login(build, dovecot, user, account):
    """login(**keys) gives what tests/plugins/login printed; it must end by itself."""
    def call(**keys):
        kind = "transport" if "transport" in keys else "auth"
        keys[kind] = build / f"tests/plugins/careless-{kind}.so"
        done = subprocess.run([build / "tests/plugins/login", account(it=keys), "it"], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                              env={**os.environ, "ANSWER": dovecot.password(user)}, check=False)
        assert done.returncode in (0, 1), done
        assert "CRITICAL" not in done.stderr, done.stderr
        return done.stdout.strip()
    return call


def test_sound(login):
    assert login(careless_at="nothing") == "it: ok"


@pytest.mark.parametrize("place, code", [("open", CONFIG), ("start", AUTH), ("step", AUTH),
                                         ("accepted", AUTH)])
def test_auth(login, place, code):
    text = login(careless_at=place)
    assert text.startswith(f"it: {code} "), text
    assert text.endswith(f'{place} of the plugin "careless" failed and set no error'), text
    text = login(careless_at=place, careless_foreign="yes")
    assert text.startswith(f"it: {code} "), text
    assert text.endswith("said in words of another domain"), text


@pytest.mark.parametrize("place, code", [("open", CONFIG), ("connect", NETWORK), ("upgrade", TLS)])
def test_transport(login, dovecot, place, code):
    text = login(transport=True, port=dovecot.imap, careless_at=place)
    assert text.startswith(f"it: {code} "), text
    assert text.endswith(f'{place} of the plugin "careless" failed and set no error'), text
    text = login(transport=True, port=dovecot.imap, careless_at=place, careless_foreign="yes")
    assert text.startswith(f"it: {code} "), text
    assert text.endswith("said in words of another domain"), text


@pytest.mark.parametrize("place, said", [
    ("ops", 'connect of the plugin "careless" gave a stream that has no ops'),
    ("size", "ops without their size (.size = sizeof (RackStreamOps))"),
    ("no-write", "ops without all of read, write, fd and close")])
def test_half_a_stream(login, place, said):
    text = login(transport=True, careless_at=place)
    assert text.startswith(f"it: {PLUGIN} ") and text.endswith(said), text


def test_read_without_an_error(login):
    text = login(transport=True, careless_at="read")
    assert text.startswith(f"it: {NETWORK} "), text
    assert text.endswith("read of the stream failed and set no error"), text


def test_open_says_whose_keys_they_are(login):
    """Two accounts may have the same plugin and different keys."""
    assert ".ini: account it: open of" in login(careless_at="open")


def test_mistyped_key_of_a_plugin_that_is_chosen_by_path(build, account):
    file = account({"auth": build / "tests/plugins/careless-auth.so", "careles_at": "open"})
    done = subprocess.run([build / "tests/plugins/login", file], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert 'unknown key "careles_at" (did you mean "careless_at"?)' in done.stdout + done.stderr
