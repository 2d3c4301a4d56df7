# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mailboxes that have no connection of their own hear of changes where the server has NOTIFY."""

import os

from tests.fs.conftest import wait_for

BOXES = ("INBOX", "One", "Two", "Drei-\N{LATIN SMALL LETTER U WITH DIAERESIS}", "Four", "Five")
WIRE = {BOXES[3]: "Drei-&APw-"}


def test_all_mailboxes_are_reported(mount, dovecot, user, mails):
    client = dovecot.connect(user)
    for name in BOXES[1:]:
        assert client.create(WIRE.get(name, name))[0] == "OK"
    client.logout()
    with mount({"poll": "1h"}) as directory:
        for name in BOXES:
            assert os.listdir(directory / name) == []
        for name in BOXES:
            dovecot.fill(user, WIRE.get(name, name), mails(1))
        for name in BOXES:
            wait_for(lambda name=name: len(os.listdir(directory / name)) == 1)
