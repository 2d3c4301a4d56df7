# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a server announce wrong sizes, as some do: for the `rewrite` of proxy.py.

    with Proxy(server.host, server.imap, rewrite=lambda: Liar(smaller)) as proxy:
        ...every RFC822.SIZE n that passes is smaller(n, uid) instead...

Literals pass as they are, so that a message may speak of RFC822.SIZE.  COMPRESS is not offered any
more, since nobody could read along.

What it is not: an IMAP parser.  It knows lines and literals.
"""

import re

_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_UID = re.compile(rb"\bUID (\d+)")
_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
_COMPRESS = re.compile(rb" COMPRESS=DEFLATE\b")


def smaller(size, uid):
    return size // 2 if uid % 4 else 0


def larger(size, _uid):
    return 2 * size + 5000


def seldom(size, uid):
    """True for small messages, which a client may have tried, so that it believes the rest."""
    if size <= 20_000:
        return size
    return larger(size, uid) if uid % 2 else smaller(size, uid)


LIES = {"smaller": smaller, "larger": larger, "seldom": seldom}


class Liar:
    """One connection's octets, from the server."""

    def __init__(self, lie):
        self.lie = lie
        self.pending = b""           # of a line
        self.literal = 0             # octets that still belong to one
        self.uid = 0                 # of the response that is passing

    def feed(self, data):
        passed = []
        while data:
            if self.literal:
                piece, data = data[:self.literal], data[self.literal:]
                self.literal -= len(piece)
                passed.append(piece)
                continue
            line, end, data = data.partition(b"\n")
            self.pending += line + end
            if end:
                passed.append(self._line(self.pending))
                self.pending = b""
        return b"".join(passed)

    def _line(self, line):
        literal = _LITERAL.search(line)
        if literal:
            self.literal = int(literal[1])
        line = _COMPRESS.sub(b"", line)
        if line.startswith(b"* "):
            self.uid = 0
        uid = _UID.search(line)
        self.uid = int(uid[1]) if uid else self.uid
        return _SIZE.sub(lambda found: b"RFC822.SIZE %d" % self.lie(int(found[1]), self.uid), line)
