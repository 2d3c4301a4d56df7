# SPDX-License-Identifier: LGPL-2.1-or-later
"""One running shell that is given calls, one after the other, and whose results are Python values.

    with Calls(mailrack, account()) as calls:
        calls("c.select_folder('INBOX')")[b"EXISTS"]        # whatever the call gives
        calls.fails("c.fetch()")                            # what the shell says against it

Many calls run in one process, as a program that drives the shell has it.  A result is what the
shell prints, read as Python: whatever it prints has to be a literal, a date or a record.
"""

import collections
import datetime
import os
import selectors
import subprocess
import time

Envelope = collections.namedtuple("Envelope", "date subject from_ sender reply_to to cc bcc "
                                              "in_reply_to message_id")
Address = collections.namedtuple("Address", "name route mailbox host")
Quota = collections.namedtuple("Quota", "quota_root resource usage limit")
MailboxQuotaRoots = collections.namedtuple("MailboxQuotaRoots", "mailbox quota_roots")

_NAMES = {"__builtins__": {}, "datetime": datetime, "Envelope": Envelope, "Address": Address,
          "Quota": Quota, "MailboxQuotaRoots": MailboxQuotaRoots}


class CallError(Exception):
    """What the shell said against a call."""


def value(text):
    """What the shell printed, as a value; None for nothing."""
    return eval(text, dict(_NAMES)) if text.strip() else None


class Calls:
    def __init__(self, mailrack, account, *options, env=None, seconds=60):
        """mailrack: the fixture, for its program and environment; account: a file."""
        self._command = [*mailrack.command, "-f", str(account), "-k", *options]
        self._environment = {**mailrack.environment, **(env or {})}
        self._seconds = seconds
        self._number = 0
        self._out = b""

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         env=self._environment)
        self._selector = selectors.DefaultSelector()
        for pipe in (self._process.stdout, self._process.stderr):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ)
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(self._seconds)
        finally:
            self._process.kill()
            self._process.wait()
            self._selector.close()
            self._process.stdout.close()
            self._process.stderr.close()

    def _read_until(self, mark):
        """(output before the mark, errors): an error is written before the mark is."""
        deadline = time.monotonic() + self._seconds
        out = err = b""
        while mark not in out:
            ready = self._selector.select(max(deadline - time.monotonic(), 0))
            assert ready, f"no answer within {self._seconds} s; so far {out!r} {err!r}"
            for key, _ in ready:
                data = key.fileobj.read()
                assert data != b"" or key.fileobj is self._process.stderr, \
                    f"the shell has ended: {out!r} {err!r}"
                if key.fileobj is self._process.stdout:
                    out += data or b""
                else:
                    err += data or b""
        err += self._process.stderr.read() or b""
        return out.partition(mark)[0].decode(), err.decode()

    def text(self, line):
        """What the shell prints for a line."""
        self._number += 1
        mark = f"end of answer {self._number}"
        self._process.stdin.write(f"{line}\nprint('{mark}')\n".encode())
        self._process.stdin.flush()
        out, err = self._read_until(mark.encode() + b"\n")
        if err:
            raise CallError(err.strip())
        return out

    def __call__(self, line):
        return value(self.text(line))

    def fails(self, line):
        """What is said against the line, on one line."""
        try:
            out = self.text(line)
        except CallError as problem:
            assert "\n" not in str(problem), problem
            return str(problem)
        raise AssertionError(f"{line} was not refused, but gave {out}")
