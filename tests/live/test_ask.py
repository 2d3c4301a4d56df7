# SPDX-License-Identifier: LGPL-2.1-or-later
"""Single calls of the public API against servers that say what no real one can be made to say."""

import pathlib
import subprocess

import pytest

from tests.support.dovecot import Dovecot


@pytest.fixture
def ask(build):
    """ask("list", FILE, "DEFAULT", ...): the lines it prints; a failure is (status, message)."""
    def run(question, path, *arguments):
        done = subprocess.run([pathlib.Path(build) / "tests" / "live" / "ask", question, path,
                               "DEFAULT", *map(str, arguments)], capture_output=True,
                              encoding="utf-8", timeout=120, check=False)
        if done.returncode != 0:
            return done.returncode, done.stderr
        return done.stdout.splitlines()
    return run


@pytest.fixture
def play(dialogue, account, ask):
    """play("resync-x", "resync", "INBOX", ...): that question to a server that plays a dialogue."""
    def run(name, question, *arguments):
        with dialogue(name) as server:
            path = account({"host": "localhost", "port": server.port, "username": "alice",
                            "password": "sekret", "ssl": "false"})
            return ask(question, path, *arguments)
    return run


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


def test_other_namespaces(ask, tmp_path):
    """One that LIST "*" shows by itself, and one that has to be asked for."""
    with Dovecot(settings=NAMESPACES) as server:
        server.add_user("eve")
        client = server.connect("eve")
        for name in ("Public/Board", "Public/Entw&APw-rfe", "Team/Plans", "Own"):
            assert client.create(name)[0] == "OK"
        listed = b"".join(client.list()[1])
        assert b"Team/Plans" in listed and b"Public/Board" not in listed
        client.logout()
        path = tmp_path / "account.ini"
        server.write_accounts(path, "eve")
        out = ask("list", path)
    assert {"Public/Board", "Public/Entwürfe", "Team/Plans", "Own", "INBOX"} <= set(out)
    assert len(out) == len(set(out))


def test_search_where_utf8_is_refused(play):
    """Exchange. What is asked then may find more, never less."""
    assert play("search-badcharset", "find", "INBOX", "subject:Entwürfe is:read") == ["3:4"]


def test_gmail_terms_elsewhere(play):
    status, message = play("search-plain", "find", "INBOX", "gmail:label:x")
    assert status == 1 and "X-GM-EXT-1" in message


def test_resync_with_more_vanished_than_known(play):
    """A server with a short history names every UID that is not there."""
    assert play("resync-qresync", "resync", "INBOX", 7, 12, 90, "2:5,9:11") == [
        "3 8", "11 0 $Work", "qresync vanished=4:5,9 added=12 state=7/13/100"]


def test_resync_where_qresync_is_refused(play):
    assert play("resync-qresync-refused", "resync", "INBOX", 7, 12, 90, "2:3,11") == [
        "3 8", "condstore vanished=2 added= state=7/12/100"]


def test_resync_of_a_server_set_back(play):
    """Its mod-sequences went back: they say nothing, and everything is compared."""
    assert play("resync-set-back", "resync", "INBOX", 7, 12, 90, "2:3") == [
        "2 0", "3 8 $Work", "plain vanished= added= state=7/12/50"]


def test_resync_of_a_plain_server(play):
    """Office 365: neither mod-sequences nor ranges. 0 UIDNEXT: hMailServer."""
    assert play("resync-plain", "resync", "INBOX", 7, 0, 0, "2:3,9") == [
        "2 8", "9 a", "plain vanished=3 added=10 state=7/11/0"]


def test_resync_of_another_mailbox(play):
    status, message = play("search-plain", "resync", "INBOX", 8, 0, 0, "2:3,9")
    assert status == 1 and "UIDVALIDITY" in message


def test_mailbox_made_anew(play):
    """A connection that has the old one selected does not show it for the new one."""
    assert play("made-anew", "anew", "Work") == ["1000", "1001", "stale", "1001", "1002"]


def test_parts_that_the_server_cannot_decode(play):
    """UNKNOWN-CTE (RFC 3516) and its like: what is refused is fetched as it was sent."""
    assert play("binary-refused", "read", "INBOX", 9, "2,3,4,5") == [
        "2 as sent: as it was sent", "3 as sent: quoted", "4 as sent: YWJj", "5 decoded: abc"]
