# SPDX-License-Identifier: LGPL-2.1-or-later
"""The live checks of the public API on both servers, through every transport and login."""

import pathlib
import subprocess
import sys

import pytest

from tests.support.dovecot import Dovecot

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


NAMESPACES = """\
protocol imap {
  mail_plugins = quota imap_quota
}
namespace public {
  type = public
  separator = /
  prefix = Public/
  location = mdbox:~/public
  list = no
  subscriptions = no
}
namespace team {
  type = public
  separator = /
  prefix = Team/
  location = mdbox:~/team
  subscriptions = no
}
"""


def test_other_namespaces(build, tmp_path):
    """One that LIST "*" shows by itself, and one that has to be asked for."""
    with Dovecot(settings=NAMESPACES) as server:
        server.add_user("eve")
        client = server.connect("eve")
        for name in ("Public/Board", "Public/Entw&APw-rfe", "Team/Plans", "Own"):
            assert client.create(name)[0] == "OK"
        listed = b"".join(client.list()[1])
        assert b"Team/Plans" in listed and b"Public/Board" not in listed
        client.logout()
        server.write_accounts(tmp_path / "account.ini", "eve")
        command = [pathlib.Path(build) / "tests" / "live" / "live", "--list",
                   tmp_path / "account.ini", "plain"]
        out = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8", timeout=60,
                             check=True).stdout.splitlines()
    assert {"Public/Board", "Public/Entwürfe", "Team/Plans", "Own", "INBOX"} <= set(out)
    assert len(out) == len(set(out))
