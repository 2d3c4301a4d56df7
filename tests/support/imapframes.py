# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where commands and responses begin and end in a stream of IMAP that comes in pieces.

    frames = Frames()
    for piece in frames.feed(octets):       # every octet comes out once, in order
        piece.first, piece.last             # whether it begins, ends a command or a response
        piece.awaits                        # it announces a literal that waits for "+"

A first piece holds the whole first line, so that the tag and the name can be read from it.  A text
that ends in "{12}" and is no literal would be taken for one: the servers of the tests say none.

What it is not: a parser.  It knows lines and literals and nothing else.
"""

import re
import typing

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n\Z")


class Piece(typing.NamedTuple):
    octets: bytes
    first: bool
    last: bool
    awaits: bool


class Frames:
    def __init__(self):
        self._line = b""         # of the line that is not over yet; not given out before
        self._literal = 0        # octets of a literal that are still to come
        self._within = False     # a unit has begun and not ended
        self._literal_begun = True

    def feed(self, data):
        found = []
        while data:
            if self._literal:
                piece, data = data[:self._literal], data[self._literal:]
                self._literal -= len(piece)
                self._literal_begun = True
                found.append(Piece(piece, False, False, False))
                continue
            line, newline, data = data.partition(b"\n")
            self._line += line + newline
            if not newline:
                break
            found.append(self._end_line())
        return found

    def _end_line(self):
        line, self._line = self._line, b""
        announced = _LITERAL.search(line)
        first = not self._within
        self._within = announced is not None
        if announced:
            self._literal = int(announced[1])
            self._literal_begun = False
        return Piece(line, first, not announced, bool(announced) and not announced[2])

    def abandon(self):
        """The command was refused before its literal: what comes next is another command.  False:
        too late, or there is none."""
        if not self._within or self._literal_begun or self._line:
            return False
        self._within, self._literal, self._literal_begun = False, 0, True
        return True


def head(line):
    """(tag, NAME) of the first line of a command: (b"A1", "UID MOVE"); (b"", "") for other lines,
    as DONE or the answer to a challenge."""
    words = line.split(None, 3)
    if len(words) < 2:
        return b"", ""
    name = words[1].upper()
    if name == b"UID" and len(words) > 2:
        name += b" " + words[2].upper()
    return words[0], name.decode("latin-1")
