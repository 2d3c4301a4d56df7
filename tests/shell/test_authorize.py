# SPDX-License-Identifier: LGPL-2.1-or-later
"""mailrack authorize: a first token by a browser or by a code, kept, and used from then on."""

import pathlib
import re
import signal
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.support.imapbox import wait_for


class Authorize:
    """A `mailrack authorize` that runs, and what it said."""

    def __init__(self, program, environment, directory, path):
        self.err = directory / "authorize.err"
        with open(self.err, "wb") as err:
            self.child = subprocess.Popen([program, "authorize", "-f", path], stderr=err,
                                          stdout=err, stdin=subprocess.DEVNULL, env=environment)

    def said(self, pattern):
        found = []

        def look():
            found[:] = re.findall(pattern, self.err.read_text())
            assert found or self.child.poll() is None, self.err.read_text()
            return found
        wait_for(look, 30, pattern)
        return found[0]

    def end(self):
        return self.child.wait(30), self.err.read_text()


@pytest.fixture
def authorize(program, mailrack, tmp_path, account, token_endpoint, user):
    token_endpoint.visitor = user
    started = []

    def start(**keys):
        path = account({"password": None, "oauth2": "true", **token_endpoint.first_keys(), **keys})
        started.append(Authorize(program("mailrack"), mailrack.environment, tmp_path, path))
        started[-1].path = path
        return started[-1]
    yield start
    for each in started:
        each.child.kill()
        each.child.wait()


@pytest.fixture
def browse(certs):
    """What a browser does: follows to where it is sent."""
    context = ssl.create_default_context(cafile=str(certs.ca_file))

    def get(url):
        try:
            with urllib.request.urlopen(url, timeout=20, context=context) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
    return get


def nothing_leaked(text, endpoint, directory):
    """No token was shown, and what is kept is its owner's alone."""
    assert endpoint.users
    for token in endpoint.users:
        assert token not in text
    kept = [path for path in pathlib.Path(directory).rglob("*") if path.is_file()
            and any(token.encode() in path.read_bytes() for token in endpoint.users)]
    assert kept and all(path.stat().st_mode & 0o077 == 0 for path in kept)


def test_browser(authorize, browse, mailrack, token_endpoint, tmp_path):
    running = authorize()
    url = running.said(r"allow access: (https://\S+)")
    back = re.search(r"redirect_uri=(\S+?)&", url)[1].replace("%3A", ":").replace("%2F", "/")
    assert back.startswith("http://127.0.0.1:")
    assert browse(back + "?code=evil&state=wrong")[0] == 400     # and it goes on waiting
    assert browse(url) == (200, "Done. You can close this window.\n")
    status, text = running.end()
    assert status == 0 and "Logged in" in text, text
    assert all(code not in text for code in token_endpoint.codes)
    nothing_leaked(text, token_endpoint, tmp_path)
    # From then on no other program needs to be told.
    done = mailrack("-f", running.path, "-e", "pwd")
    assert done.returncode == 0, done.stderr


def test_device(authorize, mailrack, token_endpoint, user, tmp_path):
    running = authorize(oauth2_flow="device")
    code = running.said(r"enter this code: (\S+)")
    wait_for(lambda: any("device_code" in each.form for each in token_endpoint.requests), 30)
    token_endpoint.allow(code, user)
    status, text = running.end()
    assert status == 0 and "Logged in" in text, text
    assert not any(device in text for device in token_endpoint.devices)
    nothing_leaked(text, token_endpoint, tmp_path)
    done = mailrack("-f", running.path, "-e", "pwd")
    assert done.returncode == 0, done.stderr


def test_refusals(authorize, browse, mailrack, token_endpoint):
    token_endpoint.visitor = None
    running = authorize()
    assert browse(running.said(r"allow access: (https://\S+)"))[0] == 200
    status, text = running.end()
    assert status == 77 and "access was not allowed: access_denied" in text
    running = authorize(oauth2_flow="device")
    token_endpoint.allow(running.said(r"enter this code: (\S+)"), None)
    status, text = running.end()
    assert status == 77 and "access_denied" in text
    done = mailrack("-f", running.path, "-e", "pwd")
    assert done.returncode == 77 and 'run "mailrack authorize"' in done.stderr


def test_interrupt_leaves_nothing(authorize, token_endpoint):
    running = authorize()
    running.said(r"allow access")
    running.child.send_signal(signal.SIGINT)
    assert running.end()[0] != 0 and not token_endpoint.users


@pytest.mark.parametrize("keys, status, words", [
    ({"oauth2": None, "password": "x"}, 1, "needs no authorization"),
    ({"oauth2_client_id": None}, 78, "oauth2_client_id"),
    ({"oauth2_auth_url": None, "oauth2_device_url": None}, 78, "oauth2_provider"),
    ({"oauth2_auth_url": "http://localhost/"}, 78, "https"),
])
def test_configurations(authorize, keys, status, words):
    running = authorize(**keys)
    ended, text = running.end()
    assert ended == status and words in text
