# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a message consists of: the judge of the parts view.

    parts = sections(octets)                   # {"2.1": octets of the entity, ...}
    content(parts["2.1"])                      # what the attached file must hold
    readable(parts["1"])                       # what the text must be

Parts are cut out of the octets here; headers and encodings are Python's email package's.  What it
is not: a model of which part is the text and how files are called; tests say that.
"""

import email
import re


def _header(entity):
    """The header alone, parsed, and what follows it."""
    if entity.startswith(b"\r\n"):
        return email.message_from_bytes(b"\r\n"), entity[2:]
    header, _, body = entity.partition(b"\r\n\r\n")
    return email.message_from_bytes(header + b"\r\n\r\n"), body


def _children(body, boundary):
    # No line end is needed before the first boundary.
    mark = rb"(?:\A|\r\n)--" + re.escape(boundary.encode("utf-8", "surrogateescape"))
    pieces = re.split(mark + rb"(?=--|[ \t]*\r\n)", body)[1:]
    return [re.sub(rb"\A[ \t]*\r\n", b"", piece) for piece in pieces if not piece.startswith(b"--")]


def sections(octets):
    """The entities by IMAP's numbers (RFC 3501 6.4.5); multiparts are not among them."""
    found = {}

    def walk(entity, number):
        header, body = _header(entity)
        boundary = header.get_boundary()
        if header.get_content_maintype() != "multipart" or boundary is None:
            found[number or "1"] = entity
            return
        for position, child in enumerate(_children(body, boundary), 1):
            walk(child, f"{number}.{position}" if number else str(position))

    walk(octets, "")
    return found


def content(entity):
    """The file that was attached; of text the lines end in LF unless they were sent as base64."""
    header, body = _header(entity)
    if header.get_content_maintype() == "message":
        return body
    decoded = email.message_from_bytes(entity).get_payload(decode=True)
    encoded = str(header.get("Content-Transfer-Encoding", "")).strip().lower()
    if header.get_content_maintype() == "text" and encoded != "base64":
        decoded = decoded.replace(b"\r\n", b"\n")
    return decoded


def readable(entity):
    """The text in UTF-8, the lines ending in LF."""
    part = email.message_from_bytes(entity)
    text = part.get_payload(decode=True)
    try:
        text = text.decode(part.get_content_charset("us-ascii")).encode("utf-8")
    except (LookupError, UnicodeDecodeError):
        pass                         # what nobody knows stays as it is
    return text.replace(b"\r\n", b"\n")
