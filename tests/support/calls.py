# SPDX-License-Identifier: LGPL-2.1-or-later
"""One running shell that is given calls, one after the other, and whose results are Python values.

    with Calls(mailrack, account()) as calls:
        calls("c.select_folder('INBOX')")[b"EXISTS"]        # whatever the call gives
        calls.fails("c.fetch()")                            # what the shell says against it

A Coprocess with the fixtures' program and environment: many calls run in one process.
"""

from tests.support.coprocess import Coprocess, ShellError


class Calls(Coprocess):
    def __init__(self, mailrack, account, *options, env=None, seconds=120):
        """mailrack: the fixture; account: a file."""
        super().__init__(mailrack.program, "-f", account, *options, timeout=seconds,
                         env={**mailrack.environment, **(env or {})})

    def fails(self, line):
        """What is said against the line: "TypeError: ..."."""
        try:
            result = self(line)
        except ShellError as problem:
            return str(problem)
        raise AssertionError(f"{line} was not refused, but gave {result!r}")
