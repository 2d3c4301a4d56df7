# SPDX-License-Identifier: LGPL-2.1-or-later
"""The live checks of the public API on both servers, through every transport and login."""

import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]


def livetest(build, path):
    run = subprocess.run([sys.executable, TOP / "scripts" / "livetest", "--build", build, path],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_dovecot(build, dovecot, user, token_server, tmp_path):
    path = tmp_path / "account.ini"
    dovecot.write_accounts(path, user, token_server)
    out = livetest(build, path)
    for name in ("ssl", "starttls", "plain", "tunnel", "oauthbearer", "xoauth2", "wrong-password",
                 "no-starttls", "expired", "expired-starttls", "unknown-ca", "cn-only"):
        assert f"ok [{name}]" in out


@pytest.fixture(scope="session")
def second(tmp_path_factory):
    from tests.support.second_server import SecondServer
    with SecondServer(tmp_path_factory.mktemp("second")) as server:
        yield server


def test_second_server(build, second):
    out = livetest(build, second.ini)
    assert "ok 1 mailboxes" in out
