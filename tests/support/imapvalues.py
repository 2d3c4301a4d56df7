# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a server says as Python values, read by a small parser of its own: the second opinion on
what the shell's calls give.

    fetched(connection, "1:*", "(FLAGS ENVELOPE)")    {uid: {b"FLAGS": (...), b"ENVELOPE": ...}}

connection is a logged-in imaplib.IMAP4, used for its octets alone.  The shapes are those that
IMAPClient's documentation describes: NIL is None, numbers are int, everything else bytes, lists are
tuples; an ENVELOPE, a BODYSTRUCTURE and an INTERNALDATE are what is made of them there.  Nothing
here is shared with the program under test.
"""

import datetime
import email.utils
import re

from tests.support.coprocess import Address, Envelope

_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def responses(connection, command):
    """(untagged responses, tagged one) of a command, as octets with their literals."""
    tag = connection._new_tag()
    connection.send(tag + b" " + command.encode() + b"\r\n")
    untagged = []
    while True:
        line = connection.readline()
        assert line, "the connection was closed"
        while found := _LITERAL.search(line):
            line += connection.read(int(found[1])) + connection.readline()
        if line.startswith(tag + b" "):
            return untagged, line
        untagged.append(line)


def parse(octets):
    """The values beside each other, as a list."""
    values, at = _values(octets, 0)
    assert at == len(octets), octets[at:]
    return values


def _values(octets, at):
    values = []
    while at < len(octets):
        c = octets[at:at + 1]
        if c in b" \r\n":
            at += 1
        elif c == b"(":
            inner, at = _values(octets, at + 1)
            values.append(tuple(inner))
            at += 1
        elif c == b")":
            return values, at
        elif c == b'"':
            end = at + 1
            while octets[end:end + 1] != b'"':
                end += 2 if octets[end:end + 1] == b"\\" else 1
            values.append(re.sub(rb"\\(.)", rb"\1", octets[at + 1:end]))
            at = end + 1
        elif found := re.compile(rb"~?\{(\d+)\}\r\n").match(octets, at):
            end = found.end() + int(found[1])
            values.append(octets[found.end():end])
            at = end
        else:
            found = re.compile(rb"(?:[^\s()\[\]]|\[[^\]]*\])+").match(octets, at)
            word = found[0]
            values.append(None if word == b"NIL" else int(word) if word.isdigit() else word)
            at = found.end()
    return values, at


def _native(when):
    """In local time, without a zone."""
    return when.astimezone().replace(tzinfo=None)


def internal_date(text):
    """'17-Jul-1996 02:44:25 -0700' as an aware datetime."""
    day, month, year, hour, minute, second, sign, hours, minutes = re.match(
        rb" ?(\d+)-(\w+)-(\d+) (\d+):(\d+):(\d+) ([+-])(\d\d)(\d\d)$", text).groups()
    offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
    zone = datetime.timezone(-offset if sign == b"-" else offset)
    return datetime.datetime(int(year), _MONTHS.index(month.decode()) + 1, int(day), int(hour),
                             int(minute), int(second), tzinfo=zone)


def _envelope(parts, convert):
    try:
        date = convert(email.utils.parsedate_to_datetime(parts[0].decode()))
    except (AttributeError, TypeError, ValueError):
        date = None
    addresses = [tuple(Address(*each) for each in some) if some else None for some in parts[2:8]]
    return Envelope(date, parts[1], *addresses, *parts[8:10])


def _structure(parts):
    if not isinstance(parts[0], tuple):
        return parts
    children = [part for part in parts if isinstance(part, tuple)]
    n = next(i for i, part in enumerate(parts) if not isinstance(part, tuple))
    return ([_structure(child) for child in children[:n]], *parts[n:])


def fetched(connection, messages, items, uid=True, native=True):
    """What a FETCH of items brings, by UID or by number."""
    convert = _native if native else lambda when: when
    verb = "UID FETCH" if uid else "FETCH"
    result = {}
    for line in responses(connection, f"{verb} {messages} {items}")[0]:
        values = parse(line)
        if values[0] != b"*" or values[2] != b"FETCH":
            continue
        pairs = dict(zip(values[3][::2], values[3][1::2]))
        message = {b"SEQ": values[1]}
        for name, value in pairs.items():
            name = name.upper()
            if name == b"UID" and uid:
                continue
            if name == b"INTERNALDATE":
                value = convert(internal_date(value))
            elif name == b"ENVELOPE":
                value = _envelope(value, convert)
            elif name in (b"BODY", b"BODYSTRUCTURE"):
                value = _structure(value)
            message[name] = value
        result.setdefault(pairs[b"UID"] if uid else values[1], {}).update(message)
    return result


def numbers(connection, command, name):
    """The numbers of a response such as SEARCH or SORT."""
    untagged, tagged = responses(connection, command)
    assert b" OK " in tagged, tagged
    for line in untagged:
        values = parse(line)
        if values[1] == name:
            return [value for value in values[2:] if isinstance(value, int)]
    return []
