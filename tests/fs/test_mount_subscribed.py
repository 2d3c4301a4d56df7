# SPDX-License-Identifier: LGPL-2.1-or-later
"""A mount that shows only what is subscribed."""

import os


def test_only_what_is_subscribed(mount, dovecot, user):
    client = dovecot.connect(user)
    for name in ("Work", "Work/Deep", "Lists"):
        assert client.create(name)[0] == "OK"
    for name in ("Work/Deep", "Gone"):
        client.create(name)
        assert client.subscribe(name)[0] == "OK"
    client.delete("Gone")
    client.unsubscribe("INBOX")
    client.logout()
    with mount() as directory:
        assert {"Work", "Lists", "INBOX"} <= set(os.listdir(directory))
    with mount({"subscribed": "yes"}) as directory:
        names = set(os.listdir(directory))
        assert {"Work", "INBOX"} <= names and not {"Lists", "Gone"} & names
        assert "Deep" in os.listdir(directory / "Work")
