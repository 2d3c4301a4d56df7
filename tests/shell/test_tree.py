# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mailboxes that are removed or renamed while they are selected: Dovecot ends such a session."""

import pytest

from tests.support.meddler import Meddler


@pytest.fixture
def shell(mailrack, account):
    """shell("cd", "ls") runs lines and goes on after errors: what they print, and the errors."""
    path = account()

    def run(*lines, options=()):
        done = mailrack("-f", path, "-k", *options,
                        *(word for line in lines for word in ("-e", line)))
        return done.stdout.splitlines(), done.stderr
    return run


NONE = "(no mailbox is selected)"


def test_rmdir_of_the_selected_mailbox(shell, dovecot, user):
    output, error = shell("mkdir A", "cd A", "rmdir A", "pwd", "c.noop()[1]", "find", "ls A",
                          "ls -s A")
    assert output == [NONE, "[]"]
    assert "lost" not in error and error.count("no mailbox is selected") == 1
    assert error.count('no mailbox matches "A"') == 2        # the subscription is gone too


def test_rmdir_that_is_refused_leaves_it_selected(shell, dovecot, user, mails):
    dovecot.fill(user, "INBOX", [])
    output, error = shell("cd -r INBOX", "rmdir inbox", "pwd", "flag 1 +seen")
    assert output == ["INBOX"]
    assert "DELETE: the server says NO" in error
    dovecot.fill(user, "Full", mails(2))
    output, error = shell("cd Full", "rmdir Full", "pwd", "c.search()")
    assert output == ["Full", "[1, 2]"] and "holds 2 messages" in error


def test_dry_run_leaves_nothing(shell, dovecot, user):
    dovecot.fill(user, "A", [])
    output, _ = shell("cd A", "rmdir A", "pwd", "rename A B", "pwd", options=["--dry-run"])
    assert output == ['DELETE "A"', 'UNSUBSCRIBE "A"', "A", 'RENAME "A" "B"', "A"]


def test_rename_goes_along(shell, dovecot, user):
    dovecot.fill(user, "Work/2026", [b"Subject: a\r\n\r\n"] * 2)
    output, error = shell("cd -r Work/2026", "find --uids", "rename Work/2026 Work/old", "pwd",
                          "len($_)", "rename Work Office", "pwd", "c.search()", "flag 1 +seen",
                          "rename Office INBOX", "pwd", "rename Nothing X", "pwd")
    assert output == ["1", "2", "Work/old", "2", "Office/old", "[1, 2]", "Office/old",
                      "Office/old"]
    assert error.count("the server says NO") == 2
    with dovecot.connect(user) as connection:                # read-only, as it was before
        connection.select("Office/old", readonly=True)
        assert b"Seen" not in connection.uid("FETCH", "1", "(FLAGS)")[1][0]


def test_inbox_stays(shell, dovecot, user, mails):
    """Its messages go to the other mailbox (RFC 9051 section 6.3.6)."""
    dovecot.fill(user, "INBOX", mails(2))
    output, error = shell("cd", "rename inbox Before", "pwd", "c.search()", "cd Before",
                          "c.search()")
    assert output == ["INBOX", "[]", "[1, 2]"] and error == ""


def test_without_unselect(mailrack, account, dovecot, user):
    """EXAMINE and CLOSE leave it, so that what is marked as deleted stays."""
    dovecot.fill(user, "A", [])
    with Meddler(dovecot.imap) as between:
        between.hide("UNSELECT")
        path = account(between.keys())
        done = mailrack("-f", path, "-e", "cd A", "-e", "rmdir A", "-e", "pwd")
        assert (done.returncode, done.stdout) == (0, NONE + "\n"), done.stderr
        assert between.sent("EXAMINE") and between.sent("CLOSE") and not between.sent("UNSELECT")
