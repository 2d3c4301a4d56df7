# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that read only the beginning of messages cause only beginnings to be fetched."""

import os
import random
import subprocess

SIZE = 150_000
COUNT = 80


def message(number):
    draw = random.Random(number)
    lines = (f"{draw.getrandbits(280):070x}\r\n" for _ in range(SIZE // 72))
    return f"From: a@b.example\r\nSubject: n{number}\r\n\r\n".encode() + "".join(lines).encode()


def test_head_of_every_message(mount, slow, dovecot, user):
    small = [(b"Subject: small\r\n\r\nx\r\n", "", 1700000000)] * 20   # what trust is earned by
    large = [message(number) for number in range(COUNT)]
    dovecot.fill(user, "INBOX", small + [(octets, "", 1700000000) for octets in large])
    between = slow(0)
    with mount({"host": between.host, "port": str(between.port), "ssl": "false"},
               ["-o", "names=uid"]) as directory:
        inbox = directory / "INBOX"
        names = sorted(os.listdir(inbox), key=lambda name: int(name.split(".")[0]))[len(small):]
        before = sum(each.down for each in between.connections)
        heads = [subprocess.run(["head", "-c", "2000", inbox / name], check=True,
                                stdout=subprocess.PIPE).stdout for name in names]
        assert heads == [octets[:2000] for octets in large]
        wire = sum(each.down for each in between.connections) - before
        print(f"{wire} octets on the wire for the beginnings of {COUNT} messages of {SIZE}")
        assert wire < COUNT * SIZE * 0.4
        # All of each is there for who wants it.
        assert [(inbox / name).read_bytes() for name in names] == large
