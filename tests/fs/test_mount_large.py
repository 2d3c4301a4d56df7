# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mailboxes of many messages: that they are listed, and how much memory that takes.

They are a few messages, copied again and again within the server, which is fast. Memory is measured
beside the same mount of an empty mailbox, as what the process has of its own; the kernel's names
and attributes are the kernel's. tests/bench/bench_million.py has the figures of a million.
"""

import os
import pathlib
import re

import pytest

from tests.fs.conftest import process_of, wait_for

SEED = 3_000
MESSAGES = 99_000                # in the test of memory
LIMIT = 64                       # octets a message
SPARSE = 60_000                  # UIDs, a third of which are there


def fill(dovecot, user, messages, count):
    """Large: messages again and again, so that there are count."""
    seed = dovecot.fill(user, "Seed", messages)
    with dovecot.connect(user) as connection:
        connection.create("Large")
        connection.select("Seed", readonly=True)
        for _ in range(count // seed):
            assert connection.copy("1:*", "Large")[0] == "OK"
        connection.select("Large")
        connection.expunge()


def private(pid):
    """Octets that are this process' own."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"Private_Dirty:\s+(\d+)", text)[1]) * 1024


@pytest.mark.parametrize("names", ["full", "uid"])
def test_memory_grows_with_messages_no_more_than_it_may(dovecot, user, mails, mount, tmp_path,
                                                        names):
    fill(dovecot, user, ((mail.octets, "", mail.date) for mail in mails(SEED, largest=1000)),
         MESSAGES)
    dovecot.fill(user, "Empty", [])
    options = ["-o", f"names={names}"]
    with mount(options=options) as directory:
        assert os.listdir(directory / "Empty") == []
        base = private(process_of(tmp_path))
    for _ in ("the first time", "again"):
        with mount(options=options) as directory:
            assert len(os.listdir(directory / "Large")) == MESSAGES
            pid = process_of(tmp_path)
            # What a first sync needed is given back behind the answer.
            wait_for(lambda: private(pid) - base <= LIMIT * MESSAGES, 30)


def test_a_mailbox_most_of_whose_messages_are_gone(dovecot, user, mails, mount):
    # As a list their UIDs are more than a server takes in one line.
    fill(dovecot, user, ((mail.octets, "\\Deleted" if index % 3 else "", mail.date)
                         for index, mail in enumerate(mails(SEED, largest=1000))), SPARSE)
    with mount(options=["-o", "names=uid"]) as directory:
        assert sorted(os.listdir(directory / "Large"), key=lambda name: int(name[:-4])) == \
            [f"{uid}.eml" for uid in range(1, SPARSE + 1, 3)]
