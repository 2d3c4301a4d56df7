# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mailbox that another client deletes and makes again under the same name: after one `sync` the
mount shows what is in the new one, whatever its connections have selected."""

import errno

import pytest

from tests.fs.conftest import wait_for
from tests.fs.desk import Desk, letter, wait_until
from tests.fs.test_write_files import names
from tests.support.dovecot import Dovecot

TURNS = 30


@pytest.fixture(scope="module")
def server():
    """One of its own: it complains in its log of mailboxes that go while they are selected."""
    with Dovecot() as started:
        yield started


def is_gone(connection, mailbox):
    """What is refused half way is deleted all the same."""
    status, (text,) = connection.delete(mailbox)
    return status == "OK" or b"NONEXISTENT" in text or b"doesn't exist" in text


def make_anew(connection, mailbox, messages):
    """Dovecot refuses for a moment what is about a mailbox that others have selected."""
    wait_for(lambda: is_gone(connection, mailbox))
    wait_for(lambda: connection.create(mailbox)[0] == "OK")
    for octets in messages:
        wait_for(lambda each=octets: connection.append(mailbox, None, None, each)[0] == "OK")


def contents(folder):
    try:
        return sorted((folder / name).read_bytes() for name in names(folder))
    except OSError:
        return None                     # what was listed is gone by now


def is_asked_to_sync(ctl):
    """False: it heard that Work is gone, and not yet that there is one again."""
    try:
        ctl.write_text("sync Work\n")
    except OSError as error:
        assert error.errno == errno.EINVAL
        return False
    return True


@pytest.mark.parametrize("connections", ["1", "4"])
def test_made_anew(server, mounting, user, tmp_path, connections):
    desk = Desk(server, server.add_user(user), mounting, tmp_path)
    desk.fill("Work", [letter(number) for number in range(3)])
    # Nothing but the word of a person makes it look.
    keys = {**server.accounts(desk.user)["DEFAULT"], "poll": "600", "connections": connections}
    with desk.mounted(keys) as directory, server.connect(desk.user) as other:
        folder, ctl = directory / "Work", directory / ".mailrack" / "ctl"
        assert len(contents(folder)) == 3
        for turn in range(1, TURNS + 1):
            messages = [letter(10 * turn + number) for number in range((0, 3, 2)[turn % 3])]
            make_anew(other, "Work", messages)
            wait_for(lambda: is_asked_to_sync(ctl), 60)
            wait_until(lambda wanted=sorted(messages): contents(folder) == wanted,
                       lambda: (turn, messages, contents(folder),
                                (ctl.parent / "status").read_text()))
