# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fill a mailbox fast, and ask a server for the truth about it, with Python's imaplib.

    fill(connection, "INBOX", messages)      # pipelined MULTIAPPEND with LITERAL+, or one by one
    truth(connection, "INBOX")               # [Message(uid, flags, date, size, sha256), ...]

Both take a logged-in imaplib.IMAP4 and work with any server, so that they can be the second
opinion on what Mailrack read or wrote.  Nothing here sets \\Seen.
"""

import dataclasses
import hashlib
import imaplib
import re
import time


@dataclasses.dataclass(frozen=True)
class Message:
    """What the server says of one message."""
    uid: int
    flags: frozenset             # of str, \\Recent left out
    date: str                    # INTERNALDATE as sent
    size: int                    # RFC822.SIZE as announced
    octets: int                  # how many BODY[] really has
    sha256: str                  # of BODY[]


def quote(name):
    """A mailbox name as a quoted string; it must already be in modified UTF-7."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _check(answer, what):
    status, data = answer
    if status != "OK":
        raise RuntimeError(f"{what}: {status} {data!r}")
    return data


def append_item(message):
    """(octets, flags, date) of what fill() was given: bytes, or a tuple of one to three."""
    if isinstance(message, (bytes, bytearray)):
        return message, "", ""
    octets, flags, date = (*message, "", "")[:3]
    if not isinstance(flags, str):
        flags = " ".join(flags)
    if date and not isinstance(date, str):
        date = imaplib.Time2Internaldate(date)
    return octets, f"({flags}) " if flags else "", f"{date} " if date else ""


def fill(connection, mailbox, messages, batch=500, batch_octets=32 << 20):
    """Append messages (bytes, or tuples (bytes, flags, date)) and return how many there were.

    With MULTIAPPEND and LITERAL+ a batch is one command and one transaction, about 4,000 messages
    a second with Dovecot; without them it is one APPEND each, in step with the server.  The date
    is seconds since the epoch or an IMAP date-time with its quotes.
    """
    together = {"MULTIAPPEND", "LITERAL+"} <= set(capabilities(connection))
    if not together:
        count = 0
        for count, message in enumerate(messages, 1):
            octets, flags, date = append_item(message)
            _check(connection.append(quote(mailbox), flags.strip(), date.strip() or None, octets),
                   f"APPEND to {mailbox}")
        return count

    count = 0
    pending, size, in_flight = [], 0, []

    def flush():
        tag = connection._new_tag()
        connection.send(tag + b" APPEND " + quote(mailbox).encode() + b"".join(pending) + b"\r\n")
        in_flight.append(tag)
        if len(in_flight) > 1:     # one being written by the server, one on its way
            _await(connection, in_flight.pop(0))

    for message in messages:
        octets, flags, date = append_item(message)
        pending.append(b" %s{%d+}\r\n" % ((flags + date).encode(), len(octets)))
        pending.append(octets)
        size += len(octets)
        count += 1
        if count % batch == 0 or size > batch_octets:
            flush()
            pending, size = [], 0
    if pending:
        flush()
    for tag in in_flight:
        _await(connection, tag)
    return count


def _await(connection, tag):
    """Read to the tagged response of a command that imaplib did not send itself."""
    while True:
        line = connection.readline()
        if not line:
            raise RuntimeError("the server closed the connection during APPEND")
        if line.startswith(tag + b" "):
            break
    if not line.startswith(tag + b" OK"):
        raise RuntimeError(f"APPEND: {line.decode('utf-8', 'replace').strip()}")
    connection.tagged_commands.pop(tag, None)


def capabilities(connection):
    """What is offered now; imaplib itself only knows what was offered before the login."""
    data = _check(connection.capability(), "CAPABILITY")
    return data[-1].decode("ascii").upper().split()


_ATTRIBUTES = {
    "uid": re.compile(rb"\bUID (\d+)"),
    "flags": re.compile(rb"\bFLAGS \(([^)]*)\)"),
    "date": re.compile(rb'\bINTERNALDATE "([^"]*)"'),
    "size": re.compile(rb"\bRFC822\.SIZE (\d+)"),
}


def _parse(text, body):
    """A Message from one FETCH response: its text without the literal, and the literal."""
    values = {}
    for name, pattern in _ATTRIBUTES.items():
        matched = pattern.search(text)
        if not matched:
            raise RuntimeError(f"no {name} in {text!r}")
        values[name] = matched[1].decode()
    return Message(int(values["uid"]), frozenset(values["flags"].split()) - {"\\Recent"},
                   values["date"], int(values["size"]), len(body),
                   hashlib.sha256(body).hexdigest())


def truth(connection, mailbox, window=200, bodies=True):
    """Every message of a mailbox in UID order, the bodies hashed as they are on the server."""
    exists = int(_check(connection.select(quote(mailbox), readonly=True), f"EXAMINE {mailbox}")[0])
    items = "(UID FLAGS INTERNALDATE RFC822.SIZE" + (" BODY.PEEK[])" if bodies else ")")
    found, changed = [], False
    for first in range(1, exists + 1, window):
        last = min(first + window - 1, exists)
        text = body = b""
        for part in _check(connection.fetch(f"{first}:{last}", items), f"FETCH in {mailbox}"):
            if isinstance(part, tuple):
                text, body = part      # what follows the literal comes as a part of its own
                continue
            if not text and not _ATTRIBUTES["uid"].search(part):
                changed = True         # told beside: somebody else has just set a flag
                continue
            found.append(_parse(text + part, body))
            text = body = b""
    if len(found) != exists:
        raise RuntimeError(f"{mailbox}: {exists} exist but {len(found)} were fetched")
    connection.close()                 # expunges nothing after EXAMINE
    if changed:
        return truth(connection, mailbox, window, bodies)
    return sorted(found, key=lambda message: message.uid)


def wait_for(condition, seconds=10.0, what="a condition"):
    """Poll until condition() is true; for what another process does in its own time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.01)
    return value
