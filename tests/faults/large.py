# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random changes of a mailbox of some thousand messages, with random faults and kills amid them.

    with LargeWriter(server, "large", program, place) as writer:
        tally = bursts(writer, 60, seed=7)

Another client's messages are in a mailbox of their own and among ours, marked \\Deleted: nothing
may happen to them.

What it is not: exhaustive; mount.py is that, on three messages.
"""

import os
import random

from tests.faults import mount
from tests.faults import stage as stages
from tests.faults.writer import Nothing, Writer
from tests.support import mailgen

MESSAGES, OTHERS = 3000, 500


class LargeWriter(Writer):
    """Work has MESSAGES; every tenth is another's, as is all of Archive."""

    def __init__(self, server, user, *more, **keys):
        generator = mailgen.Generator(seed=5)
        mails = [mail.octets for mail in generator.messages(MESSAGES + OTHERS, 0, 20_000)]
        self.others = set()
        self.draw = random.Random(5)
        super().__init__(server, user, *more, **keys)
        server.fill(user, "Work", [(octets, "\\Deleted" if number % 10 == 0 else "", 1700000000)
                                   for number, octets in enumerate(mails[:MESSAGES])])
        server.fill(user, "Archive", [(octets, "\\Seen", 1700000000)
                                      for octets in mails[MESSAGES:]])
        self.others = {stages.digest(octets) for octets in mails[:MESSAGES:10]}
        self.take_stock()

    def pick(self, mailbox):
        """Any that is not another's."""
        names = sorted(set(os.listdir(self.directory / mailbox)) - self.unsent)
        for _ in range(50):
            if not names:
                break
            path = self.directory / mailbox / self.draw.choice(names)
            sha256 = self.read(mailbox, path)
            if sha256 not in self.others:
                return path, sha256
        raise Nothing


def bursts(writer, count, seed):
    writer.draw = random.Random(seed)
    return mount.bursts(writer, count, seed, faults=True)
