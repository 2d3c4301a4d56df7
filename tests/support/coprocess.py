# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client for `mailrack --coprocess`: a line in, exactly one line of answer out.

    with Coprocess(program, "-f", account) as shell:
        shell("cd")
        uids = shell.call("search", ["FROM", "bob"])     # c.search(['FROM', 'bob'])
        shell.news                                       # what lines with "* " said so far

An error is raised as ShellError with its kind and message.  Results come as Python's values:
records such as Envelope are named tuples, dates are datetime's.
"""

import collections
import datetime
import json
import subprocess
import threading

Envelope = collections.namedtuple("Envelope", "date subject from_ sender reply_to to cc bcc "
                                              "in_reply_to message_id")
Address = collections.namedtuple("Address", "name route mailbox host")
Quota = collections.namedtuple("Quota", "quota_root resource usage limit")
MailboxQuotaRoots = collections.namedtuple("MailboxQuotaRoots", "mailbox quota_roots")
NAMES = {"__builtins__": {}, "datetime": datetime, "Envelope": Envelope, "Address": Address,
         "Quota": Quota, "MailboxQuotaRoots": MailboxQuotaRoots}


class ShellError(Exception):
    """What a line that begins with "! " says."""

    def __init__(self, kind, message):
        super().__init__(f"{kind}: {message}")
        self.kind, self.message = kind, message


class Coprocess:
    """One running shell."""

    def __init__(self, program, *arguments, env=None, as_json=False, timeout=60):
        self.as_json, self.news = as_json, []
        self.process = subprocess.Popen(
            [str(program), "--coprocess", *(["--json"] if as_json else []), *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
            text=True, encoding="utf-8")
        self.watchdog = threading.Timer(timeout, self.process.kill)
        self.watchdog.daemon = True
        self.watchdog.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def value(self, text):
        return json.loads(text) if self.as_json else eval(text, dict(NAMES))

    def read(self):
        """The next line as (mark, rest); news is kept on the way."""
        line = self.process.stdout.readline()
        if not line.endswith("\n"):
            raise EOFError(f"the shell has ended: {self.process.stderr.read()}")
        mark, _, rest = line[:-1].partition(" ")
        if mark == "*":
            self.news.append(self.value(rest))
        return mark, rest

    def __call__(self, line):
        assert "\n" not in line
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while True:
            mark, rest = self.read()
            if mark == "=":
                return self.value(rest)
            if mark == "!" and self.as_json:
                raise ShellError(**self.value(rest))
            if mark == "!":
                kind, _, message = rest.partition(": ")
                raise ShellError(kind, message)
            assert mark == "*", f"neither answer nor news: {mark} {rest}"

    def call(self, method, *arguments, **keywords):
        """c.METHOD(...) with Python's values."""
        words = [*map(repr, arguments), *(f"{name}={value!r}" for name, value in keywords.items())]
        return self(f"c.{method}({', '.join(words)})")

    def wait_for_news(self, *kinds):
        """Waits for a line that begins with "* ", which comes by itself; (2, b"EXISTS") has the
        kind b"EXISTS"."""
        while True:
            while not self.news:
                mark, rest = self.read()
                assert mark == "*", f"an answer to nothing: {mark} {rest}"
            found = self.news.pop(0)
            if not kinds or found[1] in kinds:
                return found

    def close(self):
        """Ends it; its exit status."""
        self.process.stdin.close()
        status = self.process.wait()
        self.watchdog.cancel()
        self.process.stdout.close()
        self.process.stderr.close()
        return status
