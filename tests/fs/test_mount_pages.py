# SPDX-License-Identifier: LGPL-2.1-or-later
"""Octets are in the kernel's page cache before a program that reads one message after the other
comes to them, and they are the right ones."""

import os
import re

COUNT = 400


def put(directory):
    status = (directory / ".mailrack" / "status").read_text()
    return int(re.search(r"page cache: (\d+)", status)[1])


def read_all(inbox):
    """What grep -r does: the names in the order of their inodes, each to its end."""
    found = {}
    for entry in sorted(os.scandir(inbox), key=lambda each: each.inode()):
        with open(entry.path, "rb", buffering=0) as file:
            octets = b""
            while piece := file.read(98304):
                octets += piece
        found[int(entry.name.split(".")[0])] = octets
    return found


def test_a_reader_of_everything(mounting, dovecot, user, mails, tmp_path):
    messages = [tuple(mail) for mail in mails(COUNT, largest=60_000)]
    dovecot.fill(user, "INBOX", messages)
    truth = {number: mail[0] for number, mail in enumerate(messages, 1)}
    with mounting(user, tmp_path, options=["-o", "names=uid"]) as directory:
        # From the server.
        assert read_all(directory / "INBOX") == truth
        first = put(directory)
        # What the kernel has is not put there again.
        assert read_all(directory / "INBOX") == truth
        assert put(directory) <= first + 1  # one may have been on its way
    with mounting(user, tmp_path, options=["-o", "names=uid"]) as directory:
        # From the disk.
        assert read_all(directory / "INBOX") == truth
        assert put(directory) > 0


def test_a_reader_of_single_messages(mounting, dovecot, user, mails, tmp_path):
    dovecot.fill(user, "INBOX", [tuple(mail) for mail in mails(COUNT, largest=20_000)])
    with mounting(user, tmp_path, options=["-o", "names=uid"]) as directory:
        for uid in range(COUNT, 0, -3):
            assert (directory / "INBOX" / f"{uid}.eml").stat().st_size == len(
                (directory / "INBOX" / f"{uid}.eml").read_bytes())
        assert put(directory) == 0
